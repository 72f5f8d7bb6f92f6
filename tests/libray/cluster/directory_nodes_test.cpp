// The directory and other nodes: what they lend, what lies there.

#include <algorithm>
#include <tuple>
#include <vector>

#include "tests/libray/cluster/directory_fixture.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;
using namespace caf_ray::cluster::test;

namespace {

constexpr client_id neighbour = 3;
constexpr client_id other_neighbour = 4;
const node_id its_node{7, 7};

directory::value elsewhere(std::uint64_t size_bytes, std::vector<object_id> contained = {}) {
  auto v = stored(size_bytes, std::move(contained));
  v.nodes = {its_node};
  return v;
}

struct node_fixture : fixture {
  node_fixture() {
    objects.add_node(neighbour);
    objects.add_node(other_neighbour);
  }
  /// What is given back to whom, how often.
  std::vector<std::tuple<client_id, object_id, std::uint32_t>> debts() {
    std::vector<std::tuple<client_id, object_id, std::uint32_t>> list;
    for (auto& debt : std::exchange(actions.give_back, {}))
      list.emplace_back(debt.to, debt.object, debt.count);
    return list;
  }
};

using debt_list = std::vector<std::tuple<client_id, object_id, std::uint32_t>>;

} // namespace

BOOST_FIXTURE_TEST_SUITE(directory_of_nodes, node_fixture)

BOOST_AUTO_TEST_CASE(what_a_node_has_lent_goes_back_with_the_last_reference) {
  objects.borrow(a, neighbour, actions);
  objects.hold_inside(a);
  objects.borrow(a, neighbour, actions);
  objects.hold(a, worker);
  objects.release_inside(a, actions);
  BOOST_TEST(debts().empty());
  objects.release(a, worker, 1, actions);
  BOOST_TEST((debts() == debt_list{{neighbour, a, 2}}));
}

BOOST_AUTO_TEST_CASE(what_is_known_already_is_not_borrowed_again) {
  objects.hold(a, driver);
  objects.borrow(a, neighbour, actions);
  BOOST_TEST((debts() == debt_list{{neighbour, a, 1}}));
  objects.borrow(b, neighbour, actions);
  objects.hold_inside(b);
  objects.borrow(b, other_neighbour, actions);
  BOOST_TEST((debts() == debt_list{{other_neighbour, b, 1}}));
}

BOOST_AUTO_TEST_CASE(a_loan_that_nobody_has_used_goes_back) {
  objects.borrow(a, neighbour, actions);
  objects.settle(a, actions);
  BOOST_TEST(!objects.known(a));
  BOOST_TEST((debts() == debt_list{{neighbour, a, 1}}));
}

BOOST_AUTO_TEST_CASE(the_lender_is_asked_once_when_somebody_needs_it) {
  objects.borrow(a, neighbour, actions);
  objects.hold(a, worker);
  BOOST_TEST(actions.ask.empty());
  objects.want(a, worker, actions);
  BOOST_TEST(!objects.watch(a, actions));
  BOOST_TEST((std::exchange(actions.ask, {}) == tells{{neighbour, a}}));
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST((to_tell() == tells{{worker, a}}));
  BOOST_TEST((to_notice() == ids{a}));
}

BOOST_AUTO_TEST_CASE(what_lies_elsewhere_is_brought_when_a_process_needs_it) {
  objects.hold(a, driver);
  objects.hold(a, neighbour);
  objects.resolve(a, elsewhere(1000), actions);
  BOOST_TEST(actions.bring.empty());
  BOOST_TEST((objects.find(a) == nullptr));
  BOOST_TEST(objects.find_anywhere(a)->size_bytes == 1000u);
  objects.want(a, neighbour, actions); // nodes are told where it is
  BOOST_TEST((to_tell() == tells{{neighbour, a}}));
  BOOST_TEST(!objects.must_tell(a, driver));
  objects.want(a, driver, actions);
  BOOST_TEST((std::exchange(actions.bring, {}) == ids{a}));
  BOOST_TEST(to_tell().empty());
  objects.localise(a, actions);
  BOOST_TEST((to_tell() == tells{{driver, a}}));
  BOOST_TEST(objects.find(a)->nodes.empty());
}

