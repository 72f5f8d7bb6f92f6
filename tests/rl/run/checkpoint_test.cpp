#include "rl/run/checkpoint.hpp"

#include <fstream>

#include "rl/bytes.hpp"
#include "rl/run/file.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::Checkpoint;
using rl::ErrorCode;
using rl::test::fails;

struct Fixture {
  rl::test::TemporaryFolder folder;
  std::filesystem::path file = folder.path / "checkpoint.bin";

  Fixture() {
    Checkpoint checkpoint;
    checkpoint.put("algorithm", "ppo");
    checkpoint.put_floats("weights", std::vector<float>{1.5f, -2});
    checkpoint.put_list("states", std::vector<std::string>{"a", std::string("\0b", 2), ""});
    checkpoint.write(file);
  }

  bool refused(std::initializer_list<const char*> words) const {
    return fails(
      ErrorCode::bad_checkpoint, [&] { Checkpoint::read(file); }, words);
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(checkpoint, Fixture)

BOOST_AUTO_TEST_CASE(what_was_written_is_read_back) {
  auto read = Checkpoint::read(file);
  BOOST_TEST(read.get("algorithm") == "ppo");
  BOOST_TEST(read.get_floats("weights") == (std::vector<float>{1.5f, -2}),
             boost::test_tools::per_element());
  BOOST_TEST((read.get_list("states") == std::vector<std::string>{"a", std::string("\0b", 2), ""}));
  read.expect("algorithm", "ppo");
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_and_every_cut_is_noticed) {
  auto bytes = rl::read_file(file);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ (1 << (i % 8)));
    rl::write_file(file, broken);
    BOOST_TEST(refused({"checkpoint.bin", ";"}), "byte " << i);
    rl::write_file(file, bytes.substr(0, i));
    BOOST_TEST(refused({"checkpoint.bin", ";"}), "cut at " << i);
  }
  rl::write_file(file, bytes + "x");
  BOOST_TEST(refused({"damaged"}));
}

BOOST_AUTO_TEST_CASE(another_version_says_so) {
  auto bytes = rl::read_file(file);
  bytes[8] = 9;
  rl::write_file(file, bytes);
  BOOST_TEST(refused({"version 9", "version 2"}));
}

BOOST_AUTO_TEST_CASE(a_missing_part_or_another_algorithm_is_named) {
  auto read = Checkpoint::read(file);
  BOOST_TEST(fails(ErrorCode::bad_checkpoint, [&] { read.get("optimiser"); },
                   {"checkpoint.bin", "'optimiser'"}));
  BOOST_TEST(
    fails(ErrorCode::bad_checkpoint, [&] { read.expect("algorithm", "es"); }, {"'ppo'", "'es'"}));
}

BOOST_AUTO_TEST_CASE(a_missing_file_cannot_be_read_and_a_missing_folder_not_written) {
  BOOST_TEST(fails(ErrorCode::cannot_read, [&] { Checkpoint::read(folder.path / "no"); }, {"/no"}));
  BOOST_TEST(fails(ErrorCode::cannot_read, [&] { Checkpoint::read(folder.path); }, {"folder"}));
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { Checkpoint().write(folder.path / "no" / "c"); }));
}

BOOST_AUTO_TEST_CASE(writing_leaves_the_old_file_when_it_fails) {
  std::filesystem::create_directory(file.string() + ".new"); // the file beside it cannot be opened
  BOOST_TEST(fails(ErrorCode::cannot_write, [&] { Checkpoint().write(file); }));
  BOOST_TEST(Checkpoint::read(file).get("algorithm") == "ppo");
}

BOOST_AUTO_TEST_CASE(crc32c_has_the_known_values) {
  BOOST_TEST(rl::crc32c("123456789") == 0xe3069283u);
  BOOST_TEST(rl::crc32c(std::string(32, '\0')) == 0x8a9136aau); // RFC 3720, B.4
}

BOOST_AUTO_TEST_SUITE_END()
