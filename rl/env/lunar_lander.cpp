#include "rl/env/lunar_lander.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "rl/env/box2d_parts.hpp"
#include "rl/env/checks.hpp"

namespace rl {

namespace {

using namespace box2d;

constexpr float main_power = 13, side_power = 0.6f;
constexpr double initial_force = 1000;
constexpr float leg_away = 20, leg_down = 18, leg_width = 2, leg_height = 8; // pixels
constexpr float leg_torque = 40;
constexpr double side_away = 12, side_height = 14, side_offset = 17; // pixels
constexpr int chunks = 11;
constexpr double pad_height = static_cast<double>(screen_height) / 4;
const b2Vec2 hull[] = {{-14 / scale, 17 / scale}, {-17 / scale, 0}, {-17 / scale, -10 / scale},
                       {17 / scale, -10 / scale}, {17 / scale, 0},  {14 / scale, 17 / scale}};

b2Vec2 vec(double x, double y) {
  return {static_cast<float>(x), static_cast<float>(y)};
}

// How hard the engines push: main from 0 to 1; side from -1 (action 1) to 1.
struct Engines {
  double main = 0, side = 0;
};

Engines engines_of(std::span<const float> action, LunarLander::Control control) {
  if (control == LunarLander::Control::discrete)
    switch (require_choice(action, 4, "LunarLander")) {
      case 1: return {0, -1};
      case 2: return {1, 0};
      case 3: return {0, 1};
      default: return {};
    }
  require_finite(action.first(2), "LunarLander");
  auto main = std::clamp(static_cast<double>(action[0]), -1.0, 1.0);
  auto side = std::clamp(static_cast<double>(action[1]), -1.0, 1.0);
  return {main > 0 ? (main + 1) * 0.5 : 0, std::abs(side) > 0.5 ? side : 0};
}

} // namespace

struct LunarLander::World {
  explicit World(Rng& rng) : world({0, -10}) {
    prepare();
    world.SetContactListener(&touch);
    make_ground(rng);
    make_lander(rng);
    make_leg(0, -1);
    make_leg(1, 1);
  }

  void make_ground(Rng& rng) {
    std::array<double, chunks + 1> height;
    for (auto& each : height)
      each = rng.uniform(0, static_cast<double>(screen_height) / 2);
    std::fill_n(height.begin() + chunks / 2 - 2, 5, pad_height);
    for (std::size_t i = 0; i < chunks; ++i) {
      auto before = height[(i + chunks) % (chunks + 1)]; // of the first, the last
      terrain[i] = vec(static_cast<double>(screen_width) / (chunks - 1) * static_cast<double>(i),
                       0.33 * (before + height[i] + height[i + 1]));
    }
    b2BodyDef still;
    auto* moon = world.CreateBody(&still);
    b2EdgeShape edge;
    edge.SetTwoSided({0, 0}, {screen_width, 0});
    moon->CreateFixture(&edge, 0);
    b2FixtureDef ground;
    ground.shape = &edge;
    ground.friction = 0.1f;
    for (std::size_t i = 0; i + 1 < chunks; ++i) {
      edge.SetTwoSided(terrain[i], terrain[i + 1]);
      moon->CreateFixture(&ground);
    }
  }

  void make_lander(Rng& rng) {
    b2BodyDef body;
    body.type = b2_dynamicBody;
    body.position = {screen_width / 2, screen_height};
    lander = world.CreateBody(&body);
    b2PolygonShape shape;
    shape.Set(hull, std::size(hull));
    auto part = moving_part(shape, 5, 0x0010);
    part.friction = 0.1f;
    lander->CreateFixture(&part);
    auto x = rng.uniform(-initial_force, initial_force);
    auto y = rng.uniform(-initial_force, initial_force);
    lander->ApplyForceToCenter(vec(x, y), true);
    touch.fragile = lander;
  }

  void make_leg(std::size_t index, float side) {
    b2BodyDef body;
    body.type = b2_dynamicBody;
    body.position = {screen_width / 2 - side * leg_away / scale, screen_height};
    body.angle = side * 0.05f;
    legs[index] = world.CreateBody(&body);
    b2PolygonShape shape;
    shape.SetAsBox(leg_width / scale, leg_height / scale);
    auto part = moving_part(shape, 1, 0x0020);
    legs[index]->CreateFixture(&part);
    b2RevoluteJointDef joint;
    joint.bodyA = lander;
    joint.bodyB = legs[index];
    joint.localAnchorB = {side * leg_away / scale, leg_down / scale};
    joint.referenceAngle = legs[index]->GetAngle() - lander->GetAngle(); // as pybox2d fills it in
    joint.enableMotor = joint.enableLimit = true;
    joint.maxMotorTorque = leg_torque;
    joint.motorSpeed = 0.3f * side; // too weak to jump back
    joint.lowerAngle = side < 0 ? 0.4f : -0.9f;
    joint.upperAngle = side < 0 ? 0.9f : -0.4f;
    world.CreateJoint(&joint);
    touch.feet[index] = legs[index];
  }

