#include "libray/src/cluster/node_command.hpp"

#include <charconv>
#include <string_view>

#include <nlohmann/json.hpp>

#include "gcs/types/resources.hpp"

namespace caf_ray::cluster {

namespace {

result<std::uint64_t> to_number(const std::string& flag, const std::string& text,
                                std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  auto end = text.data() + text.size();
  auto [stop, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || stop != end || value < least || value > most)
    return fail(errc::invalid_argument, flag + " " + text + ": give a number from "
                                          + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

result<std::map<std::string, double>> to_resources(const std::string& text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  const error bad{errc::invalid_argument,
                  "--resources " + text
                    + R"(: give a JSON object of numbers, as in {"simulator": 4})"};
  if (!json.is_object())
    return tl::unexpected(bad);
  std::map<std::string, double> resources;
  for (auto& [name, amount] : json.items()) {
    if (!amount.is_number())
      return tl::unexpected(bad);
    auto value = amount.get<double>();
    if (auto checked = resource_set::check(name, value); !checked)
      return fail(errc::invalid_argument, "--resources: " + checked.error().what);
    if (name == "CPU" || name == "object_store_memory")
      return fail(errc::invalid_argument, "--resources: " + name + " has a flag of its own");
    resources[name] = value;
  }
  return resources;
}

/// One flag with its value, into `command`.
result<void> set(node_command& command, const std::string& flag, const std::string& value) {
  if (flag == "--address") {
    command.address = value;
  } else if (flag == "--host") {
    command.host = value;
  } else if (flag == "--credentials") {
    command.credentials = value;
  } else if (flag == "--cluster") {
    command.cluster = value;
  } else if (flag == "--dir") {
    command.directory = value;
  } else if (flag == "--port") {
    auto port = to_number(flag, value, 1, 65535);
    if (!port)
      return tl::unexpected(port.error());
    command.port = static_cast<std::uint16_t>(*port);
  } else if (flag == "--num-cpus") {
    auto count = to_number(flag, value, 0, 65536);
    if (!count)
      return tl::unexpected(count.error());
    command.num_cpus = static_cast<unsigned>(*count);
  } else if (flag == "--object-store-memory") {
    auto bytes = to_number(flag, value, 1024 * 1024, std::uint64_t{1} << 46);
    if (!bytes)
      return tl::unexpected(bytes.error());
    command.object_store_memory_bytes = *bytes;
  } else if (flag == "--resources") {
    auto resources = to_resources(value);
    if (!resources)
      return tl::unexpected(resources.error());
    command.resources = std::move(*resources);
  } else {
    return fail(errc::invalid_argument, flag + " is no flag of caf-ray-node; see --help");
  }
  return {};
}

result<node_word> to_word(const std::string& text) {
  for (auto [name, word] : {std::pair{"start", node_word::start},
                            {"stop", node_word::stop},
                            {"status", node_word::status},
                            {"keygen", node_word::keygen},
                            {"--version", node_word::version},
                            {"--help", node_word::help},
                            {"-h", node_word::help},
                            {"help", node_word::help}})
    if (text == name)
      return word;
  return fail(
    errc::invalid_argument,
    text + " is no word of caf-ray-node: give start, stop, status, keygen, --version or --help");
}

} // namespace

result<node_command> parse_node_command(const std::vector<std::string>& words) {
  if (words.empty())
    return fail(errc::invalid_argument,
                "a word is missing: start, stop, status or keygen; see --help");
  node_command command;
  auto word = to_word(words[0]);
  if (!word)
    return tl::unexpected(word.error());
  command.word = *word;
  for (std::size_t i = 1; i < words.size(); ++i) {
    auto equals = words[i].find('=');
    auto flag = words[i].substr(0, equals);
    if (flag == "--head" || flag == "--block") {
      if (equals != std::string::npos)
        return fail(errc::invalid_argument, flag + " takes no value");
      (flag == "--head" ? command.head : command.block) = true;
      continue;
    }
    if (command.word == node_word::keygen && command.folder.empty() && !flag.starts_with("-")) {
      command.folder = words[i];
      continue;
    }
    if (!flag.starts_with("--"))
      return fail(errc::invalid_argument, "unexpected word " + words[i] + "; see --help");
    if (equals == std::string::npos && i + 1 >= words.size())
      return fail(errc::invalid_argument, flag + " needs a value, and none follows it");
    auto value = equals == std::string::npos ? words[++i] : words[i].substr(equals + 1);
    if (auto done = set(command, flag, value); !done)
      return tl::unexpected(done.error());
  }
  if (command.word == node_word::start && command.head == !command.address.empty())
    return fail(errc::invalid_argument,
                "start needs --head (the first node of a cluster) or --address HOST:PORT (one "
                "more), and not both");
  if (command.word == node_word::keygen && command.folder.empty())
    return fail(errc::invalid_argument, "keygen needs the folder to make, as in: keygen ./keys");
  return command;
}

std::string node_usage() {
  return R"(caf-ray-node: a node of a caf-ray cluster on this host

  caf-ray-node start --head [--port N] [--num-cpus N] [--resources JSON]
                     [--object-store-memory BYTES] [--dir DIR] [--block]
      starts a node and comes back when programs can join it with RAY_ADDRESS=127.0.0.1:PORT;
      --block stays in the foreground
  caf-ray-node start --address HOST:PORT [--port N] [...]
      starts one more node of the cluster whose head is at that address; programs on this host join
      it with RAY_ADDRESS=127.0.0.1:PORT, its own port
  caf-ray-node keygen DIR [--cluster NAME]
      makes what nodes of several hosts need to trust each other: copy DIR/node to each host and
      give it with --credentials; keep DIR/authority apart
  caf-ray-node stop [--port N]       ends it, and all that runs on it
  caf-ray-node status [--port N]     what it does now

  --port N                  the number by which it is found; 6379
  --host ADDRESS            the address of this host that other hosts reach; 127.0.0.1
  --credentials DIR         certificate and keys of this node; needed for any other --host
  --num-cpus N              tasks that run at the same time; all cores
  --resources JSON          what else it offers, as in {"simulator": 4}
  --object-store-memory N   bytes of shared memory for objects; a third of what is free
  --dir DIR                 where it keeps its files; a folder beside its socket

Exit codes: 0 done, 64 wrong words, 69 no node there, 73 it could not start, 78 not allowed.
)";
}

} // namespace caf_ray::cluster
