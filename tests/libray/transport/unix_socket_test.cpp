#include <filesystem>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "libray/src/transport/connection.hpp"
#include "libray/src/transport/listener.hpp"
#include "libray/src/transport/unix_address.hpp"
#include "libray/src/transport/unix_door.hpp"
#include "tests/libray/transport/arrivals.hpp"
#include "tests/libray/transport/exhaustion.hpp"
#include "tests/support/child.hpp"
#include "tests/support/temp_folder.hpp"

namespace fs = std::filesystem;
using namespace caf_ray;
using namespace caf_ray::transport;
using caf_ray::test::child;
using caf_ray::test::temp_folder;
using transport::test::arrivals;
using transport::test::call_without_descriptors;
using transport::test::soon;

namespace {

struct listening {
  temp_folder folder;
  fs::path path = folder.path / "run" / "node.sock";
  arrivals seen;
  std::unique_ptr<listener> door;

  listening() {
    auto made = listener::start(seen.callback(), seen.options());
    BOOST_TEST_REQUIRE(made.has_value());
    door = std::move(*made);
    auto open = door->listen_unix(path);
    BOOST_TEST_REQUIRE(open.has_value(), (open ? "" : open.error().what));
  }
};

unsigned mode_of(const fs::path& path) {
  struct stat about {};
  BOOST_TEST_REQUIRE(lstat(path.c_str(), &about) == 0);
  return about.st_mode & 07777;
}

bool is_root() {
  if (geteuid() == 0)
    return true;
  BOOST_TEST_MESSAGE("SKIPPED, needs root: another user's process");
  return false;
}

std::string text(uid_t uid) {
  return "uid " + std::to_string(uid);
}

} // namespace

BOOST_AUTO_TEST_SUITE(unix_sockets)

BOOST_AUTO_TEST_CASE(bytes_pass_between_the_two_ends_of_a_child_socket) {
  auto pair = make_child_socket();
  BOOST_TEST_REQUIRE(pair.has_value());
  BOOST_TEST((fcntl(pair->ours.fd(), F_GETFD) & FD_CLOEXEC) != 0);
  BOOST_TEST((fcntl(pair->theirs.get(), F_GETFD) & FD_CLOEXEC) == 0);
  auto other = adopt_unix(pair->theirs.release());
  BOOST_TEST_REQUIRE(other.has_value());
  BOOST_TEST((fcntl(other->fd(), F_GETFD) & FD_CLOEXEC) != 0);
  BOOST_TEST(other->who().pid == getpid());

  BOOST_TEST(write(pair->ours.fd(), "x", 1) == 1);
  char byte = 0;
  BOOST_TEST(read(other->fd(), &byte, 1) == 1);
  BOOST_TEST(byte == 'x');
  BOOST_TEST(read(other->fd(), &byte, 1) == -1); // and does not block
}

BOOST_AUTO_TEST_CASE(what_is_no_unix_socket_is_not_adopted) {
  BOOST_TEST((adopt_unix(socket(AF_INET, SOCK_STREAM, 0)).error().code == refused));
  BOOST_TEST((adopt_unix(open("/dev/null", O_RDONLY)).error().code == errc::io_failed));
}

