#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gcs/table.hpp"
#include "gcs/types/operations.hpp"

namespace caf_ray::gcs {

/// Which batches of which clients have been applied: what makes a retry harmless. Its rows are
/// written in the transaction that applies the batches, so after a crash the two agree.
///
/// A batch is applied when its sequence is the next of its client. What is older than that is a
/// duplicate; what is newer waits for its predecessors, except those that the client itself has
/// settled (`write_batch::oldest`).
///
/// Changes are staged until `commit`, and gone at `roll_back`.
class batch_ledger {
public:
  explicit batch_ledger(std::size_t max_clients) : max_clients_(max_clients) {}

  /// One row, as `rows` made it. False when it is none.
  bool load(std::string_view key, std::string_view value);

  /// What to do with this batch; of a duplicate, with its notes.
  batch_outcome judge(const write_batch& batch) const;
  /// It was judged `applied`, and was, with these notes.
  void applied(const write_batch& batch, const std::vector<op_note>& notes);

  /// Of the batch applied last; 0 if none was.
  std::uint64_t last_sequence(std::uint64_t client) const;

  /// A row to be written; without a value: to be erased.
  struct row {
    std::string key;
    std::optional<std::string> value;
  };
  /// What is staged, and the clients to forget because there are too many: those unheard of
  /// longest.
  std::vector<row> rows();

  void commit();
  void roll_back();

  std::size_t client_count() const noexcept { return clients_.size(); }

private:
  struct note_record {
    std::uint64_t sequence = 0;
    std::vector<op_note> notes;

    template <class Inspector>
    friend typename Inspector::result_type inspect(Inspector& f, note_record& x) {
      return f(x.sequence, x.notes);
    }
  };

  struct client_record {
    /// Sequence of the batch applied last.
    std::uint64_t last = 0;
    /// Number of the commit that applied it.
    std::uint64_t commit = 0;
    /// Of batches that the client may still send again; only those with notes.
    std::vector<note_record> notes;

    template <class Inspector>
    friend typename Inspector::result_type inspect(Inspector& f, client_record& x) {
      return f(x.last, x.commit, x.notes);
    }
  };

  using client_map = std::unordered_map<std::uint64_t, client_record>;

  const client_record* find(std::uint64_t client) const;

  const std::size_t max_clients_;
  client_map clients_;
  client_map staged_;
  std::vector<std::uint64_t> leaving_;
  std::uint64_t commits_ = 0;
};

} // namespace caf_ray::gcs
