#include "libray/src/transport/credentials.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <zmq.h>

#include "gcs/folder.hpp"
#include "libray/src/transport/credentials_data.hpp"
#include "libray/src/transport/file_descriptor.hpp"

namespace caf_ray::transport {

namespace fs = std::filesystem;
namespace files = credential_files;

namespace {

constexpr std::size_t max_file_bytes = 64 * 1024;
constexpr std::size_t curve_key_length = 40;

auto corrupt(const fs::path& path, const std::string& what) {
  return fail(errc::corrupt, path.string() + " " + what
                               + ": copy it again from where it was made, or issue a new one");
}

result<wall_time> to_wall_time(const ASN1_TIME* time, const fs::path& path) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1)
    return corrupt(path, "has no readable dates");
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string date(wall_time t) {
  auto seconds = std::chrono::system_clock::to_time_t(t);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

result<void> check_dates(X509* certificate, const fs::path& path, wall_time now) {
  auto from = to_wall_time(X509_get0_notBefore(certificate), path);
  auto until = to_wall_time(X509_get0_notAfter(certificate), path);
  if (!from || !until)
    return tl::unexpected(from ? until.error() : from.error());
  if (now > *until + clock_skew)
    return fail(refused, path.string() + " expired on " + date(*until)
                           + ": issue a new one, or look at this host's clock, which shows "
                           + date(now));
  if (now < *from - clock_skew)
    return fail(refused, path.string() + " is not valid before " + date(*from)
                           + ": look at this host's clock, which shows " + date(now));
  return {};
}

/// Role and cluster, from the one name of the form "role.caf-ray-cluster".
result<void> read_names(X509* certificate, const fs::path& path, credentials::data& into) {
  auto names = names_of(certificate);
  for (auto role : {peer_kind::node, peer_kind::driver}) {
    auto prefix = role_name(role, "");
    for (auto& name : names) {
      if (!name.starts_with(prefix))
        continue;
      into.role = role;
      into.cluster_id = name.substr(prefix.size());
      if (std::count(names.begin(), names.end(), cluster_name(into.cluster_id)) > 0)
        return {};
    }
  }
  return corrupt(path, "names no cluster and role");
}

result<void> read_curve_keys(const fs::path& path, credentials::data& into) {
  auto text = read_credential(path, true);
  if (!text)
    return tl::unexpected(text.error());
  auto value_of = [&](std::string_view name) -> std::string {
    auto at = text->find(name);
    return at == std::string::npos ? "" : text->substr(at + name.size(), curve_key_length);
  };
  into.curve_public = value_of("public ");
  into.curve_secret = value_of("secret ");
  char derived[curve_key_length + 1];
  if (into.curve_public.size() != curve_key_length || into.curve_secret.size() != curve_key_length
      || zmq_curve_public(derived, into.curve_secret.c_str()) != 0 || into.curve_public != derived)
    return corrupt(path, "holds no CURVE key pair");
  return {};
}

result<context_ptr> make_context(X509* authority, X509* certificate, EVP_PKEY* key) {
  ERR_clear_error();
  context_ptr made(SSL_CTX_new(TLS_method()));
  auto context = made.get();
  if (!context || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1
      || SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1
      || SSL_CTX_use_certificate(context, certificate) != 1
      || SSL_CTX_use_PrivateKey(context, key) != 1
      || X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) != 1
      || SSL_CTX_add_client_CA(context, authority) != 1 || SSL_CTX_set_num_tickets(context, 0) != 1)
    return fail(errc::io_failed, "OpenSSL cannot set up TLS 1.3: " + take_openssl_error());
  // A peer that ends without a farewell is one that was killed; links treat both alike.
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return made;
}

} // namespace

