// TensorBoard event files: scalars that `tensorboard --logdir` shows.
//
// A file is a sequence of records as TensorFlow frames them: length (u64), masked CRC-32C of the
// length, data, masked CRC-32C of the data; the data is an Event protocol buffer. We encode the few
// fields we need.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace rl {

class TensorBoardWriter {
public:
  /// Begins a new event file in `folder`, named after the time and this process as TensorBoard
  /// wants it. `wall_time` in seconds since 1970. Throws Error{cannot_write}.
  TensorBoardWriter(const std::filesystem::path& folder, double wall_time);

  /// Says that the run starts again before `step`: TensorBoard then forgets what older files of the
  /// folder hold of that step and later ones, which the run did before it was stopped.
  void restart(std::int64_t step, double wall_time);

  /// Adds one scalar. Flushed by flush().
  void scalar(std::string_view tag, std::int64_t step, double value, double wall_time);

  /// Throws Error{cannot_write} when something did not reach the file.
  void flush();

  const std::filesystem::path& file() const { return file_; }

private:
  void record(std::string_view data);

  std::filesystem::path file_;
  std::ofstream out_;
};

/// The checksum that guards a record: CRC-32C, rotated and offset so that checksums of data which
/// holds checksums stay sound.
std::uint32_t masked_crc32c(std::string_view bytes);

} // namespace rl
