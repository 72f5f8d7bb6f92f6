#include "gcs/batch_ledger.hpp"

#include <algorithm>

#include "gcs/lmdb.hpp"
#include "gcs/types/codec.hpp"

namespace caf_ray::gcs {

bool batch_ledger::load(std::string_view key, std::string_view value) {
  auto record = decode<client_record>(value);
  if (key.size() != sizeof(std::uint64_t) || !record)
    return false;
  commits_ = std::max(commits_, record->commit);
  clients_.insert_or_assign(from_big_endian<std::uint64_t>(key), std::move(*record));
  return true;
}

const batch_ledger::client_record* batch_ledger::find(std::uint64_t client) const {
  for (auto map : {&staged_, &clients_})
    if (auto at = map->find(client); at != map->end())
      return &at->second;
  return nullptr;
}

std::uint64_t batch_ledger::last_sequence(std::uint64_t client) const {
  auto known = find(client);
  return known ? known->last : 0;
}

batch_outcome batch_ledger::judge(const write_batch& batch) const {
  auto known = find(batch.client);
  auto last = last_sequence(batch.client);
  if (batch.sequence > last)
    return {batch.sequence == std::max(last + 1, batch.oldest) ? batch_outcome::applied
                                                               : batch_outcome::out_of_order,
            {}};
  batch_outcome outcome{batch_outcome::duplicate, {}};
  if (known)
    for (auto& n : known->notes)
      if (n.sequence == batch.sequence)
        outcome.notes = n.notes;
  return outcome;
}

void batch_ledger::applied(const write_batch& batch, const std::vector<op_note>& notes) {
  auto known = find(batch.client);
  auto& record = staged_.try_emplace(batch.client, known ? *known : client_record{}).first->second;
  record.last = batch.sequence;
  record.commit = commits_ + 1;
  std::erase_if(record.notes, [&](auto& n) { return n.sequence < batch.oldest; });
  if (!notes.empty())
    record.notes.push_back({batch.sequence, notes});
}

std::vector<batch_ledger::row> batch_ledger::rows() {
  std::vector<row> all;
  std::size_t fresh = 0;
  for (auto& [client, record] : staged_) {
    all.push_back({big_endian(client), encode(record)});
    fresh += !clients_.contains(client);
  }
  leaving_.clear();
  if (clients_.size() + fresh <= max_clients_)
    return all;
  // A tenth more than needed, so that this is not done for every new client.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> by_age;
  for (auto& [client, record] : clients_)
    if (!staged_.contains(client))
      by_age.emplace_back(record.commit, client);
  std::sort(by_age.begin(), by_age.end());
  auto count = std::min(by_age.size(), clients_.size() + fresh - max_clients_ + max_clients_ / 10);
  for (std::size_t i = 0; i < count; ++i) {
    leaving_.push_back(by_age[i].second);
    all.push_back({big_endian(by_age[i].second), std::nullopt});
  }
  return all;
}

void batch_ledger::commit() {
  for (auto& [client, record] : staged_)
    clients_.insert_or_assign(client, std::move(record));
  for (auto client : leaving_)
    clients_.erase(client);
  if (!staged_.empty())
    ++commits_;
  roll_back();
}

void batch_ledger::roll_back() {
  staged_.clear();
  leaving_.clear();
}

} // namespace caf_ray::gcs
