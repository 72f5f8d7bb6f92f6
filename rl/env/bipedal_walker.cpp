#include "rl/env/bipedal_walker.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "rl/env/bipedal_terrain.hpp"
#include "rl/env/box2d_parts.hpp"
#include "rl/env/checks.hpp"

namespace rl {

namespace {

using namespace box2d;

constexpr float torque = 80;
constexpr float rated_speed[] = {4, 6, 4, 6}; // hip, knee, hip, knee; rad/s
constexpr float lidar_range = 160 / scale;
constexpr std::size_t rays = 10;
constexpr float initial_force = 5;
constexpr float leg_down = -8 / scale, leg_width = 8 / scale, leg_height = 34 / scale;
constexpr float friction = 2.5f;
const b2Vec2 hull_corners[] = {{-30 / scale, 9 / scale},
                               {6 / scale, 9 / scale},
                               {34 / scale, 1 / scale},
                               {34 / scale, -8 / scale},
                               {-30 / scale, -8 / scale}};

// The nearest ground on a ray, as a fraction of its length.
class Ray final : public b2RayCastCallback {
public:
  float fraction = 1;

private:
  float ReportFixture(b2Fixture* fixture, const b2Vec2&, const b2Vec2&, float at) override {
    if ((fixture->GetFilterData().categoryBits & 1) == 0)
      return -1;
    return fraction = at;
  }
};

b2Vec2 vec(double x, double y) {
  return {static_cast<float>(x), static_cast<float>(y)};
}

} // namespace

struct BipedalWalker::World {
  World(Rng& rng, bool hardcore) : world({0, -10}), terrain(rng, hardcore) {
    prepare();
    world.SetContactListener(&touch);
    make_ground();
    skip_clouds(rng);
    make_hull(rng);
    make_leg(0, -1);
    make_leg(1, 1);
  }

  void make_ground() {
    b2BodyDef still;
    b2FixtureDef ground;
    ground.friction = friction;
    b2PolygonShape block;
    for (auto& each : terrain.obstacles) {
      b2Vec2 corners[4];
      for (std::size_t i = 0; i < 4; ++i)
        corners[i] = vec(each[i].x, each[i].y);
      block.Set(corners, 4);
      ground.shape = &block;
      world.CreateBody(&still)->CreateFixture(&ground);
    }
    b2EdgeShape edge;
    ground.shape = &edge;
    for (std::size_t i = 0; i + 1 < terrain.height.size(); ++i) {
      auto x = static_cast<double>(i) * BipedalTerrain::step;
      edge.SetTwoSided(vec(x, terrain.height[i]),
                       vec(x + BipedalTerrain::step, terrain.height[i + 1]));
      world.CreateBody(&still)->CreateFixture(&ground);
    }
  }

  // Gymnasium draws ten clouds of eleven numbers from the same stream.
  static void skip_clouds(Rng& rng) {
    for (int i = 0; i < 10 * 11; ++i)
      rng.next();
  }

  void make_hull(Rng& rng) {
    b2BodyDef body;
    body.type = b2_dynamicBody;
    body.position = vec(BipedalTerrain::step * BipedalTerrain::start / 2,
                        BipedalTerrain::level + static_cast<double>(2 * leg_height));
    hull = world.CreateBody(&body);
    b2PolygonShape shape;
    shape.Set(hull_corners, std::size(hull_corners));
    auto part = moving_part(shape, 5, 0x0020);
    part.friction = 0.1f;
    hull->CreateFixture(&part);
    auto force = static_cast<double>(initial_force);
    hull->ApplyForceToCenter(vec(rng.uniform(-force, force), 0), true);
    touch.fragile = hull;
  }

  void make_leg(std::size_t index, float side) {
    auto at = hull->GetPosition();
    auto* upper = limb(at.y - leg_height / 2 - leg_down, side, leg_width / 2);
    joints[2 * index] = motor(hull, upper, leg_down, -0.8f, 1.1f);
    auto* lower = limb(at.y - leg_height * 3 / 2 - leg_down, side, 0.8f * leg_width / 2);
    joints[2 * index + 1] = motor(upper, lower, -leg_height / 2, -1.6f, -0.1f);
    limbs[2 * index] = upper;
    limbs[2 * index + 1] = lower;
    touch.feet[index] = lower;
  }

  b2Body* limb(float y, float side, float half_width) {
    b2BodyDef body;
    body.type = b2_dynamicBody;
    body.position = {hull->GetPosition().x, y};
    body.angle = side * 0.05f;
    auto* result = world.CreateBody(&body);
    b2PolygonShape shape;
    shape.SetAsBox(half_width, leg_height / 2);
    auto part = moving_part(shape, 1, 0x0020);
    result->CreateFixture(&part);
    return result;
  }

  b2RevoluteJoint* motor(b2Body* above, b2Body* below, float anchor, float low, float high) {
    b2RevoluteJointDef joint;
    joint.bodyA = above;
    joint.bodyB = below;
    joint.localAnchorA = {0, anchor};
    joint.localAnchorB = {0, leg_height / 2};
    joint.referenceAngle = below->GetAngle() - above->GetAngle(); // as pybox2d fills it in
    joint.enableMotor = joint.enableLimit = true;
    joint.maxMotorTorque = torque;
    joint.lowerAngle = low;
    joint.upperAngle = high;
    return static_cast<b2RevoluteJoint*>(world.CreateJoint(&joint));
  }

