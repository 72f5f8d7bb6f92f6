#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "gcs/types/error.hpp"
#include "gcs/types/ids.hpp"

/// What a host that pulls objects decides: which chunks are still to come, whom to ask for them,
/// how much to ask at once, when to turn to another source and when to give up. Pure: it has no
/// socket, clock or thread; sources are numbers to it, and time is what it is told.
///
///             room in plan.filling      placed               all chunks held
///   waiting ----------------> placing --------> fetching -----------------------> (ended)
///
/// A pull asks one source at a time: the one with the fewest failures in this pull, of these the
/// one that owes us least. When a source fails, the chunks that are missing come from the next; of
/// those that are here its checksum is asked for, and the ones that differ come anew. So what is
/// sealed in the end equals the copy of one source, whatever happened on the way.
namespace caf_ray::objstore {

class transfer_plan {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using milliseconds = std::chrono::milliseconds;
  using pull_number = std::uint64_t;
  using source_number = std::uint32_t;

  struct options {
    /// What is asked for at once; the last chunk of an object is shorter.
    std::size_t chunk_bytes = 512 * 1024;
    /// Asked of one source and not answered, at most; at least `chunk_bytes`.
    std::size_t window_bytes = 8 * 1024 * 1024;
    /// The same for all sources together.
    std::size_t flight_bytes = 64 * 1024 * 1024;
    /// Objects in the store that are being filled, at most; a larger one is filled alone.
    std::size_t filling_bytes = 512 * 1024 * 1024;
    /// Failures in a row after which a pull leaves a source alone; links that broke after they had
    /// brought something to any pull do not count.
    unsigned attempts = 3;
    /// A source whose link failed is not asked for so long; doubles with each failure in a row.
    milliseconds first_backoff{100};
    milliseconds last_backoff{1'000};
    /// A source that owes answers and says nothing for so long has failed.
    milliseconds silence{5'000};
  };

  /// What to do now.
  struct placement {
    pull_number pull;
    object_id object;
    std::size_t size_bytes;
    time_point deadline;
  };
  struct request {
    pull_number pull;
    source_number source;
    object_id object;
    std::uint64_t size_bytes;
    std::uint64_t offset_bytes;
    std::uint32_t length_bytes;
    /// Only the checksum is wanted.
    bool check;

    bool operator==(const request&) const = default;
  };
  struct ending {
    pull_number pull;
    object_id object;
    result<void> how;
  };
  struct orders {
    /// Make space for these; answer each with `placed` or `end`.
    std::vector<placement> place;
    std::vector<request> ask;
    /// Close the links to these: what was asked of them is asked anew.
    std::vector<source_number> drop;
    /// Not known here any more.
    std::vector<ending> ended;
    /// Decide again at this time, if nothing happens before.
    time_point wake_at;
  };

  /// Requires options in their ranges.
  explicit transfer_plan(const options& opts) : options_(opts) {}

  /// A new source; `name` is for error texts.
  source_number add_source(std::string name);
  /// Whether a pull may still turn to it.
  bool in_use(source_number source) const;
  /// Requires that it is not in use.
  void forget_source(source_number source);

  /// Begins a pull, or joins the one of the same object: then `sources` are added to its own, and
  /// the later deadline counts. Errors: invalid_argument (the other pull says another size).
  result<pull_number> add(object_id id, std::size_t size_bytes,
                          std::span<const source_number> sources, time_point deadline);
  std::optional<pull_number> find(object_id id) const;
  std::size_t pull_count() const { return pulls_.size(); }

  /// There is space now.
  void placed(pull_number pull);
  /// Ends it as the store or the caller says. Unknown pulls are ignored.
  void end(pull_number pull, result<void> how);

  /// Whether this answer was asked for and has not come yet. If not, it must be dropped.
  bool expects(pull_number pull, source_number source, std::uint64_t offset_bytes,
               std::uint32_t length_bytes, bool check) const;
  // Answers that were expected:
  /// The chunk is in its place.
  void held(pull_number pull, std::uint64_t offset_bytes, std::uint64_t checksum, time_point now);
  /// The chunk is not what its checksum says. The second time this ends the pull.
  void damaged(pull_number pull, std::uint64_t offset_bytes, time_point now);
  /// The checksum of the source's copy.
  void checked(pull_number pull, std::uint64_t offset_bytes, std::uint64_t checksum,
               time_point now);
  /// Ask again later.
  void busy(pull_number pull, std::uint64_t offset_bytes, time_point now);

  /// The source cannot serve this pull, and will not.
  void unavailable(pull_number pull, source_number source, std::string reason);
  /// It said something.
  void heard(source_number source, time_point now);
  /// Its link failed.
  void lost(source_number source, const std::string& reason, time_point now);

  orders decide(time_point now);

  /// Bytes asked for and not here yet.
  std::size_t flight_bytes() const { return flight_bytes_; }
  /// Since the start: sources given up for another try, and chunks of one source that differed from
  /// those of another.
  std::uint64_t retries_total() const { return retries_; }
  std::uint64_t differences_total() const { return differences_; }

private:
  enum class chunk_state : std::uint8_t { missing, asked, held, doubted, checking };
  struct chunk {
    std::uint64_t checksum = 0;
    chunk_state state = chunk_state::missing;
  };
  struct candidate {
    source_number source;
    unsigned failures = 0;
    bool hopeless = false;
    std::string reason;
  };
  enum class stage : std::uint8_t { waiting, placing, fetching };

  /// Invariants: `todo` names the chunks that are missing or doubted, once each, when fetching; a
  /// pull that fetches is among the `pulls` of its current source or else in `unassigned_`.
  struct pull {
    object_id object;
    std::size_t size_bytes = 0;
    time_point deadline;
    stage at = stage::waiting;
    std::vector<candidate> candidates;
    /// Into `candidates`.
    std::optional<std::size_t> current;
    /// The source whose copy the chunks that are held are equal to.
    std::optional<source_number> copy_of;
    std::vector<chunk> chunks;
    std::deque<std::uint32_t> todo;
    std::uint32_t asked_count = 0;
    std::uint32_t held_count = 0;
    unsigned damaged_count = 0;
    unsigned busy_count = 0;
    std::optional<time_point> paused_until;
    time_point progress;
  };

  struct source {
    std::string name;
    std::size_t owed_bytes = 0;
    unsigned failures = 0;
    /// A chunk came since the last failure.
    bool delivered = false;
    time_point blocked_until;
    time_point heard;
    /// Pulls that may turn to it.
    std::size_t candidate_count = 0;
    /// Pulls that ask it now, and those of them that have something to ask; served in turns, from
    /// behind `last_served` on.
    std::set<pull_number> pulls;
    std::set<pull_number> ready;
    pull_number last_served = 0;
  };

  std::uint32_t chunk_at(std::uint64_t offset_bytes) const;
  std::uint32_t length_of(const pull& x, std::uint32_t index) const;
  std::size_t cost_of(const pull& x, std::uint32_t index, bool check) const;
  source& current_source(pull& x) { return sources_.at(x.candidates[*x.current].source); }

  void add_candidates(pull& x, std::span<const source_number> sources);
  void scan(time_point now);
  void admit(orders& out);
  void assign(pull_number number, pull& x, time_point now);
  /// What was asked and has not come is to be asked anew.
  void unassign(pull_number number, pull& x);
  /// Whom a failure speaks against, in this pull.
  enum class blame : std::uint8_t { nobody, source, for_ever };
  void fail_over(pull_number number, pull& x, std::string reason, blame fault);
  /// An answer for it came.
  chunk& settle(pull& x, std::uint32_t index);
  void progressed(pull_number number, pull& x, time_point now);
  void ask(orders& out, time_point now);
  bool ask_next(source_number number, source& from, orders& out, time_point now);
  void finish(pull_number number, result<void> how);
  error lost_error(const pull& x) const;
  error late_error(const pull& x) const;
  void schedule(time_point at);

  const options options_;
  std::unordered_map<pull_number, pull> pulls_;
  std::unordered_map<object_id, pull_number> by_object_;
  std::map<source_number, source> sources_;
  /// In order of arrival; numbers of pulls that are gone are passed over.
  std::deque<pull_number> waiting_;
  std::set<pull_number> unassigned_;
  std::vector<ending> ended_;
  std::vector<source_number> drop_;
  pull_number last_pull_ = 0;
  source_number last_source_ = 0;
  source_number last_asked_ = 0;
  std::size_t filling_bytes_ = 0;
  std::size_t flight_bytes_ = 0;
  /// No timer is due before.
  time_point next_due_ = time_point::max();
  std::uint64_t retries_ = 0;
  std::uint64_t differences_ = 0;
};

} // namespace caf_ray::objstore
