#include "objstore/transfer_loop.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "objstore/streaming_copy.hpp"

/// The part of transfer_loop that pulls: from a request of the host to the answers of sources, what
/// the plan makes of them, and the good or bad news at the end.
namespace caf_ray::objstore {

namespace {

using namespace std::chrono_literals;

std::string name_of(const transfer_source& x) {
  return x.host + ':' + std::to_string(x.port);
}

/// Space for an object, or the object: written by somebody else meanwhile, and then empty.
result<writable> create_or_wait(store& objects, const transfer_plan::placement& x,
                                const std::stop_token& stop) {
  auto left = [&x] {
    auto rest = x.deadline - transfer_loop::clock::now();
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(rest), 0ms);
  };
  for (;;) {
    auto made = objects.create(x.object, x.size_bytes, left(), stop);
    if (made || made.error().code != errc::already_exists)
      return made;
    auto there = objects.get(x.object, left(), stop);
    if (there)
      return writable{};
    // Its writer gave up: then we may write.
    if (there.error().code != errc::not_found)
      return tl::unexpected{std::move(there).error()};
  }
}

} // namespace

// -- a pull begins --------------------------------------------------------------------------------

void transfer_loop::begin(object_id id, std::size_t size_bytes,
                          const std::vector<transfer_source>& sources, clock::time_point deadline,
                          transfer::done callback) {
  auto now = [&](result<void> how) {
    ++(how ? counters_.pulls_done : counters_.pulls_failed);
    --counters_.pulls_open;
    callback(std::move(how));
  };
  if (!plan_.find(id)) {
    auto state = options_.objects->state(id);
    if (state && *state != object_state::created)
      return now({});
    if (sources.empty())
      return now(fail(errc::object_lost, "object " + to_string(id) + ": no source was named"));
  }
  std::vector<transfer_plan::source_number> numbers;
  for (const auto& x : sources) {
    if (x.host.empty() || x.port == 0 || !parse_key(x.public_key))
      return now(fail(errc::invalid_argument,
                      "object " + to_string(id) + ": the source " + name_of(x)
                        + " needs a host, a port, and a key of 40 characters in Z85"));
    numbers.push_back(number_of(x));
  }
  auto number = plan_.add(id, size_bytes, numbers, deadline);
  if (!number)
    return now(tl::unexpected{std::move(number).error()});
  jobs_[*number].callbacks.push_back(std::move(callback));
}

transfer_plan::source_number transfer_loop::number_of(const transfer_source& source) {
  auto [i, fresh] = numbers_.try_emplace(source, 0);
  if (fresh) {
    i->second = plan_.add_source(name_of(source));
    peers_[i->second] = {source, nullptr, clock::now()};
  }
  return i->second;
}

// -- answers --------------------------------------------------------------------------------------

void transfer_loop::read_link(transfer_plan::source_number number, bool answers, bool events) {
  auto& x = peers_.at(number);
  for (int i = 0; answers && x.link && i < batch; ++i) {
    auto came = x.link->receive();
    if (!came)
      break;
    if (*came)
      read_answer(number, **came);
    else
      drop_link(number, came->error().what);
  }
  if (!events || !x.link)
    return;
  if (auto news = x.link->read_events(); news.failure)
    drop_link(number, *news.failure);
}

void transfer_loop::read_answer(transfer_plan::source_number number,
                                const transfer_link::answer& x) {
  auto now = clock::now();
  plan_.heard(number, now);
  const auto& head = x.head;
  auto expected = [&](bool check) {
    return plan_.expects(head.pull, number, head.offset_bytes, head.length_bytes, check);
  };
  switch (head.kind) {
    case wire::kind::chunk:
      if (expected(false))
        take_chunk(number, x);
      break;
    case wire::kind::same:
      if (expected(true))
        plan_.checked(head.pull, head.offset_bytes, head.checksum, now);
      break;
    case wire::kind::busy:
      if (expected(false) || expected(true))
        plan_.busy(head.pull, head.offset_bytes, now);
      break;
    case wire::kind::not_found: plan_.unavailable(head.pull, number, "does not have it"); break;
    case wire::kind::other_size:
      plan_.unavailable(head.pull, number,
                        "has " + std::to_string(head.size_bytes) + " bytes of this id");
      break;
    case wire::kind::refused: drop_link(number, "does not understand us"); break;
    case wire::kind::get:
    case wire::kind::check: drop_link(number, "asks where it should answer"); break;
  }
}

