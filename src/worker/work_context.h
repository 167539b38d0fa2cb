// What everything that a worker does is done with.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "async/blocking.h"
#include "async/stop_flag.h"
#include "dataset/seed_data.h"
#include "worker/event_log.h"
#include "worker/infrastructure_meter.h"
#include "worker/part_run.h"
#include "worker/worker_settings.h"

namespace palette::worker {

// All references must outlive the worker.
struct WorkContext {
  PartPlaces places;
  async::BlockingPool& pool;
  EventLog& log;
  InfrastructureMeter& meter;
  WorkerSettings settings;
  std::filesystem::path temp_dir;
  std::string owner;    // task ARN, or host and pid
  std::string region;   // where models without one of their own are asked
  std::string cluster;  // a dimension of the metrics
  // Raised when the process is told to go: nothing new is begun; later, that calls in flight are not waited for.
  std::shared_ptr<async::StopFlag> draining = std::make_shared<async::StopFlag>();
  std::shared_ptr<async::StopFlag> leaving = std::make_shared<async::StopFlag>();

  // Seed data that was opened last: the next part is often of the same job.
  struct OpenSeeds {
    std::string key, sha256;
    std::shared_ptr<const dataset::SeedData> seeds;
  } open_seeds = {};

  // By the clock of the tables, which leases are counted by.
  UtcTime table_now() const { return UtcTime{places.clock.now().unix_ms + places.jobs.clock_offset_ms()}; }
};

}  // namespace palette::worker
