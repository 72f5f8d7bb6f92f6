#include "gcs/batch_ledger.hpp"

#include <map>

#include "tests/gcs/support.hpp"

using namespace caf_ray;
using namespace caf_ray::gcs;
using namespace caf_ray::gcs::test;

namespace {

write_batch numbered(std::uint64_t client, std::uint64_t sequence, std::uint64_t oldest) {
  return {client, sequence, oldest, std::make_shared<write_list>()};
}

/// A ledger with its rows, as a table would keep them.
struct kept_ledger {
  explicit kept_ledger(std::size_t max_clients) : max_clients(max_clients), ledger(max_clients) {}

  batch_outcome apply(const write_batch& b, std::vector<op_note> notes = {}) {
    auto outcome = ledger.judge(b);
    if (outcome.kind != batch_outcome::applied)
      return outcome;
    ledger.applied(b, notes);
    for (auto& row : ledger.rows())
      if (row.value)
        rows[row.key] = *row.value;
      else
        rows.erase(row.key);
    ledger.commit();
    return outcome;
  }

  void reload() {
    ledger.~batch_ledger();
    new (&ledger) batch_ledger(max_clients);
    for (auto& [key, value] : rows)
      BOOST_TEST_REQUIRE(ledger.load(key, value));
  }

  std::size_t max_clients;
  batch_ledger ledger;
  std::map<std::string, std::string> rows;
};

} // namespace

BOOST_AUTO_TEST_SUITE(ledger)

BOOST_AUTO_TEST_CASE(each_batch_is_applied_once_and_in_order_whatever_arrives) {
  std::mt19937_64 random(seed());
  kept_ledger k(10);
  std::uint64_t applied = 0, settled = 0;
  for (int i = 0; i < 5000; ++i) {
    if (random() % 100 == 0)
      k.reload();
    // A client with up to 8 batches in flight sends any of them, again or for the first time.
    settled += settled < applied && random() % 2;
    auto sequence = settled + 1 + random() % 8;
    auto outcome = k.apply(numbered(1, sequence, settled + 1));
    auto expected = sequence <= applied       ? batch_outcome::duplicate
                    : sequence == applied + 1 ? batch_outcome::applied
                                              : batch_outcome::out_of_order;
    BOOST_TEST_REQUIRE(outcome.kind == expected);
    applied = std::max(applied, expected == batch_outcome::applied ? sequence : 0);
  }
  BOOST_TEST(applied > 100u);
}

BOOST_AUTO_TEST_CASE(a_duplicate_has_the_notes_of_the_first_time_until_the_client_has_them) {
  kept_ledger k(10);
  std::vector<op_note> notes{{3, op_outcome::unchanged}, {5, op_outcome::refused}};
  k.apply(numbered(1, 1, 1), notes);
  k.apply(numbered(1, 2, 1));
  k.reload();
  BOOST_TEST((k.apply(numbered(1, 1, 1)).notes == notes));
  BOOST_TEST(k.apply(numbered(1, 2, 1)).notes.empty());
  k.apply(numbered(1, 3, 2)); // the client has settled the first one
  BOOST_TEST(k.apply(numbered(1, 1, 1)).notes.empty());
}

BOOST_AUTO_TEST_CASE(an_unknown_client_begins_with_its_oldest) {
  kept_ledger k(10);
  BOOST_TEST(k.apply(numbered(1, 58, 57)).kind == batch_outcome::out_of_order);
  BOOST_TEST(k.apply(numbered(1, 57, 57)).kind == batch_outcome::applied);
  BOOST_TEST(k.apply(numbered(1, 58, 57)).kind == batch_outcome::applied);
}

BOOST_AUTO_TEST_CASE(rolling_back_forgets_what_was_staged) {
  batch_ledger ledger(10);
  ledger.applied(numbered(1, 1, 1), {});
  BOOST_TEST(ledger.judge(numbered(1, 1, 1)).kind == batch_outcome::duplicate);
  ledger.roll_back();
  BOOST_TEST(ledger.judge(numbered(1, 1, 1)).kind == batch_outcome::applied);
}

BOOST_AUTO_TEST_CASE(the_clients_unheard_of_longest_go_first) {
  kept_ledger k(20);
  for (std::uint64_t client = 1; client <= 20; ++client)
    k.apply(numbered(client, 1, 1));
  k.apply(numbered(1, 2, 2)); // heard of again
  k.apply(numbered(100, 1, 1));
  BOOST_TEST(k.ledger.client_count() <= 20u);
  BOOST_TEST(k.rows.size() == k.ledger.client_count());
  BOOST_TEST(k.apply(numbered(1, 2, 2)).kind == batch_outcome::duplicate);
  BOOST_TEST(k.apply(numbered(20, 1, 1)).kind == batch_outcome::duplicate);
  BOOST_TEST(k.apply(numbered(2, 1, 1)).kind == batch_outcome::applied);
}

BOOST_AUTO_TEST_CASE(a_row_of_another_shape_is_none) {
  batch_ledger ledger(10);
  BOOST_TEST(!ledger.load("12345678", "garbage"));
  BOOST_TEST(!ledger.load("short", ""));
}

BOOST_AUTO_TEST_SUITE_END()
