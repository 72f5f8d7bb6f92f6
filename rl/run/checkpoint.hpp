// Checkpoints: named byte strings in one file that is either whole and right, or refused.
//
// File: "cafrayrl", version (u32), CRC-32C of the payload (u32), payload size (u64), payload.
// Payload: number of parts (u64), then of each part its name and its bytes, both with a 64-bit
// length. Little-endian.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rl {

class Checkpoint {
public:
  /// The one version this code writes and reads.
  static constexpr unsigned version = 2;

  /// Adds or replaces a part.
  void put(const std::string& name, std::string bytes) { parts_[name] = std::move(bytes); }
  void put_list(const std::string& name, std::span<const std::string> list);
  void put_floats(const std::string& name, std::span<const float> values);

  /// A part. Throws Error{bad_checkpoint} that names the file and the part when it is not there.
  const std::string& get(const std::string& name) const;
  std::vector<std::string> get_list(const std::string& name) const;
  std::vector<float> get_floats(const std::string& name) const;

  /// Throws Error{bad_checkpoint} unless the part `name` is `expected`: a checkpoint of another
  /// algorithm, environment or seed must not be continued by mistake.
  void expect(const std::string& name, std::string_view expected) const;

  /// Replaces `file` as a whole (run/file.hpp). Throws Error{cannot_write}.
  void write(const std::filesystem::path& file) const;

  /// Errors: cannot_read; bad_checkpoint saying which file, what is wrong with it, and what to do.
  static Checkpoint read(const std::filesystem::path& file);

private:
  std::string file_ = "(not from a file)";
  std::map<std::string, std::string> parts_;
};

} // namespace rl
