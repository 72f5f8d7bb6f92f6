#include "rl/replay.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace rl {

namespace {

void copy_row(const std::vector<float>& from, std::size_t from_row, std::vector<float>& to,
              std::size_t to_row, std::size_t width) {
  std::copy_n(&from[from_row * width], width, &to[to_row * width]);
}

void copy_row(const Transitions& from, std::size_t from_row, Transitions& to, std::size_t to_row) {
  auto observation = from.observation_size;
  copy_row(from.observation, from_row, to.observation, to_row, observation);
  copy_row(from.action, from_row, to.action, to_row, from.action_size);
  to.reward[to_row] = from.reward[from_row];
  to.discount[to_row] = from.discount[from_row];
  copy_row(from.next_observation, from_row, to.next_observation, to_row, observation);
}

} // namespace

Replay::Replay(const ReplayOptions& options) : options_(options) {
  if (options.capacity < 1)
    throw Error(ErrorCode::bad_value, "a replay needs room for at least one transition");
  columns_.observation_size = options.observation_size;
  columns_.action_size = options.action_size;
  if (options.alpha > 0)
    tree_.emplace(options.capacity);
}

double Replay::priority(float error) const {
  if (!std::isfinite(error))
    throw Error(ErrorCode::not_finite,
                "the TD error of a transition is not finite, training has diverged; a smaller "
                "learning_rate may help");
  return std::pow(std::abs(static_cast<double>(error)) + options_.epsilon, options_.alpha);
}

void Replay::add(const Transitions& rows, std::span<const float> errors) {
  if (rows.observation_size != options_.observation_size || rows.action_size != options_.action_size
      || (!errors.empty() && errors.size() != rows.size()))
    throw Error(ErrorCode::bad_value, "these transitions do not fit into the replay");
  for (std::size_t row = 0; row < rows.size(); ++row, ++added_) {
    auto slot = static_cast<std::size_t>(added_ % options_.capacity);
    if (slot == columns_.size() && added_ < options_.capacity)
      columns_.resize(slot + 1);
    copy_row(rows, row, columns_, slot);
    if (!tree_)
      continue;
    auto weight = errors.empty() ? largest_ : priority(errors[row]);
    largest_ = std::max(largest_, weight);
    tree_->set(slot, weight);
  }
}

void Replay::sample(std::size_t count, double beta, Rng& rng, ReplaySample& out) const {
  if (size() == 0)
    throw Error(ErrorCode::bad_value, "nothing can be drawn from an empty replay");
  out.rows.observation_size = options_.observation_size;
  out.rows.action_size = options_.action_size;
  out.rows.resize(count);
  out.importance.assign(count, 1.0f);
  out.numbers.resize(count);
  auto oldest = added_ - size();
  double largest = 0;
  for (std::size_t row = 0; row < count; ++row) {
    std::uint64_t slot;
    if (tree_) {
      auto share = tree_->total() / static_cast<double>(count);
      slot = tree_->find((static_cast<double>(row) + rng.uniform()) * share);
      auto p = tree_->get(slot) / tree_->total();
      auto weight = std::pow(static_cast<double>(size()) * p, -beta);
      largest = std::max(largest, weight);
      out.importance[row] = static_cast<float>(weight);
    } else {
      slot = rng.below(size());
    }
    // The youngest number that lies in this slot.
    auto first = oldest % options_.capacity;
    out.numbers[row] = oldest + (slot + options_.capacity - first) % options_.capacity;
    copy_row(columns_, slot, out.rows, row);
  }
  if (tree_)
    for (auto& each : out.importance)
      each /= static_cast<float>(largest);
}

std::size_t Replay::update(std::span<const std::uint64_t> numbers, std::span<const float> errors) {
  std::size_t kept = 0;
  for (std::size_t i = 0; tree_ && i < numbers.size(); ++i) {
    auto weight = priority(errors[i]);
    if (numbers[i] + options_.capacity < added_ || numbers[i] >= added_)
      continue; // its slot holds another one by now
    largest_ = std::max(largest_, weight);
    tree_->set(static_cast<std::size_t>(numbers[i] % options_.capacity), weight);
    ++kept;
  }
  return kept;
}

void Replay::save(ByteWriter& out) const {
  out.put<std::uint64_t>(options_.capacity);
  out.put(added_);
  out.put(largest_);
  for (auto* column : {&columns_.observation, &columns_.action, &columns_.reward,
                       &columns_.discount, &columns_.next_observation})
    out.put_all(std::span<const float>(*column));
  std::vector<double> weights;
  for (std::size_t slot = 0; tree_ && slot < size(); ++slot)
    weights.push_back(tree_->get(slot));
  out.put_all(std::span<const double>(weights));
}

void Replay::load(ByteReader& in) {
  auto capacity = in.get<std::uint64_t>();
  auto added = in.get<std::uint64_t>();
  auto largest = in.get<double>();
  auto columns = columns_;
  for (auto* column : {&columns.observation, &columns.action, &columns.reward, &columns.discount,
                       &columns.next_observation})
    *column = in.get_all<float>();
  auto weights = in.get_all<double>();
  auto rows = std::min<std::uint64_t>(added, options_.capacity);
  auto expected = columns;
  expected.resize(rows);
  if (capacity != options_.capacity || columns.observation.size() != expected.observation.size()
      || columns.action.size() != expected.action.size() || columns.size() != rows
      || columns.discount.size() != rows
      || columns.next_observation.size() != expected.next_observation.size()
      || weights.size() != (tree_ ? rows : 0))
    throw Error(ErrorCode::bad_checkpoint,
                "the saved replay has room for " + std::to_string(capacity)
                  + " transitions, this one for " + std::to_string(options_.capacity)
                  + ", or what they consist of differs");
  columns_ = std::move(columns);
  added_ = added;
  largest_ = largest;
  for (std::size_t slot = 0; slot < weights.size(); ++slot)
    tree_->set(slot, weights[slot]);
}

void save_replay(Checkpoint& checkpoint, const Replay& replay, const Rng& draws) {
  ByteWriter columns, state;
  replay.save(columns);
  checkpoint.put("replay", columns.take());
  draws.save(state);
  checkpoint.put("draws", state.take());
}

void load_replay(const Checkpoint& checkpoint, Replay& replay, Rng& draws) {
  ByteReader columns(checkpoint.get("replay")), words(checkpoint.get("draws"));
  replay.load(columns);
  draws = Rng::load(words);
}

} // namespace rl