void transfer_loop::take_chunk(transfer_plan::source_number number,
                               const transfer_link::answer& x) {
  auto now = clock::now();
  const auto& head = x.head;
  auto& job = jobs_.at(head.pull);
  auto size = x.bytes.size();
  counters_.bytes_in.fetch_add(size, std::memory_order_relaxed);
  // Checked before it is copied: then it is in the cache when it is read the second time.
  if (XXH3_64bits(x.bytes.data(), size) != head.checksum) {
    counters_.damaged.fetch_add(1, std::memory_order_relaxed);
    plan_.damaged(head.pull, head.offset_bytes, now);
    return;
  }
  auto into = job.object.data().data() + head.offset_bytes;
  if (size >= streaming_threshold_bytes)
    streaming_copy(into, x.bytes.data(), size);
  else if (size > 0)
    std::memcpy(into, x.bytes.data(), size);
  peers_.at(number).last_used = now;
  plan_.held(head.pull, head.offset_bytes, head.checksum, now);
}

void transfer_loop::drop_link(transfer_plan::source_number number, const std::string& reason) {
  auto& x = peers_.at(number);
  if (!x.link)
    return;
  x.link.reset();
  --counters_.links;
  plan_.lost(number, reason, clock::now());
  wake_at_ = clock::now();
}

// -- orders ---------------------------------------------------------------------------------------

void transfer_loop::decide() {
  auto orders = plan_.decide(clock::now());
  wake_at_ = orders.wake_at;
  // First, since what is asked anew below goes over new links.
  for (auto number : orders.drop)
    if (auto& x = peers_.at(number); x.link) {
      x.link.reset();
      --counters_.links;
    }
  for (const auto& x : orders.place)
    place(x);
  for (const auto& x : orders.ask)
    ask(x);
  for (auto& x : orders.ended)
    finish(std::move(x));
  counters_.retries.store(plan_.retries_total(), std::memory_order_relaxed);
  counters_.different.store(plan_.differences_total(), std::memory_order_relaxed);
}

void transfer_loop::place(const transfer_plan::placement& x) {
  placing_->post([this, x, objects = options_.objects, stop = jobs_.at(x.pull).stop.get_token()] {
    auto made = std::make_shared<result<writable>>(create_or_wait(*objects, x, stop));
    post([this, pull = x.pull, made] { placed(pull, std::move(*made)); });
  });
}

void transfer_loop::placed(transfer_plan::pull_number pull, result<writable> object) {
  auto i = jobs_.find(pull);
  if (i == jobs_.end())
    return;
  if (!object) {
    plan_.end(pull, tl::unexpected{std::move(object).error()});
  } else if (!*object) {
    plan_.end(pull, {});
  } else {
    i->second.object = std::move(*object);
    plan_.placed(pull);
  }
}

void transfer_loop::ask(const transfer_plan::request& x) {
  // An order before this one may have shown that the source is lost.
  if (!plan_.expects(x.pull, x.source, x.offset_bytes, x.length_bytes, x.check))
    return;
  auto& to = peers_.at(x.source);
  to.last_used = clock::now();
  try {
    if (!to.link) {
      to.link = std::make_unique<transfer_link>(context_, to.source, link_options_);
      ++counters_.links;
    }
  } catch (const zmq::error_t& e) {
    plan_.lost(x.source, std::string{"cannot be connected to: "} + e.what(), clock::now());
    wake_at_ = clock::now();
    return;
  }
  wire::header head;
  head.kind = x.check ? wire::kind::check : wire::kind::get;
  head.pull = x.pull;
  head.object = x.object;
  head.size_bytes = x.size_bytes;
  head.offset_bytes = x.offset_bytes;
  head.length_bytes = x.length_bytes;
  if (!to.link->send(head))
    drop_link(x.source, "takes no requests");
}

void transfer_loop::finish(transfer_plan::ending x) {
  auto i = jobs_.find(x.pull);
  if (i == jobs_.end())
    return;
  auto job = std::move(i->second);
  jobs_.erase(i);
  job.stop.request_stop();
  // Before anybody is told: whoever gets the good news finds it, and after bad news may try again.
  if (x.how && job.object)
    job.object.seal();
  else
    job.object = {};
  auto& count = x.how ? counters_.pulls_done : counters_.pulls_failed;
  count += job.callbacks.size();
  counters_.pulls_open -= job.callbacks.size();
  for (auto& callback : job.callbacks)
    callback(x.how);
}

} // namespace caf_ray::objstore
