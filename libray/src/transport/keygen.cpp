#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <zmq.h>

#include "gcs/folder.hpp"
#include "libray/src/transport/credentials.hpp"
#include "libray/src/transport/credentials_data.hpp"
#include "libray/src/transport/file_descriptor.hpp"

namespace caf_ray::transport {

namespace fs = std::filesystem;
namespace files = credential_files;

namespace {

constexpr const char* curve_name = "P-256";
constexpr long x509_version_3 = 2;

/// A folder that was not there before, and is not there afterwards unless it is kept.
class new_folder {
public:
  static result<new_folder> make(fs::path path) {
    if (mkdir(path.c_str(), 0700) == 0)
      return new_folder(std::move(path));
    auto code = errno;
    if (code == EEXIST)
      return fail(errc::already_exists, path.string()
                                          + " exists, and keys are never overwritten: remove it if "
                                            "nobody needs them, or choose another folder");
    return fail(code == ENOENT ? errc::not_found : errc::io_failed,
                "cannot make the folder " + path.string() + ": " + gcs::errno_text(code));
  }
  new_folder(new_folder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  new_folder& operator=(new_folder&&) = delete;
  ~new_folder() {
    std::error_code ignored;
    if (!path_.empty())
      fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }
  void keep() { path_.clear(); }

private:
  explicit new_folder(fs::path path) : path_(std::move(path)) {}

  fs::path path_;
};

result<void> write_new(const fs::path& path, std::string_view content) {
  file_descriptor fd(
    open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd)
    return fail(errc::io_failed, "cannot make " + path.string() + ": " + gcs::errno_text(errno));
  while (!content.empty()) {
    auto written = write(fd.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return fail(errc::io_failed, "cannot write " + path.string() + ": " + gcs::errno_text(errno));
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd.get()) != 0)
    return fail(errc::io_failed, "cannot write " + path.string() + ": " + gcs::errno_text(errno));
  return {};
}

auto openssl_failed(const std::string& doing) {
  return fail(errc::io_failed, "OpenSSL cannot " + doing + ": " + take_openssl_error());
}

/// Writes by one of OpenSSL's PEM functions into a new file.
template <class Write>
result<void> write_pem(const fs::path& path, Write write) {
  bio_ptr sink(BIO_new(BIO_s_secmem()));
  if (!sink || write(sink.get()) != 1)
    return openssl_failed("encode " + path.string());
  char* bytes = nullptr;
  auto size = BIO_get_mem_data(sink.get(), &bytes);
  return write_new(path, std::string_view(bytes, static_cast<std::size_t>(size)));
}

result<void> write_certificate(const fs::path& path, X509* certificate) {
  return write_pem(path, [&](BIO* sink) { return PEM_write_bio_X509(sink, certificate); });
}

result<void> write_key(const fs::path& path, EVP_PKEY* key) {
  return write_pem(path, [&](BIO* sink) {
    return PEM_write_bio_PKCS8PrivateKey(sink, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

result<void> write_curve_keys(const fs::path& path) {
  std::array<char, 41> open_key, secret;
  if (zmq_curve_keypair(open_key.data(), secret.data()) != 0)
    return fail(errc::not_supported, "this libzmq has no CURVE: install one with libsodium");
  auto text = "public " + std::string(open_key.data()) + "\nsecret " + secret.data() + "\n";
  auto written = write_new(path, text);
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(secret.data(), secret.size());
  return written;
}

struct extension {
  int id;
  std::string value;
};

/// A certificate for `key`, signed by the authority, which is the certificate itself without one.
result<certificate_ptr> make_certificate(EVP_PKEY* key, const std::string& common_name,
                                         const validity& valid,
                                         const std::vector<extension>& extensions, X509* authority,
                                         EVP_PKEY* authority_key) {
  using number_ptr = std::unique_ptr<BIGNUM, free_with<BN_free>>;
  using extension_ptr = std::unique_ptr<X509_EXTENSION, free_with<X509_EXTENSION_free>>;
  auto time = [](wall_time t) { return std::chrono::system_clock::to_time_t(t); };

  ERR_clear_error();
  certificate_ptr made(X509_new());
  number_ptr serial(BN_new());
  auto name = made ? X509_get_subject_name(made.get()) : nullptr;
  auto text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  if (!name || !serial || X509_set_version(made.get(), x509_version_3) != 1
      || BN_rand(serial.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1
      || !BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(made.get()))
      || !ASN1_TIME_set(X509_getm_notBefore(made.get()), time(valid.from))
      || !ASN1_TIME_set(X509_getm_notAfter(made.get()), time(valid.until))
      || X509_set_pubkey(made.get(), key) != 1
      || X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) != 1
      || X509_set_issuer_name(made.get(), authority ? X509_get_subject_name(authority) : name) != 1)
    return openssl_failed("make a certificate");

  X509V3_CTX context;
  X509V3_set_ctx(&context, authority ? authority : made.get(), made.get(), nullptr, nullptr, 0);
  for (auto& e : extensions) {
    extension_ptr encoded(X509V3_EXT_conf_nid(nullptr, &context, e.id, e.value.c_str()));
    if (!encoded || X509_add_ext(made.get(), encoded.get(), -1) != 1)
      return openssl_failed("add an extension to a certificate");
  }
  if (X509_sign(made.get(), authority_key, EVP_sha256()) == 0)
    return openssl_failed("sign a certificate");
  return made;
}

struct authority {
  certificate_ptr certificate;
  key_ptr key;
  std::string cluster_id;
};

result<void> check_cluster_id(const std::string& id) {
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  if (id.empty() || id.size() > 40 || id.find_first_not_of(allowed) != std::string::npos)
    return fail(errc::invalid_argument,
                "the cluster id '" + id + "' must be 1 to 40 of a-z, 0-9 and -");
  return {};
}

result<authority> make_authority(const fs::path& folder, const std::string& cluster_id,
                                 const validity& valid) {
  key_ptr key(EVP_EC_gen(curve_name));
  if (!key)
    return openssl_failed("make a key");
  auto made = make_certificate(key.get(), cluster_name(cluster_id), valid,
                               {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                {NID_key_usage, "critical,keyCertSign"},
                                {NID_subject_key_identifier, "hash"},
                                {NID_subject_alt_name, "DNS:" + cluster_name(cluster_id)}},
                               nullptr, key.get());
  if (!made)
    return tl::unexpected(made.error());
  if (auto written = write_key(folder / files::authority_key, key.get()); !written)
    return tl::unexpected(written.error());
  if (auto written = write_certificate(folder / files::authority_certificate, made->get());
      !written)
    return tl::unexpected(written.error());
  return authority{std::move(*made), std::move(key), cluster_id};
}

result<authority> load_authority(const fs::path& folder) {
  auto certificate_path = folder / files::authority_certificate;
  auto key_path = folder / files::authority_key;
  auto certificate_pem = read_credential(certificate_path, false);
  if (!certificate_pem)
    return tl::unexpected(certificate_pem.error());
  auto key_pem = read_credential(key_path, true);
  if (!key_pem)
    return tl::unexpected(key_pem.error());
  auto certificate = parse_certificate(*certificate_pem, certificate_path);
  auto key = parse_key(*key_pem, key_path);
  OPENSSL_cleanse(key_pem->data(), key_pem->size());
  if (!certificate || !key)
    return tl::unexpected(certificate ? key.error() : certificate.error());
  auto fits = X509_check_private_key(certificate->get(), key->get()) == 1;
  ERR_clear_error();
  auto names = names_of(certificate->get());
  auto prefix = cluster_name("");
  if (!fits || names.size() != 1 || !names.front().starts_with(prefix))
    return fail(errc::corrupt, folder.string()
                                 + " is no authority that keygen made: certificate "
                                   "and key do not fit, or it names no cluster");
  return authority{std::move(*certificate), std::move(*key), names.front().substr(prefix.size())};
}

/// Fills the new folder of a member.
result<void> make_member(const authority& by, const fs::path& folder, peer_kind role,
                         const validity& valid) {
  auto name = role_name(role, by.cluster_id);
  // A driver never listens, so nobody may meet it as a server.
  auto usage = role == peer_kind::node ? "serverAuth,clientAuth" : "clientAuth";
  key_ptr key(EVP_EC_gen(curve_name));
  if (!key)
    return openssl_failed("make a key");
  auto made = make_certificate(
    key.get(), name, valid,
    {{NID_basic_constraints, "critical,CA:FALSE"},
     {NID_key_usage, "critical,digitalSignature"},
     {NID_ext_key_usage, usage},
     {NID_authority_key_identifier, "keyid"},
     {NID_subject_alt_name, "DNS:" + cluster_name(by.cluster_id) + ",DNS:" + name}},
    by.certificate.get(), by.key.get());
  if (!made)
    return tl::unexpected(made.error());
  for (auto& written :
       {write_key(folder / files::key, key.get()),
        write_certificate(folder / files::certificate, made->get()),
        write_certificate(folder / files::authority_certificate, by.certificate.get()),
        write_curve_keys(folder / files::curve_keys)})
    if (!written)
      return written;
  return {};
}

} // namespace

result<void> keygen(const fs::path& folder, const std::string& cluster_id, const validity& valid) {
  if (auto good = check_cluster_id(cluster_id); !good)
    return good;
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(errno == ENOENT ? errc::not_found : errc::io_failed,
                "cannot make the folder " + folder.string() + ": " + gcs::errno_text(errno));
  auto authority_folder = new_folder::make(folder / "authority");
  if (!authority_folder)
    return tl::unexpected(authority_folder.error());
  auto node = new_folder::make(folder / "node");
  if (!node)
    return tl::unexpected(node.error());
  auto driver = new_folder::make(folder / "driver");
  if (!driver)
    return tl::unexpected(driver.error());

  auto by = make_authority(authority_folder->path(), cluster_id, valid);
  if (!by)
    return tl::unexpected(by.error());
  if (auto made = make_member(*by, node->path(), peer_kind::node, valid); !made)
    return made;
  if (auto made = make_member(*by, driver->path(), peer_kind::driver, valid); !made)
    return made;
  for (auto kept : {&*authority_folder, &*node, &*driver})
    kept->keep();
  return {};
}

result<void> issue(const fs::path& authority_folder, const fs::path& folder, peer_kind role,
                   const validity& valid) {
  if (role != peer_kind::node && role != peer_kind::driver)
    return fail(errc::invalid_argument, "certificates are for nodes and drivers only");
  auto by = load_authority(authority_folder);
  if (!by)
    return tl::unexpected(by.error());
  auto made = new_folder::make(folder);
  if (!made)
    return tl::unexpected(made.error());
  if (auto filled = make_member(*by, made->path(), role, valid); !filled)
    return filled;
  made->keep();
  return {};
}

} // namespace caf_ray::transport
