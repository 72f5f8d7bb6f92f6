#include "libray/src/transport/openssl_handles.hpp"

#include <array>

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace caf_ray::transport {

std::string take_openssl_error() {
  auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0)
    return "no reason given";
  std::array<char, 256> text;
  ERR_error_string_n(code, text.data(), text.size());
  auto reason = ERR_reason_error_string(code);
  return reason ? reason : text.data();
}

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1)
    return {};
  std::string hex;
  for (auto i = 0U; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

std::vector<std::string> names_of(X509* certificate) {
  using names_ptr = std::unique_ptr<GENERAL_NAMES, free_with<GENERAL_NAMES_free>>;
  names_ptr found(static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (auto i = 0; found && i < sk_GENERAL_NAME_num(found.get()); ++i) {
    auto name = sk_GENERAL_NAME_value(found.get(), i);
    if (name->type == GEN_DNS)
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                         static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return names;
}

std::string cluster_name(const std::string& cluster_id) {
  return "caf-ray-" + cluster_id;
}

std::string role_name(peer_kind role, const std::string& cluster_id) {
  return (role == peer_kind::node ? "node." : "driver.") + cluster_name(cluster_id);
}

} // namespace caf_ray::transport
