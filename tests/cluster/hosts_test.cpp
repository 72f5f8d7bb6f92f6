// Two hosts as network namespaces that this test makes: joined by a virtual cable, and without a
// common folder for the driver's program. Needs root.

#include "tests/cluster/cluster.hpp"

using namespace caf_ray::test;

namespace {

bool succeeds(const std::string& program, std::vector<std::string> words) {
  return run(program, std::move(words)).code == 0;
}

/// A namespace of network and mounts, held by a process that sleeps in it.
class test_host {
public:
  explicit test_host(const std::filesystem::path& folder)
    : folder_(folder.string()),
      holder_("/usr/bin/unshare", {"--net", "--mount", "sh", "-c", "echo; exec sleep 1000"}) {
    holder_.line();
    std::filesystem::create_directories(folder);
  }

  std::string pid() const { return std::to_string(holder_.pid()); }
  std::vector<std::string> words(std::vector<std::string> command) const {
    std::vector<std::string> all{"-t", pid(), "-n", "-m", "env", "XDG_RUNTIME_DIR=" + folder_};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }
  run_result run_here(std::vector<std::string> command) const {
    return run("/usr/bin/nsenter", words(std::move(command)));
  }
  bool ip(std::vector<std::string> command) const {
    command.insert(command.begin(), "ip");
    return run_here(std::move(command)).code == 0;
  }

private:
  std::string folder_;
  child holder_;
};

/// The hosts a (10.77.0.1) and b (10.77.0.2), each with keys of the same cluster.
struct two_hosts {
  temp_folder folder;
  std::optional<test_host> a, b;
  std::string keys = (folder.path / "keys").string();
  std::string driver = (folder.path / "programs" / "driver").string();

  /// False: this machine does not let us.
  bool make() {
    if (geteuid() != 0 || !succeeds("/usr/bin/unshare", {"--net", "--mount", "true"}))
      return false;
    a.emplace(folder.path / "a");
    b.emplace(folder.path / "b");
    if (!succeeds("/usr/bin/env", {"ip", "link", "add", "va", "netns", a->pid(), "type", "veth",
                                   "peer", "name", "vb", "netns", b->pid()}))
      return false;
    for (auto [host, name, address] :
         {std::tuple(&*a, "va", "10.77.0.1/24"), std::tuple(&*b, "vb", "10.77.0.2/24")})
      if (!host->ip({"addr", "add", address, "dev", name}) || !host->ip({"link", "set", name, "up"})
          || !host->ip({"link", "set", "lo", "up"}))
        return false;
    std::filesystem::create_directories(folder.path / "programs");
    std::filesystem::copy_file(HOSTS_DRIVER, driver);
    // On b there is nothing in its place.
    return b->run_here({"mount", "-t", "tmpfs", "none", (folder.path / "programs").string()}).code
             == 0
           && succeeds(CAF_RAY_NODE, {"keygen", keys});
  }

  run_result start(test_host& host, std::vector<std::string> words) {
    std::vector<std::string> all{
      CAF_RAY_NODE, "start", "--num-cpus", "1", "--object-store-memory", std::to_string(128 << 20)};
    all.insert(all.end(), words.begin(), words.end());
    return host.run_here(std::move(all));
  }
  run_result start_head() {
    return start(*a, {"--head", "--host", "10.77.0.1", "--credentials", keys + "/node"});
  }
  run_result start_other(const std::string& credentials) {
    return start(*b, {"--address", "10.77.0.1:6379", "--host", "10.77.0.2", "--credentials",
                      credentials, "--resources", R"({"b": 8})"});
  }
  ~two_hosts() {
    for (auto* host : {&a, &b})
      if (*host)
        (*host)->run_here({CAF_RAY_NODE, "stop"});
  }
};

std::map<std::string, std::string> by_name(const std::vector<std::string>& lines) {
  std::map<std::string, std::string> found;
  for (auto& line : lines)
    found[line.substr(0, line.find(' '))] = line.substr(line.find(' ') + 1);
  return found;
}

#define MAKE_OR_SKIP(hosts)                                                                        \
  two_hosts hosts;                                                                                 \
  if (!hosts.make()) {                                                                             \
    std::fprintf(stderr, "SKIPPED: %s needs root, network namespaces and iproute2\n",              \
                 boost::unit_test::framework::current_test_case().p_name->c_str());                \
    return;                                                                                        \
  }                                                                                                \
  static_assert(true)

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_hosts)

