// The log of a run as a table: one row an update, comma-separated, readable by every spreadsheet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rl {

/// Names and values of one row, in the order of the columns.
using LogRow = std::vector<std::pair<std::string, double>>;

/// Writes a table whose columns are those of its first row. Every row is on disk when write
/// returns.
class CsvWriter {
public:
  /// Starts a new file. Throws Error{cannot_write}.
  explicit CsvWriter(const std::filesystem::path& file);

  /// Continues in `file` the table `from` that an earlier run wrote (the same file or another,
  /// which stays as it is), without its rows whose first column is above `last` (they came after
  /// the checkpoint) and without a last row that lacks its line break (the run was killed in it). A
  /// missing `from` is an empty table. Errors: cannot_read, cannot_write.
  CsvWriter(const std::filesystem::path& file, const std::filesystem::path& from, double last);

  /// Appends a row. Errors: bad_value when the names are not the columns; cannot_write.
  void write(const LogRow& row);

private:
  std::filesystem::path file_;
  std::ofstream out_;
  std::vector<std::string> columns_;
};

/// The whole table: column names, and rows of numbers (NaN where a cell is empty or no number).
struct CsvTable {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;

  /// The column called `name`; empty when there is none.
  std::vector<double> column(const std::string& name) const;
};

/// Reads what CsvWriter wrote. Throws Error{cannot_read}.
CsvTable read_csv(const std::filesystem::path& file);

} // namespace rl