  // Two draws every step, engines on or off; each engine pushes from where it is, a little off.
  void fire(const Engines& engines, Rng& rng) {
    double spread[2];
    for (auto& each : spread)
      each = rng.uniform(-1.0, 1.0) / static_cast<double>(scale);
    auto angle = static_cast<double>(lander->GetAngle());
    auto tip_x = std::sin(angle), tip_y = std::cos(angle), side_x = -tip_y, side_y = tip_x;
    auto pixel = 1 / static_cast<double>(scale);
    auto place = lander->GetPosition();
    auto x = static_cast<double>(place.x), y = static_cast<double>(place.y);
    if (engines.main > 0) {
      auto down = 4 * pixel + 2 * spread[0];
      auto ox = tip_x * down + side_x * spread[1], oy = -tip_y * down - side_y * spread[1];
      auto push = static_cast<double>(main_power) * engines.main;
      lander->ApplyLinearImpulse(vec(-ox * push, -oy * push), vec(x + ox, y + oy), true);
    }
    if (engines.side != 0) {
      auto direction = engines.side > 0 ? 1.0 : -1.0;
      auto out = 3 * spread[1] + direction * side_away * pixel;
      auto ox = tip_x * spread[0] + side_x * out, oy = -tip_y * spread[0] - side_y * out;
      auto push = static_cast<double>(side_power) * std::abs(engines.side);
      lander->ApplyLinearImpulse(
        vec(-ox * push, -oy * push),
        vec(x + ox - tip_x * side_offset * pixel, y + oy + tip_y * side_height * pixel), true);
    }
  }

  Step advance_with(const Engines& engines, Rng& rng, std::span<float> observation) {
    fire(engines, rng);
    advance(world);
    auto place = lander->GetPosition();
    auto velocity = lander->GetLinearVelocity();
    auto half_width = static_cast<double>(screen_width) / 2;
    auto half_height = static_cast<double>(screen_height) / 2;
    auto second = static_cast<double>(steps_per_second);
    double state[] = {
      (static_cast<double>(place.x) - half_width) / half_width,
      (static_cast<double>(place.y) - (pad_height + static_cast<double>(leg_down / scale)))
        / half_height,
      static_cast<double>(velocity.x) * half_width / second,
      static_cast<double>(velocity.y) * half_height / second,
      static_cast<double>(lander->GetAngle()),
      20.0 * static_cast<double>(lander->GetAngularVelocity()) / second,
      touch.touching[0] ? 1.0 : 0.0,
      touch.touching[1] ? 1.0 : 0.0,
    };
    std::transform(std::begin(state), std::end(state), observation.begin(),
                   [](double value) { return static_cast<float>(value); });
    auto shaping = -100 * std::sqrt(state[0] * state[0] + state[1] * state[1])
                   - 100 * std::sqrt(state[2] * state[2] + state[3] * state[3])
                   - 100 * std::abs(state[4]) + 10 * state[6] + 10 * state[7];
    Step result;
    result.reward = last_shaping ? shaping - *last_shaping : 0;
    last_shaping = shaping;
    result.reward -= engines.main * 0.30 + std::abs(engines.side) * 0.03;
    if (touch.broken || std::abs(state[0]) >= 1) {
      result.terminated = true;
      result.reward = -100;
    }
    if (!lander->IsAwake()) {
      result.terminated = true;
      result.reward = 100;
    }
    return result;
  }

  Touch touch; // outlives the world that calls it
  b2World world;
  b2Body* lander = nullptr;
  std::array<b2Body*, 2> legs{};
  std::array<b2Vec2, chunks> terrain;
  std::optional<double> last_shaping;
};

LunarLander::LunarLander(Control control) : control_(control) {}
LunarLander::~LunarLander() = default;

const Space& LunarLander::observation_space() const {
  static const Space space = [] {
    auto turn = static_cast<float>(2 * std::numbers::pi);
    return make_box({-2.5, -2.5, -10, -10, -turn, -10, 0, 0}, {2.5, 2.5, 10, 10, turn, 10, 1, 1});
  }();
  return space;
}

const Space& LunarLander::action_space() const {
  static const Space discrete = Discrete{4}, continuous = make_box(2, -1, 1);
  return control_ == Control::discrete ? discrete : continuous;
}

void LunarLander::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  world_ = std::make_unique<World>(rng_); // a new one repeats itself, a used one does not
  world_->advance_with({}, rng_, observation);
  running_ = true;
}

Step LunarLander::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "LunarLander");
  auto result = world_->advance_with(engines_of(action, control_), rng_, observation);
  running_ = !result.terminated;
  return result;
}

bool LunarLander::draw(Picture& picture) const {
  constexpr double pixels = 15; // a metre
  picture.clear(300, 200, {0, 0, 0});
  if (!world_)
    return true;
  View view{{0, 200}, pixels};
  auto at = [&](b2Vec2 v) { return view(static_cast<double>(v.x), static_cast<double>(v.y)); };
  auto& terrain = world_->terrain;
  for (std::size_t i = 0; i + 1 < chunks; ++i) {
    auto left = at(terrain[i]), right = at(terrain[i + 1]);
    Point moon[] = {left, right, {right.x, 200}, {left.x, 200}};
    picture.polygon(moon, {255, 255, 255});
  }
  for (auto i : {chunks / 2 - 1, chunks / 2 + 1}) {
    auto foot = view(static_cast<double>(terrain[static_cast<std::size_t>(i)].x), pad_height);
    picture.rectangle(foot.x - 0.5, foot.y - 25, foot.x + 0.5, foot.y, {160, 160, 160});
    Point flag[] = {{foot.x, foot.y - 25}, {foot.x, foot.y - 19}, {foot.x + 12, foot.y - 22}};
    picture.polygon(flag, {204, 204, 0});
  }
  for (auto* leg : world_->legs)
    box2d::draw(picture, view, *leg, {128, 102, 230});
  box2d::draw(picture, view, *world_->lander, {128, 102, 230});
  return true;
}

} // namespace rl
