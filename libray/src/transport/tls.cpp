#include "libray/src/transport/tls.hpp"

#include <algorithm>
#include <climits>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "libray/src/transport/credentials_data.hpp"
#include "libray/src/transport/openssl_handles.hpp"
#include "libray/src/transport/socket_bio.hpp"
#include "libray/src/transport/tls_session.hpp"

// All connections of a thread share OpenSSL's queue of errors, and SSL_get_error looks at it: a
// failure of one connection that stays in the queue fails the next healthy one. So it is emptied
// before each call.

namespace caf_ray::transport {

namespace {

constexpr char welcome = '\x06';

class session final : public tls_session {
public:
  explicit session(ssl_ptr ssl) : ssl_(std::move(ssl)) {}

  ~session() override {
    ERR_clear_error();
    if (!broken_) // after a fatal error OpenSSL forbids it
      SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  io_step read(char* buffer, std::size_t size, std::size_t& moved) override {
    ERR_clear_error();
    return outcome(SSL_read_ex(ssl_.get(), buffer, size, &moved), moved);
  }

  io_step write(const char* bytes, std::size_t size, std::size_t& moved) override {
    ERR_clear_error();
    return outcome(SSL_write_ex(ssl_.get(), bytes, size, &moved), moved);
  }

  bool has_pending() const override { return SSL_pending(ssl_.get()) > 0; }

private:
  io_step outcome(int result, std::size_t& moved) {
    if (result == 1)
      return io_step::done;
    moved = 0;
    auto code = SSL_get_error(ssl_.get(), result);
    ERR_clear_error();
    if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
      return io_step::again;
    broken_ = broken_ || code != SSL_ERROR_ZERO_RETURN;
    return io_step::broken;
  }

  ssl_ptr ssl_;
  bool broken_ = false;
};

} // namespace

struct handshake::state {
  credentials mine;
  file_descriptor fd; // outlives ssl
  std::string address;
  side here;
  ssl_ptr ssl;
  bool shaken = false; // OpenSSL's part is done, and the peer's names were looked at
  error failed;
  peer who;

  step fail_with(errc code, const std::string& why) {
    failed = {code, address + ": " + why};
    return step::failed;
  }

  /// What to do after OpenSSL said `result`.
  step outcome(int result) {
    auto code = SSL_get_error(ssl.get(), result);
    if (code == SSL_ERROR_WANT_READ)
      return step::wants_read;
    if (code == SSL_ERROR_WANT_WRITE)
      return step::wants_write;
    auto verified = SSL_get_verify_result(ssl.get());
    auto alert = ERR_GET_REASON(ERR_peek_error());
    auto reason = take_openssl_error();
    if (verified != X509_V_OK)
      return fail_with(refused, std::string("its certificate does not do: ")
                                  + X509_verify_cert_error_string(verified)
                                  + "; it needs one of cluster " + mine.cluster_id());
    if (alert >= SSL_AD_REASON_OFFSET)
      return fail_with(refused, "it refused our certificate " + mine.fingerprint().substr(0, 16)
                                  + ": " + reason);
    if (code == SSL_ERROR_SSL)
      return fail_with(refused, "it did not shake hands in TLS 1.3: " + reason);
    return fail_with(errc::io_failed, "it hung up during the handshake");
  }

  step look_at_peer() {
    certificate_ptr theirs(SSL_get1_peer_certificate(ssl.get()));
    if (!theirs)
      return fail_with(refused, "it shows no certificate");
    who.address = address;
    who.names = names_of(theirs.get());
    who.fingerprint = fingerprint_of(theirs.get());
    auto is = [&](peer_kind role) {
      auto name = role_name(role, mine.cluster_id());
      return std::find(who.names.begin(), who.names.end(), name) != who.names.end();
    };
    if (is(peer_kind::node))
      who.kind = peer_kind::node;
    else if (here == side::accepting && is(peer_kind::driver))
      who.kind = peer_kind::driver;
    else
      return fail_with(refused, "its certificate has no role that is allowed here");
    shaken = true;
    return step::done;
  }

  step exchange_welcome() {
    char byte = welcome;
    ERR_clear_error();
    auto result =
      here == side::accepting ? SSL_write(ssl.get(), &byte, 1) : SSL_read(ssl.get(), &byte, 1);
    if (result <= 0)
      return outcome(result);
    return byte == welcome ? step::done : fail_with(refused, "it did not welcome us");
  }
};

handshake::handshake(const credentials& mine, file_descriptor fd, std::string address, side here)
  : state_(new state{mine, std::move(fd), std::move(address), here, nullptr, false, {}, {}}) {
  auto& s = *state_;
  ERR_clear_error();
  s.ssl.reset(SSL_new(mine.get().context.get()));
  auto name = cluster_name(mine.cluster_id());
  auto socket = s.ssl ? make_socket_bio(s.fd.get()) : nullptr;
  if (socket)
    SSL_set_bio(s.ssl.get(), socket, socket); // the session owns it now
  if (!socket || SSL_set1_host(s.ssl.get(), name.c_str()) != 1) {
    s.fail_with(errc::io_failed, "OpenSSL cannot begin a handshake: " + take_openssl_error());
    return;
  }
  SSL_set_hostflags(s.ssl.get(),
                    X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  here == side::accepting ? SSL_set_accept_state(s.ssl.get()) : SSL_set_connect_state(s.ssl.get());
}

handshake::handshake(handshake&&) noexcept = default;

handshake::~handshake() = default;

handshake::step handshake::advance() {
  auto& s = *state_;
  if (s.failed.code != errc::none)
    return step::failed;
  if (!s.shaken) {
    ERR_clear_error();
    auto result = SSL_do_handshake(s.ssl.get());
    if (result != 1)
      return s.outcome(result);
    if (auto looked = s.look_at_peer(); looked != step::done)
      return looked;
  }
  return s.exchange_welcome();
}

int handshake::fd() const noexcept {
  return state_->fd.get();
}

const std::string& handshake::address() const noexcept {
  return state_->address;
}

const error& handshake::failure() const noexcept {
  return state_->failed;
}

connection handshake::take() {
  return connection(std::move(state_->fd), std::move(state_->who),
                    std::make_unique<session>(std::move(state_->ssl)));
}

} // namespace caf_ray::transport
