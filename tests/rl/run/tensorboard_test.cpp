#include "rl/run/tensorboard.hpp"

#include <cstring>
#include <map>
#include <vector>

#include "rl/run/file.hpp"
#include "tests/rl/support.hpp"

// A reader of its own, written from the format's description and sharing nothing with the writer.
namespace {

std::uint32_t plain_crc32c(const std::string& bytes) {
  std::uint32_t crc = 0xffffffff;
  for (unsigned char byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      auto low = (crc ^ (byte >> bit)) & 1;
      crc >>= 1;
      if (low)
        crc ^= 0x82f63b78;
    }
  return crc ^ 0xffffffff;
}

std::uint32_t mask(std::uint32_t crc) {
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <class T>
T number(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The records of a file; fails the test on a wrong checksum or length.
std::vector<std::string> records(const std::string& bytes) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at < bytes.size();) {
    BOOST_REQUIRE(at + 12 <= bytes.size());
    auto length = number<std::uint64_t>(bytes, at);
    BOOST_TEST(number<std::uint32_t>(bytes, at + 8) == mask(plain_crc32c(bytes.substr(at, 8))));
    BOOST_REQUIRE(at + 16 + length <= bytes.size());
    result.push_back(bytes.substr(at + 12, length));
    BOOST_TEST(number<std::uint32_t>(bytes, at + 12 + length) == mask(plain_crc32c(result.back())));
    at += 16 + length;
  }
  return result;
}

// The fields of a protocol buffer message: raw bytes by field number.
std::map<std::uint64_t, std::string> fields(const std::string& message) {
  std::map<std::uint64_t, std::string> result;
  std::size_t at = 0;
  auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      auto byte = static_cast<unsigned char>(message.at(at++));
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80)
        return value;
    }
  };
  while (at < message.size()) {
    auto key = varint();
    std::uint64_t value = key % 8 == 0 ? varint() : 0;
    auto size = key % 8 == 1 ? 8 : key % 8 == 5 ? 4 : key % 8 == 2 ? varint() : 0;
    result[key / 8] =
      key % 8 == 0 ? std::string(reinterpret_cast<char*>(&value), 8) : message.substr(at, size);
    at += size;
  }
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tensorboard)

BOOST_AUTO_TEST_CASE(a_file_decodes_to_the_scalars_that_were_written) {
  rl::test::TemporaryFolder folder;
  rl::TensorBoardWriter writer(folder.path, 1700000000.5);
  writer.scalar("loss/policy", 300, -0.25, 1700000001.0);
  writer.scalar("train/mean_return", 5'000'000'000, 475.5, 1700000002.0);
  writer.flush();
  BOOST_TEST(writer.file().filename().string().starts_with("events.out.tfevents.1700000000."));
  auto events = records(rl::read_file(writer.file()));
  BOOST_REQUIRE(events.size() == 3u);
  auto first = fields(events[0]);
  BOOST_TEST(number<double>(first[1], 0) == 1700000000.5);
  BOOST_TEST(first[3] == "brain.Event:2");
  auto check = [&](const std::string& event, double time, std::int64_t step, const char* tag,
                   float value) {
    auto outer = fields(event);
    BOOST_TEST(number<double>(outer[1], 0) == time);
    BOOST_TEST(number<std::int64_t>(outer[2], 0) == step);
    auto entry = fields(fields(outer[5])[1]);
    BOOST_TEST(entry[1] == tag);
    BOOST_TEST(number<float>(entry[2], 0) == value);
  };
  check(events[1], 1700000001.0, 300, "loss/policy", -0.25f);
  check(events[2], 1700000002.0, 5'000'000'000, "train/mean_return", 475.5f);
}

BOOST_AUTO_TEST_CASE(a_restart_is_a_session_log_with_status_start) {
  rl::test::TemporaryFolder folder;
  rl::TensorBoardWriter writer(folder.path, 5);
  writer.restart(301, 6.0);
  writer.flush();
  auto events = records(rl::read_file(writer.file()));
  BOOST_REQUIRE(events.size() == 2u);
  auto event = fields(events[1]);
  BOOST_TEST(number<std::int64_t>(event[2], 0) == 301);
  BOOST_TEST(number<std::int64_t>(fields(event[7])[1], 0) == 1); // SessionLog.START
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_an_error) {
  rl::test::TemporaryFolder folder;
  rl::TensorBoardWriter first(folder.path, 5);
  auto name = first.file().string(); // the next one differs in the number at its end
  auto dot = name.rfind('.');
  auto next = name.substr(0, dot + 1) + std::to_string(std::stoi(name.substr(dot + 1)) + 1);
  std::filesystem::create_symlink("/dev/full", next);
  BOOST_TEST(rl::test::fails(rl::ErrorCode::cannot_write,
                             [&] { rl::TensorBoardWriter(folder.path, 5); }, {next.c_str()}));
}

BOOST_AUTO_TEST_CASE(two_writers_in_one_second_have_two_files) {
  rl::test::TemporaryFolder folder;
  rl::TensorBoardWriter one(folder.path, 5), two(folder.path, 5);
  BOOST_TEST(one.file() != two.file());
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_missing_is_an_error) {
  rl::test::TemporaryFolder folder;
  BOOST_TEST(rl::test::fails(rl::ErrorCode::cannot_write,
                             [&] { rl::TensorBoardWriter(folder.path / "no", 1); }));
}

BOOST_AUTO_TEST_SUITE_END()