result<std::string> read_credential(const fs::path& path, bool secret) {
  file_descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (!fd && errno == ENOENT)
    return fail(errc::not_found, "there is no " + path.string()
                                   + ": make credentials with caf-ray-node keygen, or copy them");
  if (!fd || fstat(fd.get(), &about) != 0)
    return fail(errc::io_failed, "cannot open " + path.string() + ": " + gcs::errno_text(errno));
  if (secret && (about.st_mode & 077) != 0)
    return fail(refused, path.string() + " may be read by others: chmod 600 " + path.string()
                           + ", and issue a new one if others had the chance");
  if (!S_ISREG(about.st_mode) || static_cast<std::size_t>(about.st_size) > max_file_bytes)
    return corrupt(path, "is no file of at most 64 KiB");
  std::string content(static_cast<std::size_t>(about.st_size), '\0');
  auto size = read(fd.get(), content.data(), content.size());
  if (size < 0)
    return fail(errc::io_failed, "cannot read " + path.string() + ": " + gcs::errno_text(errno));
  content.resize(static_cast<std::size_t>(size));
  return content;
}

result<certificate_ptr> parse_certificate(const std::string& pem, const fs::path& path) {
  ERR_clear_error();
  bio_ptr source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  certificate_ptr parsed(PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!parsed)
    return corrupt(path, "is no certificate in PEM");
  return parsed;
}

result<key_ptr> parse_key(const std::string& pem, const fs::path& path) {
  auto no_password = [](char*, int, int, void*) { return 0; }; // or it would ask at the terminal
  ERR_clear_error();
  bio_ptr source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  key_ptr parsed(PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (!parsed)
    return corrupt(path, "is no private key in PEM without password");
  return parsed;
}

result<credentials> credentials::load(const fs::path& folder, wall_time now) {
  auto certificate_path = folder / files::certificate;
  auto key_path = folder / files::key;
  auto authority_path = folder / files::authority_certificate;

  auto authority_pem = read_credential(authority_path, false);
  if (!authority_pem)
    return tl::unexpected(authority_pem.error());
  auto authority = parse_certificate(*authority_pem, authority_path);
  if (!authority)
    return tl::unexpected(authority.error());
  auto certificate_pem = read_credential(certificate_path, false);
  if (!certificate_pem)
    return tl::unexpected(certificate_pem.error());
  auto certificate = parse_certificate(*certificate_pem, certificate_path);
  if (!certificate)
    return tl::unexpected(certificate.error());
  auto key_pem = read_credential(key_path, true);
  if (!key_pem)
    return tl::unexpected(key_pem.error());
  auto key = parse_key(*key_pem, key_path);
  OPENSSL_cleanse(key_pem->data(), key_pem->size());
  if (!key)
    return tl::unexpected(key.error());

  ERR_clear_error();
  if (X509_check_private_key(certificate->get(), key->get()) != 1)
    return corrupt(key_path, "is not the key of " + certificate_path.string());
  if (X509_verify(certificate->get(), X509_get0_pubkey(authority->get())) != 1)
    return corrupt(certificate_path,
                   "was not issued by the authority of " + authority_path.string());
  ERR_clear_error();
  for (auto& [what, path] : {std::pair(authority->get(), authority_path),
                             std::pair(certificate->get(), certificate_path)})
    if (auto valid = check_dates(what, path, now); !valid)
      return tl::unexpected(valid.error());

  auto made = std::make_shared<data>();
  if (auto named = read_names(certificate->get(), certificate_path, *made); !named)
    return tl::unexpected(named.error());
  if (auto keys = read_curve_keys(folder / files::curve_keys, *made); !keys)
    return tl::unexpected(keys.error());
  made->fingerprint = fingerprint_of(certificate->get());
  made->valid_until = *to_wall_time(X509_get0_notAfter(certificate->get()), certificate_path);
  auto context = make_context(authority->get(), certificate->get(), key->get());
  if (!context)
    return tl::unexpected(context.error());
  made->context = std::move(*context);
  return credentials(std::move(made));
}

peer_kind credentials::role() const noexcept {
  return data_->role;
}

const std::string& credentials::cluster_id() const noexcept {
  return data_->cluster_id;
}

const std::string& credentials::fingerprint() const noexcept {
  return data_->fingerprint;
}

wall_time credentials::valid_until() const noexcept {
  return data_->valid_until;
}

const std::string& credentials::curve_public() const noexcept {
  return data_->curve_public;
}

const std::string& credentials::curve_secret() const noexcept {
  return data_->curve_secret;
}

} // namespace caf_ray::transport