BOOST_AUTO_TEST_CASE(a_host_that_shares_no_folder_gets_programs_and_data) {
  MAKE_OR_SKIP(hosts);
  BOOST_TEST_REQUIRE(hosts.start_head().code == 0);
  BOOST_TEST_REQUIRE(hosts.start_other(hosts.keys + "/node").code == 0);
  auto ran = hosts.a->run_here({"env", "RAY_ADDRESS=127.0.0.1:6379", hosts.driver});
  BOOST_TEST(ran.code == 0);
  auto found = by_name(ran.lines);
  BOOST_TEST(!found["mine"].empty());
  BOOST_TEST(found["task"] != found["mine"]);
  BOOST_TEST(found["actor"] == found["task"]);
  BOOST_TEST(found["count"] == "101");
  // Under its content, in a folder of the node.
  BOOST_TEST(found["program"].find((hosts.folder.path / "b").string()) == 0u, found["program"]);
  BOOST_TEST((std::count(ran.lines.begin(), ran.lines.end(), "sum 2000000") == 1));
  BOOST_TEST((std::count(ran.lines.begin(), ran.lines.end(), "sum 3000000") == 1));
}

BOOST_AUTO_TEST_CASE(strangers_are_refused) {
  MAKE_OR_SKIP(hosts);
  // Without credentials there is no way to other hosts, in either direction.
  BOOST_TEST(hosts.start(*hosts.a, {"--head", "--host", "10.77.0.1"}).code == 78);
  BOOST_TEST(hosts.start(*hosts.b, {"--address", "10.77.0.1:6379"}).code == 78);
  BOOST_TEST(hosts.start(*hosts.b, {"--head", "--credentials", hosts.keys + "/nowhere"}).code
             == 78);
  BOOST_TEST(hosts.start(*hosts.b, {"--head", "--credentials", hosts.keys + "/driver"}).code == 78);
  BOOST_TEST_REQUIRE(hosts.start_head().code == 0);
  auto others = (hosts.folder.path / "others").string();
  BOOST_TEST_REQUIRE(succeeds(CAF_RAY_NODE, {"keygen", others}));
  BOOST_TEST(hosts.start_other(others + "/node").code == 73);
  BOOST_TEST(hosts.start_other(hosts.keys + "/node").code == 0);
}

BOOST_AUTO_TEST_CASE(a_cut_cable_is_a_dead_node) {
  MAKE_OR_SKIP(hosts);
  BOOST_TEST_REQUIRE(hosts.start_head().code == 0);
  BOOST_TEST_REQUIRE(hosts.start_other(hosts.keys + "/node").code == 0);
  child driver("/usr/bin/nsenter",
               hosts.a->words({"env", "RAY_ADDRESS=127.0.0.1:6379", hosts.driver, "cut"}));
  BOOST_TEST_REQUIRE(driver.line() == "started ");
  BOOST_TEST(eventually([&] {
    auto status = by_name(hosts.b->run_here({CAF_RAY_NODE, "status"}).lines);
    return status["workers"].find('1') != std::string::npos;
  }));
  BOOST_TEST_REQUIRE(hosts.a->ip({"link", "set", "va", "down"}));
  auto error = driver.line();
  BOOST_TEST(error.starts_with("error "), error);
  BOOST_TEST(error.find("the node that ran never") != std::string::npos, error);
  BOOST_TEST(driver.wait_end() == 0);
  // The other one has lost its head, and ends.
  BOOST_TEST(eventually([&] { return hosts.b->run_here({CAF_RAY_NODE, "status"}).code == 69; }));
}

BOOST_AUTO_TEST_SUITE_END()
