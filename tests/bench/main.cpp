// caf-ray-bench: how fast it is, against what the machine could do.
//
// Each case measures the public API of the embedded runtime (`core`) and, in turns with it, a peer
// or a limit on the same machine. Which figure each answers (targets of the project; figures
// published for Ray in brackets, from far larger machines and for orientation only):
//
//   task_rows       tasks             no-op tasks [Ray 2.48: 8 k/s, paper: 18 k/s a node]
//                   submit_get        submit one and get it [1.0 ms]
//                   fib               nested blocking tasks [paper section 3.1]
//   actor_rows      actor_sync/async  calls 1:1 [2.0 k/s, 8.7 k/s]
//                   actors_created    [551/s on 64 nodes]
//                   actors_alive      how many, and their memory
//   object_rows     small             put and get of 1 KiB [paper figure 9: 18 k IOPS]
//                   put_large         [paper figure 9: 15 GB/s]
//                   create_in_place   put without a copy
//                   get_large         zero-copy reads
//   capacity_rows   stream_through    100 GiB through a store of 1 GiB
//                   spill             4 GiB held in a store of 1 GiB
//   transfer_rows   transfer          64 MiB and 1 GiB from host to host over loopback
//                   transfer_small    many of 200 KiB
//   fan_rows        args              10,000 arguments of one task [17.2 s]
//                   returns           3,000 results of one task [5.7 s]
//                   gets              10,000 objects in one get [23.5 s]
//                   queued            1,000,000 queued tasks [184 s]
//   endurance_rows  endurance         10,000,000 tasks leave nothing behind [paper figure 10b]
//
// and, as `cluster`, of the runtime in processes:
//
//   process_rows    process_*         tasks, calls, actors, objects [as above]

#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>

#include "tests/bench/options.hpp"
#include "tests/bench/rows.hpp"

namespace {

using namespace caf_ray::bench;

std::vector<bench_case> all_cases(const std::string& suite) {
  if (suite == "cluster")
    return {process_cases().begin(), process_cases().end()};
  std::vector<bench_case> all;
  for (auto group : {task_cases(), actor_cases(), object_cases(), capacity_cases(),
                     transfer_cases(), fan_cases(), endurance_cases()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

/// The cases to run, in their own order. Throws usage_error for a name that is none.
std::vector<bench_case> chosen_cases(const options& given) {
  auto all = all_cases(given.suite);
  std::string names;
  for (auto& one : all)
    names.append(" ").append(one.name);
  for (auto& name : given.only)
    if (std::ranges::find(all, name, &bench_case::name) == all.end())
      throw usage_error("no case \"" + name + "\"; there are:" + names);
  std::erase_if(all, [&](const bench_case& one) {
    return given.only.empty() ? given.quick && one.full_only
                              : std::ranges::find(given.only, one.name) == given.only.end();
  });
  return all;
}

void run(const options& given) {
  auto cases = chosen_cases(given);
  std::ofstream json;
  if (!given.json.empty()) {
    json.open(given.json);
    if (!json)
      throw std::runtime_error("cannot write " + given.json);
  }
  report out(std::cout, given.quick);
  for (auto& one : cases)
    one.run(out);
  if (json.is_open() && !(json << out.rows().dump(2) << std::endl))
    throw std::runtime_error("cannot write " + given.json);
}

} // namespace

int main(int argc, char** argv) {
  try {
    auto given = parse_options({argv + 1, static_cast<std::size_t>(argc - 1)});
    if (given.help)
      std::cout << usage();
    else
      run(given);
    return 0;
  } catch (const usage_error& e) {
    std::cerr << "caf-ray-bench: " << e.what() << "\n\n" << usage();
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "caf-ray-bench: " << e.what() << '\n';
    return 1;
  }
}
