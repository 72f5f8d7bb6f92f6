#include "rl/run/csv.hpp"

#include <cmath>
#include <fstream>

#include "rl/run/file.hpp"
#include "tests/rl/support.hpp"

namespace {

struct Fixture {
  rl::test::TemporaryFolder folder;
  std::filesystem::path file = folder.path / "log.csv";
};

rl::LogRow row(double steps, double loss) {
  return {{"steps", steps}, {"loss", loss}};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(csv, Fixture)

BOOST_AUTO_TEST_CASE(rows_are_written_under_the_names_of_the_first_and_nan_is_an_empty_cell) {
  rl::CsvWriter csv(file);
  csv.write(row(1, 0.1));
  csv.write(row(150'000, std::nan("")));
  BOOST_TEST(rl::read_file(file) == "steps,loss\n1,0.1\n150000,\n");
  auto table = rl::read_csv(file);
  BOOST_TEST((table.columns == std::vector<std::string>{"steps", "loss"}));
  BOOST_TEST(table.column("steps")[1] == 150'000);
  BOOST_TEST(table.column("loss")[0] == 0.1);
  BOOST_TEST(std::isnan(table.column("loss")[1]));
  BOOST_TEST(table.column("other").empty());
}

BOOST_AUTO_TEST_CASE(a_continued_file_loses_what_came_after_the_checkpoint) {
  {
    rl::CsvWriter csv(file);
    for (double step : {10, 20, 30, 40})
      csv.write(row(step, 0));
  }
  rl::CsvWriter csv(file, file, 20);
  csv.write(row(30, 7));
  BOOST_TEST(rl::read_file(file) == "steps,loss\n10,0\n20,0\n30,7\n");
}

BOOST_AUTO_TEST_CASE(a_row_that_a_killed_process_did_not_finish_is_dropped) {
  std::ofstream(file) << "steps,loss\n10,0.25\n20,0.2"; // 0.25 as well, but for the kill
  rl::CsvWriter csv(file, file, 20);
  csv.write(row(20, 0.25));
  BOOST_TEST(rl::read_file(file) == "steps,loss\n10,0.25\n20,0.25\n");
}

BOOST_AUTO_TEST_CASE(a_table_continued_in_another_file_stays_as_it_is) {
  std::ofstream(file) << "steps,loss\n10,0\n20,0\n";
  rl::CsvWriter csv(folder.path / "other.csv", file, 10);
  csv.write(row(15, 7));
  BOOST_TEST(rl::read_file(folder.path / "other.csv") == "steps,loss\n10,0\n15,7\n");
  BOOST_TEST(rl::read_file(file) == "steps,loss\n10,0\n20,0\n");
  rl::CsvWriter fresh(folder.path / "third.csv", folder.path / "missing.csv", 10);
  fresh.write(row(1, 2));
  BOOST_TEST(rl::read_file(folder.path / "third.csv") == "steps,loss\n1,2\n");
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_an_error) {
  rl::CsvWriter csv("/dev/full");
  BOOST_TEST(rl::test::fails(rl::ErrorCode::cannot_write, [&] { csv.write(row(1, 2)); },
                             {"/dev/full", "disk full"}));
}

BOOST_AUTO_TEST_CASE(other_columns_and_unwritable_files_are_refused) {
  using rl::ErrorCode;
  rl::CsvWriter csv(file);
  csv.write(row(1, 2));
  BOOST_TEST(rl::test::fails(ErrorCode::bad_value,
                             [&] {
                               csv.write({{"steps", 1}});
                             },
                             {"log.csv"}));
  BOOST_TEST(rl::test::fails(ErrorCode::cannot_write, [&] { rl::CsvWriter(folder.path); }));
}

BOOST_AUTO_TEST_SUITE_END()
