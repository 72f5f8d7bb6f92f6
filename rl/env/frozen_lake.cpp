#include "rl/env/frozen_lake.hpp"

#include "rl/env/checks.hpp"
#include "rl/env/picture.hpp"

namespace rl {

namespace {

constexpr std::string_view small_map = "SFFF"
                                       "FHFH"
                                       "FFFH"
                                       "HFFG";
constexpr std::string_view large_map = "SFFFFFFF"
                                       "FFFFFFFF"
                                       "FFFHFFFF"
                                       "FFFFFHFF"
                                       "FFFHFFFF"
                                       "FHHFFFHF"
                                       "FHFFHFHF"
                                       "FFFHFFFG";

} // namespace

FrozenLake::FrozenLake(Map map, Ice ice)
  : map_(map == Map::small ? small_map : large_map), side_(map == Map::small ? 4 : 8), ice_(ice),
    observation_space_(Discrete{side_ * side_}) {}

const Space& FrozenLake::action_space() const {
  static const Space space = Discrete{4};
  return space;
}

void FrozenLake::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  rng_.uniform(); // Gymnasium draws where to start, although there is one place only
  place_ = 0;
  running_ = true;
  observation[0] = 0;
}

int FrozenLake::neighbour(int place, int direction) const {
  auto row = place / side_, column = place % side_;
  switch (direction) {
    case 0: return column > 0 ? place - 1 : place;
    case 1: return row < side_ - 1 ? place + side_ : place;
    case 2: return column < side_ - 1 ? place + 1 : place;
    default: return row > 0 ? place - side_ : place;
  }
}

Step FrozenLake::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "FrozenLake");
  auto direction = require_choice(action, 4, "FrozenLake");
  auto drawn = rng_.uniform();
  if (ice_ == Ice::slippery) { // to the side before, as wanted, to the side after
    auto turn = drawn < 1.0 / 3 ? 3 : drawn < 2.0 / 3 ? 0 : 1;
    direction = (direction + turn) % 4;
  }
  place_ = neighbour(place_, direction);
  observation[0] = static_cast<float>(place_);
  auto goal = field(place_) == 'G';
  running_ = !goal && field(place_) != 'H';
  return {.reward = goal ? 1.0 : 0.0, .terminated = !running_, .truncated = false};
}

bool FrozenLake::draw(Picture& picture) const {
  auto cell = 160.0 / side_;
  picture.clear(160, 160, {120, 140, 160});
  for (int i = 0; i < side_ * side_; ++i) {
    auto x = i % side_ * cell, y = i / side_ * cell;
    auto kind = field(i);
    auto colour = kind == 'H'   ? Colour{20, 40, 110}
                  : kind == 'G' ? Colour{230, 190, 40}
                                : Colour{220, 235, 250};
    picture.rectangle(x + 1, y + 1, x + cell - 1, y + cell - 1, colour);
  }
  picture.disc({(place_ % side_ + 0.5) * cell, (place_ / side_ + 0.5) * cell}, cell / 3,
               {200, 40, 40});
  return true;
}

} // namespace rl
