// Animated GIFs of pictures, in memory. Source: CompuServe, GIF89a specification (1990); looping by
// Netscape's application extension.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rl/env/picture.hpp"

namespace rl {

/// Appends pictures to an animation that repeats for ever. Of each picture only the rectangle that
/// changed is stored, LZW-compressed: some hundred bytes for a step of a simple task.
class Gif {
public:
  /// `delay` is the time a picture stays, in hundredths of a second (1 to 65535; viewers take 1 as
  /// 10). Throws Error{bad_value}.
  explicit Gif(int delay = 4);

  /// All pictures have the size of the first, at most 65535 on each side. Up to 256 colours in the
  /// changed rectangle are kept exactly; of more, each channel is rounded to one of 6 levels.
  /// Throws Error{bad_value}.
  void add(const Picture& picture);

  int count() const { return count_; }

  /// The file: a GIF89a, complete at any time. Throws Error{bad_value} without any picture.
  std::string bytes() const;

private:
  int delay_;
  int count_ = 0;
  Picture last_;
  std::string body_; // everything after the header
};

} // namespace rl
