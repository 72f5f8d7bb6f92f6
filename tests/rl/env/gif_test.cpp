// GIFs are read back by giflib, which knows nothing of how ours are written.
#include "rl/env/gif.hpp"

#include <cstring>
#include <memory>

#include <gif_lib.h>

#include "rl/rng.hpp"
#include "tests/rl/support.hpp"

namespace {

using rl::Colour;
using rl::Picture;

// What a viewer would show after each frame.
std::vector<std::vector<Colour>> shown(const std::string& bytes) {
  struct Source {
    const std::string& bytes;
    std::size_t at = 0;
  } source{bytes};
  auto read = [](GifFileType* gif, GifByteType* to, int size) {
    auto& from = *static_cast<Source*>(gif->UserData);
    auto count = std::min(static_cast<std::size_t>(size), from.bytes.size() - from.at);
    std::memcpy(to, from.bytes.data() + from.at, count);
    from.at += count;
    return static_cast<int>(count);
  };
  int error = 0;
  auto* gif = DGifOpen(&source, read, &error);
  BOOST_REQUIRE(gif);
  BOOST_REQUIRE(DGifSlurp(gif) == GIF_OK);
  std::vector<std::vector<Colour>> result;
  std::vector<Colour> screen(static_cast<std::size_t>(gif->SWidth * gif->SHeight));
  for (int i = 0; i < gif->ImageCount; ++i) {
    auto& image = gif->SavedImages[i];
    auto& area = image.ImageDesc;
    for (int k = 0; k < area.Width * area.Height; ++k) {
      auto& colour = area.ColorMap->Colors[image.RasterBits[k]];
      screen[static_cast<std::size_t>((area.Top + k / area.Width) * gif->SWidth + area.Left
                                      + k % area.Width)] = {colour.Red, colour.Green, colour.Blue};
    }
    result.push_back(screen);
  }
  BOOST_TEST(source.at == bytes.size());
  DGifCloseFile(gif, &error);
  return result;
}

// Noise of `colours` colours in the whole picture: what compresses worst.
void noise(Picture& picture, int width, int height, unsigned colours, rl::Rng& rng) {
  picture.clear(width, height, {});
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      auto value = static_cast<std::uint8_t>(rng.below(colours));
      picture.rectangle(x, y, x + 1, y + 1, {value, static_cast<std::uint8_t>(255 - value), 7});
    }
}

bool same(std::span<const Colour> a, std::span<const Colour> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

} // namespace

BOOST_AUTO_TEST_SUITE(gif)

BOOST_AUTO_TEST_CASE(another_library_reads_every_picture_back) {
  rl::Rng rng(5);
  // One colour to all 256; sizes at which codes of every width, the table's end and blocks of 255
  // bytes come up.
  for (unsigned colours : {1u, 2u, 3u, 4u, 5u, 16u, 17u, 128u, 255u, 256u})
    for (int side : {1, 2, 9, 23, 64, 150}) {
      rl::Gif gif;
      std::vector<Picture> pictures(3);
      for (auto& each : pictures) {
        noise(each, side, side + 3, colours, rng);
        gif.add(each);
      }
      auto frames = shown(gif.bytes());
      BOOST_REQUIRE(frames.size() == pictures.size());
      for (std::size_t i = 0; i < frames.size(); ++i)
        BOOST_REQUIRE_MESSAGE(same(frames[i], pictures[i].pixels()),
                              colours << " colours, side " << side << ", picture " << i);
    }
}

BOOST_AUTO_TEST_CASE(only_what_changed_is_stored) {
  rl::Gif gif;
  Picture picture;
  std::vector<std::vector<Colour>> expected;
  for (int i = 0; i < 50; ++i) {
    picture.clear(300, 200, {255, 255, 255});
    picture.disc({20.0 + 5 * i, 100}, 8, {200, 0, 0});
    gif.add(picture);
    expected.emplace_back(picture.pixels().begin(), picture.pixels().end());
  }
  auto before = gif.bytes().size();
  gif.add(picture); // the same again
  expected.push_back(expected.back());
  auto bytes = gif.bytes();
  BOOST_TEST(bytes.size() - before < 50u);
  BOOST_TEST(bytes.size() < 50u * 300u);
  auto frames = shown(bytes);
  BOOST_REQUIRE(frames.size() == expected.size());
  for (std::size_t i = 0; i < frames.size(); ++i)
    BOOST_TEST(same(frames[i], expected[i]));
}

BOOST_AUTO_TEST_CASE(more_than_256_colours_are_rounded) {
  Picture picture;
  picture.clear(40, 40, {});
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 40; ++x)
      picture.rectangle(x, y, x + 1, y + 1,
                        {static_cast<std::uint8_t>(6 * x), static_cast<std::uint8_t>(6 * y), 99});
  rl::Gif gif;
  gif.add(picture);
  auto frames = shown(gif.bytes());
  for (std::size_t i = 0; i < 1600; ++i) {
    BOOST_TEST(std::abs(frames[0][i].red - picture.pixels()[i].red) <= 26);
    BOOST_TEST(std::abs(frames[0][i].green - picture.pixels()[i].green) <= 26);
    BOOST_TEST(frames[0][i].blue == 102);
  }
}

BOOST_AUTO_TEST_CASE(pictures_that_do_not_fit_are_refused) {
  using rl::ErrorCode;
  using rl::test::fails;
  rl::Gif gif;
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { gif.bytes(); }, {"at least one"}));
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { gif.add(Picture()); }, {"0 x 0"}));
  Picture small, large;
  small.clear(2, 3, {});
  large.clear(4, 5, {});
  gif.add(small);
  BOOST_TEST(fails(ErrorCode::bad_value, [&] { gif.add(large); }, {"4 x 5", "2 x 3"}));
  BOOST_TEST(gif.count() == 1);
  BOOST_TEST(fails(ErrorCode::bad_value, [] { rl::Gif(0); }));
}

BOOST_AUTO_TEST_SUITE_END()
