#include "libray/src/cluster/wire.hpp"

#include <algorithm>
#include <tuple>
#include <variant>
#include <vector>

#include "libray/src/cluster/greeting.hpp"
#include "tests/libray/cluster/support.hpp"
#include "tests/support/record_fields.hpp"

using namespace caf_ray;
using namespace caf_ray::cluster;
using namespace caf_ray::cluster::test;
using caf_ray::test::listed_fields;
using caf_ray::test::member_count;
using caf_ray::test::scribbler;

namespace {

struct no_op {};

#define AS_ALTERNATIVE(number, type) , type
using any_op = std::variant<no_op CAF_RAY_OPERATIONS(AS_ALTERNATIVE)>;
using operations = std::tuple<no_op CAF_RAY_OPERATIONS(AS_ALTERNATIVE)>;
#undef AS_ALTERNATIVE

/// The list without what stands before its first comma.
template <class List>
struct tail;
template <class First, class... Rest>
struct tail<std::tuple<First, Rest...>> {
  using type = std::tuple<Rest...>;
};
using every_operation = tail<operations>::type;
using every_record = std::tuple<value_form, hello, welcome>;

template <class Op>
std::string packed(const Op& op) {
  std::string batch;
  write_op(batch, op);
  return batch;
}

/// As `read_ops` calls it: takes each operation and packs it again.
struct packing_again {
  std::vector<std::size_t> kinds; // places in `any_op`
  std::string bytes;

  template <class Op>
  void operator()(Op& op) {
    kinds.push_back(any_op(op).index());
    write_op(bytes, op);
  }
};

/// A few operations of random kinds, and where each ends.
struct random_batch {
  std::string bytes;
  std::vector<std::size_t> kinds;
  std::vector<std::size_t> ends;

  explicit random_batch(std::mt19937_64& random) {
    for (auto left = random() % 8 + 1; left > 0; --left) {
      auto kind = random() % std::tuple_size_v<every_operation>;
      scribbler scribble(random);
      std::size_t at = 0;
      std::apply([&](auto... ops) { (add(ops, at++ == kind, scribble), ...); }, every_operation{});
    }
  }

private:
  template <class Op>
  void add(Op& op, bool chosen, scribbler& scribble) {
    if (!chosen)
      return;
    scribble.write(op);
    write_op(bytes, op);
    kinds.push_back(any_op(op).index());
    ends.push_back(bytes.size());
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(wire)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_operation_comes_back_as_it_was, Op, every_operation) {
  std::mt19937_64 random(seed());
  for (int i = 0; i < 50; ++i) {
    scribbler scribble(random);
    Op op{};
    scribble.write(op);
    auto batch = packed(op);
    BOOST_TEST_REQUIRE(static_cast<std::uint8_t>(batch[0]) == op_number<Op>);
    packing_again visitor;
    BOOST_TEST_REQUIRE(what_of(read_ops(batch, visitor)) == "");
    BOOST_TEST_REQUIRE(visitor.kinds.size() == 1u);
    BOOST_TEST_REQUIRE(visitor.kinds[0] == any_op(op).index());
    BOOST_TEST_REQUIRE((visitor.bytes == batch));
  }
}

// What the list does not name is lost on the way, and no round trip through the list tells.
BOOST_AUTO_TEST_CASE_TEMPLATE(every_member_of_an_operation_is_in_its_field_list, Op,
                              every_operation) {
  BOOST_TEST(listed_fields<Op>() == member_count<Op>());
}
BOOST_AUTO_TEST_CASE_TEMPLATE(every_member_of_a_greeting_and_a_value_is_in_its_field_list, Record,
                              every_record) {
  BOOST_TEST(listed_fields<Record>() == member_count<Record>());
}

BOOST_AUTO_TEST_CASE(numbers_of_operations_are_one_to_as_many_as_there_are) {
  std::vector<int> numbers;
#define TAKE(number, type)                                                                         \
  numbers.push_back(number);                                                                       \
  BOOST_TEST(op_number<type> == number);
  CAF_RAY_OPERATIONS(TAKE)
#undef TAKE
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    BOOST_TEST(numbers[i] == static_cast<int>(i) + 1);
}

BOOST_AUTO_TEST_CASE(a_batch_is_visited_in_the_order_of_writing) {
  std::mt19937_64 random(seed());
  for (int i = 0; i < 100; ++i) {
    random_batch batch(random);
    packing_again visitor;
    BOOST_TEST_REQUIRE(what_of(read_ops(batch.bytes, visitor)) == "");
    BOOST_TEST_REQUIRE(visitor.kinds == batch.kinds, boost::test_tools::per_element());
    BOOST_TEST_REQUIRE((visitor.bytes == batch.bytes));
  }
}

BOOST_AUTO_TEST_CASE(an_empty_batch_is_none) {
  packing_again visitor;
  BOOST_TEST(what_of(read_ops("", visitor)) == "");
  BOOST_TEST(visitor.kinds.empty());
}

BOOST_AUTO_TEST_CASE(a_batch_cut_at_any_byte_is_corrupt_after_the_operations_before) {
  std::mt19937_64 random(seed());
  random_batch batch(random);
  std::size_t whole = 0; // operations that the cut leaves whole
  for (std::size_t size = 0; size < batch.bytes.size(); ++size) {
    bool between = size == 0;
    if (whole < batch.ends.size() && batch.ends[whole] == size) {
      ++whole;
      between = true;
    } else if (whole > 0 && batch.ends[whole - 1] == size) {
      between = true;
    }
    const std::string exact(batch.bytes, 0, size);
    packing_again visitor;
    auto read = read_ops(exact, visitor);
    BOOST_TEST_REQUIRE(code_of(read) == (between ? errc::none : errc::corrupt));
    BOOST_TEST_REQUIRE(visitor.kinds.size() == whole);
    BOOST_TEST_REQUIRE(batch.bytes.starts_with(visitor.bytes));
  }
}

BOOST_AUTO_TEST_CASE(a_cut_batch_names_the_operation_that_it_ends_in) {
  auto batch = packed(want_op{object(1)}) + packed(cancel_op{{1, 2}, true});
  batch.pop_back();
  packing_again visitor;
  BOOST_TEST(what_of(read_ops(batch, visitor)) == "a batch ends inside its cancel_op");
}

BOOST_AUTO_TEST_CASE(an_unknown_number_is_corrupt_after_the_operations_before) {
  for (int number : {0, 24, 255}) {
    auto batch = packed(want_op{object(1)}) + packed(seal_op{object(2)});
    batch += static_cast<char>(number);
    batch += packed(want_op{object(3)});
    packing_again visitor;
    auto read = read_ops(batch, visitor);
    BOOST_TEST(code_of(read) == errc::corrupt);
    BOOST_TEST(what_of(read).find(std::to_string(number)) != std::string::npos, what_of(read));
    BOOST_TEST(visitor.kinds.size() == 2u);
  }
}

BOOST_AUTO_TEST_CASE(random_bytes_are_corrupt_or_other_operations) {
  std::mt19937_64 random(seed());
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 200, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random());
    if (!bytes.empty())
      bytes[0] = static_cast<char>(random() % 24); // most are numbers of operations
    packing_again visitor;
    auto read = read_ops(bytes, visitor);
    BOOST_TEST_REQUIRE((read || code_of(read) == errc::corrupt));
    BOOST_TEST_REQUIRE(visitor.bytes.size() <= bytes.size());
    if (read)
      BOOST_TEST_REQUIRE(visitor.bytes.size() == bytes.size());
  }
}

