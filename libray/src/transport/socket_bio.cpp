#include "libray/src/transport/socket_bio.hpp"

#include <cerrno>
#include <cstdint>

#include <sys/socket.h>

namespace caf_ray::transport {

namespace {

int fd_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool try_again(ssize_t moved) {
  return moved < 0 && (errno == EAGAIN || errno == EINTR);
}

int write_to(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  auto moved = send(fd_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (try_again(moved))
    BIO_set_retry_write(bio);
  return static_cast<int>(moved);
}

int read_from(BIO* bio, char* buffer, int size) {
  BIO_clear_retry_flags(bio);
  auto moved = recv(fd_of(bio), buffer, static_cast<std::size_t>(size), 0);
  if (try_again(moved))
    BIO_set_retry_read(bio);
  if (moved == 0)
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(moved);
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF)
    return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  return command == BIO_CTRL_FLUSH; // nothing is buffered; 0 says that the rest is not supported
}

const BIO_METHOD* socket_method() {
  static const auto method = [] {
    auto made = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket without SIGPIPE");
    if (made) {
      BIO_meth_set_write(made, write_to);
      BIO_meth_set_read(made, read_from);
      BIO_meth_set_ctrl(made, control);
    }
    return made;
  }();
  return method;
}

} // namespace

BIO* make_socket_bio(int fd) {
  auto method = socket_method();
  auto bio = method ? BIO_new(method) : nullptr;
  if (bio) {
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
    BIO_set_init(bio, 1);
  }
  return bio;
}

} // namespace caf_ray::transport
