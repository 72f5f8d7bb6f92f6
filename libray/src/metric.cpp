#include <ray/api/metric.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "libray/src/exception.hpp"
#include "libray/src/metric_registry.hpp"

namespace caf_ray {

namespace {

std::string number(double x) {
  char text[32];
  auto [end, error] = std::to_chars(text, text + sizeof text, x);
  return std::string(text, end);
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The text with every character that the format does not allow in a name as '_'.
std::string exported(std::string_view name, bool colon_allowed) {
  std::string out;
  if (!name.empty() && is_digit(name.front()))
    out = "_";
  for (char c : name)
    out += is_letter(c) || is_digit(c) || (c == ':' && colon_allowed) ? c : '_';
  return out;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i++]);
    auto more = lead < 0x80       ? 0
                : lead >> 5 == 6  ? 1
                : lead >> 4 == 14 ? 2
                : lead >> 3 == 30 ? 3
                                  : -1;
    std::uint32_t point = more <= 0 ? lead : lead & (0x3fu >> more);
    for (int k = 0; k < more; ++k, ++i) {
      if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
        return false;
      point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    }
    constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (more < 0 || point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
      return false;
  }
  return true;
}

/// Backslashes, line ends and, in tag values, quotes as the format wants them. One text that is not
/// UTF-8 would spoil a whole scrape: its foreign bytes become '?'.
std::string escaped(std::string_view text, bool quotes) {
  bool foreign = !is_utf8(text);
  std::string out;
  for (char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quotes)
      out += "\\\"";
    else
      out += foreign && static_cast<unsigned char>(c) >= 0x80 ? '?' : c;
  }
  return out;
}

const char* exported_type(metric_kind kind) {
  switch (kind) {
    case metric_kind::counter: return "counter";
    case metric_kind::histogram: return "histogram";
    case metric_kind::gauge:
    case metric_kind::sum: return "gauge"; // a sum may shrink, which a Prometheus counter may not
  }
  return "untyped";
}

tl::unexpected<error> refuse(const metric_options& options, const std::string& why) {
  return fail(errc::invalid_argument,
              std::string(to_string(options.kind)) + " \"" + options.name + "\": " + why + ".");
}

result<void> check(const metric_options& options) {
  if (options.name.empty())
    return refuse(options, "a metric's name must not be empty");
  if (exported(options.name, true).starts_with(system_metric_prefix))
    return refuse(options, "names that begin with caf_ray_ are the system's own");
  std::vector<std::string> keys;
  for (auto& key : options.tag_keys) {
    if (key.empty())
      return refuse(options, "a tag key must not be empty");
    auto name = exported(key, false);
    if (options.kind == metric_kind::histogram && name == "le")
      return refuse(options, "the tag key \"le\" is the histogram's own");
    if (std::find(keys.begin(), keys.end(), name) != keys.end())
      return refuse(options, "the tag key \"" + key + "\" is there twice, as " + name);
    keys.push_back(name);
  }
  for (std::size_t i = 0; i < options.boundaries.size(); ++i) {
    auto boundary = options.boundaries[i];
    if (!std::isfinite(boundary))
      return refuse(options, "boundary " + number(boundary) + " is not finite");
    if (i > 0 && boundary <= options.boundaries[i - 1])
      return refuse(options, "boundaries must increase, but " + number(boundary) + " follows "
                               + number(options.boundaries[i - 1]));
  }
  return {};
}

/// What a second metric of one name has differently, or nothing.
std::string difference(const metric& a, const metric& b) {
  if (a.options().kind != b.options().kind)
    return "kind";
  if (a.options().unit != b.options().unit)
    return "unit";
  if (a.tag_keys() != b.tag_keys())
    return "set of tag keys";
  return a.options().boundaries != b.options().boundaries ? "list of boundaries" : "";
}

tl::unexpected<error> already_there(const metric& made, const metric& other,
                                    const std::string& why) {
  return fail(errc::already_exists, std::string(to_string(made.options().kind)) + " \""
                                      + made.options().name
                                      + "\": " + to_string(other.options().kind) + " \""
                                      + other.options().name + "\" exists already " + why + ".");
}

} // namespace

const char* to_string(metric_kind kind) noexcept {
  switch (kind) {
    case metric_kind::gauge: return "Gauge";
    case metric_kind::counter: return "Counter";
    case metric_kind::histogram: return "Histogram";
    case metric_kind::sum: return "Sum";
  }
  return "unknown";
}

