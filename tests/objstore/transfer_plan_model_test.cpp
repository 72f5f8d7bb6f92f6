// The plan among sources that are slow, busy, lost, wrong or lying, against a model that keeps
// every open request in a list and counts. Random events; a failure prints its seed.

#include <algorithm>
#include <map>
#include <set>

#include "objstore/transfer_plan.hpp"
#include "tests/objstore/support.hpp"

namespace caf_ray::objstore {

using namespace test;
using namespace std::chrono_literals;

namespace {

using request = transfer_plan::request;
using pull_number = transfer_plan::pull_number;
using source_number = transfer_plan::source_number;
using time_point = transfer_plan::time_point;

struct model_source {
  source_number number;
  /// Objects it does not have, and those it has differently from all others.
  std::set<object_id> lacks, differs;
  bool mute = false;
};

struct model_pull {
  object_id object;
  std::size_t size_bytes;
  time_point deadline;
  std::vector<source_number> sources;
  std::map<std::uint64_t, std::uint64_t> held;
  std::set<source_number> refused_by;
  unsigned damaged = 0;
};

/// What the sources' copies have at a place; those that differ do so everywhere.
std::uint64_t checksum_at(const model_source& s, object_id id, std::uint64_t offset) {
  return offset * 1000 + id.low + (s.differs.contains(id) ? 500 * s.number : 0);
}

class world {
public:
  explicit world(std::uint64_t seed) : random_(seed), plan_(make_options()) {
    for (std::size_t i = 0; i < 1 + pick(4); ++i) {
      model_source s;
      s.number = plan_.add_source("s" + std::to_string(i));
      for (std::uint64_t n = 0; n < 20; ++n) {
        if (pick(8) == 0)
          s.lacks.insert(number(n));
        if (pick(8) == 0)
          s.differs.insert(number(n));
      }
      sources_.push_back(s);
    }
  }

  void run() {
    for (int step = 0; step < 1500; ++step) {
      if (pick(12) == 0)
        pull();
      event();
      now_ += std::chrono::milliseconds(pick(20) == 0 ? pick(400) : pick(4));
      decide();
    }
    // Whatever happened, all of them end: at the latest at their deadlines.
    for (auto& s : sources_)
      s.mute = false;
    for (int step = 0; step < 2000 && !pulls_.empty(); ++step) {
      if (!open_.empty())
        answer(pick(open_.size()));
      else
        now_ = std::max(now_, std::min(wake_at_, now_ + 10s));
      decide();
    }
    BOOST_TEST_REQUIRE(pulls_.empty());
    BOOST_TEST_REQUIRE(plan_.pull_count() == 0u);
    BOOST_TEST_REQUIRE(plan_.flight_bytes() == 0u);
    for (const auto& s : sources_)
      BOOST_TEST_REQUIRE(!plan_.in_use(s.number));
  }

  std::map<errc, int> ends;

private:
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

  transfer_plan::options make_options() {
    options_.chunk_bytes = 1 + pick(30);
    options_.window_bytes = options_.chunk_bytes * (1 + pick(5));
    options_.flight_bytes = options_.window_bytes + pick(100);
    options_.filling_bytes = 100 + pick(400);
    options_.silence = 1000ms;
    return options_;
  }

  const model_source& source(source_number n) const {
    return *std::ranges::find(sources_, n, &model_source::number);
  }

