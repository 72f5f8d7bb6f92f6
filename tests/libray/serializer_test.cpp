#include <boost/test/unit_test.hpp>

#include <list>

#include "tests/libray/session.hpp"

namespace {

using ray::internal::RayException;

/// Packs arrays that are gone again when it returns; the second lies where the first one did.
struct two_lists {
  std::list<double> first, second;

  template <class Packer>
  void msgpack_pack(Packer& out) const {
    out.pack_array(2);
    for (auto list : {&first, &second}) {
      std::vector<double> elements(list->begin(), list->end());
      out.pack(elements);
    }
  }
  void msgpack_unpack(const msgpack::object& o) {
    auto fill = [](std::list<double>& list, const msgpack::object& from) {
      auto elements = from.as<std::vector<double>>();
      list.assign(elements.begin(), elements.end());
    };
    fill(first, o.via.array.ptr[0]);
    fill(second, o.via.array.ptr[1]);
  }
};

two_lists lists_of(std::size_t size) {
  return {std::list<double>(size, 1.0), std::list<double>(size, 2.0)};
}
bool is_right(const two_lists& lists, std::size_t size) {
  return lists.first == std::list<double>(size, 1.0)
         && lists.second == std::list<double>(size, 2.0);
}
bool check_lists(const two_lists& lists, std::size_t size) {
  return is_right(lists, size);
}
two_lists make_lists(std::size_t size) {
  return lists_of(size);
}

/// Packs something else each time: a longer array, another text, or a longer text.
struct fickle {
  enum what : int { array_size, other_text, longer_text };
  int which = array_size;
  mutable std::size_t passes = 0;

  template <class Packer>
  void msgpack_pack(Packer& out) const {
    ++passes;
    out.pack_array(2);
    out.pack(std::vector<int>(1024 + (which == array_size ? passes : 0)));
    out.pack(which == other_text ? std::string(1, static_cast<char>('a' + passes))
                                 : std::string(which == longer_text ? passes : 1, 'a'));
  }
  void msgpack_unpack(const msgpack::object&) {}
};

struct refs_and_numbers {
  std::vector<ray::ObjectRef<std::string>> refs;
  std::vector<double> numbers;
  MSGPACK_DEFINE(refs, numbers)
};

std::string double_text(std::string text) {
  return text + text;
}

/// Asks another task for what it packs.
struct asking {
  std::string text;

  template <class Packer>
  void msgpack_pack(Packer& out) const {
    out.pack_array(2);
    out.pack(std::vector<int>(2000, 7));
    out.pack(*ray::Task(double_text).Remote(text).Get());
  }
  void msgpack_unpack(const msgpack::object& o) { o.via.array.ptr[1].convert(text); }
};

RAY_REMOTE(check_lists, make_lists, double_text);

} // namespace

BOOST_AUTO_TEST_SUITE(packing)

BOOST_FIXTURE_TEST_CASE(arrays_that_an_adaptor_makes_and_drops_arrive, session) {
  for (std::size_t size : {0, 100, 512, 5'000, 50'000}) {
    BOOST_TEST(is_right(*ray::Put(lists_of(size)).Get(), size), size);
    BOOST_TEST(*ray::Task(check_lists).Remote(lists_of(size), size).Get(), size);
    BOOST_TEST(is_right(*ray::Task(make_lists).Remote(size).Get(), size), size);
  }
}

BOOST_FIXTURE_TEST_CASE(an_adaptor_that_packs_something_else_each_time_is_an_error, session) {
  for (int which : {fickle::array_size, fickle::other_text, fickle::longer_text}) {
    auto text = text_of<RayException>([&] { ray::Put(fickle{which}); });
    BOOST_TEST(contains(text, "fickle"));
    BOOST_TEST(contains(text, "second time"));
  }
  // The next value is none the worse for it.
  BOOST_TEST(is_right(*ray::Put(lists_of(5'000)).Get(), 5'000));
}

BOOST_FIXTURE_TEST_CASE(refs_beside_large_arrays_keep_their_objects_alive, session) {
  auto outer =
    ray::Put(refs_and_numbers{{ray::Put(std::string("kept"))}, std::vector<double>(50'000, 3.0)});
  auto inner = outer.Get();
  outer = {};
  BOOST_TEST(*inner->refs.front().Get() == "kept");
  BOOST_TEST(inner->numbers.back() == 3.0);
}

BOOST_FIXTURE_TEST_CASE(an_adaptor_may_make_calls, session) {
  std::vector<asking> many(3, asking{"ab"});
  auto back = ray::Put(many).Get();
  BOOST_TEST(back->at(2).text == "abab");
}

BOOST_AUTO_TEST_SUITE_END()
