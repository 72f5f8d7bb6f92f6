#pragma once

#include <string_view>
#include <vector>

/// The rules of this tree that a program can check, as tables. What each table is used for stands
/// above it; `tidy.cpp` holds the few loops that apply them. A rule is added when a review has said
/// the same thing twice. A single place that must break a rule says so, on its line or the one
/// above, with the rule's name and a reason:
///
///     // tidy: allow sleep, the kernel offers no event for this
namespace caf_ray::tidy {

using words = std::vector<std::string_view>;

/// The layers from left to right: a file may include from its own layer and from those to its left.
/// `spellings` are the first parts of an include path that mean the layer. `public_only` layers see
/// the runtime as users do: nothing left of libray, and of libray only <ray/...>.
struct layer {
  std::string_view folder;
  words spellings;
  bool public_only = false;
};
inline const std::vector<layer> layers = {
  {"gcs", {"gcs"}},
  {"objstore", {"objstore"}},
  {"scheduler", {"scheduler"}},
  {"libray", {"libray", "ray"}},
  {"rl", {"rl"}, true},
  {"examples", {"examples"}, true},
  {"tests", {"tests"}}, // may see all; nobody includes from here
};

/// Public headers lead to none of these, directly or through other headers of this tree.
inline constexpr std::string_view public_folder = "libray/include/ray/";
inline constexpr std::string_view native_actor_header = "libray/include/ray/caf.h"; // may name CAF
inline const words hidden_from_users = {"caf/",  "lmdb.h",  "lmdb++.h",
                                        "zmq.h", "zmq.hpp", "zmq_addon.hpp"};

/// Words that code (not comments, not strings) does not use. `where` and `except` are beginnings of
/// paths; an empty `where` means everywhere.
struct banned_word {
  std::string_view rule;
  std::string_view word;
  words where;
  words except;
  std::string_view instead;
};
inline const std::vector<banned_word> banned_words = {
  {"infinite",
   "infinite",
   {},
   {},
   "a request without a deadline hangs for ever when its receiver's host is lost; give a "
   "timeout"},
  {"await",
   ".await(",
   {},
   {},
   "an actor that awaits sees no down or exit message meanwhile; use .then(...)"},
  {"writemap",
   "MDB_WRITEMAP",
   {},
   {},
   "a full disk then ends the process with SIGBUS; leave the flag out"},
  {"link",
   "link_to(",
   {},
   {},
   "a link kills in both directions; monitor peers, and spawn children with caf::linked"},
  {"remote-actor",
   "remote_actor(",
   {},
   {},
   "it blocks every other connection while one host is dead; connect with our own deadline"},
  {"shell", "std::system(", {}, {}, "no shell: start programs from an argument vector"},
  {"shell", "::system(", {}, {}, "no shell: start programs from an argument vector"},
  {"shell", "popen(", {}, {}, "no shell: start programs from an argument vector"},
  {"sleep",
   "sleep_for",
   {"tests/"},
   {"tests/support/", "tests/bench/"},
   "a test that sleeps is slow or flaky: simulated time for actors, else wait for the event"},
  {"sleep",
   "sleep_until",
   {"tests/"},
   {"tests/support/", "tests/bench/"},
   "a test that sleeps is slow or flaky: simulated time for actors, else wait for the event"},
  {"sleep",
   "usleep",
   {"tests/"},
   {"tests/support/", "tests/bench/"},
   "a test that sleeps is slow or flaky: simulated time for actors, else wait for the event"},
  {"random", "rand(", {}, {}, "a run must replay from its seed: take a random engine as argument"},
  {"random", "srand(", {}, {}, "a run must replay from its seed: take a random engine as argument"},
  {"random", "random_shuffle", {}, {}, "a run must replay from its seed: use std::shuffle"},
  {"unchecked", "sprintf(", {}, {}, "no bound is checked; build a std::string or use snprintf"},
  {"unchecked", "strcpy(", {}, {}, "no bound is checked; use std::string"},
  {"unchecked", "atoi(", {}, {}, "it cannot say that the text is no number; use std::from_chars"},
  {"unchecked", "atof(", {}, {}, "it cannot say that the text is no number; use std::from_chars"},
};

/// Files are read in one sitting, on a screen that has room for two of them.
inline constexpr std::size_t columns_limit = 100;
inline constexpr std::size_t lines_limit = 500;

/// A rule that a whole file is free of, and why.
struct exception {
  std::string_view path;
  std::string_view reason;
};

/// Files that are longer than `lines_limit`.
inline const std::vector<exception> long_files = {};

/// In these folders, each x.cpp has an x_test.cpp somewhere under tests/<folder>; the rest is
/// covered by tests of the whole.
inline const words tested_folders = {"gcs/", "objstore/", "scheduler/"};
inline const std::vector<exception> sources_without_test = {};

/// Folders that explain themselves: purpose, glossary, reading order, invariants, decisions.
inline const words folders_with_readme = {"gcs",    "objstore",    "scheduler",
                                          "libray", "rl",          "examples",
                                          "tests",  "tests/bench", "tests/cluster"};

} // namespace caf_ray::tidy
