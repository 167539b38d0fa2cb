// What a worker tells: one JSON object a line on stdout, which CloudWatch Logs takes as it is.
//
//   log.tell("claimed", {{"job_id", id.text}, {"part", 3}});
//   {"time":"2026-11-24T10:00:00.123Z","level":"info","event":"claimed","job_id":"…","part":3}
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace palette::worker {

struct Metric {
  std::string_view name;  // "RecordsGenerated"
  std::string_view unit;  // of CloudWatch: "Count", "None", …
  double value = 0;
};

class EventLog {
 public:
  // `out` and `clock` must outlive it.
  EventLog(std::FILE* out, const Clock& clock) : out_(out), clock_(clock) {}

  void tell(std::string_view event, JsonObject fields = {}) { write("info", event, std::move(fields)); }
  // Something that a person should look at.
  void warn(std::string_view event, JsonObject fields = {}) { write("warning", event, std::move(fields)); }
  void fail(std::string_view event, const Error& error, JsonObject fields = {});

  // A line in CloudWatch's embedded metric format: metrics without a call, or the right to make one.
  void measure(std::string_view cluster, const std::vector<Metric>& metrics);

 private:
  void write(std::string_view level, std::string_view event, JsonObject fields);

  std::FILE* out_;
  const Clock& clock_;
};

}  // namespace palette::worker
