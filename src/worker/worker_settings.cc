#include "worker/worker_settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

namespace palette::worker {
namespace {

constexpr std::int64_t kLeaseMargin_ms = 5'000;

struct Range {
  double least, most;
};

// The variable's value times `scale`; complaints are gathered.
void take(const aws::Environment& environment, std::string_view name, Range range, bool whole, double scale,
          std::int64_t& value, std::string& complaints) {
  const std::string_view text = environment.get(name);
  if (text.empty()) return;
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = ec == std::errc{} && end == text.data() + text.size() && std::isfinite(number);
  if (is_number && number >= range.least && number <= range.most && (!whole || number == std::floor(number))) {
    value = static_cast<std::int64_t>(std::llround(number * scale));
    return;
  }
  const auto plain = [](double bound) {
    std::string out = std::to_string(bound);
    out.erase(out.find_last_not_of('0') + 1);
    if (out.ends_with('.')) out.pop_back();
    return out;
  };
  if (!complaints.empty()) complaints += "; ";
  complaints += std::string(name) + ": found '" + std::string(text) + "'; " + (whole ? "a whole number" : "a number") +
                " of " + plain(range.least) + " to " + plain(range.most) + " is allowed";
}

}  // namespace

std::int64_t WorkerSettings::lease_margin_ms() const { return std::min(kLeaseMargin_ms, lease_ms / 3); }

Result<WorkerSettings> worker_settings_of(const aws::Environment& environment) {
  WorkerSettings out;
  std::string complaints;
  take(environment, "PALETTE_LEASE_S", {1, 3'600}, false, 1'000, out.lease_ms, complaints);
  take(environment, "PALETTE_FLUSH_S", {0.1, 600}, false, 1'000, out.flush_ms, complaints);
  take(environment, "CHECKPOINT_INTERVAL", {1, static_cast<double>(limits::kBatchRecordsMax)}, true, 1,
       out.batch_records, complaints);
  if (!complaints.empty()) return fail(ErrorKind::bad_input, complaints, "environment");
  return out;
}

}  // namespace palette::worker