  void pull() {
    auto id = number(pick(20));
    std::size_t size = (id.low * 37) % 300;
    std::vector<source_number> from;
    for (const auto& s : sources_)
      if (pick(2) == 0)
        from.push_back(s.number);
    if (from.empty())
      from.push_back(sources_[0].number);
    auto deadline = now_ + std::chrono::milliseconds(pick(20'000));
    auto known = plan_.find(id);
    auto got = plan_.add(id, size, from, deadline).value();
    BOOST_TEST_REQUIRE((!known || *known == got));
    auto& x = pulls_.try_emplace(got, model_pull{id, size, deadline, {}, {}, {}}).first->second;
    x.deadline = std::max(x.deadline, deadline);
    for (auto s : from) {
      x.refused_by.erase(s);
      if (std::ranges::find(x.sources, s) == x.sources.end())
        x.sources.push_back(s);
    }
  }

  void event() {
    auto what = pick(100);
    if (what < 4) {
      lose(sources_[pick(sources_.size())].number);
    } else if (what < 6) {
      auto& s = sources_[pick(sources_.size())];
      s.mute = !s.mute;
    } else if (what < 7 && !pulls_.empty()) {
      plan_.end(pulls_.begin()->first, fail(errc::cancelled, "enough"));
    } else if (!placing_.empty() && what < 40) {
      auto number = placing_.back();
      placing_.pop_back();
      if (pick(20) == 0)
        plan_.end(number, fail(errc::store_full, "no space"));
      else
        plan_.placed(number);
    } else if (!open_.empty()) {
      answer(pick(open_.size()));
    }
  }

  void lose(source_number n) {
    plan_.lost(n, "is gone", now_);
    std::erase_if(open_, [n](const auto& x) { return x.source == n; });
  }

  void answer(std::size_t i) {
    auto x = open_[i];
    const auto& s = source(x.source);
    if (s.mute)
      return;
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    plan_.heard(x.source, now_);
    bool wanted = plan_.expects(x.pull, x.source, x.offset_bytes, x.length_bytes, x.check);
    auto p = pulls_.find(x.pull);
    if (p == pulls_.end()) {
      BOOST_TEST_REQUIRE(!wanted);
      return;
    }
    auto& pull = p->second;
    if (s.lacks.contains(x.object)) {
      // Late answers of a source that was left say nothing.
      if (wanted) {
        plan_.unavailable(x.pull, x.source, "does not have it");
        pull.refused_by.insert(x.source);
        forget(x.pull);
      }
    } else if (!wanted) {
      return;
    } else if (auto luck = pick(60); luck < 3) {
      plan_.busy(x.pull, x.offset_bytes, now_);
    } else if (luck == 3 && !x.check) {
      plan_.damaged(x.pull, x.offset_bytes, now_);
      ++pull.damaged;
      forget(x.pull);
    } else if (auto sum = checksum_at(s, x.object, x.offset_bytes); x.check) {
      plan_.checked(x.pull, x.offset_bytes, sum, now_);
      if (pull.held.at(x.offset_bytes) != sum)
        pull.held.erase(x.offset_bytes);
    } else {
      plan_.held(x.pull, x.offset_bytes, sum, now_);
      pull.held[x.offset_bytes] = sum;
    }
  }

  /// The pull has left its source.
  void forget(pull_number pull) {
    std::erase_if(open_, [pull](const auto& x) { return x.pull == pull; });
  }

  void decide() {
    auto out = plan_.decide(now_);
    wake_at_ = out.wake_at;
    BOOST_TEST_REQUIRE((out.wake_at > now_));
    for (auto n : out.drop)
      std::erase_if(open_, [n](const auto& x) { return x.source == n; });
    for (const auto& x : out.place)
      placing_.push_back(x.pull);
    for (const auto& x : out.ended)
      end(x);
    std::erase_if(open_, [this](const auto& x) {
      return !plan_.expects(x.pull, x.source, x.offset_bytes, x.length_bytes, x.check)
             || std::ranges::count(open_, x) > 1;
    });
    for (const auto& x : out.ask)
      ask(x);
    check_limits();
  }

  void ask(const request& x) {
    const auto& pull = pulls_.at(x.pull);
    BOOST_TEST_REQUIRE((x.object == pull.object));
    BOOST_TEST_REQUIRE(x.offset_bytes % options_.chunk_bytes == 0u);
    BOOST_TEST_REQUIRE(
      x.length_bytes
      == std::min<std::uint64_t>(options_.chunk_bytes, x.size_bytes - x.offset_bytes));
    BOOST_TEST_REQUIRE((std::ranges::find(pull.sources, x.source) != pull.sources.end()));
    BOOST_TEST_REQUIRE(!pull.refused_by.contains(x.source));
    BOOST_TEST_REQUIRE(x.check == pull.held.contains(x.offset_bytes));
    for (const auto& other : open_)
      BOOST_TEST_REQUIRE((other.pull != x.pull || other.offset_bytes != x.offset_bytes));
    open_.push_back(x);
  }

  void check_limits() {
    std::map<source_number, std::size_t> owed, count;
    std::size_t flight = 0;
    for (const auto& x : open_) {
      // What a check counts for is the plan's business; it is over this model's windows.
      auto cost = x.check ? options_.window_bytes : std::max<std::size_t>(x.length_bytes, 1);
      owed[x.source] += cost;
      ++count[x.source];
      flight += x.check ? 0 : cost;
    }
    for (const auto& [n, bytes] : owed)
      BOOST_TEST_REQUIRE((bytes <= options_.window_bytes || count[n] == 1u));
    BOOST_TEST_REQUIRE(flight <= options_.flight_bytes);
  }

  void end(const transfer_plan::ending& x) {
    auto i = pulls_.find(x.pull);
    BOOST_TEST_REQUIRE((i != pulls_.end()), "it ended twice");
    const auto& pull = i->second;
    auto code = x.how ? errc::none : x.how.error().code;
    ++ends[code];
    if (code == errc::none)
      check_whole(pull);
    if (code == errc::timed_out)
      BOOST_TEST_REQUIRE((now_ >= pull.deadline));
    if (code == errc::corrupt)
      BOOST_TEST_REQUIRE(pull.damaged == 2u);
    forget(x.pull);
    std::erase(placing_, x.pull);
    pulls_.erase(i);
  }

  /// All chunks are there, and of the copy of one source.
  void check_whole(const model_pull& x) {
    auto count =
      std::max<std::size_t>((x.size_bytes + options_.chunk_bytes - 1) / options_.chunk_bytes, 1);
    BOOST_TEST_REQUIRE(x.held.size() == count);
    auto same = [&](const model_source& s) {
      return !s.lacks.contains(x.object) && std::ranges::all_of(x.held, [&](const auto& chunk) {
        return checksum_at(s, x.object, chunk.first) == chunk.second;
      });
    };
    BOOST_TEST_REQUIRE(std::ranges::any_of(sources_, same));
  }

  std::mt19937_64 random_;
  transfer_plan::options options_;
  transfer_plan plan_;
  time_point now_{}, wake_at_{};
  std::vector<model_source> sources_;
  std::map<pull_number, model_pull> pulls_;
  std::vector<request> open_;
  std::vector<pull_number> placing_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(transfer_plan_model)

BOOST_AUTO_TEST_CASE(whatever_sources_do_each_pull_ends_once_and_within_its_bounds) {
  std::mt19937_64 seeds(seed());
  std::map<errc, int> ends;
  for (int round = 0; round < 200; ++round) {
    auto seed = seeds();
    BOOST_TEST_CONTEXT("round " << round << ", its seed " << seed) {
      world w(seed);
      w.run();
      for (auto [code, count] : w.ends)
        ends[code] += count;
    }
  }
  for (auto [code, count] : ends)
    BOOST_TEST_MESSAGE(to_string(code) << ": " << count);
  for (auto code : {errc::none, errc::object_lost, errc::timed_out, errc::corrupt, errc::cancelled,
                    errc::store_full})
    BOOST_TEST(ends[code] > 0, to_string(code) << " has never come");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace caf_ray::objstore
