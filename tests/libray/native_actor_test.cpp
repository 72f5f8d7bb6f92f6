#include <boost/test/unit_test.hpp>

#include <ray/caf.h>

#include "tests/libray/session.hpp"

namespace {

using add_atom = caf::atom_constant<caf::atom("testadd")>;
using fail_atom = caf::atom_constant<caf::atom("testfail")>;

caf::behavior adder(caf::stateful_actor<int>* self, int start) {
  self->state = start;
  return {
    [self](add_atom, int by) { return self->state += by; },
    [](fail_atom) -> caf::result<int> {
      return caf::make_error(caf::sec::runtime_error, "no luck");
    },
    [](int) {},
  };
}

using doubler = caf::typed_actor<caf::replies_to<int>::with<int>>;
doubler::behavior_type doubling() {
  return {[](int x) { return 2 * x; }};
}

int add_there(ray::NativeActor<caf::actor> actor, int by) {
  return actor.Ask<int>(20000, add_atom::value, by);
}

struct owner {
  static owner* create() { return new owner; }
  int twice(ray::NativeActor<doubler> d, int x) { return d.Ask<int>(20000, x); }
};

RAY_REMOTE(add_there, owner::create, &owner::twice);

} // namespace

BOOST_AUTO_TEST_SUITE(native_actor)

BOOST_FIXTURE_TEST_CASE(is_reached_by_driver_tasks_and_actors, session) {
  auto a = ray::SpawnNative(adder, 10);
  BOOST_TEST(a.Ask<int>(20000, add_atom::value, 1) == 11);
  BOOST_TEST(*ray::Task(add_there).Remote(a, 5).Get() == 16);
  auto d = ray::SpawnNative(doubling);
  auto o = ray::Actor(owner::create).Remote();
  BOOST_TEST(*o.Task(&owner::twice).Remote(d, 21).Get() == 42);
  a.Ask<void>(20000, 1);
}

BOOST_FIXTURE_TEST_CASE(is_found_by_name_until_it_ends, session) {
  auto a = ray::SpawnNativeNamed("adder", adder, 1);
  auto found = ray::GetNative<caf::actor>("adder");
  BOOST_REQUIRE(found);
  BOOST_TEST(found->Ask<int>(20000, add_atom::value, 1) == 2);
  BOOST_CHECK_THROW(ray::SpawnNativeNamed("adder", adder, 1), ray::internal::RayException);
  BOOST_TEST(!ray::GetNative<caf::actor>("nobody"));
  a.Kill();
  auto ask = [&] {
    for (;;)
      a.Ask<int>(20000, add_atom::value, 1);
  };
  BOOST_CHECK_THROW(ask(), ray::internal::RayActorException);
}

BOOST_FIXTURE_TEST_CASE(its_errors_are_exceptions, session) {
  auto a = ray::SpawnNative(adder, 1);
  auto text =
    text_of<ray::internal::RayTaskException>([&] { a.Ask<int>(20000, fail_atom::value); });
  BOOST_TEST(contains(text, "no luck"));
  BOOST_CHECK_THROW(ray::NativeActor<caf::actor>("unknown").Get(),
                    ray::internal::RayActorException);
}

BOOST_AUTO_TEST_SUITE_END()
