// The process in an ECS task: finds parts, works on them one after the other, until it is told to go or there is
// nothing more to do.
//
//   Worker worker(context, {.mode = WorkMode::drain});
//   Result<void> ended = loop.run(worker.run());
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "async/task.h"
#include "worker/export_work.h"
#include "worker/part_work.h"
#include "worker/work_finder.h"

namespace palette::worker {

enum class WorkMode : std::uint8_t {
  wait,   // for work, for as long as the process lives
  once,   // one job, or parts of it, to its end
  drain,  // until the queue is empty
};

struct WorkerOptions {
  WorkMode mode = WorkMode::wait;
  JobId job = {};                          // with `once`: this one; empty: the first that is found
  std::int64_t idle_exit_ms = 0;           // in `wait`: ends after so long without work; 0: never
  std::filesystem::path health_file = {};  // touched while the loop goes round; empty: none
};

class Worker {
 public:
  // `context` must outlive it.
  Worker(WorkContext& context, WorkerOptions options);

  // Ends well when there is nothing more to do, or when context.draining was raised. An error when it cannot work at
  // all: the tables are not there, or it may not read them.
  async::Task<Status> run();

 private:
  async::Task<Status> work();
  async::Task<bool> wait_after(Error error);
  bool is_done(std::int64_t idle_since_ms) const;
  async::Task<void> touch_health_file(std::shared_ptr<async::StopFlag> ended);
  async::Task<void> measure_now_and_then(std::shared_ptr<async::StopFlag> ended);
  void measure();

  WorkContext& context_;
  WorkerOptions options_;
  WorkFinder finder_;
  WorkDone done_, measured_;
  std::int64_t failing_since_ms_ = -1;
  bool has_worked_ = false;
};

// Is a worker alive that touches this file? For the container's health check.
bool is_alive(const std::filesystem::path& health_file);

}  // namespace palette::worker