BOOST_AUTO_TEST_CASE(who_waited_before_it_lay_elsewhere_has_it_brought) {
  objects.hold(a, driver);
  objects.want(a, driver, actions);
  objects.resolve(a, elsewhere(1), actions);
  BOOST_TEST((std::exchange(actions.bring, {}) == ids{a}));
  objects.hold(b, neighbour);
  objects.hold_inside(b);
  BOOST_TEST(!objects.watch(b, actions));
  objects.resolve(b, elsewhere(1), actions);
  BOOST_TEST((std::exchange(actions.bring, {}) == ids{b}));
}

BOOST_AUTO_TEST_CASE(a_copy_elsewhere_is_kept_until_the_object_is_let_go) {
  objects.hold(a, driver);
  objects.resolve(a, elsewhere(1, {b}), actions);
  objects.keep_copy(a, neighbour, actions);
  objects.localise(a, actions);
  BOOST_TEST(debts().empty());
  objects.release(a, driver, 1, actions);
  BOOST_TEST((debts() == debt_list{{neighbour, a, 1}}));
  BOOST_TEST((to_erase() == ids{a}));
  BOOST_TEST(objects.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_copy_of_what_is_here_or_forgotten_is_given_back) {
  objects.keep_copy(a, neighbour, actions);
  objects.hold(b, driver);
  objects.resolve(b, stored(1), actions);
  objects.keep_copy(b, neighbour, actions);
  BOOST_TEST((debts() == debt_list{{neighbour, a, 1}, {neighbour, b, 1}}));
}

BOOST_AUTO_TEST_CASE(a_copy_that_arrives_too_late_is_erased) {
  objects.hold(a, driver);
  objects.resolve(a, elsewhere(1), actions);
  objects.release(a, driver, 1, actions);
  BOOST_TEST(to_erase().empty(), "nothing of it lies here");
  objects.localise(a, actions);
  BOOST_TEST((to_erase() == ids{a}));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_brought_is_an_error) {
  objects.hold(a, driver);
  objects.hold(b, neighbour);
  objects.resolve(a, elsewhere(1, {b}), actions);
  objects.want(a, driver, actions);
  objects.lose(a, {errc::object_lost, "gone"}, actions);
  BOOST_TEST((to_tell() == tells{{driver, a}}));
  BOOST_TEST(objects.find(a)->failure.code == errc::object_lost);
  objects.release(b, neighbour, 1, actions);
  BOOST_TEST(!objects.known(b), "the lost value does not keep what it named");
}

BOOST_AUTO_TEST_CASE(a_node_that_is_gone_orphans_what_came_from_it) {
  objects.borrow(a, neighbour, actions); // not known yet what it is
  objects.hold(a, driver);
  objects.hold(b, driver); // lies there
  objects.resolve(b, elsewhere(1), actions);
  objects.borrow(c, neighbour, actions); // here already
  objects.hold(c, driver);
  objects.resolve(c, inlined("c"), actions);
  objects.forget(neighbour, its_node, actions);
  std::sort(actions.orphaned.begin(), actions.orphaned.end());
  BOOST_TEST((actions.orphaned == ids{a, b}));
  objects.release(c, driver, 1, actions);
  BOOST_TEST(debts().empty(), "nobody to give it back to");
}

BOOST_AUTO_TEST_CASE(who_keeps_a_copy_for_another_owes_nothing_for_the_object) {
  objects.borrow(a, neighbour, actions); // before it is made here
  objects.hold(a, worker);
  objects.keep_for(a, neighbour, actions);
  objects.resolve(a, stored(1), actions);
  BOOST_TEST((debts() == debt_list{{neighbour, a, 1}}));
  objects.release(a, worker, 1, actions);
  BOOST_TEST(objects.known(a));
  objects.release(a, neighbour, 1, actions);
  BOOST_TEST((to_erase() == ids{a}));
  BOOST_TEST(debts().empty());
}

BOOST_AUTO_TEST_SUITE_END()
