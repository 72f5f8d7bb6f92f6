// Objects from the store of one host into that of another, over loopback.
//
//   transfer  64 MiB and 1 GiB; against what ZeroMQ moves with the same security (the limit, since
//             it is what we stand on), without security, and against bare TCP
//   transfer_small  objects of 200 KiB, many at once; against the same messages of ZeroMQ

#include <chrono>
#include <future>
#include <stdexcept>
#include <type_traits>

#include "objstore/transfer.hpp"
#include "tests/bench/copy_peer.hpp"
#include "tests/bench/rows.hpp"
#include "tests/bench/transfer_peer.hpp"

namespace caf_ray::bench {

namespace {

using namespace std::chrono_literals;
using objstore::transfer;

constexpr std::size_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
constexpr double giga = 1e9;

template <class T>
T must_have(result<T> x) {
  if (!x)
    throw std::runtime_error(x.error().what);
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

struct host {
  std::shared_ptr<objstore::store> objects;
  std::unique_ptr<transfer> link;

  explicit host(std::size_t capacity_bytes) {
    objstore::store_options store_options;
    store_options.capacity_bytes = capacity_bytes;
    objects = must_have(objstore::store::open(std::move(store_options)));
    objstore::transfer_options options;
    options.objects = objects;
    options.keys = must_have(objstore::make_curve_keys());
    link = must_have(transfer::start(std::move(options)));
  }

  objstore::pinned put(object_id id, std::size_t size_bytes) {
    auto w = must_have(objects->create(id, size_bytes, 60s));
    auto bytes = w.data();
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(i * 31 >> 3);
    return w.seal();
  }

  std::future<result<void>> pull(object_id id, std::size_t size_bytes, const host& from) {
    auto promise = std::make_shared<std::promise<result<void>>>();
    link->pull(id, size_bytes, {from.link->endpoint()}, 60s,
               [promise](result<void> how) { promise->set_value(std::move(how)); });
    return promise->get_future();
  }
};

object_id number(std::uint64_t n) {
  return {0xbe2c4, n};
}

void large(report& out) {
  const auto messages = objstore::transfer_options{}.chunk_bytes;
  const auto connections = objstore::transfer_options{}.connections;
  for (auto size : {64 * mib, out.size(gib, 256 * mib)}) {
    host source(size + size / 4), target(size + size / 4);
    must_have(source.link->admit(target.link->endpoint().public_key, "target"));
    auto object = source.put(number(1), size);
    const auto name = size == 64 * mib ? std::string{"transfer_64MiB"} : "transfer_large";
    const auto rate = [size](double seconds) { return static_cast<double>(size) / seconds / giga; };
    const warm_memory landing(size);
    zmq_stream secure(true, connections), plain(false, connections);
    tcp_stream tcp;
    out.compare({name, "GB/s", {.ratio_at_least = 0.9}},
                [&] {
                  stopwatch watch;
                  must_have(target.pull(number(1), size, source).get());
                  auto seconds = watch.seconds();
                  target.objects->erase(number(1));
                  return rate(seconds);
                },
                {{"ZeroMQ with CURVE", [&] { return rate(secure.move(object.bytes(), messages)); }},
                 {"ZeroMQ without security",
                  [&] { return rate(plain.move(object.bytes(), messages)); }, "_vs_plain"},
                 {"a TCP connection",
                  [&] {
                    return rate(tcp.move(object.bytes(),
                                         {reinterpret_cast<std::byte*>(landing.data()), size}));
                  },
                  "_vs_tcp"}});
  }
}

void small(report& out) {
  constexpr auto size = 200 * kib;
  const std::uint64_t count = out.size(1000, 100);
  host source(count * (size + 4096) + 16 * mib), target(count * (size + 4096) + 16 * mib);
  must_have(source.link->admit(target.link->endpoint().public_key, "target"));
  for (std::uint64_t n = 0; n < count; ++n)
    source.put(number(n), size);
  const std::vector<std::byte> bytes(count * size);
  zmq_stream secure(true, objstore::transfer_options{}.connections);
  out.compare({"transfer_small", "objects/s", {}},
              [&] {
                stopwatch watch;
                std::vector<std::future<result<void>>> pulls;
                for (std::uint64_t n = 0; n < count; ++n)
                  pulls.push_back(target.pull(number(n), size, source));
                for (auto& pull : pulls)
                  must_have(pull.get());
                auto seconds = watch.seconds();
                for (std::uint64_t n = 0; n < count; ++n)
                  target.objects->erase(number(n));
                return static_cast<double>(count) / seconds;
              },
              {{"messages of ZeroMQ with CURVE",
                [&] { return static_cast<double>(count) / secure.move(bytes, size); }}});
}

constexpr bench_case cases[] = {{"transfer", large}, {"transfer_small", small}};

} // namespace

std::span<const bench_case> transfer_cases() {
  return cases;
}

} // namespace caf_ray::bench
