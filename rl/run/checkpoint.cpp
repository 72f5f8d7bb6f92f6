#include "rl/run/checkpoint.hpp"

#include "rl/bytes.hpp"
#include "rl/run/file.hpp"

namespace rl {

namespace {

constexpr std::string_view magic = "cafrayrl";
constexpr std::size_t header_size = 8 + 4 + 4 + 8;

[[noreturn]] void refuse(const std::string& file, const std::string& what, const char* what_to_do) {
  throw Error(ErrorCode::bad_checkpoint, "checkpoint " + file + " " + what + "; " + what_to_do);
}

constexpr auto damaged = "it is damaged: use another copy, or train again without resuming";

} // namespace

void Checkpoint::put_list(const std::string& name, std::span<const std::string> list) {
  ByteWriter out;
  out.put<std::uint64_t>(list.size());
  for (auto& each : list)
    out.put_text(each);
  put(name, out.take());
}

void Checkpoint::put_floats(const std::string& name, std::span<const float> values) {
  ByteWriter out;
  out.put_all(values);
  put(name, out.take());
}

const std::string& Checkpoint::get(const std::string& name) const {
  auto found = parts_.find(name);
  if (found == parts_.end())
    refuse(file_, "has no part '" + name + "'", "it was not written by this algorithm");
  return found->second;
}

std::vector<std::string> Checkpoint::get_list(const std::string& name) const {
  ByteReader in(get(name));
  std::vector<std::string> list;
  for (auto left = in.get<std::uint64_t>(); left > 0; --left)
    list.push_back(in.get_text());
  return list;
}

std::vector<float> Checkpoint::get_floats(const std::string& name) const {
  return ByteReader(get(name)).get_all<float>();
}

void Checkpoint::expect(const std::string& name, std::string_view expected) const {
  auto& found = get(name);
  if (found != expected)
    refuse(file_, "has " + name + " '" + found + "', not '" + std::string(expected) + "'",
           "give the options it was trained with, or train anew in another folder");
}

void Checkpoint::write(const std::filesystem::path& file) const {
  ByteWriter payload;
  payload.put<std::uint64_t>(parts_.size());
  for (auto& [name, bytes] : parts_) {
    payload.put_text(name);
    payload.put_text(bytes);
  }
  ByteWriter header;
  header.put<std::uint32_t>(version);
  header.put(crc32c(payload.bytes()));
  header.put<std::uint64_t>(payload.bytes().size());
  write_file(file, std::string(magic) + header.bytes() + payload.bytes());
}

Checkpoint Checkpoint::read(const std::filesystem::path& file) {
  auto bytes = read_file(file);
  auto name = file.string();
  if (!bytes.starts_with(magic))
    refuse(name, bytes.empty() ? "is empty" : "does not begin as a checkpoint does",
           "name the checkpoint file that training wrote");
  if (bytes.size() < header_size)
    refuse(name, "ends inside its header", damaged);
  ByteReader header(std::string_view(bytes).substr(magic.size()));
  auto found_version = header.get<std::uint32_t>();
  auto checksum = header.get<std::uint32_t>();
  auto size = header.get<std::uint64_t>();
  if (found_version != version)
    refuse(name,
           "has version " + std::to_string(found_version) + ", this program reads version "
             + std::to_string(version),
           "use the program that wrote it, or train again");
  auto payload = std::string_view(bytes).substr(header_size);
  if (payload.size() != size)
    refuse(name,
           "has " + std::to_string(payload.size()) + " bytes of content where "
             + std::to_string(size) + " belong",
           damaged);
  if (crc32c(payload) != checksum)
    refuse(name, "does not match its checksum", damaged);
  Checkpoint result;
  result.file_ = name;
  ByteReader in(payload); // the checksum fits, so this is what was written
  for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
    auto part = in.get_text();
    result.parts_[part] = in.get_text();
  }
  return result;
}

} // namespace rl
