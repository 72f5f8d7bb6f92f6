#include <algorithm>
#include <vector>

#include "tests/libray/cluster/directory_fixture.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;
using namespace caf_ray::cluster::test;

BOOST_FIXTURE_TEST_SUITE(directories, fixture)

// -- what keeps an object

BOOST_AUTO_TEST_CASE(an_object_is_known_from_the_first_hold_until_the_last_is_gone) {
  BOOST_TEST(!objects.known(a));
  objects.hold(a, driver);
  objects.hold(a, worker);
  objects.hold_inside(a);
  objects.resolve(a, stored(1), actions);
  objects.release(a, driver, 1, actions);
  objects.release_inside(a, actions);
  BOOST_TEST(objects.known(a));
  BOOST_TEST(to_erase().empty());
  objects.release(a, worker, 1, actions);
  BOOST_TEST(!objects.known(a));
  BOOST_TEST((to_erase() == ids{a}));
}

BOOST_AUTO_TEST_CASE(a_release_that_meets_a_hold_its_sender_had_not_seen_leaves_that_hold) {
  objects.hold(a, worker);
  objects.resolve(a, stored(1), actions);
  objects.tell(a, worker);
  objects.hold(a, worker);                // sent once more,
  objects.release(a, worker, 1, actions); // while the worker gave back the first
  BOOST_TEST(objects.known(a));
  BOOST_TEST(objects.must_tell(a, worker), "it has forgotten what it was told");
  objects.release(a, worker, 1, actions);
  BOOST_TEST(!objects.known(a));
  BOOST_TEST((to_erase() == ids{a}));
}

BOOST_AUTO_TEST_CASE(a_release_of_more_than_was_sent_takes_nothing_of_others) {
  objects.hold(a, worker);
  objects.hold(a, driver);
  objects.release(a, worker, 0xffffffff, actions);
  objects.release(a, worker, 1, actions);
  BOOST_TEST(objects.known(a));
  objects.release(a, driver, 1, actions);
  BOOST_TEST(!objects.known(a));
}

