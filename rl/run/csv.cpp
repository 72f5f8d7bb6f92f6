#include "rl/run/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "rl/error.hpp"
#include "rl/run/file.hpp"

namespace rl {

namespace {

// NaN is an empty cell.
std::string number(double value) {
  if (std::isnan(value))
    return {};
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> result;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');)
    result.push_back(cell);
  return result;
}

double value_of(const std::string& cell) {
  double value;
  auto end = cell.data() + cell.size();
  auto [stop, error] = std::from_chars(cell.data(), end, value);
  return error == std::errc{} && stop == end ? value : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

CsvWriter::CsvWriter(const std::filesystem::path& file) : file_(file) {
  out_.open(file, std::ios::trunc);
  if (!out_)
    throw Error(ErrorCode::cannot_write, "cannot write " + file.string());
}

CsvWriter::CsvWriter(const std::filesystem::path& file, const std::filesystem::path& from,
                     double last)
  : file_(file) {
  auto text = file_exists(from) ? read_file(from) : std::string();
  std::string kept;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    auto line = text.substr(begin, end - begin);
    if (columns_.empty())
      columns_ = cells(line);
    else if (!(value_of(line.substr(0, line.find(','))) <= last))
      continue;
    kept += line + "\n";
  }
  write_file(file, kept);
  out_.open(file, std::ios::app);
  if (!out_)
    throw Error(ErrorCode::cannot_write, "cannot write " + file.string());
}

void CsvWriter::write(const LogRow& row) {
  std::string names, values;
  for (auto& [name, value] : row) {
    auto* comma = names.empty() ? "" : ",";
    names.append(comma).append(name);
    values.append(comma).append(number(value));
  }
  if (columns_.empty()) {
    out_ << names << "\n";
    columns_ = cells(names);
  } else if (!std::equal(row.begin(), row.end(), columns_.begin(), columns_.end(),
                         [](auto& cell, auto& column) { return cell.first == column; })) {
    throw Error(ErrorCode::bad_value,
                file_.string() + " has other columns than the row to write: " + names);
  }
  out_ << values << "\n" << std::flush;
  if (!out_)
    throw Error(ErrorCode::cannot_write, "cannot write " + file_.string() + " (disk full?)");
}

std::vector<double> CsvTable::column(const std::string& name) const {
  auto found = std::find(columns.begin(), columns.end(), name);
  std::vector<double> values;
  if (found != columns.end())
    for (auto& row : rows)
      values.push_back(row[static_cast<std::size_t>(found - columns.begin())]);
  return values;
}

CsvTable read_csv(const std::filesystem::path& file) {
  CsvTable table;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (table.columns.empty()) {
      table.columns = cells(line);
      continue;
    }
    auto texts = cells(line);
    texts.resize(table.columns.size());
    std::vector<double> row;
    for (auto& text : texts)
      row.push_back(value_of(text));
    table.rows.push_back(std::move(row));
  }
  return table;
}

} // namespace rl
