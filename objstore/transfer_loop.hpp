#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <zmq.hpp>

#include "objstore/transfer.hpp"
#include "objstore/transfer_errands.hpp"
#include "objstore/transfer_gate.hpp"
#include "objstore/transfer_link.hpp"
#include "objstore/transfer_plan.hpp"
#include "objstore/transfer_server.hpp"

namespace caf_ray::objstore {

/// What is behind `transfer`: sockets, and the one thread that uses them. It reads what came, tells
/// plan and server, and does what the plan decides. Calls of the store that may wait are errands.
///
/// Invariant: all but the inbox, the gate and the counters belongs to the thread.
class transfer_loop {
public:
  using clock = std::chrono::steady_clock;

  /// Listens and starts the threads; requires options in their ranges. Throws zmq::error_t.
  explicit transfer_loop(const transfer_options& options);
  /// Ends all pulls with shut_down, then the threads.
  ~transfer_loop();

  std::uint16_t port() const { return port_; }
  zmq::context_t& context() { return context_; }
  /// Null when the options say so.
  transfer_gate* gate() { return gate_.get(); }
  const link_options& links() const { return link_options_; }

  // Thread-safe.
  void pull(object_id id, std::size_t size_bytes, std::vector<transfer_source> sources,
            std::chrono::milliseconds patience, transfer::done callback);
  void cancel(object_id id);
  transfer_stats stats() const;

private:
  /// Messages read from one socket before the others get their turn.
  static constexpr int batch = 16;

  /// Someone's pull, from the first `pull` to the last `done`.
  struct job {
    std::vector<transfer::done> callbacks;
    std::stop_source stop;
    /// From `placed` on.
    writable object;
  };
  struct counters {
    std::atomic<std::uint64_t> bytes_in{0}, pulls_done{0}, pulls_failed{0}, pulls_open{0},
      retries{0}, damaged{0}, different{0}, links{0};
  };

  /// Has the thread do something. False when it has ended.
  bool post(std::function<void()> work);
  void wake();

  void run();
  void listen();
  void end_all();
  /// Waits until something happens, and deals with it.
  void turn();
  void read_inbox();
  void housekeep(clock::time_point now);

  // -- pulls: transfer_pulls.cpp

  void read_link(transfer_plan::source_number number, bool answers, bool events);
  void read_answer(transfer_plan::source_number number, const transfer_link::answer& x);
  void take_chunk(transfer_plan::source_number number, const transfer_link::answer& x);
  void drop_link(transfer_plan::source_number number, const std::string& reason);
  void decide();
  void begin(object_id id, std::size_t size_bytes, const std::vector<transfer_source>& sources,
             clock::time_point deadline, transfer::done callback);
  void place(const transfer_plan::placement& x);
  void placed(transfer_plan::pull_number pull, result<writable> object);
  void ask(const transfer_plan::request& x);
  void finish(transfer_plan::ending x);
  transfer_plan::source_number number_of(const transfer_source& source);

  const transfer_options options_;
  const link_options link_options_;
  counters counters_;
  std::uint16_t port_ = 0;

  std::mutex inbox_mutex_;
  std::vector<std::function<void()>> inbox_;
  bool ended_ = false;
  /// eventfd; readable when the inbox may hold something.
  int wake_ = -1;

  zmq::context_t context_;
  std::unique_ptr<transfer_gate> gate_;
  zmq::socket_t router_;

  transfer_plan plan_;
  std::unordered_map<transfer_plan::pull_number, job> jobs_;
  struct peer {
    transfer_source source;
    std::unique_ptr<transfer_link> link;
    clock::time_point last_used;
  };
  std::map<transfer_plan::source_number, peer> peers_;
  std::map<transfer_source, transfer_plan::source_number> numbers_;
  clock::time_point wake_at_;
  clock::time_point next_housekeeping_;
  std::vector<zmq::pollitem_t> items_;
  std::vector<transfer_plan::source_number> polled_;
  bool stop_ = false;

  /// Threads last, so that they end first; those of the store's calls before the server, which they
  /// report to.
  std::unique_ptr<transfer_errands> placing_;
  std::unique_ptr<transfer_errands> restoring_;
  std::unique_ptr<transfer_server> server_;
  std::thread thread_;
};

} // namespace caf_ray::objstore
