#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"

/// The executables that workers are started from, on hosts where they may not lie.
namespace caf_ray::cluster {

/// Which file this is, as text that only the same unchanged file of the same running system has:
/// two nodes that see it need not send it. Error: not_found, io_failed.
result<std::string> file_stamp(const std::filesystem::path& path);

/// SHA-256, in hex.
std::string content_hash(std::span<const std::byte> bytes);

/// Under which the program of a job travels as an object. Never that of a task's result or a put
/// but by the accident of 128 random bits.
object_id program_object(const std::string& hash, job_id job);

/// A folder of executables by their content, kept from one start of a node to the next.
class program_cache {
public:
  /// Makes the folder when the first program comes.
  explicit program_cache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Where the program with this hash lies, or would.
  std::filesystem::path path_of(const std::string& hash) const { return folder_ / hash; }
  bool has(const std::string& hash) const;

  /// Writes it, for its owner only, at once or not at all; the oldest go when there are too many.
  /// Errors: corrupt (not the content of that hash), io_failed (the text has errno's name).
  result<std::filesystem::path> keep(const std::string& hash, std::span<const std::byte> bytes);

  static constexpr std::size_t max_count = 16;

private:
  void drop_oldest() const;

  std::filesystem::path folder_;
};

} // namespace caf_ray::cluster
