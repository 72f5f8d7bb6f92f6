// What nodes say to each other, by random: in the end everybody has got what he asked for and, once
// all references are dropped, no node knows anything any more. A failure prints its seed.

#include "tests/libray/cluster/hub_network.hpp"

using namespace caf_ray::cluster::test;

namespace {

void play(std::size_t nodes, int steps, bool with_death) {
  std::mt19937_64 seeds(seed());
  for (int i = 0; i < 20; ++i)
    network(seeds(), nodes).run(steps, with_death);
}

} // namespace

BOOST_AUTO_TEST_SUITE(hub_network)

BOOST_AUTO_TEST_CASE(one_node_forgets_what_nobody_refers_to) {
  play(1, 400, false);
}

BOOST_AUTO_TEST_CASE(two_nodes_forget_what_nobody_refers_to) {
  play(2, 600, false);
}

BOOST_AUTO_TEST_CASE(four_nodes_forget_what_nobody_refers_to) {
  play(4, 1500, false);
}

BOOST_AUTO_TEST_CASE(nodes_that_are_left_go_on_when_one_dies) {
  play(4, 1500, true);
}

BOOST_AUTO_TEST_SUITE_END()
