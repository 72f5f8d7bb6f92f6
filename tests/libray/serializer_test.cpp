#include <boost/test/unit_test.hpp>

#include <any>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>

#include <boost/mpl/list.hpp>

#include "tests/libray/session.hpp"

namespace {

using ray::internal::RayException;
using ray::internal::RayTaskException;

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

struct two_numbers {
  int a = 0, b = 0;
  MSGPACK_DEFINE(a, b)
};

template <class Byte>
struct bytes_inside {
  int before = 0;
  std::vector<Byte> bytes;
  std::array<Byte, 6000> fixed{};
  MSGPACK_DEFINE(before, bytes, fixed)
};

template <class Byte>
std::vector<Byte> all_bytes(std::size_t size) {
  std::vector<Byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<Byte>(i * 7 % 256);
  return bytes;
}

using byte_types = boost::mpl::list<char, signed char, unsigned char, std::byte>;
using byte_numbers = boost::mpl::list<char, signed char, unsigned char>;
constexpr std::size_t byte_counts[] = {0, 1, 4095, 4096, 100'000, 3'000'000};

std::vector<unsigned char> same_bytes(std::vector<unsigned char> bytes) {
  return bytes;
}

RAY_REMOTE(check_lists, make_lists, double_text, same_bytes);

template <class T, class U>
ray::ObjectRef<T> as(const ray::ObjectRef<U>& ref) {
  return ray::ObjectRef<T>(ref.ID());
}

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

BOOST_AUTO_TEST_SUITE(bytes)

BOOST_AUTO_TEST_CASE_TEMPLATE(come_back_as_they_were, Byte, byte_types) {
  session s;
  for (auto size : byte_counts) {
    auto bytes = all_bytes<Byte>(size);
    BOOST_TEST((*ray::Put(bytes).Get() == bytes), size);
    bytes_inside<Byte> inside{1, bytes, {}};
    inside.fixed.back() = static_cast<Byte>(200);
    auto back = ray::Put(inside).Get();
    BOOST_TEST((back->bytes == bytes), size);
    BOOST_TEST((back->fixed == inside.fixed), size);
  }
  std::array<Byte, 3> small{};
  small[1] = static_cast<Byte>(129);
  BOOST_TEST((*ray::Put(small).Get() == small));
  BOOST_CHECK_THROW((as<std::array<Byte, 2>>(ray::Put(small)).Get()), RayException);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(are_read_where_they_lie, Byte, byte_numbers) {
  session s;
  for (auto size : byte_counts) {
    auto bytes = all_bytes<Byte>(size);
    auto array = as<ray::Array<Byte>>(ray::Put(bytes)).Get();
    BOOST_TEST((array->ToVector() == bytes), size);
    BOOST_TEST(array->IsView() == (size >= ray::internal::kSegmentBytes), size);
  }
}

BOOST_FIXTURE_TEST_CASE(without_a_sign_are_any_kind_of_byte, session) {
  auto chars = ray::Put(all_bytes<char>(10'000));
  auto raw = ray::Put(all_bytes<std::byte>(10'000));
  for (auto& id : {chars.ID(), raw.ID()}) {
    auto as_unsigned = ray::ObjectRef<ray::Array<std::uint8_t>>(id).Get();
    BOOST_TEST((as_unsigned->ToVector() == all_bytes<std::uint8_t>(10'000)));
    BOOST_TEST(as_unsigned->IsView());
    auto as_signed = ray::ObjectRef<ray::Array<std::int8_t>>(id).Get();
    BOOST_TEST((as_signed->ToVector() == all_bytes<std::int8_t>(10'000)));
    BOOST_TEST(as_signed->IsView());
  }
  auto numbers = ray::Put(all_bytes<std::uint8_t>(10'000));
  BOOST_TEST((*as<std::vector<char>>(numbers).Get() == all_bytes<char>(10'000)));
  BOOST_TEST(as<ray::Array<char>>(numbers).Get()->IsView());
  // Numbers keep their value, so 200 is no std::int8_t.
  BOOST_CHECK_THROW(as<ray::Array<std::int8_t>>(numbers).Get(), RayException);
  BOOST_TEST(as<std::vector<int>>(numbers).Get()->at(1) == 7);
}

BOOST_FIXTURE_TEST_CASE(travel_through_tasks, session) {
  for (auto size : byte_counts) {
    auto bytes = all_bytes<unsigned char>(size);
    BOOST_TEST((*ray::Task(same_bytes).Remote(bytes).Get() == bytes), size);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(are_plain_msgpack_outside_the_runtime, Byte, byte_types) {
  using ray::internal::Serializer;
  auto bytes = all_bytes<Byte>(10'000);
  auto packed = Serializer::Serialize(bytes);
  auto handle = msgpack::unpack(packed.data(), packed.size());
  auto expected = std::is_same_v<Byte, signed char> ? msgpack::type::ARRAY : msgpack::type::BIN;
  BOOST_TEST((handle.get().type == expected));
  BOOST_TEST((Serializer::Deserialize<std::vector<Byte>>(packed.data(), packed.size()) == bytes));
  std::array<Byte, 5000> fixed{};
  fixed[4999] = static_cast<Byte>(255);
  packed = Serializer::Serialize(fixed);
  BOOST_TEST(
    (Serializer::Deserialize<std::array<Byte, 5000>>(packed.data(), packed.size()) == fixed));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(a_value_of_the_wrong_type)

template <class Wanted, class Stored>
std::string error_for(const Stored& stored) {
  auto ref = as<Wanted>(ray::Put(stored));
  return text_of<RayException>([&] { ref.Get(); });
}

BOOST_FIXTURE_TEST_CASE(is_named_with_both_types, session) {
  BOOST_TEST(error_for<int>(std::string("nine char")) == "a string of 9 bytes is no int");
  BOOST_TEST(error_for<std::string>(5) == "the number 5 is no std::string");
  BOOST_TEST(error_for<std::string>(-5) == "the number -5 is no std::string");
  BOOST_TEST(error_for<int>(5.5) == "the number 5.5 is no int");
  BOOST_TEST(error_for<int>(std::int64_t{1} << 40) == "the number 1099511627776 is no int");
  BOOST_TEST(error_for<std::uint64_t>(-1) == "the number -1 is no unsigned long");
  BOOST_TEST(error_for<float>(1e300) == "the number 1e+300 is no float");
  BOOST_TEST(error_for<std::string>(true) == "the bool true is no std::string");
  BOOST_TEST(error_for<int>(std::map<int, int>{{1, 2}}) == "a map of 1 entries is no int");
  BOOST_TEST(contains(error_for<two_numbers>(7), "the number 7 is no "));
  BOOST_TEST(contains(error_for<two_numbers>(7), "two_numbers"));
  BOOST_TEST(error_for<int>(two_numbers()) == "an array of 2 elements is no int");
  BOOST_TEST(error_for<int>(std::vector<double>(3)) == "an array of 3 double is no int");
  BOOST_TEST(error_for<int>(std::vector<char>(9000)) == "an array of 9000 char is no int");
  BOOST_TEST(contains(error_for<std::vector<unsigned>>(std::vector<int>{-1}),
                      "an array of 1 int is no std::vector<unsigned int"));
  BOOST_TEST(error_for<std::string>(std::any()) == "nothing (nil) is no std::string");
}

BOOST_FIXTURE_TEST_CASE(is_named_with_the_argument, session) {
  auto text = as<std::string>(ray::Put(4));
  auto error = text_of<RayTaskException>([&] { ray::Task(double_text).Remote(text).Get(); });
  BOOST_TEST(contains(error, "double_text"));
  BOOST_TEST(contains(error, "argument 1: the number 4 is no std::string"));
}

BOOST_AUTO_TEST_SUITE_END()
