#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "gcs/types/error.hpp"
#include "libray/src/transport/connection.hpp"

/// Who may be part of a cluster of several hosts. One folder per member:
///
///     ca.crt      the certificate of the cluster's authority
///     own.crt     the member's certificate: cluster and role
///     own.key     its private key
///     curve.keys  its CURVE key pair, for object transfer
namespace caf_ray::transport {

/// Clocks of a cluster may differ by this much.
inline constexpr std::chrono::minutes clock_skew(5);

using wall_time = std::chrono::system_clock::time_point;

struct validity {
  wall_time from = std::chrono::system_clock::now() - clock_skew;
  wall_time until = std::chrono::system_clock::now() + std::chrono::hours(24 * 3650);
};

/// Makes an authority and the first two members, in folders that must not exist yet:
/// `folder/authority` (ca.crt, ca.key: to issue more; keep it apart, no program of the cluster
/// needs it), `folder/node` (copy it to the hosts) and `folder/driver`. Files are 0600, folders
/// 0700; nothing is ever overwritten, no key is left behind by a failure. `cluster_id`: 1 to 40 of
/// a-z, 0-9 and '-'. Errors: invalid_argument, already_exists, not_found (no such parent folder),
/// io_failed.
result<void> keygen(const std::filesystem::path& folder, const std::string& cluster_id,
                    const validity& = {});

/// One more member, `node` or `driver`, in the new folder `folder`. Errors: as `keygen` and `load`.
result<void> issue(const std::filesystem::path& authority, const std::filesystem::path& folder,
                   peer_kind role, const validity& = {});

/// A member's credentials, checked. Immutable, cheap to copy, thread-safe.
class credentials {
public:
  /// Errors name the file and the remedy: not_found (file or folder missing), refused (others may
  /// read a secret, not valid yet or any more at `now`), corrupt (no PEM, keys that do not fit,
  /// no certificate of this authority or without role), io_failed.
  static result<credentials> load(const std::filesystem::path& folder,
                                  wall_time now = std::chrono::system_clock::now());

  peer_kind role() const noexcept;
  const std::string& cluster_id() const noexcept;
  /// SHA-256 of the certificate, as peers see it in `peer::fingerprint`.
  const std::string& fingerprint() const noexcept;
  wall_time valid_until() const noexcept;

  /// CURVE keys in Z85, 40 characters each. The secret one goes into no log, argument or variable
  /// of the environment.
  const std::string& curve_public() const noexcept;
  const std::string& curve_secret() const noexcept;

  /// For this folder's sources.
  struct data;
  const data& get() const noexcept { return *data_; }

private:
  explicit credentials(std::shared_ptr<const data> d) : data_(std::move(d)) {}

  std::shared_ptr<const data> data_;
};

} // namespace caf_ray::transport
