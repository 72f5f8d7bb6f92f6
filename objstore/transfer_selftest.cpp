#include "objstore/transfer_selftest.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace caf_ray::objstore {

namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Until something comes from the link, or the deadline.
bool wait_for(transfer_link& link, clock::time_point deadline) {
  std::array<zmq::pollitem_t, 2> items{
    {{link.socket().handle(), 0, ZMQ_POLLIN, 0}, {link.events().handle(), 0, ZMQ_POLLIN, 0}}};
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
  try {
    return left > 0ms && zmq::poll(items.data(), items.size(), left) > 0;
  } catch (const zmq::error_t& e) {
    if (e.num() != EINTR)
      throw;
    return true;
  }
}

result<void> stranger_is_refused(transfer_link link, const std::string& door,
                                 clock::time_point deadline) {
  while (wait_for(link, deadline)) {
    auto news = link.read_events();
    if (news.refused)
      return {};
    if (news.ready)
      return fail(errc::io_failed,
                  "the object transfer on " + door + " lets in a client whose key it cannot know");
    if (news.failure)
      return fail(errc::io_failed, "cannot try the door: " + door + ' ' + *news.failure);
  }
  return fail(errc::io_failed, "the object transfer on " + door
                                 + " does not say no to a client whose key it cannot know");
}

result<void> we_are_answered(transfer_link link, const std::string& door,
                             clock::time_point deadline) {
  wire::header request;
  request.kind = wire::kind::get;
  request.object = random_id<object_id>();
  request.pull = request.object.low;
  if (!link.send(request))
    return fail(errc::io_failed, "cannot send to " + door);
  while (wait_for(link, deadline)) {
    if (auto came = link.receive()) {
      if (!*came)
        return fail(errc::io_failed, door + ' ' + came->error().what);
      if ((*came)->head.kind == wire::kind::not_found && (*came)->head.pull == request.pull)
        return {};
      return fail(errc::io_failed, door + " has an object that cannot exist");
    }
    if (auto news = link.read_events(); news.failure)
      return fail(errc::io_failed,
                  "the object transfer on " + door + ' ' + *news.failure + ", to ourselves");
  }
  return fail(errc::io_failed, "the object transfer on " + door + " does not answer ourselves");
}

} // namespace

result<void> try_door(zmq::context_t& context, const transfer_source& door,
                      const link_options& options, std::chrono::milliseconds patience) {
  auto name = door.host + ':' + std::to_string(door.port);
  auto one = options;
  one.connections = 1;
  auto stranger = make_curve_keys();
  if (!stranger)
    return tl::unexpected{std::move(stranger).error()};
  auto theirs = one;
  theirs.keys = *stranger;
  auto refused = stranger_is_refused({context, door, theirs}, name, clock::now() + patience);
  if (!refused)
    return refused;
  return we_are_answered({context, door, one}, name, clock::now() + patience);
}

} // namespace caf_ray::objstore