metric::metric(metric_options options)
  : options_(std::move(options)), exported_name_(exported(options_.name, true)) {
  for (auto& key : options_.tag_keys)
    keys_.emplace_back(key, exported(key, false));
  std::sort(keys_.begin(), keys_.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
}

std::vector<std::string> metric::line_names() const {
  if (options_.kind != metric_kind::histogram)
    return {exported_name_};
  return {exported_name_, exported_name_ + "_bucket", exported_name_ + "_sum",
          exported_name_ + "_count"};
}

std::vector<std::string> metric::tag_keys() const {
  std::vector<std::string> result;
  for (auto& [key, name] : keys_)
    result.push_back(key);
  return result;
}

metric::series& metric::find_series(const tags& of) {
  tag_values values;
  for (auto& [key, name] : keys_) {
    auto tag = of.find(key);
    values.push_back(tag == of.end() ? "" : tag->second);
  }
  auto at = series_.find(values);
  if (at == series_.end()) {
    if (series_.size() >= max_metric_series)
      values.assign(keys_.size(), overflow_tag_value);
    at = series_.try_emplace(std::move(values)).first;
    at->second.buckets.resize(options_.boundaries.size() + 1);
  }
  return at->second;
}

result<void> metric::record(double value, const tags& of) {
  if (!std::isfinite(value))
    return refuse(options_, "value " + number(value) + " is not finite");
  if (options_.kind == metric_kind::counter && value < 0)
    return refuse(options_, "a counter cannot go down by " + number(-value));
  std::lock_guard guard(mutex_);
  auto& x = find_series(of);
  ++x.count;
  x.value = options_.kind == metric_kind::gauge ? value : x.value + value;
  if (options_.kind == metric_kind::histogram) {
    auto& ends = options_.boundaries;
    auto bucket = std::lower_bound(ends.begin(), ends.end(), value) - ends.begin();
    ++x.buckets[static_cast<std::size_t>(bucket)];
  }
  return {};
}

void metric::write(std::string& out) const {
  std::lock_guard guard(mutex_);
  if (series_.empty())
    return;
  auto help = options_.description + (options_.unit.empty() ? "" : " (" + options_.unit + ")");
  out += "# HELP " + exported_name_ + " " + escaped(help, false) + "\n";
  out += "# TYPE " + exported_name_ + " " + exported_type(options_.kind) + "\n";
  for (auto& [values, x] : series_) {
    if (options_.kind == metric_kind::histogram)
      write_histogram(out, values, x);
    else
      out += exported_name_ + labels(values) + " " + number(x.value) + "\n";
  }
}

void metric::write_histogram(std::string& out, const tag_values& values, const series& x) const {
  std::uint64_t up_to_here = 0;
  for (std::size_t i = 0; i < x.buckets.size(); ++i) {
    up_to_here += x.buckets[i];
    auto end = i < options_.boundaries.size() ? number(options_.boundaries[i]) : "+Inf";
    out +=
      exported_name_ + "_bucket" + labels(values, end) + " " + std::to_string(up_to_here) + "\n";
  }
  out += exported_name_ + "_sum" + labels(values) + " " + number(x.value) + "\n";
  out += exported_name_ + "_count" + labels(values) + " " + std::to_string(x.count) + "\n";
}

std::string metric::labels(const tag_values& values, const std::string& bucket_end) const {
  std::string list;
  auto add = [&](const std::string& name, const std::string& value) {
    list += (list.empty() ? "" : ",") + name + "=\"" + escaped(value, true) + "\"";
  };
  for (std::size_t i = 0; i < values.size(); ++i)
    add(keys_[i].second, values[i]);
  if (!bucket_end.empty())
    add("le", bucket_end);
  return list.empty() ? "" : "{" + list + "}";
}

result<metric*> metric_registry::add(metric_options options) {
  if (auto checked = check(options); !checked)
    return tl::unexpected(checked.error());
  auto made = std::make_unique<metric>(std::move(options));
  std::lock_guard guard(mutex_);
  auto found = metrics_.find(made->exported_name());
  if (found != metrics_.end()) {
    auto differs = difference(*found->second, *made);
    if (differs.empty())
      return found->second.get();
    return already_there(*made, *found->second, "and has another " + differs);
  }
  for (auto& line : made->line_names())
    if (auto at = lines_.find(line); at != lines_.end())
      return already_there(*made, *at->second, "and also exports " + line);
  for (auto& line : made->line_names())
    lines_.emplace(line, made.get());
  auto name = made->exported_name();
  return metrics_.emplace(name, std::move(made)).first->second.get();
}

std::string metric_registry::prometheus_text() const {
  std::lock_guard guard(mutex_);
  std::string out;
  for (auto& [name, each] : metrics_)
    each->write(out);
  return out;
}

metric_registry& process_metrics() {
  static auto& registry = *new metric_registry;
  return registry;
}

} // namespace caf_ray

namespace ray {

namespace {

using caf_ray::metric_kind;

void* make(metric_kind kind, const std::string& name, const std::string& description,
           const std::string& unit, const std::vector<std::string>& tag_keys,
           const std::vector<double>& boundaries = {}) {
  auto made = caf_ray::process_metrics().add({kind, name, description, unit, tag_keys, boundaries});
  if (!made)
    caf_ray::throw_error(made.error());
  return *made;
}

} // namespace

Metric::Metric(std::string name, void* metric) : metric_(metric), name_(std::move(name)) {}

Metric::~Metric() = default;

std::string Metric::GetName() const {
  return name_;
}

void Metric::Record(double value, const std::unordered_map<std::string, std::string>& tags) {
  if (auto done = static_cast<caf_ray::metric*>(metric_)->record(value, tags); !done)
    caf_ray::throw_error(done.error());
}

Gauge::Gauge(const std::string& name, const std::string& description, const std::string& unit,
             const std::vector<std::string>& tag_keys)
  : Metric(name, make(metric_kind::gauge, name, description, unit, tag_keys)) {}

void Gauge::Set(double value, const std::unordered_map<std::string, std::string>& tags) {
  Record(value, tags);
}

Counter::Counter(const std::string& name, const std::string& description, const std::string& unit,
                 const std::vector<std::string>& tag_keys)
  : Metric(name, make(metric_kind::counter, name, description, unit, tag_keys)) {}

void Counter::Inc(double value, const std::unordered_map<std::string, std::string>& tags) {
  Record(value, tags);
}

Histogram::Histogram(const std::string& name, const std::string& description,
                     const std::string& unit, const std::vector<double> boundaries,
                     const std::vector<std::string>& tag_keys)
  : Metric(name, make(metric_kind::histogram, name, description, unit, tag_keys, boundaries)) {}

void Histogram::Observe(double value, const std::unordered_map<std::string, std::string>& tags) {
  Record(value, tags);
}

Sum::Sum(const std::string& name, const std::string& description, const std::string& unit,
         const std::vector<std::string>& tag_keys)
  : Metric(name, make(metric_kind::sum, name, description, unit, tag_keys)) {}

} // namespace ray
