// The other host of transfer_process_test.
//
//   objstore_child serve SIZE KEY                serves object 1 of SIZE bytes to whoever has KEY;
//                                                prints "PORT KEY", waits to be killed
//   objstore_child pull SIZE PORT KEY MINE MINE  pulls object 1 of SIZE bytes from PORT with the
//                                                public and the secret key given; prints how it
//                                                went

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <string_view>

#include <unistd.h>

#include "objstore/transfer.hpp"
#include "tests/objstore/contents.hpp"

using namespace caf_ray;
using namespace caf_ray::objstore;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<transfer> start(std::shared_ptr<store>& objects, std::size_t size_bytes,
                                curve_keys keys) {
  store_options options;
  options.capacity_bytes = size_bytes + (std::size_t{16} << 20);
  options.spill_limit_bytes = 0;
  objects = store::open(options).value();
  transfer_options transfer_opts;
  transfer_opts.objects = objects;
  transfer_opts.keys = std::move(keys);
  transfer_opts.heartbeat_interval = 250ms;
  transfer_opts.heartbeat_timeout = 1500ms;
  // More than the sockets between the processes hold, so that some of it must wait in the source.
  transfer_opts.window_bytes = transfer_opts.flight_bytes = std::size_t{64} << 20;
  return transfer::start(std::move(transfer_opts)).value();
}

int serve(std::size_t size_bytes, const char* key) {
  std::shared_ptr<store> objects;
  auto link = start(objects, size_bytes, make_curve_keys().value());
  auto w = objects->create(test::number(1), size_bytes, 10s).value();
  test::fill(w.data(), test::number(1));
  auto held = w.seal();
  if (!link->admit(key, "the test"))
    return 1;
  std::printf("%d %s\n", link->endpoint().port, link->endpoint().public_key.c_str());
  std::fflush(stdout);
  pause();
  return 0;
}

int pull(std::size_t size_bytes, const transfer_source& from, curve_keys keys) {
  std::shared_ptr<store> objects;
  auto link = start(objects, size_bytes, std::move(keys));
  std::promise<result<void>> done;
  link->pull(test::number(1), size_bytes, {from}, 60s,
             [&](result<void> how) { done.set_value(std::move(how)); });
  auto how = done.get_future().get();
  std::puts(how ? "done" : how.error().what.c_str());
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  std::string_view what = argc > 1 ? argv[1] : "";
  auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  if (what == "serve" && argc == 4)
    return serve(number(2), argv[3]);
  if (what == "pull" && argc == 7)
    return pull(number(2), {"127.0.0.1", static_cast<std::uint16_t>(number(3)), argv[4]},
                {argv[5], argv[6]});
  return 64;
}
