#include "rl/env/record.hpp"

#include <algorithm>

#include "rl/run/file.hpp"

namespace rl {

RecordStatistics::RecordStatistics(std::unique_ptr<Env> env, int kept)
  : Wrapper(std::move(env)), kept_(static_cast<std::size_t>(std::max(kept, 0))) {
  if (kept < 1)
    throw Error(ErrorCode::bad_value, "RecordStatistics keeps at least one episode");
}

void RecordStatistics::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  current_ = {};
  inner().reset(seed, observation);
}

Step RecordStatistics::step(std::span<const float> action, std::span<float> observation) {
  auto result = inner().step(action, observation);
  current_.total += result.reward;
  ++current_.length;
  if (result.terminated || result.truncated) {
    ++count_;
    if (episodes_.size() == kept_)
      episodes_.pop_front();
    episodes_.push_back(current_);
  }
  return result;
}

std::optional<double> RecordStatistics::mean_return() const {
  if (episodes_.empty())
    return std::nullopt;
  double sum = 0;
  for (auto& each : episodes_)
    sum += each.total;
  return sum / static_cast<double>(episodes_.size());
}

std::optional<double> RecordStatistics::mean_length() const {
  if (episodes_.empty())
    return std::nullopt;
  double sum = 0;
  for (auto& each : episodes_)
    sum += static_cast<double>(each.length);
  return sum / static_cast<double>(episodes_.size());
}

RecordEpisodes::RecordEpisodes(std::unique_ptr<Env> env, RecordOptions options)
  : Wrapper(std::move(env)), options_(std::move(options)) {
  if (options_.every < 1 || options_.step_skip < 1 || options_.max_pictures < 1)
    throw Error(ErrorCode::bad_value,
                "RecordEpisodes needs every, step_skip and max_pictures above 0");
  Gif check_delay(options_.delay);
  make_folder(options_.folder);
}

void RecordEpisodes::reset(std::optional<std::uint64_t> seed, std::span<float> observation) {
  write();
  inner().reset(seed, observation);
  ++episode_;
  steps_ = 0;
  if (episode_ % options_.every == 0) {
    gif_.emplace(options_.delay);
    take_picture();
  }
}

Step RecordEpisodes::step(std::span<const float> action, std::span<float> observation) {
  auto result = inner().step(action, observation);
  if (!gif_)
    return result;
  auto over = result.terminated || result.truncated;
  if (++steps_ % options_.step_skip == 0 || over)
    take_picture();
  if (over)
    write();
  return result;
}

void RecordEpisodes::take_picture() {
  if (gif_->count() >= options_.max_pictures)
    return;
  if (!draw(picture_)) {
    gif_.reset();
    throw Error(ErrorCode::bad_environment,
                "RecordEpisodes: this environment has no picture (Env::draw)");
  }
  gif_->add(picture_);
}

void RecordEpisodes::write() {
  if (gif_)
    write_file(file(episode_), gif_->bytes());
  gif_.reset();
}

std::filesystem::path RecordEpisodes::file(std::int64_t episode) const {
  auto digits = std::to_string(episode);
  digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
  auto name = options_.name + "-" + digits + ".gif";
  std::replace(name.begin(), name.end(), '/', '_'); // some environments have one in their name
  return options_.folder / name;
}

} // namespace rl