  Step advance_with(std::span<const float> action, std::span<float> observation) {
    double effort = 0;
    for (std::size_t i = 0; i < joints.size(); ++i) {
      auto strength = std::min(std::abs(action[i]), 1.0f);
      auto direction = action[i] > 0 ? 1.0f : action[i] < 0 ? -1.0f : 0.0f;
      joints[i]->SetMotorSpeed(rated_speed[i] * direction);
      joints[i]->SetMaxMotorTorque(torque * strength);
      effort += static_cast<double>(strength);
    }
    advance(world);
    observe(observation);
    auto x = static_cast<double>(hull->GetPosition().x);
    auto shaping =
      130 * x / static_cast<double>(scale) - 5.0 * std::abs(static_cast<double>(hull->GetAngle()));
    Step result;
    result.reward = last_shaping ? shaping - *last_shaping : 0;
    last_shaping = shaping;
    result.reward -= 0.00035 * static_cast<double>(torque) * effort;
    if (touch.broken || x < 0) {
      result.reward = -100;
      result.terminated = true;
    }
    if (x > (BipedalTerrain::length - BipedalTerrain::grass) * BipedalTerrain::step)
      result.terminated = true;
    return result;
  }

  void observe(std::span<float> observation) const {
    auto velocity = hull->GetLinearVelocity();
    auto* out = observation.data();
    *out++ = hull->GetAngle();
    *out++ = 2 * hull->GetAngularVelocity() / steps_per_second;
    *out++ = 0.3f * velocity.x * screen_width / steps_per_second;
    *out++ = 0.3f * velocity.y * screen_height / steps_per_second;
    for (std::size_t leg = 0; leg < 2; ++leg) {
      for (std::size_t i = 2 * leg; i < 2 * leg + 2; ++i) {
        *out++ = joints[i]->GetJointAngle() + (i % 2 == 1 ? 1.0f : 0.0f); // knees
        *out++ = joints[i]->GetJointSpeed() / rated_speed[i];
      }
      *out++ = touch.touching[leg] ? 1 : 0;
    }
    auto from = hull->GetPosition();
    for (std::size_t i = 0; i < rays; ++i) {
      auto angle = 1.5 * static_cast<double>(i) / 10.0;
      Ray ray;
      world.RayCast(&ray, from,
                    {from.x + static_cast<float>(std::sin(angle)) * lidar_range,
                     from.y - static_cast<float>(std::cos(angle)) * lidar_range});
      *out++ = ray.fraction;
    }
  }

  Touch touch; // outlives the world that calls it
  b2World world;
  BipedalTerrain terrain;
  b2Body* hull = nullptr;
  std::array<b2Body*, 4> limbs{};           // upper, lower, upper, lower
  std::array<b2RevoluteJoint*, 4> joints{}; // hip, knee, hip, knee
  std::optional<double> last_shaping;
};

BipedalWalker::BipedalWalker(Course course) : course_(course) {}
BipedalWalker::~BipedalWalker() = default;

const Space& BipedalWalker::observation_space() const {
  static const Space space = [] {
    auto pi = static_cast<float>(std::numbers::pi);
    std::vector<float> low = {-pi, -5, -5, -5}, high = {pi, 5, 5, 5};
    for (int leg = 0; leg < 2; ++leg) {
      low.insert(low.end(), {-pi, -5, -pi, -5, 0});
      high.insert(high.end(), {pi, 5, pi, 5, 5});
    }
    low.resize(24, -1);
    high.resize(24, 1);
    return make_box(low, high);
  }();
  return space;
}

const Space& BipedalWalker::action_space() const {
  static const Space space = make_box(4, -1, 1);
  return space;
}

void BipedalWalker::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  if (seed)
    rng_ = Rng(*seed);
  world_ = std::make_unique<World>(rng_, course_ == Course::hardcore);
  constexpr float rest[4] = {};
  world_->advance_with(rest, observation);
  running_ = true;
}

Step BipedalWalker::step(std::span<const float> action, std::span<float> observation) {
  require_running(running_, "BipedalWalker");
  require_finite(action.first(4), "BipedalWalker");
  auto result = world_->advance_with(action, observation);
  running_ = !result.terminated;
  return result;
}

bool BipedalWalker::draw(Picture& picture) const {
  constexpr double pixels = 15; // a metre
  picture.clear(300, 200, {215, 215, 255});
  if (!world_)
    return true;
  auto scroll = static_cast<double>(world_->hull->GetPosition().x) - 4;
  View view{{-scroll * pixels, 200}, pixels};
  auto& terrain = world_->terrain;
  for (std::size_t i = 0; i + 1 < terrain.height.size(); ++i) {
    auto x = static_cast<double>(i) * BipedalTerrain::step;
    auto left = view(x, terrain.height[i]);
    auto right = view(x + BipedalTerrain::step, terrain.height[i + 1]);
    Point ground[] = {left, right, {right.x, 200}, {left.x, 200}};
    picture.polygon(ground, {102, 153, 76});
  }
  for (auto& each : terrain.obstacles) {
    Point corners[4];
    for (std::size_t i = 0; i < 4; ++i)
      corners[i] = view(each[i].x, each[i].y);
    picture.polygon(corners, {255, 255, 255});
  }
  for (std::size_t i = 0; i < 4; ++i)
    box2d::draw(picture, view, *world_->limbs[i],
                i < 2 ? Colour{178, 101, 152} : Colour{128, 51, 102});
  box2d::draw(picture, view, *world_->hull, {127, 51, 229});
  return true;
}

} // namespace rl