BOOST_AUTO_TEST_CASE(flipped_bits_are_corrupt_or_other_operations) {
  std::mt19937_64 random(seed());
  for (int i = 0; i < 2000; ++i) {
    random_batch batch(random);
    for (auto left = random() % 3 + 1; left > 0; --left)
      batch.bytes[random() % batch.bytes.size()] ^= static_cast<char>(1 << random() % 8);
    packing_again visitor;
    auto read = read_ops(batch.bytes, visitor);
    BOOST_TEST_REQUIRE((read || code_of(read) == errc::corrupt));
    BOOST_TEST_REQUIRE(visitor.bytes.size() <= batch.bytes.size());
  }
}

BOOST_AUTO_TEST_CASE(a_task_written_from_where_it_stays_is_the_same_operation) {
  std::mt19937_64 random(seed());
  for (int i = 0; i < 50; ++i) {
    scribbler scribble(random);
    task_spec spec;
    scribble.write(spec);
    auto attempt = static_cast<std::uint32_t>(random());
    std::string submitted = "kept";
    write_task<submit_op>(submitted, spec, attempt);
    BOOST_TEST_REQUIRE((submitted == "kept" + packed(submit_op{spec, attempt})));
    std::string run;
    write_task<run_op>(run, spec, attempt, std::uint32_t{7});
    BOOST_TEST_REQUIRE((run == packed(run_op{spec, attempt, 7})));
  }
}

BOOST_AUTO_TEST_CASE(a_visitor_may_move_out_of_what_it_is_shown) {
  task_spec spec;
  spec.function = "a name that is too long to lie in the string itself";
  auto batch = packed(submit_op{spec, 3});
  task_spec taken;
  auto read = read_ops(batch, [&](auto& op) {
    if constexpr (std::is_same_v<decltype(op), submit_op&>)
      taken = std::move(op.spec);
  });
  BOOST_TEST(what_of(read) == "");
  BOOST_TEST(taken.function == spec.function);
}

BOOST_AUTO_TEST_CASE(values_are_views_into_the_batch) {
  value_form form;
  form.kind = value_kind::inlined;
  form.bytes = "the value";
  form.contained.push_back(object(7));
  auto batch = packed(put_op{object(1), form});
  bool seen = false;
  auto read = read_ops(batch, [&](auto& op) {
    if constexpr (std::is_same_v<decltype(op), put_op&>) {
      seen = true;
      BOOST_TEST(op.value.bytes == "the value");
      BOOST_TEST((op.value.bytes.data() > batch.data()));
      BOOST_TEST((op.value.bytes.data() < batch.data() + batch.size()));
      BOOST_TEST((op.value.contained == form.contained));
    }
  });
  BOOST_TEST(what_of(read) == "");
  BOOST_TEST(seen);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(greetings_come_back_as_they_were_and_nothing_else_does, Record,
                              every_record) {
  std::mt19937_64 random(seed());
  scribbler scribble(random);
  Record record{};
  scribble.write(record);
  auto bytes = pack(record);
  auto back = unpack<Record>(bytes);
  BOOST_TEST_REQUIRE(what_of(back) == "");
  BOOST_TEST((pack(*back) == bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_TEST_REQUIRE(code_of(unpack<Record>(std::string(bytes, 0, size))) == errc::corrupt);
  BOOST_TEST(code_of(unpack<Record>(bytes + '\0')) == errc::corrupt);
}

BOOST_AUTO_TEST_SUITE_END()
