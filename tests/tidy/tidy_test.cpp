#define BOOST_TEST_MODULE tidy
#include <boost/test/unit_test.hpp>

#include <iostream>

#include "tests/tidy/rules.hpp"
#include "tests/tidy/tidy.hpp"

// First that the checks see what they should and nothing else, on small trees; then this tree.

using namespace caf_ray::tidy;

namespace {

/// "path:line rule" of each finding.
std::vector<std::string> findings_in(const source_tree& tree) {
  std::vector<std::string> result;
  for (auto& f : check(tree))
    result.push_back(f.path + ":" + std::to_string(f.line) + " " + f.rule);
  return result;
}

/// What is found in one file, where a test file must not be missing.
std::vector<std::string> findings_in_text(const std::string& text,
                                          const std::string& path = "libray/src/x.cpp") {
  return findings_in({{path, text}, {"libray/README.md", ""}, {"rl/README.md", ""}});
}

} // namespace

#define CHECK_FINDINGS(found, ...)                                                                 \
  do {                                                                                             \
    auto actual = found;                                                                           \
    std::vector<std::string> expected{__VA_ARGS__};                                                \
    BOOST_CHECK_EQUAL_COLLECTIONS(actual.begin(), actual.end(), expected.begin(), expected.end()); \
  } while (false)

BOOST_AUTO_TEST_SUITE(code_only_text)

BOOST_AUTO_TEST_CASE(blanks_comments_and_literals_and_keeps_columns) {
  BOOST_CHECK_EQUAL(code_only("a; // b\nc"), "a;     \nc");
  BOOST_CHECK_EQUAL(code_only("a /* b\nc */ d"), "a     \n     d");
  BOOST_CHECK_EQUAL(code_only("f(\"// no\"); g"), "f(\"     \"); g");
  BOOST_CHECK_EQUAL(code_only("f(\"\\\"x\") y"), "f(\"   \") y");
  BOOST_CHECK_EQUAL(code_only("'\"' a"), "' ' a");
  BOOST_CHECK_EQUAL(code_only("R\"x(a\"b)x\" c"), "R\"       \" c");
}