BOOST_AUTO_TEST_CASE(an_inherited_socket_of_another_user_is_refused_with_both_uids) {
  if (!is_root())
    return;
  auto pair = make_child_socket();
  BOOST_TEST_REQUIRE(pair.has_value());
  child other(CAF_RAY_TRANSPORT_CHILD, {"adopt-as-nobody", std::to_string(pair->theirs.get())});
  auto said = other.line();
  BOOST_TEST(said.find(text(0)) != std::string::npos, said);
  BOOST_TEST(said.find(text(65534)) != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(a_caller_is_handed_over_with_its_pid) {
  listening here;
  auto caller = connect_unix(here.path, soon);
  BOOST_TEST_REQUIRE(caller.has_value(), (caller ? "" : caller.error().what));
  BOOST_TEST(here.seen.wait_for(1));
  auto links = here.seen.take_links();
  BOOST_TEST(links.at(0).who().pid == getpid());
  BOOST_TEST((links.at(0).who().kind == peer_kind::process));
  BOOST_TEST(write(links.at(0).fd(), "x", 1) == 1);
  pollfd readable{caller->fd(), POLLIN, 0};
  BOOST_TEST(poll(&readable, 1, 20'000) == 1);
}

BOOST_AUTO_TEST_CASE(folder_and_socket_are_for_this_user_only) {
  listening here;
  BOOST_TEST(mode_of(here.path.parent_path()) == 0700U);
  BOOST_TEST(mode_of(here.path) == 0600U);
}

BOOST_AUTO_TEST_CASE(another_user_is_kept_out_by_the_folder) {
  if (!is_root())
    return;
  listening here;
  fs::permissions(here.folder.path, fs::perms(0711));
  child other(CAF_RAY_TRANSPORT_CHILD, {"connect-as-nobody", here.path.string()});
  auto said = other.line();
  BOOST_TEST(said.find("no right to connect") != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(another_user_who_gets_past_the_folder_is_turned_away_with_both_uids) {
  if (!is_root())
    return;
  listening here;
  fs::permissions(here.folder.path, fs::perms(0711));
  fs::permissions(here.path.parent_path(), fs::perms(0711));
  fs::permissions(here.path, fs::perms(0666));
  child other(CAF_RAY_TRANSPORT_CHILD, {"connect-as-nobody", here.path.string()});
  BOOST_TEST(here.seen.wait_for(0, 1));
  auto why = here.seen.refusals().at(0);
  BOOST_TEST((why.code == refused));
  BOOST_TEST(why.what.find(text(0)) != std::string::npos, why.what);
  BOOST_TEST(why.what.find(text(65534)) != std::string::npos, why.what);
  BOOST_TEST(here.seen.take_links().empty());
  // It refuses us too, unless the door was shut before it could ask.
  auto said = other.line();
  BOOST_TEST((said.find(text(0)) != std::string::npos || said == "connected, then closed"), said);
}

BOOST_AUTO_TEST_CASE(a_folder_open_to_others_is_refused) {
  listening here;
  auto open = here.folder.path / "open";
  fs::create_directory(open);
  fs::permissions(open, fs::perms(0755));
  auto answer = here.door->listen_unix(open / "node.sock");
  BOOST_TEST((answer.error().code == refused));
  BOOST_TEST(answer.error().what.find("0700") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_path_that_is_too_long_is_refused_with_its_length) {
  listening here;
  auto longest =
    here.path.parent_path() / std::string(107 - here.path.parent_path().native().size() - 1, 's');
  BOOST_TEST(here.door->listen_unix(longest).has_value());
  auto answer = here.door->listen_unix(longest.native() + "s");
  BOOST_TEST((answer.error().code == errc::invalid_argument));
  BOOST_TEST(answer.error().what.find("107") != std::string::npos, answer.error().what);
  BOOST_TEST((connect_unix(longest.native() + "s", soon).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_socket_whose_owner_lives_is_not_taken) {
  listening here;
  arrivals others;
  auto second = listener::start(others.callback());
  BOOST_TEST((second.value()->listen_unix(here.path).error().code == errc::in_use));
  BOOST_TEST(connect_unix(here.path, soon).has_value());
}

BOOST_AUTO_TEST_CASE(a_socket_whose_owner_is_dead_is_replaced) {
  temp_folder folder;
  fs::permissions(folder.path, fs::perms(0700));
  auto path = folder.path / "node.sock";
  {
    file_descriptor dead(socket(AF_UNIX, SOCK_STREAM, 0));
    auto address = *unix_address(path);
    BOOST_TEST_REQUIRE(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address))
                       == 0);
    BOOST_TEST_REQUIRE(listen(dead.get(), 1) == 0);
  }
  BOOST_TEST((connect_unix(path, soon).error().code == errc::not_found));
  arrivals seen;
  auto door = listener::start(seen.callback());
  BOOST_TEST(door.value()->listen_unix(path).has_value());
  BOOST_TEST(connect_unix(path, soon).has_value());
}

BOOST_AUTO_TEST_CASE(a_folder_that_somebody_keeps_locked_is_given_up) {
  listening here;
  auto folder = here.path.parent_path();
  file_descriptor hung(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  BOOST_TEST_REQUIRE(flock(hung.get(), LOCK_EX) == 0);
  BOOST_TEST((here.door->listen_unix(folder / "other.sock").error().code == errc::in_use));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_socket_is_left_alone) {
  listening here;
  auto path = here.path.parent_path() / "notes";
  std::ofstream(path) << "mine";
  BOOST_TEST((here.door->listen_unix(path).error().code == errc::already_exists));
  BOOST_TEST(fs::file_size(path) == 4U);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_listener_removes_its_socket_and_turns_callers_away) {
  listening here;
  here.door.reset();
  BOOST_TEST(!fs::exists(here.path));
  BOOST_TEST((connect_unix(here.path, soon).error().code == errc::not_found));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_listener_leaves_what_others_put_in_its_place) {
  listening here;
  fs::remove(here.path);
  std::ofstream(here.path) << "mine";
  here.door.reset();
  BOOST_TEST(fs::exists(here.path));
}

// F26: the kernel keeps callers in its queue while the process has no descriptors left.
BOOST_AUTO_TEST_CASE(without_descriptors_accepting_pauses_quietly_and_goes_on_later) {
  listening here;
  auto address = *unix_address(here.path);
  auto waiting =
    call_without_descriptors(*here.door, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  BOOST_TEST(here.seen.wait_for(1));
}

BOOST_AUTO_TEST_SUITE_END()
