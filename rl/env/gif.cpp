#include "rl/env/gif.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "rl/error.hpp"

namespace rl {

namespace {

void put_byte(std::string& out, int value) {
  out.push_back(static_cast<char>(value));
}

void put_word(std::string& out, int value) {
  put_byte(out, value & 255);
  put_byte(out, value >> 8);
}

// Packs codes of growing width, lowest bit first, into blocks of at most 255 bytes.
class CodeWriter {
public:
  explicit CodeWriter(std::string& out) : out_(out) {}

  void put(unsigned code, int width) {
    bits_ |= code << filled_;
    for (filled_ += width; filled_ >= 8; filled_ -= 8, bits_ >>= 8)
      byte();
  }

  void finish() {
    if (filled_ > 0)
      byte();
    flush();
    put_byte(out_, 0);
  }

private:
  void byte() {
    block_.push_back(static_cast<char>(bits_ & 255));
    if (block_.size() == 255)
      flush();
  }

  void flush() {
    if (block_.empty())
      return;
    put_byte(out_, static_cast<int>(block_.size()));
    out_ += block_;
    block_.clear();
  }

  std::string& out_;
  std::string block_;
  unsigned bits_ = 0;
  int filled_ = 0;
};

constexpr unsigned max_codes = 4096;

// The strings that LZW has seen, as (code of the beginning, next index) -> code: a table with open
// addressing, emptied whenever the codes run out.
class CodeTable {
public:
  CodeTable() { clear(); }
  void clear() { entries_.assign(2 * max_codes, {}); }

  // The code of the string, or a place to put one.
  unsigned& operator()(unsigned beginning, unsigned index) {
    auto key = (beginning << 8 | index) + 1;
    auto slot = key * 2654435761u >> 19; // 13 bits
    while (entries_[slot].key != 0 && entries_[slot].key != key)
      slot = (slot + 1) % (2 * max_codes);
    if (entries_[slot].key == 0)
      entries_[slot] = {key, none};
    return entries_[slot].code;
  }

  static constexpr unsigned none = max_codes;

private:
  struct Entry {
    unsigned key = 0; // 0: free
    unsigned code = none;
  };
  std::vector<Entry> entries_;
};

void compress(const std::vector<std::uint8_t>& indices, int index_bits, std::string& out) {
  put_byte(out, index_bits);
  CodeWriter codes(out);
  auto clear = 1u << index_bits, end = clear + 1, next = end + 1;
  auto width = index_bits + 1;
  CodeTable table;
  codes.put(clear, width);
  unsigned prefix = indices[0];
  for (std::size_t i = 1; i < indices.size(); ++i) {
    auto& known = table(prefix, indices[i]);
    if (known != CodeTable::none) {
      prefix = known;
      continue;
    }
    codes.put(prefix, width);
    known = next;
    if (next == 1u << width && width < 12)
      ++width;
    if (++next == max_codes) {
      codes.put(clear, width);
      table.clear();
      next = end + 1;
      width = index_bits + 1;
    }
    prefix = indices[i];
  }
  codes.put(prefix, width);
  if (next == 1u << width && width < 12)
    ++width; // the reader adds a code for the last one, too
  codes.put(end, width);
  codes.finish();
}

struct Area {
  int left, top, right, bottom; // right and bottom are outside
};

// What differs; one pixel when nothing does, since a frame cannot be empty.
Area changed(const Picture& before, const Picture& after) {
  Area area{after.width(), after.height(), 0, 0};
  for (int y = 0; y < after.height(); ++y)
    for (int x = 0; x < after.width(); ++x)
      if (before.at(x, y) != after.at(x, y)) {
        area.left = std::min(area.left, x);
        area.right = std::max(area.right, x + 1);
        area.top = std::min(area.top, y);
        area.bottom = std::max(area.bottom, y + 1);
      }
  return area.right > 0 ? area : Area{0, 0, 1, 1};
}

unsigned key(Colour colour) {
  return static_cast<unsigned>(colour.red << 16 | colour.green << 8 | colour.blue);
}

// One of 6 levels, 51 apart.
Colour rounded(Colour colour) {
  auto level = [](std::uint8_t value) { return static_cast<std::uint8_t>((value + 25) / 51 * 51); };
  return {level(colour.red), level(colour.green), level(colour.blue)};
}

// The colours of an area, and each pixel as an index into them.
struct Indexed {
  Indexed(const Picture& picture, const Area& area) {
    if (!fill(picture, area, [](Colour colour) { return colour; }))
      fill(picture, area, rounded);
  }

  template <class Map>
  bool fill(const Picture& picture, const Area& area, Map map) {
    palette.clear();
    indices.clear();
    std::unordered_map<unsigned, std::uint8_t> known;
    for (int y = area.top; y < area.bottom; ++y)
      for (int x = area.left; x < area.right; ++x) {
        auto colour = map(picture.at(x, y));
        auto [found, is_new] =
          known.try_emplace(key(colour), static_cast<std::uint8_t>(palette.size()));
        if (is_new && palette.size() == 256)
          return false;
        if (is_new)
          palette.push_back(colour);
        indices.push_back(found->second);
      }
    return true;
  }

  std::vector<Colour> palette;
  std::vector<std::uint8_t> indices;
};

} // namespace

Gif::Gif(int delay) : delay_(delay) {
  if (delay < 1 || delay > 65535)
    throw Error(ErrorCode::bad_value, "a GIF shows each picture for 1 to 65535 hundredths of a "
                                      "second, not "
                                        + std::to_string(delay));
}

void Gif::add(const Picture& picture) {
  auto width = picture.width(), height = picture.height();
  auto size = [](int w, int h) { return std::to_string(w) + " x " + std::to_string(h); };
  if (width < 1 || height < 1 || width > 65535 || height > 65535)
    throw Error(ErrorCode::bad_value,
                "a GIF cannot hold a picture of " + size(width, height) + " pixels");
  if (count_ > 0 && (width != last_.width() || height != last_.height()))
    throw Error(ErrorCode::bad_value, "a picture of " + size(width, height)
                                        + " pixels does not fit into a GIF of "
                                        + size(last_.width(), last_.height()));
  auto area = count_ == 0 ? Area{0, 0, width, height} : changed(last_, picture);
  Indexed indexed(picture, area);
  auto bits = std::max(1, static_cast<int>(std::bit_width(indexed.palette.size() - 1)));
  body_ += std::string("\x21\xf9\x04\x04", 4); // leave the picture in place
  put_word(body_, delay_);
  put_word(body_, 0);
  put_byte(body_, 0x2c);
  put_word(body_, area.left);
  put_word(body_, area.top);
  put_word(body_, area.right - area.left);
  put_word(body_, area.bottom - area.top);
  put_byte(body_, 0x80 | (bits - 1)); // a palette of its own
  for (std::size_t i = 0; i < std::size_t{1} << bits; ++i) {
    auto colour = i < indexed.palette.size() ? indexed.palette[i] : Colour{};
    put_byte(body_, colour.red);
    put_byte(body_, colour.green);
    put_byte(body_, colour.blue);
  }
  compress(indexed.indices, std::max(2, bits), body_);
  last_ = picture;
  ++count_;
}

std::string Gif::bytes() const {
  if (count_ == 0)
    throw Error(ErrorCode::bad_value, "a GIF needs at least one picture");
  std::string out = "GIF89a";
  put_word(out, last_.width());
  put_word(out, last_.height());
  out += std::string("\x70\x00\x00", 3); // no palette for all
  out += std::string("\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00", 19);
  out += body_;
  put_byte(out, 0x3b);
  return out;
}

} // namespace rl
