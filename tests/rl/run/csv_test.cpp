#include "rl/run/csv.hpp"

#include <cmath>

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
  rl::CsvWriter csv(file, 20);
  csv.write(row(30, 7));
  BOOST_TEST(rl::read_file(file) == "steps,loss\n10,0\n20,0\n30,7\n");
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
