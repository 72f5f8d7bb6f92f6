#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

#include "objstore/transfer.hpp"
#include "objstore/transfer_wire.hpp"

namespace caf_ray::objstore::test {

/// A source that says whatever a test wants: to each request, the frames that `answer` makes of its
/// header; none for silence. It has no gate, so it admits everybody.
class fake_source {
public:
  using frames = std::vector<std::string>;
  using answer = std::function<frames(const wire::header&)>;

  explicit fake_source(answer say)
    : say_(std::move(say)), keys_(make_curve_keys().value()),
      socket_(context_, zmq::socket_type::router) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::curve_server, true);
    socket_.set(zmq::sockopt::curve_secretkey, keys_.secret_key);
    socket_.bind("tcp://127.0.0.1:*");
    auto bound = socket_.get(zmq::sockopt::last_endpoint);
    port_ = static_cast<std::uint16_t>(std::stoul(bound.substr(bound.rfind(':') + 1)));
    thread_ = std::thread{[this] { run(); }};
  }
  ~fake_source() {
    context_.shutdown();
    thread_.join();
  }

  transfer_source source() const { return {"127.0.0.1", port_, keys_.public_key}; }
  int request_count() const { return requests_; }

  static std::string head(const wire::header& x) {
    auto bytes = wire::encode(x);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

private:
  void run() {
    try {
      for (;;) {
        zmq::message_t route, body;
        (void)socket_.recv(route);
        (void)socket_.recv(body);
        ++requests_;
        auto out = say_(wire::decode({body.data<std::byte>(), body.size()}).value());
        if (out.empty())
          continue;
        socket_.send(route, zmq::send_flags::sndmore);
        for (std::size_t i = 0; i < out.size(); ++i)
          socket_.send(zmq::buffer(out[i]),
                       i + 1 < out.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
      }
    } catch (const zmq::error_t&) {
    }
    socket_.close();
  }

  answer say_;
  curve_keys keys_;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::thread thread_;
};

} // namespace caf_ray::objstore::test
