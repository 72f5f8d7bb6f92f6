#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "objstore/transfer.hpp"
#include "tests/objstore/store_support.hpp"
#include "tests/support/patience.hpp"

/// What the tests of the transfer share: hosts, each a store and a transfer, and ways to pull.
namespace caf_ray::objstore::test {

/// Options whose times suit tests: a frozen peer is noticed soon, and a busy machine is not one.
inline transfer_options quick_options() {
  using namespace std::chrono_literals;
  transfer_options x;
  x.keys = make_curve_keys().value();
  x.heartbeat_interval = 250ms;
  x.heartbeat_timeout = 1500ms * caf_ray::test::slowdown;
  x.first_backoff = 20ms;
  x.last_backoff = 100ms;
  return x;
}

struct host {
  folder disk;
  std::shared_ptr<store> objects;
  std::unique_ptr<transfer> link;

  explicit host(std::size_t capacity_bytes = 64 * mib, transfer_options options = quick_options()) {
    store_options store_opts;
    store_opts.capacity_bytes = capacity_bytes;
    store_opts.spill_directory = disk.path();
    objects = store::open(store_opts).value();
    options.objects = objects;
    auto started = transfer::start(std::move(options));
    BOOST_REQUIRE_MESSAGE(started.has_value(), started.error().what);
    link = std::move(*started);
  }

  transfer_source source() const { return link->endpoint(); }

  /// Lets another host pull from this one.
  void admit(const host& other) {
    BOOST_REQUIRE(link->admit(other.source().public_key, "another host").has_value());
  }

  std::future<result<void>> begin_pull(std::uint64_t n, std::size_t size_bytes,
                                       std::vector<transfer_source> sources,
                                       std::chrono::milliseconds patience = long_time) {
    auto promise = std::make_shared<std::promise<result<void>>>();
    link->pull(number(n), size_bytes, std::move(sources), patience,
               [promise](result<void> how) { promise->set_value(std::move(how)); });
    return promise->get_future();
  }

  result<void> pull(std::uint64_t n, std::size_t size_bytes, std::vector<transfer_source> sources,
                    std::chrono::milliseconds patience = long_time) {
    return begin_pull(n, size_bytes, std::move(sources), patience).get();
  }

  errc pull_code(std::uint64_t n, std::size_t size_bytes, std::vector<transfer_source> sources,
                 std::chrono::milliseconds patience = long_time) {
    auto how = pull(n, size_bytes, std::move(sources), patience);
    if (!how)
      BOOST_TEST_MESSAGE(how.error().what);
    return how ? errc::none : how.error().code;
  }
};

/// The first may pull from the second.
struct two_hosts {
  host ours, theirs;

  two_hosts() { theirs.admit(ours); }
};

inline errc code_of(const result<void>& how) {
  return how ? errc::none : how.error().code;
}

} // namespace caf_ray::objstore::test
