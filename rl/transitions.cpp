#include "rl/transitions.hpp"

#include <algorithm>

namespace rl {

void Transitions::clear() {
  for (auto* column : {&observation, &action, &reward, &discount, &next_observation})
    column->clear();
}

void Transitions::resize(std::size_t rows) {
  observation.resize(rows * observation_size);
  action.resize(rows * action_size);
  reward.resize(rows);
  discount.resize(rows);
  next_observation.resize(rows * observation_size);
}

NStepWindow::NStepWindow(std::size_t steps, double gamma, std::size_t observation_size,
                         std::size_t action_size)
  : steps_(steps), gamma_(gamma), observation_size_(observation_size), action_size_(action_size),
    observation_(steps * observation_size), action_(steps * action_size), reward_(steps) {
  if (steps < 1)
    throw Error(ErrorCode::bad_value, "a transition needs at least one step");
}

void NStepWindow::push(const Taken& step, Transitions& out) {
  auto slot = (head_ + waiting_) % steps_;
  std::copy_n(step.observation.data(), observation_size_, &observation_[slot * observation_size_]);
  std::copy_n(step.action.data(), action_size_, &action_[slot * action_size_]);
  reward_[slot] = step.reward;
  ++waiting_;
  if (step.terminated || step.truncated)
    while (waiting_ > 0)
      emit(step, out);
  else if (waiting_ == steps_)
    emit(step, out);
}

// The oldest step that waits, with all rewards since.
void NStepWindow::emit(const Taken& last, Transitions& out) {
  double sum = 0, discount = 1;
  for (std::size_t i = 0; i < waiting_; ++i, discount *= gamma_)
    sum += discount * static_cast<double>(reward_[(head_ + i) % steps_]);
  auto append = [](std::vector<float>& to, const float* from, std::size_t size) {
    to.insert(to.end(), from, from + size);
  };
  append(out.observation, &observation_[head_ * observation_size_], observation_size_);
  append(out.action, &action_[head_ * action_size_], action_size_);
  out.reward.push_back(static_cast<float>(sum));
  out.discount.push_back(last.terminated ? 0.0f : static_cast<float>(discount));
  append(out.next_observation, last.next.data(), observation_size_);
  head_ = (head_ + 1) % steps_;
  --waiting_;
}

void NStepWindow::save(ByteWriter& out) const {
  out.put<std::uint64_t>(head_);
  out.put<std::uint64_t>(waiting_);
  for (auto* each : {&observation_, &action_, &reward_})
    out.put_all(std::span<const float>(*each));
}

void NStepWindow::load(ByteReader& in) {
  auto head = in.get<std::uint64_t>(), waiting = in.get<std::uint64_t>();
  auto observation = in.get_all<float>(), action = in.get_all<float>(),
       reward = in.get_all<float>();
  if (observation.size() != observation_.size() || action.size() != action_.size()
      || reward.size() != reward_.size() || head >= steps_ || waiting > steps_)
    throw Error(ErrorCode::bad_checkpoint, "the saved run makes transitions of "
                                             + std::to_string(reward.size())
                                             + " steps, this one of " + std::to_string(steps_));
  head_ = head;
  waiting_ = waiting;
  observation_ = std::move(observation);
  action_ = std::move(action);
  reward_ = std::move(reward);
}

} // namespace rl
