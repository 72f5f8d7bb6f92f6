#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "libray/src/transport/connection.hpp"

/// Owners for OpenSSL's handles, and what we read out of certificates.
namespace caf_ray::transport {

template <auto Free>
struct free_with {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using bio_ptr = std::unique_ptr<BIO, free_with<BIO_free_all>>;
using key_ptr = std::unique_ptr<EVP_PKEY, free_with<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, free_with<X509_free>>;
using context_ptr = std::unique_ptr<SSL_CTX, free_with<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, free_with<SSL_free>>;

/// What OpenSSL has to say about its last failure in this thread; forgets it.
std::string take_openssl_error();

/// SHA-256 of the whole certificate, 64 hex digits.
std::string fingerprint_of(X509*);

/// The DNS names it is for.
std::vector<std::string> names_of(X509*);

/// "caf-ray-<cluster>": the name that all certificates of a cluster carry.
std::string cluster_name(const std::string& cluster_id);

/// "node.caf-ray-<cluster>": the name by which a certificate has a role; not for `process`.
std::string role_name(peer_kind role, const std::string& cluster_id);

} // namespace caf_ray::transport
