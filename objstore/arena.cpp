#include "objstore/arena.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <new>
#include <string>

#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/sync/mutex_family.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "gcs/types/limits.hpp"

namespace caf_ray::objstore {

namespace {

/// Lies at the start of the arena, its blocks behind it. Only the process that made the arena
/// allocates, so plain pointers do and no lock is shared.
using allocator = boost::interprocess::rbtree_best_fit<boost::interprocess::null_mutex_family,
                                                       void*, payload_alignment>;

constexpr std::size_t first_step_bytes = 1024 * 1024;

/// The allocator itself, its end mark and the head of one block, each rounded up.
constexpr std::size_t overhead_bytes =
  (sizeof(allocator) + payload_alignment - 1) / payload_alignment * payload_alignment
  + 2 * payload_alignment;

allocator& allocator_at(std::byte* base) {
  return *std::launder(reinterpret_cast<allocator*>(base));
}

std::size_t round_up(std::size_t n, std::size_t unit) {
  return (n + unit - 1) / unit * unit;
}

auto fail_with(int code, const std::string& what) {
  auto full = code == ENOSPC || code == ENOMEM || code == EDQUOT || code == EFBIG || code == EFAULT;
  return fail(full ? errc::store_full : errc::io_failed, what + ": " + std::strerror(code));
}

/// A number from a file of /proc or /sys: the first after `key`, or the first if there is no key.
std::optional<std::size_t> read_number(const std::string& path, const std::string& key = {}) {
  std::ifstream file{path};
  std::string word;
  if (!key.empty())
    while (file >> word && word != key) {
    }
  std::size_t number;
  if (file >> number)
    return number;
  return std::nullopt;
}

/// What our control group leaves: limit less use, of version 2 or 1. Nothing if unlimited.
std::optional<std::size_t> control_group_bytes() {
  auto rest = [](const std::string& limit, const std::string& use) -> std::optional<std::size_t> {
    auto most = read_number(limit);
    if (!most)
      return std::nullopt;
    return *most - std::min(*most, read_number(use).value_or(0));
  };
  std::ifstream groups{"/proc/self/cgroup"};
  std::string line, path;
  while (std::getline(groups, line))
    if (line.starts_with("0::"))
      path = line.substr(3);
  for (const auto& folder : {"/sys/fs/cgroup" + path, std::string{"/sys/fs/cgroup"}})
    if (auto n = rest(folder + "/memory.max", folder + "/memory.current"))
      return n;
  return rest("/sys/fs/cgroup/memory/memory.limit_in_bytes",
              "/sys/fs/cgroup/memory/memory.usage_in_bytes");
}

/// A file without a name, of no size yet.
int open_descriptor(const std::filesystem::path& directory) {
  if (directory.empty())
    return memfd_create("caf-ray-objects", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
}

/// ftruncate beyond the process's file size limit would raise a signal instead of failing.
bool within_file_limit(std::size_t size_bytes) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY
         || size_bytes <= limit.rlim_cur;
}

} // namespace

std::size_t default_capacity_bytes(double share, const std::filesystem::path& directory) {
  auto available = read_number("/proc/meminfo", "MemAvailable:").value_or(0) * 1024;
  if (auto n = control_group_bytes())
    available = std::min(available, *n);
  auto wanted = static_cast<std::size_t>(static_cast<double>(available) * share);
  struct statvfs fs {};
  if (!directory.empty() && statvfs(directory.c_str(), &fs) == 0)
    wanted = std::min<std::size_t>(wanted, fs.f_bavail * fs.f_frsize);
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0)
    wanted = std::min<std::size_t>(wanted, limit.rlim_cur);
  return wanted / first_step_bytes * first_step_bytes;
}

result<std::unique_ptr<arena>> arena::map(const options& opts) {
  constexpr std::size_t most = std::size_t{1} << 46;
  if (opts.capacity_bytes < first_step_bytes || opts.capacity_bytes > most)
    return fail(errc::invalid_argument,
                "object store of " + std::to_string(opts.capacity_bytes)
                  + " bytes: give at least 1 MiB, and no more than memory can be addressed");
  auto capacity = round_up(opts.capacity_bytes, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  if (!within_file_limit(capacity))
    return fail(errc::store_full, "object store of " + std::to_string(capacity)
                                    + " bytes is over this process's file size limit (ulimit -f)");
  auto fd = open_descriptor(opts.directory);
  if (fd < 0)
    return fail_with(errno, "cannot make shared memory"
                              + (opts.directory.empty() ? "" : " in " + opts.directory.string()));
  auto close_and_fail = [fd](const char* what) {
    auto code = errno;
    close(fd);
    return fail_with(code, what);
  };
  if (ftruncate(fd, static_cast<off_t>(capacity)) != 0)
    return close_and_fail("cannot size shared memory");
  if (opts.directory.empty()
      && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return close_and_fail("cannot seal shared memory");
  auto base = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED)
    return close_and_fail("cannot map shared memory");
  madvise(base, capacity, MADV_DONTDUMP);
  std::unique_ptr<arena> result{new arena{fd, static_cast<std::byte*>(base), capacity}};
  auto first = result->extend(first_step_bytes);
  if (!first)
    return tl::unexpected{first.error()};
  new (base) allocator(*first, 0);
  result->committed_bytes_ = *first;
  return result;
}

arena::arena(int descriptor, std::byte* base, std::size_t capacity_bytes)
  : descriptor_(descriptor), base_(base), capacity_bytes_(capacity_bytes) {}

arena::~arena() {
  munmap(base_, capacity_bytes_);
  close(descriptor_);
}

result<std::size_t> arena::extend(std::size_t step_bytes) {
  auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  auto step = std::min(round_up(step_bytes, page), capacity_bytes_ - extended_bytes_);
  if (step == 0)
    return std::size_t{0};
  auto offset = static_cast<off_t>(extended_bytes_);
  // First the promise, which fails whole and leaves nothing behind, then the page tables.
  if (auto code = posix_fallocate(descriptor_, offset, static_cast<off_t>(step)))
    return fail_with(code, "no memory for " + std::to_string(step) + " bytes more of objects");
  if (madvise(base_ + extended_bytes_, step, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) {
    auto code = errno;
    fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
              static_cast<off_t>(step));
    return fail_with(code, "cannot fault in " + std::to_string(step) + " bytes of objects");
  }
  extended_bytes_ += step;
  return step;
}

void arena::adopt(std::size_t extended_bytes) {
  if (extended_bytes == 0)
    return;
  allocator_at(base_).grow(extended_bytes);
  committed_bytes_ += extended_bytes;
}

std::optional<std::size_t> arena::allocate(std::size_t size_bytes) {
  if (size_bytes > largest_bytes())
    return std::nullopt;
  auto block =
    static_cast<std::byte*>(allocator_at(base_).allocate(std::max<std::size_t>(size_bytes, 1)));
  if (!block)
    return std::nullopt;
  return static_cast<std::size_t>(block - base_);
}

void arena::deallocate(std::size_t offset_bytes) {
  allocator_at(base_).deallocate(base_ + offset_bytes);
}

std::size_t arena::used_bytes() const {
  return committed_bytes_ - allocator_at(base_).get_free_memory();
}

std::size_t arena::largest_bytes() const {
  return capacity_bytes_ - overhead_bytes;
}

} // namespace caf_ray::objstore