BOOST_AUTO_TEST_CASE(releases_of_what_nobody_knows_change_nothing) {
  objects.release(a, driver, 1, actions);
  objects.release_inside(a, actions);
  objects.forget(driver, {}, actions);
  objects.hold(a, driver);
  objects.release_inside(a, actions);
  BOOST_TEST(objects.known(a));
  BOOST_TEST(objects.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_value_keeps_what_it_contains) {
  objects.hold(b, worker);
  objects.resolve(b, stored(1), actions);
  objects.hold(a, driver);
  objects.resolve(a, inlined("a", {b, b}), actions); // twice, as often as it names it
  objects.release(b, worker, 1, actions);
  BOOST_TEST(objects.known(b));
  BOOST_TEST(to_erase().empty());
  objects.release(a, driver, 1, actions);
  BOOST_TEST(objects.size() == 0u);
  BOOST_TEST((to_erase() == ids{b}));
}

BOOST_AUTO_TEST_CASE(what_a_value_contains_is_held_by_whom_it_is_told) {
  objects.hold(a, driver);
  objects.hold(b, worker);
  objects.resolve(b, stored(1), actions);
  objects.resolve(a, inlined("a", {b}), actions);
  objects.release(b, worker, 1, actions);
  objects.tell(a, driver);
  objects.release(a, driver, 1, actions);
  BOOST_TEST(objects.known(b), "the driver has met it inside of a");
  objects.release(b, driver, 1, actions);
  BOOST_TEST((to_erase() == ids{b}));
}

BOOST_AUTO_TEST_CASE(an_object_that_two_values_contain_goes_with_the_second) {
  for (auto outer : {a, b}) {
    objects.hold(outer, driver);
    objects.resolve(outer, stored(1, {c}), actions);
  }
  objects.resolve(c, stored(1), actions);
  objects.release(a, driver, 1, actions);
  BOOST_TEST((to_erase() == ids{a}));
  objects.release(b, driver, 1, actions);
  BOOST_TEST((to_erase() == ids{b, c}));
}

BOOST_AUTO_TEST_CASE(a_process_that_is_gone_takes_all_it_held_and_nothing_else) {
  objects.hold(a, worker);
  objects.hold(a, worker);
  objects.hold(b, worker);
  objects.hold(b, driver);
  objects.resolve(a, stored(1, {c}), actions);
  objects.resolve(b, stored(1), actions);
  objects.hold(c, worker); // goes as its own, then as part of a, once
  objects.resolve(c, stored(1), actions);
  objects.forget(worker, {}, actions);
  auto erased = to_erase();
  std::sort(erased.begin(), erased.end());
  BOOST_TEST((erased == ids{a, c}));
  BOOST_TEST(objects.known(b));
  BOOST_TEST(objects.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_gone_is_told_nothing) {
  objects.hold(a, worker);
  objects.hold(a, driver);
  objects.want(a, worker, actions);
  objects.forget(worker, {}, actions);
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST(to_tell().empty());
  BOOST_TEST(!objects.must_tell(a, worker));
}

// -- what an object is

BOOST_AUTO_TEST_CASE(the_first_value_counts) {
  objects.hold(a, driver);
  BOOST_TEST((objects.find(a) == nullptr));
  objects.resolve(a, inlined("first"), actions);
  objects.resolve(a, inlined("second, and longer", {b}), actions);
  BOOST_TEST(objects.find(a)->bytes == "first");
  BOOST_TEST(objects.inlined_bytes() == 5u);
  BOOST_TEST(!objects.known(b));
}

BOOST_AUTO_TEST_CASE(a_second_copy_in_the_arena_is_the_same_object) {
  objects.hold(a, driver);
  objects.resolve(a, stored(10), actions);
  objects.resolve(a, stored(10), actions);
  BOOST_TEST(to_erase().empty());
}

// A task that was cancelled while it ran has failed; its worker writes the result all the same.
BOOST_AUTO_TEST_CASE(a_result_that_comes_after_the_error_does_not_stay_in_the_arena) {
  objects.hold(a, driver);
  objects.resolve(a, failed(errc::cancelled), actions);
  objects.resolve(a, stored(10, {b}), actions);
  BOOST_TEST((to_erase() == ids{a}));
  BOOST_TEST(objects.find(a)->failure.code == errc::cancelled);
  BOOST_TEST(!objects.known(b));
  objects.release(a, driver, 1, actions);
  BOOST_TEST(to_erase().empty());
}

BOOST_AUTO_TEST_CASE(an_object_that_nobody_refers_to_any_more_is_let_go_at_once) {
  objects.resolve(a, stored(10, {b}), actions);
  BOOST_TEST((to_erase() == ids{a}));
  objects.resolve(a, inlined("a", {b}), actions);
  objects.resolve(a, failed(errc::cancelled), actions);
  BOOST_TEST(to_erase().empty());
  BOOST_TEST(objects.size() == 0u);
  BOOST_TEST(objects.inlined_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(an_error_is_a_value_as_any_other) {
  objects.hold(a, driver);
  objects.want(a, driver, actions);
  objects.resolve(a, failed(errc::worker_died), actions);
  BOOST_TEST((to_tell() == tells{{driver, a}}));
  BOOST_TEST(objects.find(a)->failure.code == errc::worker_died);
  objects.release(a, driver, 1, actions);
  BOOST_TEST(to_erase().empty());
}

BOOST_AUTO_TEST_CASE(bytes_that_lie_in_this_process_are_counted) {
  objects.hold(a, driver);
  objects.hold(b, driver);
  objects.resolve(a, inlined(std::string(1000, 'a')), actions);
  objects.resolve(b, stored(1'000'000), actions);
  BOOST_TEST(objects.inlined_bytes() == 1000u);
  objects.release(a, driver, 1, actions);
  BOOST_TEST(objects.inlined_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_value_is_made_from_its_form_and_makes_it_again) {
  const std::string bytes = "a value of the wire";
  value_form form;
  form.kind = value_kind::inlined;
  form.bytes = bytes;
  form.size_bytes = 77;
  form.failure = {errc::cancelled, "c"};
  form.contained = {a, b};
  auto same = form;
  directory::value v(form);
  auto again = v.form();
  BOOST_TEST((again.kind == same.kind && again.bytes == same.bytes));
  BOOST_TEST((again.bytes.data() != bytes.data()), "the batch is gone before the value");
  BOOST_TEST((again.size_bytes == same.size_bytes && again.failure == same.failure));
  BOOST_TEST((again.contained == same.contained));
}

// -- who is told

BOOST_AUTO_TEST_CASE(who_waits_is_told_once_when_it_is_there) {
  objects.hold(a, driver);
  objects.hold(a, worker);
  objects.want(a, driver, actions);
  objects.want(a, driver, actions);
  BOOST_TEST(to_tell().empty());
  BOOST_TEST(!objects.must_tell(a, driver));
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST((to_tell() == tells{{driver, a}}));
  BOOST_TEST(objects.must_tell(a, driver));
  BOOST_TEST(objects.tell(a, driver).bytes == "a");
  BOOST_TEST(!objects.must_tell(a, driver));
  objects.want(a, driver, actions);
  BOOST_TEST(to_tell().empty());
}

BOOST_AUTO_TEST_CASE(who_waits_for_what_is_there_is_told_now) {
  objects.hold(a, driver);
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST(to_tell().empty(), "nobody waited");
  objects.want(a, driver, actions);
  BOOST_TEST((to_tell() == tells{{driver, a}}));
}

BOOST_AUTO_TEST_CASE(who_holds_nothing_is_told_nothing) {
  objects.want(a, driver, actions);
  BOOST_TEST(!objects.known(a));
  objects.hold(a, worker);
  objects.want(a, driver, actions);
  objects.resolve(a, inlined("a"), actions);
  objects.want(a, driver, actions);
  BOOST_TEST(to_tell().empty());
  BOOST_TEST(!objects.must_tell(a, driver));
}

BOOST_AUTO_TEST_CASE(who_has_been_told_on_the_way_is_not_told_again) {
  objects.hold(a, worker);
  objects.resolve(a, inlined("a"), actions);
  objects.hold(a, worker); // the input of a task, told with it
  objects.tell(a, worker);
  objects.want(a, worker, actions);
  BOOST_TEST(to_tell().empty());
}

BOOST_AUTO_TEST_CASE(a_wish_that_overtakes_the_release_of_what_was_told_is_granted) {
  objects.hold(a, worker);
  objects.resolve(a, inlined("1"), actions);
  objects.tell(a, worker);
  objects.hold(a, worker); // with the next task
  objects.want(a, worker, actions);
  BOOST_TEST(to_tell().empty());
  objects.release(a, worker, 1, actions);
  BOOST_TEST((to_tell() == tells{{worker, a}}));
}

BOOST_AUTO_TEST_CASE(a_wish_stays_while_a_reference_does) {
  objects.hold(a, worker);
  objects.hold(a, worker);
  objects.want(a, worker, actions); // for the second: nobody can tell by the order
  objects.release(a, worker, 1, actions);
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST((to_tell() == tells{{worker, a}}));
}

BOOST_AUTO_TEST_CASE(a_wish_ends_with_the_references) {
  objects.hold(a, worker);
  objects.hold(a, driver);
  objects.want(a, worker, actions);
  objects.release(a, worker, 1, actions);
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST(to_tell().empty());
  objects.hold(a, worker);
  objects.want(a, worker, actions); // when it has met the id again
  BOOST_TEST((to_tell() == tells{{worker, a}}));
}

BOOST_AUTO_TEST_CASE(the_scheduler_hears_once_of_what_it_watches) {
  objects.hold_inside(a);
  BOOST_TEST(!objects.watch(a, actions));
  BOOST_TEST(!objects.watch(a, actions));
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST((to_notice() == ids{a}));
  BOOST_TEST(objects.watch(a, actions));
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST(to_notice().empty());
}

BOOST_AUTO_TEST_CASE(nobody_hears_of_what_nobody_watches) {
  objects.hold_inside(a);
  objects.resolve(a, inlined("a"), actions);
  BOOST_TEST(to_notice().empty());
}

BOOST_AUTO_TEST_CASE(what_nobody_knows_is_not_waited_for) {
  BOOST_TEST(objects.watch(a, actions));
  BOOST_TEST(!objects.known(a));
}

// -- size

BOOST_AUTO_TEST_CASE(a_chain_of_nested_objects_is_let_go_without_recursion) {
  constexpr std::uint64_t count = 200'000;
  objects.hold(object(0), driver);
  for (std::uint64_t i = 0; i < count; ++i)
    objects.resolve(object(i), stored(1, {object(i + 1)}), actions);
  BOOST_TEST(objects.size() == count + 1);
  objects.release(object(0), driver, 1, actions);
  BOOST_TEST(objects.size() == 0u);
  BOOST_TEST(actions.erase.size() == count);
}

BOOST_AUTO_TEST_CASE(a_wide_value_is_let_go_whole) {
  constexpr std::uint64_t count = 100'000;
  ids inner;
  for (std::uint64_t i = 1; i <= count; ++i)
    inner.push_back(object(i));
  objects.hold(object(0), driver);
  objects.resolve(object(0), stored(1, inner), actions);
  for (auto& id : inner)
    objects.resolve(id, stored(1), actions);
  objects.forget(driver, {}, actions);
  BOOST_TEST(objects.size() == 0u);
  BOOST_TEST(actions.erase.size() == count + 1);
}

BOOST_AUTO_TEST_SUITE_END()
