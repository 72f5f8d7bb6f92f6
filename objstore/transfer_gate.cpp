#include "objstore/transfer_gate.hpp"

#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include <zmq_addon.hpp>

namespace caf_ray::objstore {

namespace {

constexpr auto zap_endpoint = "inproc://zeromq.zap.01";
constexpr std::size_t text_length = 40;

/// Frames of a request: version, request id, domain, address, identity, mechanism, credentials.
constexpr std::size_t request_frames = 7;

} // namespace

std::optional<curve_key> parse_key(std::string_view text) {
  // zmq_z85_decode stops at a zero, so that what it reads is bounded by the copy.
  if (text.size() != text_length || text.find('\0') != text.npos)
    return std::nullopt;
  curve_key key;
  if (!zmq_z85_decode(reinterpret_cast<std::uint8_t*>(key.data()), std::string{text}.c_str()))
    return std::nullopt;
  return key;
}

std::string to_text(const curve_key& key) {
  char text[text_length + 1];
  zmq_z85_encode(text, reinterpret_cast<const std::uint8_t*>(key.data()), key.size());
  return text;
}

transfer_gate::transfer_gate(zmq::context_t& context) : socket_(context, zmq::socket_type::rep) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.bind(zap_endpoint);
  thread_ = std::thread{[this] { run(); }};
}

transfer_gate::~transfer_gate() {
  thread_.join();
}

void transfer_gate::admit(const curve_key& key, std::string name) {
  std::lock_guard guard{mutex_};
  admitted_.insert_or_assign(key, std::move(name));
}

void transfer_gate::expel(const curve_key& key) {
  std::lock_guard guard{mutex_};
  admitted_.erase(key);
}

std::optional<std::string> transfer_gate::name_of(std::string_view user_id) const {
  auto key = parse_key(user_id);
  if (!key)
    return std::nullopt;
  std::lock_guard guard{mutex_};
  auto i = admitted_.find(*key);
  return i == admitted_.end() ? std::nullopt : std::optional{i->second};
}

void transfer_gate::run() {
  for (bool open = true; open;) {
    try {
      zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
      if (zmq::poll(&item, 1, std::chrono::seconds{1}) > 0)
        answer();
    } catch (const zmq::error_t& e) {
      open = e.num() != ETERM;
    }
  }
  socket_.close();
}

void transfer_gate::answer() {
  std::vector<zmq::message_t> request;
  if (!zmq::recv_multipart(socket_, std::back_inserter(request), zmq::recv_flags::dontwait))
    return;
  curve_key key;
  bool known = false;
  if (request.size() == request_frames && request[0].to_string_view() == "1.0"
      && request[5].to_string_view() == "CURVE" && request[6].size() == key.size()) {
    std::memcpy(key.data(), request[6].data(), key.size());
    std::lock_guard guard{mutex_};
    known = admitted_.contains(key);
  }
  if (!known)
    refused_.fetch_add(1, std::memory_order_relaxed);
  std::string id = request.size() > 1 ? request[1].to_string() : std::string{};
  std::array<std::string, 6> reply{"1.0",
                                   std::move(id),
                                   known ? "200" : "400",
                                   known ? "OK" : "not admitted",
                                   known ? to_text(key) : std::string{},
                                   ""};
  for (std::size_t i = 0; i < reply.size(); ++i)
    socket_.send(zmq::buffer(reply[i]),
                 i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

} // namespace caf_ray::objstore
