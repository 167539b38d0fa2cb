#include "worker/event_log.h"

#include <utility>

namespace palette::worker {
namespace {

constexpr std::string_view kNamespace = "PlotPalette";

}  // namespace

void EventLog::write(std::string_view level, std::string_view event, JsonObject fields) {
  JsonObject line;
  line["time"] = clock_.now().to_iso();
  line["level"] = level;
  line["event"] = event;
  for (auto& member : fields) line[member.key()] = std::move(member.value());
  std::fprintf(out_, "%s\n", to_json_text(line).c_str());
  std::fflush(out_);  // a line is told when it happens, whatever becomes of the process
}

void EventLog::fail(std::string_view event, const Error& error, JsonObject fields) {
  fields["kind"] = to_string(error.kind);
  fields["cause"] = error.text();
  write("error", event, std::move(fields));
}

void EventLog::measure(std::string_view cluster, const std::vector<Metric>& metrics) {
  JsonArray names;
  JsonObject line;
  line["time"] = clock_.now().to_iso();
  line["level"] = "info";
  line["event"] = "metrics";
  line["Cluster"] = cluster;
  for (const Metric& metric : metrics) {
    names.emplace_back(JsonObject{{"Name", metric.name}, {"Unit", metric.unit}});
    line[metric.name] = metric.value;
  }
  JsonObject directive{{"Namespace", kNamespace}, {"Dimensions", JsonArray{JsonArray{"Cluster"}}}};
  directive["Metrics"] = std::move(names);
  line["_aws"] =
      JsonObject{{"Timestamp", clock_.now().unix_ms}, {"CloudWatchMetrics", JsonArray{std::move(directive)}}};
  std::fprintf(out_, "%s\n", to_json_text(line).c_str());
  std::fflush(out_);
}

}  // namespace palette::worker
