// What the tasks on Box2D share. Only their sources include it: the headers of the tasks name no
// Box2D type.
#pragma once

#include <array>
#include <mutex>
#include <span>

#include <box2d/box2d.h>

#include "rl/env/picture.hpp"

namespace rl::box2d {

constexpr float steps_per_second = 50;
constexpr float scale = 30; ///< pixels of Gymnasium's screen a metre: the tasks are written in them
constexpr float screen_width = 600 / scale, screen_height = 400 / scale; ///< metres

/// Box2D fills a table of the process at its first contact, without a lock: here that contact comes
/// about before any world has one. Called by whoever makes a world; any thread.
inline void prepare() {
  static std::once_flag once;
  std::call_once(once, [] {
    b2World world({0, 0});
    b2BodyDef body;
    body.type = b2_dynamicBody;
    b2CircleShape shape;
    shape.m_radius = 1;
    for (int i = 0; i < 2; ++i)
      world.CreateBody(&body)->CreateFixture(&shape, 1);
    world.Step(1 / steps_per_second, 1, 1);
  });
}

/// One step of the world, as fine as Gymnasium's.
inline void advance(b2World& world) {
  world.Step(1 / steps_per_second, 180, 60);
}

/// Watches one body that must not touch anything, and two whose touching is felt. Touching ends
/// with any contact that ends, even while another one lasts: so the tasks have it.
class Touch final : public b2ContactListener {
public:
  const b2Body* fragile = nullptr;
  std::array<const b2Body*, 2> feet{};
  bool broken = false;
  std::array<bool, 2> touching{};

private:
  void BeginContact(b2Contact* contact) override {
    auto a = contact->GetFixtureA()->GetBody(), b = contact->GetFixtureB()->GetBody();
    if (a == fragile || b == fragile)
      broken = true;
    feel(a, b, true);
  }

  void EndContact(b2Contact* contact) override {
    feel(contact->GetFixtureA()->GetBody(), contact->GetFixtureB()->GetBody(), false);
  }

  void feel(const b2Body* a, const b2Body* b, bool touches) {
    for (std::size_t i = 0; i < feet.size(); ++i)
      if (a == feet[i] || b == feet[i])
        touching[i] = touches;
  }
};

/// What everything that moves is made of: it collides with the ground alone.
inline b2FixtureDef moving_part(const b2Shape& shape, float density, std::uint16_t category) {
  b2FixtureDef part;
  part.shape = &shape;
  part.density = density;
  part.filter.categoryBits = category;
  part.filter.maskBits = 0x0001;
  return part;
}

/// Fills the polygons of a body.
inline void draw(Picture& picture, const View& view, const b2Body& body, Colour colour) {
  for (auto* fixture = body.GetFixtureList(); fixture; fixture = fixture->GetNext()) {
    if (fixture->GetType() != b2Shape::e_polygon)
      continue;
    auto& shape = static_cast<const b2PolygonShape&>(*fixture->GetShape());
    std::array<Point, b2_maxPolygonVertices> corners;
    for (int i = 0; i < shape.m_count; ++i) {
      auto place = body.GetWorldPoint(shape.m_vertices[i]);
      corners[static_cast<std::size_t>(i)] =
        view(static_cast<double>(place.x), static_cast<double>(place.y));
    }
    picture.polygon(std::span(corners).first(static_cast<std::size_t>(shape.m_count)), colour);
  }
}

} // namespace rl::box2d
