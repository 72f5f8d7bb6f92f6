#pragma once

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/test/unit_test.hpp>

#include "libray/src/transport/openssl_handles.hpp"
#include "libray/src/transport/socket_bio.hpp"
#include "tests/libray/transport/arrivals.hpp"

/// Strangers: whatever our own functions refuse to do.
namespace caf_ray::transport::test {

struct identity {
  certificate_ptr certificate;
  key_ptr key;
};

/// A member's certificate and key as they lie in its folder, unchecked.
inline identity read_identity(const std::filesystem::path& folder, const char* certificate,
                              const char* key) {
  identity read;
  bio_ptr first(BIO_new_file((folder / certificate).c_str(), "r"));
  bio_ptr second(BIO_new_file((folder / key).c_str(), "r"));
  read.certificate.reset(PEM_read_bio_X509(first.get(), nullptr, nullptr, nullptr));
  read.key.reset(PEM_read_bio_PrivateKey(second.get(), nullptr, nullptr, nullptr));
  BOOST_TEST_REQUIRE((read.certificate && read.key));
  return read;
}

/// A certificate for these names ("DNS:a,DNS:b"), really issued by the authority in this folder.
inline identity forge(const std::filesystem::path& authority, const std::string& names) {
  auto by = read_identity(authority, "ca.crt", "ca.key");
  identity made{certificate_ptr(X509_new()), key_ptr(EVP_EC_gen("P-256"))};
  auto x = made.certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 4711);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, made.key.get());
  X509_set_issuer_name(x, X509_get_subject_name(by.certificate.get()));
  X509V3_CTX context;
  X509V3_set_ctx(&context, by.certificate.get(), x, nullptr, nullptr, 0);
  auto extension = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, names.c_str());
  X509_add_ext(x, extension, -1);
  X509_EXTENSION_free(extension);
  BOOST_TEST_REQUIRE(X509_sign(x, by.key.get(), EVP_sha256()) > 0);
  return made;
}

/// A blocking TCP connection to this host; reads give up after `soon`.
inline file_descriptor dial(std::uint16_t port) {
  file_descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval limit{soon.count(), 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  BOOST_TEST_REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address))
                     == 0);
  return fd;
}

/// Whether the peer closes before `soon` is over; what it says first is thrown away.
inline bool is_closed(int fd) {
  char bytes[4096];
  for (;;) {
    auto count = recv(fd, bytes, sizeof(bytes), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
      return true;
    if (count < 0 && errno == EAGAIN)
      return false;
  }
}

/// A TLS client that checks nothing of the server, shows `who` or no certificate, speaks `version`
/// at most, and says `words`. True when the server let nothing out but the end.
inline bool is_refused(std::uint16_t port, const identity* who, int version,
                       const std::string& words) {
  auto fd = dial(port);
  context_ptr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_max_proto_version(context.get(), version);
  if (who) {
    SSL_CTX_use_certificate(context.get(), who->certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), who->key.get());
  }
  ssl_ptr ssl(SSL_new(context.get()));
  auto bio = make_socket_bio(fd.get());
  SSL_set_bio(ssl.get(), bio, bio);
  if (SSL_connect(ssl.get()) == 1)
    SSL_write(ssl.get(), words.data(), static_cast<int>(words.size()));
  char byte;
  auto heard = SSL_read(ssl.get(), &byte, 1) == 1;
  ERR_clear_error();
  return !heard && is_closed(fd.get());
}

} // namespace caf_ray::transport::test
