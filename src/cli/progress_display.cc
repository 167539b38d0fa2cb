#include "cli/progress_display.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/terminal.h"

namespace palette::cli {
namespace {

constexpr std::int64_t kLiveInterval_ms = 100;
constexpr std::int64_t kPlainInterval_ms = 10'000;

std::string rate_text(double per_s) {
  if (per_s >= 100) return grouped(std::llround(per_s));
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", per_s);
  return buffer;
}

}  // namespace

ProgressDisplay::ProgressDisplay(DisplayMode mode, const generate::Progress& progress, const generate::RunControl& control,
                                 const Clock& clock)
    : mode_(mode), progress_(progress), control_(control), clock_(clock), started_ms_(clock.monotonic_ms()) {}

ProgressDisplay::~ProgressDisplay() { clear(); }

std::int64_t ProgressDisplay::interval_ms() const { return mode_ == DisplayMode::live ? kLiveInterval_ms : kPlainInterval_ms; }

void ProgressDisplay::update() {
  switch (mode_) {
    case DisplayMode::live: return draw_live();
    case DisplayMode::plain: return print_plain();
    case DisplayMode::json: return event("progress", figures());
    case DisplayMode::silent: return;
  }
}

void ProgressDisplay::clear() {
  if (lines_drawn_ == 0) return;
  std::fprintf(stderr, "\x1b[%dA\x1b[J", lines_drawn_);
  lines_drawn_ = 0;
}

void ProgressDisplay::say(const std::string& text) {
  if (mode_ == DisplayMode::silent || mode_ == DisplayMode::json) return;
  clear();
  std::fprintf(stderr, "%s\n", text.c_str());
}

void ProgressDisplay::event(std::string_view name, JsonObject fields) {
  if (mode_ != DisplayMode::json) return;
  JsonObject all;
  all["event"] = name;
  all["time"] = clock_.now().to_iso();
  for (auto& member : fields) all[member.key()] = std::move(member.value());
  std::printf("%s\n", to_json_text(all).c_str());
  std::fflush(stdout);
}

double ProgressDisplay::records_per_s() const {
  const std::int64_t made = progress_.records_done + progress_.records_failed - progress_.records_at_start;
  const std::int64_t ms = std::max<std::int64_t>(clock_.monotonic_ms() - started_ms_, 1);
  return static_cast<double>(made) * 1000.0 / static_cast<double>(ms);
}

std::string ProgressDisplay::eta() const {
  const std::int64_t left = progress_.records_total - progress_.records_done - progress_.records_failed;
  const double rate = records_per_s();
  if (left <= 0) return "0 s";
  if (rate <= 0) return "?";
  return duration_text(static_cast<std::int64_t>(std::ceil(static_cast<double>(left) / rate)) * 1000);
}

std::string ProgressDisplay::bar(std::size_t width) const {
  const std::int64_t seen = progress_.records_done + progress_.records_failed;
  const double share = progress_.records_total == 0 ? 0 : std::min(1.0, static_cast<double>(seen) / static_cast<double>(progress_.records_total));
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string out;
  for (std::size_t i = 0; i < width; ++i) out += i < full ? "█" : "░";
  return out + " " + std::to_string(static_cast<int>(share * 100)) + " %";
}

void ProgressDisplay::draw_live() {
  const std::size_t width = std::max<std::size_t>(terminal_width(), 20);
  std::string failed = grouped(progress_.records_failed) + " failed";
  if (progress_.records_failed > 0) failed = styled(stderr, Style::warning, failed);
  std::string block = bar(std::min<std::size_t>(40, width - 10)) + "\n";
  block += grouped(progress_.records_done) + " of " + grouped(progress_.records_total) + " records, " + failed + ", " +
           rate_text(records_per_s()) + " records/s\n";
  block += one_line(grouped(progress_.input_tokens + progress_.output_tokens) + " tokens, " + dollars(progress_.cost.to_decimal()) + ", " +
                        grouped(control_.calls_in_flight) + " calls in flight, " + eta() + " left", width) + "\n";
  int lines = 3;
  if (!progress_.last_error.empty()) {
    block += styled(stderr, Style::dim, one_line("last error: " + progress_.last_error, width)) + "\n";
    ++lines;
  }
  clear();
  std::fputs(block.c_str(), stderr);
  lines_drawn_ = lines;
}

void ProgressDisplay::print_plain() {
  std::fprintf(stderr, "%s of %s records, %s failed, %s records/s, %s tokens, %s, %s calls in flight, %s left\n",
               grouped(progress_.records_done).c_str(), grouped(progress_.records_total).c_str(), grouped(progress_.records_failed).c_str(),
               rate_text(records_per_s()).c_str(), grouped(progress_.input_tokens + progress_.output_tokens).c_str(),
               dollars(progress_.cost.to_decimal()).c_str(), grouped(control_.calls_in_flight).c_str(), eta().c_str());
}

JsonObject ProgressDisplay::figures() const {
  JsonObject out;
  out["records_total"] = progress_.records_total;
  out["records_done"] = progress_.records_done;
  out["records_failed"] = progress_.records_failed;
  out["records_per_s"] = records_per_s();
  out["input_tokens"] = progress_.input_tokens;
  out["output_tokens"] = progress_.output_tokens;
  out["cost_usd"] = progress_.cost.to_decimal();
  out["calls_in_flight"] = control_.calls_in_flight;
  return out;
}

}  // namespace palette::cli