BOOST_AUTO_TEST_CASE(takes_no_digit_separator_for_a_literal) {
  BOOST_CHECK_EQUAL(code_only("1'000 + a'"), "1'000 + a'");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(words)

BOOST_AUTO_TEST_CASE(every_banned_word_is_caught) {
  for (auto& banned : banned_words) {
    auto path = banned.where.empty() ? "libray/src/x.cpp"
                                     : std::string{banned.where.front()} + "libray/x.cpp";
    auto text = "f();\n  y = " + std::string{banned.word} + ";\n";
    auto found = findings_in({{path, text}, {"libray/README.md", ""}, {"tests/README.md", ""}});
    BOOST_TEST_CONTEXT(banned.word) {
      BOOST_REQUIRE(!found.empty());
      BOOST_CHECK_EQUAL(found.front(), path + ":2 " + std::string{banned.rule});
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_of_longer_words_comments_and_strings_are_not) {
  CHECK_FINDINGS(
    findings_in_text("brand(1); my_remote_actor(x); // infinite\n"
                     "f(\"infinite\"); co_await x; actor.home_system(); snprintf(x);"));
}

BOOST_AUTO_TEST_CASE(a_sleep_counts_only_in_tests) {
  CHECK_FINDINGS(findings_in_text("std::this_thread::sleep_for(d);"));
}

BOOST_AUTO_TEST_CASE(a_place_may_be_excused_with_a_reason) {
  CHECK_FINDINGS(findings_in_text("// tidy: allow infinite, the peer is in this process\n"
                                  "x = infinite;\n"));
  CHECK_FINDINGS(findings_in_text("// tidy: allow infinite\nx = infinite;\n"),
                 "libray/src/x.cpp:2 infinite");
  CHECK_FINDINGS(findings_in_text("// tidy: allow await, reason\nx = infinite;\n"),
                 "libray/src/x.cpp:2 infinite");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(includes)

BOOST_AUTO_TEST_CASE(go_to_the_left_only) {
  source_tree tree = {
    {"gcs/a.hpp", "#pragma once\n#include \"objstore/store.hpp\"\n"},
    {"gcs/b.hpp", "#pragma once\n#include <ray/api.h>\n"},
    {"libray/src/c.hpp", "#pragma once\n#include \"gcs/a.hpp\"\n#include \"libray/src/d.hpp\"\n"},
    {"scheduler/e.hpp", "#pragma once\n# include \"tests/support/x.hpp\"\n"},
    {"tests/gcs/all.hpp", "#pragma once\n#include \"rl/ppo.hpp\"\n#include \"gcs/a.hpp\"\n"},
  };
  for (auto folder : {"gcs", "libray", "scheduler", "tests"})
    tree[std::string{folder} + "/README.md"] = "";
  CHECK_FINDINGS(findings_in(tree), "gcs/a.hpp:2 layers", "gcs/b.hpp:2 layers",
                 "scheduler/e.hpp:2 layers");
}

BOOST_AUTO_TEST_CASE(of_algorithms_see_the_public_interface_only) {
  CHECK_FINDINGS(findings_in_text("#include <ray/api.h>\n#include \"gcs/types/ids.hpp\"\n"
                                  "#include \"libray/src/runtime.hpp\"\n#include \"rl/nn.hpp\"\n",
                                  "rl/ppo.cpp"),
                 "rl/ppo.cpp:2 layers", "rl/ppo.cpp:3 layers");
}

BOOST_AUTO_TEST_CASE(name_their_layer) {
  CHECK_FINDINGS(findings_in_text("#include \"x.hpp\"\n#include \"../gcs/y.hpp\"\n"),
                 "libray/src/x.cpp:1 include-path", "libray/src/x.cpp:2 include-path");
}

BOOST_AUTO_TEST_CASE(in_comments_and_strings_do_not_count) {
  CHECK_FINDINGS(
    findings_in_text("// #include \"rl/nn.hpp\"\nauto s = R\"(\n#include \"y.hpp\"\n)\";"));
}

BOOST_AUTO_TEST_CASE(of_public_headers_do_not_lead_to_hidden_ones) {
  source_tree tree = {
    {"gcs/values.hpp", "#pragma once\n#include <vector>\n"},
    {"gcs/messages.hpp", "#pragma once\n#include <caf/all.hpp>\n"},
    {"gcs/README.md", ""},
    {"libray/README.md", ""},
    {"libray/include/ray/good.h", "#pragma once\n#include \"gcs/values.hpp\"\n"},
    {"libray/include/ray/direct.h", "#pragma once\n#include <lmdb.h>\n"},
    {"libray/include/ray/far.h", "#pragma once\n#include <ray/near.h>\n"},
    {"libray/include/ray/near.h", "#pragma once\n\n#include \"gcs/messages.hpp\"\n"},
    {"libray/include/ray/caf.h", "#pragma once\n#include <caf/all.hpp>\n"},
  };
  CHECK_FINDINGS(findings_in(tree), "libray/include/ray/direct.h:2 public-headers",
                 "libray/include/ray/far.h:2 public-headers",
                 "libray/include/ray/near.h:3 public-headers");
  auto far = check(tree)[1];
  BOOST_CHECK(to_string(far).find("ray/near.h -> gcs/messages.hpp -> caf/all.hpp")
              != far.path.npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(are_not_wide) {
  std::string fits(100, 'x');
  CHECK_FINDINGS(findings_in_text(fits + "\n" + fits + "x\n"), "libray/src/x.cpp:2 line-length");
  std::string umlauts;
  for (int i = 0; i < 100; ++i)
    umlauts += "\u00fc";
  CHECK_FINDINGS(findings_in_text("// " + umlauts.substr(0, 2 * 97)));
}

BOOST_AUTO_TEST_CASE(are_not_long) {
  CHECK_FINDINGS(findings_in_text(std::string(500, '\n')));
  CHECK_FINDINGS(findings_in_text(std::string(501, '\n')), "libray/src/x.cpp:0 file-length");
}

BOOST_AUTO_TEST_CASE(that_are_headers_are_guarded_and_open_no_namespace) {
  CHECK_FINDINGS(
    findings_in_text("using namespace std;\nint f() {\n  using namespace a;\n}\n", "rl/x.hpp"),
    "rl/x.hpp:0 pragma-once", "rl/x.hpp:1 using-namespace");
}

BOOST_AUTO_TEST_CASE(of_the_core_have_a_test_that_is_built) {
  source_tree tree = {{"gcs/README.md", ""},          {"tests/README.md", ""},
                      {"gcs/tables.cpp", ""},         {"gcs/types/ids.cpp", ""},
                      {"gcs/chain.cpp", ""},          {"tests/gcs/tables_test.cpp", ""},
                      {"tests/gcs/ids_test.cpp", ""}, {"tests/CMakeLists.txt", "foreach(t ids)\n"}};
  CHECK_FINDINGS(findings_in(tree), "gcs/chain.cpp:0 has-test",
                 "tests/gcs/tables_test.cpp:0 test-is-built");
}

BOOST_AUTO_TEST_CASE(have_a_readme_in_their_folder) {
  CHECK_FINDINGS(findings_in({{"rl/x.hpp", "#pragma once\n"}}), "rl:0 readme");
}

BOOST_AUTO_TEST_CASE(are_named_with_line_rule_and_advice) {
  auto found = check({{"libray/README.md", ""}, {"libray/src/x.cpp", "\nx.await(f);\n"}});
  BOOST_REQUIRE_EQUAL(found.size(), 1u);
  auto text = to_string(found.front());
  BOOST_CHECK(text.starts_with("libray/src/x.cpp:2: [await] "));
  BOOST_CHECK(text.find(".then(") != text.npos);
}

BOOST_AUTO_TEST_CASE(that_are_excused_exist) {
  auto tree = read_tree(CAF_RAY_SOURCE_DIR);
  for (auto* list : {&long_files, &sources_without_test})
    for (auto& e : *list) {
      BOOST_CHECK_MESSAGE(tree.contains(e.path), e.path << " is excused in rules.hpp and is gone");
      BOOST_CHECK_MESSAGE(!e.reason.empty(), e.path << " is excused in rules.hpp without a reason");
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(this_tree)

BOOST_AUTO_TEST_CASE(keeps_the_rules) {
  auto tree = read_tree(CAF_RAY_SOURCE_DIR);
  BOOST_REQUIRE_GT(tree.size(), 10u);
  auto findings = check(tree);
  for (auto& f : findings)
    std::cerr << to_string(f) << '\n';
  BOOST_CHECK_MESSAGE(findings.empty(), findings.size()
                                          << " places break a rule, see above; "
                                             "tests/tidy/rules.hpp explains the rules");
}

BOOST_AUTO_TEST_SUITE_END()
