// The part of the hub's actor that deals with the programs that workers are started from: on other
// hosts they come with the job, by their content.

#include <fstream>
#include <memory>
#include <utility>

#include "libray/src/cluster/hub.hpp"
#include "objstore/streaming_copy.hpp"
#include "ray/api/logging.h"

namespace caf_ray::cluster {

using namespace std::chrono_literals;

namespace {

/// For room in the store, and for a program to come.
constexpr auto program_patience = std::chrono::minutes(1);

struct published_program {
  error failure;
  std::string hash;
  objstore::pinned content;
};

/// Reads a program into the store. Waits.
published_program read_program(objstore::store& store, const std::string& path, job_id job) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  published_program program;
  if (!file || bytes.empty()) {
    program.failure = {errc::io_failed, "cannot read the program " + path};
    return program;
  }
  program.hash = content_hash(std::as_bytes(std::span(bytes)));
  auto memory = store.create(program_object(program.hash, job), bytes.size(), program_patience);
  if (!memory) {
    program.failure = memory.error();
    return program;
  }
  objstore::streaming_copy(memory->data().data(), bytes.data(), bytes.size());
  program.content = memory->seal();
  return program;
}

} // namespace

void hub::know_job(client_id from, const job_op& op) {
  auto at = peers_.find(from);
  if (at == peers_.end())
    return;
  auto& job = jobs_[op.job];
  job.ray_namespace = op.ray_namespace;
  if (!at->second.greeting.node) {
    job.program = at->second.program;
    return;
  }
  if (!job.program.empty() || job.fetching)
    return;
  job.failure.clear();
  if (!op.stamp.empty() && file_stamp(op.program).value_or("") == op.stamp) {
    job.program = op.program;
    return;
  }
  job.fetching = true;
  core_.ask_program(from, op.job);
}

void hub::publish_program(job_id id, std::function<void(const program_op&)> then) {
  auto& job = jobs_[id];
  if (!job.how.hash.empty()) {
    poster()([how = job.how, then = std::move(then)] { then(how); });
    return;
  }
  job.askers.push_back(std::move(then));
  if (job.askers.size() > 1)
    return; // it is being read
  auto read = std::make_shared<published_program>();
  aside([store = settings_.store, path = job.program, id,
         read] { *read = read_program(*store, path, id); },
        [this, id, read] {
          auto& job = jobs_[id];
          program_op answer{id, read->failure, read->hash, 0};
          if (read->failure.code == errc::none) {
            answer.size_bytes = read->content.bytes().size();
            job.published = std::move(read->content);
            job.how = answer;
          }
          for (auto& tell : std::exchange(job.askers, {}))
            tell(answer);
        });
}

void hub::unpublish_program(job_id id) {
  auto at = jobs_.find(id);
  if (at == jobs_.end() || at->second.how.hash.empty())
    return;
  settings_.store->erase(program_object(at->second.how.hash, id));
  at->second.published = {};
  at->second.how = {};
}

void hub::fetch_program(client_id from, const program_op& op) {
  auto at = peers_.find(from);
  if (op.failure.code != errc::none || at == peers_.end())
    return got_program(op.job, tl::unexpected(op.failure));
  auto cache = std::make_shared<program_cache>(settings_.program_folder);
  if (cache->has(op.hash))
    return got_program(op.job, cache->path_of(op.hash));
  auto object = program_object(op.hash, op.job);
  auto come = [this, cache, object, op](const result<void>& how) {
    if (!how)
      return got_program(op.job, tl::unexpected(how.error()));
    auto kept = std::make_shared<result<std::filesystem::path>>();
    aside(
      [store = settings_.store, cache, object, op, kept] {
        auto content = store->get(object, program_patience);
        *kept = content ? cache->keep(op.hash, content->bytes())
                        : result<std::filesystem::path>(tl::unexpected(content.error()));
        store->erase(object);
      },
      [this, op, kept] { got_program(op.job, *kept); });
  };
  wishes_.push_back({object,
                     op.size_bytes,
                     {at->second.greeting.node},
                     std::move(come),
                     std::chrono::steady_clock::now() + program_patience});
  begin_transfers();
}

void hub::got_program(job_id id, const result<std::filesystem::path>& where) {
  auto& job = jobs_[id];
  job.fetching = false;
  if (where)
    job.program = where->string();
  else
    job.failure = "its program did not come: " + where.error().what;
  RAYLOG(INFO) << "program of job " << id << ": " << (where ? job.program : job.failure);
  for (auto& only : std::exchange(job.starts, {}))
    start_worker(id, only);
}

} // namespace caf_ray::cluster
