#pragma once

#include <string>

#include "libray/src/transport/credentials.hpp"
#include "libray/src/transport/openssl_handles.hpp"

namespace caf_ray::transport {

struct credentials::data {
  peer_kind role = peer_kind::node;
  std::string cluster_id;
  std::string fingerprint;
  wall_time valid_until;
  std::string curve_public;
  std::string curve_secret;

  /// Certificate, key, authority and all settings of a handshake but the side.
  context_ptr context;
};

namespace credential_files {
inline constexpr const char* authority_certificate = "ca.crt";
inline constexpr const char* authority_key = "ca.key";
inline constexpr const char* certificate = "own.crt";
inline constexpr const char* key = "own.key";
inline constexpr const char* curve_keys = "curve.keys";
} // namespace credential_files

/// The content of a file of at most 64 KiB. `secret`: refused unless only its owner may read it.
/// Errors: not_found, refused, corrupt (too large), io_failed.
result<std::string> read_credential(const std::filesystem::path&, bool secret);

/// Errors: corrupt. `path` is for the text.
result<certificate_ptr> parse_certificate(const std::string& pem,
                                          const std::filesystem::path& path);
result<key_ptr> parse_key(const std::string& pem, const std::filesystem::path& path);

} // namespace caf_ray::transport
