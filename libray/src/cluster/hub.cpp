#include "libray/src/cluster/hub.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "libray/src/transport/basp.hpp"
#include "libray/src/transport/connection.hpp"
#include "ray/api/logging.h"

namespace caf_ray::cluster {

using namespace std::chrono_literals;

namespace {

/// Between looks at processes that ended without a word, and at idle workers.
constexpr auto tick_interval = 100ms;

/// The end of a process is seen a moment after that of its connection; it may take this long.
constexpr auto end_poll = 2ms;
constexpr auto end_patience = 200ms;

/// The control store may hear of an actor, and this node of another one, so much later than of what
/// names them.
constexpr auto question_patience = 2s;
constexpr auto wish_patience = 10s;

/// A worker process may take this long to join: program start, static constructors.
constexpr auto start_patience = 30s;

/// Where a process of the same user opens what we have open.
std::string shared_path(int descriptor) {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(descriptor);
}

} // namespace

hub::hub(caf::actor_config& config, hub_settings settings)
  : io_hosted<hub_actor::base>(config), settings_(std::move(settings)),
    marks_(start_marks::make().value_or(nullptr)), core_(core_options()) {
  set_down_handler([this](const caf::down_msg& down) { lose(down.source); });
}

hub::~hub() = default;

hub_options hub::core_options() {
  hub_options options;
  options.node = settings_.node;
  options.store = settings_.store;
  options.ports = settings_.ports;
  options.pool.workers_per_job = std::max(1u, settings_.slots);
  options.send = [this](client_id to, std::string batch) { send_batch(to, std::move(batch)); };
  options.know_job = [this](client_id client, const job_op& op) { know_job(client, op); };
  options.describe_job = [this](job_id job) -> std::optional<job_op> {
    auto at = jobs_.find(job);
    if (at == jobs_.end())
      return std::nullopt;
    auto& known = at->second;
    return job_op{
      job, known.ray_namespace, known.program, file_stamp(known.program).value_or(""), {}};
  };
  options.job_ended = [this](job_id job) { unpublish_program(job); };
  options.publish_program = [this](job_id job, auto then) {
    publish_program(job, std::move(then));
  };
  options.program_published = [this](client_id from, const program_op& op) {
    fetch_program(from, op);
  };
  options.start_worker = [this](job_id job, actor_id only) { start_worker(job, only); };
  options.end_worker = [this](client_id worker) { end_worker(worker); };
  options.kill_worker = [this](client_id worker) { kill_worker(worker); };
  options.record_actor = settings_.record_actor;
  options.now = [] { return std::chrono::steady_clock::now(); };
  options.aside = [this](auto work, auto then) { aside(std::move(work), std::move(then)); };
  if (settings_.find_actor)
    options.find_actor = [this](actor_id actor, auto then) {
      questions_[actor] = {std::move(then), std::chrono::steady_clock::now() + question_patience};
      look_up_actors();
    };
  options.bring = [this](object_id object, std::uint64_t size_bytes,
                         const std::vector<node_id>& from, auto then) {
    wishes_.push_back({object, size_bytes, from, std::move(then),
                       std::chrono::steady_clock::now() + wish_patience});
    begin_transfers();
  };
  return options;
}

void hub::aside(std::function<void()> work, std::function<void()> then) {
  system().spawn<caf::hidden>(
    [post = poster()](caf::event_based_actor*, const std::function<void()>& first,
                      std::function<void()> second) {
      first();
      post(std::move(second));
    },
    std::move(work), std::move(then));
}

std::function<void(std::function<void()>)> hub::poster() {
  return [me = caf::actor_cast<caf::actor>(this), box = posted_](std::function<void()> work) {
    {
      std::lock_guard guard(box->mutex);
      box->work.push_back(std::move(work));
    }
    caf::anon_send(me, drain_atom_v);
  };
}

void hub::run_posted() {
  std::vector<std::function<void()>> work;
  {
    std::lock_guard guard(posted_->mutex);
    work.swap(posted_->work);
  }
  for (auto& f : work)
    f();
}

client_id hub::client_of(const void* link) const {
  auto at = by_link_.find(link);
  return at == by_link_.end() ? 0 : at->second;
}

// -- processes come and go

void hub::refuse(const caf::strong_actor_ptr& link, error why) {
  RAYLOG(WARNING) << "a process was refused: " << why.what;
  send(caf::actor_cast<link_actor>(link), refuse_atom_v, std::move(why));
}

void hub::welcome_process(const std::string& bytes, const caf::strong_actor_ptr& link) {
  if (!link)
    return;
  auto said = unpack<hello>(bytes);
  if (!said)
    return refuse(link, said.error());
  if (said->version != wire_version)
    return refuse(link,
                  {errc::version_mismatch,
                   "process " + std::to_string(said->pid) + " speaks version "
                     + std::to_string(said->version) + ", this node " + std::to_string(wire_version)
                     + "; build the program with the same caf-ray as the node"});
  welcome answer;
  answer.node = settings_.node;
  answer.memory_path = shared_path(settings_.store->memory_descriptor());
  answer.slots = settings_.slots;
  answer.shard_count = static_cast<std::uint32_t>(settings_.services.size() - 1);
  peer newcomer;
  newcomer.link = link;
  newcomer.pid = said->pid;
  newcomer.program = said->program;
  worker_process process;
  actor_id only;
  if (said->is_worker) {
    auto at = starting_.find(said->token);
    if (at == starting_.end())
      return refuse(link, {errc::not_found, "nobody started a worker with that token"});
    answer.job = at->second.job;
    only = at->second.only;
    answer.ray_namespace = at->second.ray_namespace;
    process = std::move(at->second.process);
    starting_.erase(at);
  }
  mark_block marks;
  if (auto block = said->is_worker && !only && marks_ ? marks_->take() : std::nullopt) {
    marks = mark_block(marks_.get(), *block);
    answer.marks_path = shared_path(marks_->descriptor());
    answer.marks_block = *block;
  }
  monitor(caf::actor_cast<caf::actor>(link));
  send(caf::actor_cast<link_actor>(link), welcome_atom_v, pack(answer), settings_.services);
  // From here on batches may go there: the peer must be known before the core sends the first.
  auto id = core_.next_client();
  by_link_[link.get()] = id;
  peers_[id] = std::move(newcomer);
  if (said->is_worker)
    workers_[id] = std::move(process);
  core_.join(said->is_worker ? client_kind::worker : client_kind::driver, answer.job, only,
             std::move(marks));
  core_.flush();
}

void hub::lose(const caf::actor_addr& who) {
  if (settings_.head && settings_.head == who && settings_.head_died)
    std::exchange(settings_.head_died, nullptr)("its connection is gone");
  for (auto& [id, p] : peers_)
    if (p.link == who) {
      cut(id, "its connection is gone");
      return;
    }
}

void hub::cut(client_id who, const std::string& cause) {
  auto at = peers_.find(who);
  if (at == peers_.end())
    return;
  by_link_.erase(at->second.link.get());
  auto gone = std::move(at->second);
  peers_.erase(at);
  if (gone.greeting.node)
    part(gone, cause);
  if (auto worker = workers_.extract(who)) {
    dying_.push_back(
      {who, std::move(worker.mapped()), cause, std::chrono::steady_clock::now() + end_patience});
    return bury();
  }
  if (!gone.greeting.node)
    RAYLOG(INFO) << "process " << gone.pid << " has left: " << cause;
  core_.leave(who, cause);
  core_.flush();
}

void hub::bury() {
  for (std::size_t i = 0; i < dying_.size();) {
    auto& entry = dying_[i];
    auto how = entry.process.ended();
    bool late = std::chrono::steady_clock::now() > entry.until;
    if (how.empty() && !late) {
      ++i;
      continue;
    }
    auto gone = std::move(entry);
    dying_.erase(dying_.begin() + static_cast<std::ptrdiff_t>(i));
    // One that has not ended has no way back to us; its destructor kills it.
    auto cause = how.empty() ? gone.cause : how;
    RAYLOG(INFO) << "worker process " << gone.process.pid() << " has left: " << cause;
    core_.leave(gone.who, cause);
  }
  if (!dying_.empty())
    delayed_send(this, end_poll, drain_atom_v);
  core_.flush();
}

void hub::start_worker(job_id job, actor_id only) {
  auto known = jobs_.find(job);
  auto token = ++last_token_;
  auto failed = [&](const std::string& cause) { worker_failed(job, only, cause); };
  if (known == jobs_.end())
    return failed("nobody has said which program it is");
  if (known->second.fetching) {
    known->second.starts.push_back(only);
    return;
  }
  if (!known->second.failure.empty())
    return failed(known->second.failure);
  auto ends = transport::make_child_socket();
  if (!ends)
    return failed(ends.error().what);
  worker_start how;
  how.program = known->second.program;
  how.token = token;
  how.descriptor = ends->theirs.get();
  if (!settings_.log_directory.empty())
    how.log_file = settings_.log_directory + "/worker-" + std::to_string(getpid()) + "-"
                   + std::to_string(token) + ".log";
  auto process = worker_process::start(how);
  if (!process)
    return failed(process.error().what);
  starting_.emplace(token, start{std::move(*process), job, known->second.ray_namespace, only,
                                 std::chrono::steady_clock::now() + start_patience});
  transport::serve(system(), std::move(ends->ours), caf::actor_cast<caf::strong_actor_ptr>(this));
}

void hub::worker_failed(job_id job, actor_id only, const std::string& cause) {
  RAYLOG(ERROR) << "no worker for job " << job << ": " << cause;
  poster()([this, job, only, cause] { core_.worker_failed(job, only, cause); });
}

void hub::end_worker(client_id worker) {
  if (auto at = peers_.find(worker); at != peers_.end())
    send(caf::actor_cast<link_actor>(at->second.link), leave_atom_v);
}

void hub::kill_worker(client_id worker) {
  // Its end is seen as that of any other.
  if (auto at = workers_.find(worker); at != workers_.end())
    at->second.kill();
}

/// Processes that have ended before they joined, or do not.
void hub::reap() {
  std::vector<std::function<void()>> failures;
  for (auto at = starting_.begin(); at != starting_.end();) {
    auto how = at->second.process.ended();
    if (how.empty() && std::chrono::steady_clock::now() > at->second.until)
      how = "it has not joined within "
            + std::to_string(std::chrono::seconds(start_patience).count()) + " s";
    if (how.empty()) {
      ++at;
    } else {
      failures.push_back([this, job = at->second.job, only = at->second.only, how] {
        core_.worker_failed(job, only, how);
      });
      at = starting_.erase(at);
    }
  }
  for (auto& tell : failures)
    tell();
}

// -- batches

void hub::receive(std::uint64_t total, const std::string& batch) {
  auto from = current_sender();
  auto id = client_of(from.get());
  auto done = core_.handle(id, batch);
  core_.flush();
  if (!done) {
    if (auto at = peers_.find(id); at != peers_.end() && !at->second.greeting.node)
      refuse(at->second.link, done.error());
    return cut(id, done.error().what);
  }
  auto again = peers_.find(id);
  if (again == peers_.end())
    return;
  auto& p = again->second;
  if (auto credit = p.bytes.received(total))
    send(caf::actor_cast<link_actor>(p.link), credit_atom_v, *credit);
}

void hub::credit(std::uint64_t total) {
  auto at = peers_.find(client_of(current_sender().get()));
  if (at == peers_.end())
    return;
  at->second.bytes.credited(total);
  send_waiting(at->second);
}

void hub::send_batch(client_id to, std::string batch) {
  auto at = peers_.find(to);
  if (at == peers_.end())
    return;
  at->second.waiting.push_back(std::move(batch));
  send_waiting(at->second);
}

void hub::send_waiting(peer& to) {
  while (!to.waiting.empty() && to.bytes.open()) {
    auto batch = std::move(to.waiting.front());
    to.waiting.pop_front();
    auto total = to.bytes.sent(batch.size());
    send(caf::actor_cast<link_actor>(to.link), batch_atom_v, total, std::move(batch));
  }
}

// -- the actor

void hub::on_exit() {
  starting_.clear();
  wishes_.clear();
  questions_.clear();
  workers_.clear();
  dying_.clear();
  peers_.clear();
  by_link_.clear();
  if (settings_.on_end)
    settings_.on_end();
}

hub_actor::behavior_type hub::make_behavior() {
  delayed_send(this, tick_interval, tick_atom_v);
  if (settings_.head) {
    send(caf::actor_cast<hub_actor>(settings_.head), neighbour_atom_v, greeting(),
         caf::actor_cast<caf::strong_actor_ptr>(this), settings_.local_scheduler);
    monitor(caf::actor_cast<caf::actor>(settings_.head));
  }
  return {
    [this](enter_atom, const std::string& bytes) {
      auto [why, mine, services] = let_in(bytes);
      return caf::make_result(std::move(why), std::move(mine), std::move(services));
    },
    [this](neighbour_atom, const std::string& bytes, const caf::strong_actor_ptr& hub,
           const caf::strong_actor_ptr& local) { meet(bytes, hub, local); },
    [this](scheduler::nodes_atom, const scheduler::node_updates& changes) { hear_of(changes); },
    [this](hello_atom, const std::string& bytes, const caf::strong_actor_ptr& link) {
      welcome_process(bytes, link);
    },
    [this](batch_atom, std::uint64_t total, const std::string& batch) { receive(total, batch); },
    [this](credit_atom, std::uint64_t total) { credit(total); },
    [this](leave_atom) { cut(client_of(current_sender().get()), "it has ended"); },
    [this](status_atom) {
      std::vector<std::pair<std::string, std::string>> lines;
      auto nodes = std::count_if(peers_.begin(), peers_.end(),
                                 [](auto& x) { return bool{x.second.greeting.node}; });
      lines.emplace_back("nodes", std::to_string(nodes + 1));
      lines.emplace_back("processes",
                         std::to_string(static_cast<std::ptrdiff_t>(peers_.size()) - nodes));
      lines.emplace_back("workers", std::to_string(workers_.size()));
      lines.emplace_back("objects", std::to_string(core_.objects().size()));
      lines.emplace_back("tasks", std::to_string(core_.task_count()));
      auto stats = settings_.store->stats();
      lines.emplace_back("stored_objects", std::to_string(stats.object_count));
      lines.emplace_back("stored_bytes", std::to_string(stats.memory_bytes));
      return lines;
    },
    [this](drain_atom) {
      run_posted();
      bury();
    },
    [this](tick_atom) {
      reap();
      call_neighbours();
      begin_transfers();
      look_up_actors();
      core_.tick();
      core_.flush();
      delayed_send(this, tick_interval, tick_atom_v);
    },
  };
}

} // namespace caf_ray::cluster
