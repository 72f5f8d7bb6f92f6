#include "rl/run/tensorboard.hpp"

#include <atomic>
#include <bit>
#include <unistd.h>

#include "rl/bytes.hpp"

namespace rl {

namespace {

// Protocol buffer fields: a key (number * 8 + wire type), then the value.
void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

template <class T>
void put_fixed(std::string& out, unsigned field, T value) {
  put_varint(out, field * 8 + (sizeof(T) == 8 ? 1 : 5));
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_bytes(std::string& out, unsigned field, std::string_view bytes) {
  put_varint(out, field * 8 + 2);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_integer(std::string& out, unsigned field, std::int64_t value) {
  put_varint(out, field * 8);
  put_varint(out, static_cast<std::uint64_t>(value));
}

} // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xa282ead8u;
}

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder, double wall_time) {
  static std::atomic<int> files{0}; // two runs in one second and process need two names
  file_ = folder
          / ("events.out.tfevents." + std::to_string(static_cast<std::int64_t>(wall_time))
             + ".caf-ray." + std::to_string(::getpid()) + "." + std::to_string(files++));
  out_.open(file_, std::ios::binary | std::ios::trunc);
  std::string event;
  put_fixed(event, 1, wall_time);
  put_bytes(event, 3, "brain.Event:2"); // file_version: the first record of every event file
  record(event);
  flush();
}

void TensorBoardWriter::restart(std::int64_t step, double wall_time) {
  std::string log; // SessionLog: status = 1, START = 1
  put_integer(log, 1, 1);
  std::string event; // Event: wall_time = 1, step = 2, session_log = 7
  put_fixed(event, 1, wall_time);
  put_integer(event, 2, step);
  put_bytes(event, 7, log);
  record(event);
}

void TensorBoardWriter::scalar(std::string_view tag, std::int64_t step, double value,
                               double wall_time) {
  std::string entry; // Summary.Value: tag = 1, simple_value = 2
  put_bytes(entry, 1, tag);
  put_fixed(entry, 2, static_cast<float>(value));
  std::string summary;
  put_bytes(summary, 1, entry);
  std::string event; // Event: wall_time = 1, step = 2, summary = 5
  put_fixed(event, 1, wall_time);
  put_integer(event, 2, step);
  put_bytes(event, 5, summary);
  record(event);
}

void TensorBoardWriter::record(std::string_view data) {
  ByteWriter length;
  length.put<std::uint64_t>(data.size());
  ByteWriter length_check, data_check;
  length_check.put(masked_crc32c(length.bytes()));
  data_check.put(masked_crc32c(data));
  out_ << length.bytes() << length_check.bytes() << data << data_check.bytes();
}

void TensorBoardWriter::flush() {
  if (!out_.flush())
    throw Error(ErrorCode::cannot_write, "cannot write " + file_.string());
}

} // namespace rl
