#include "cli/progress_display.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/terminal.h"

namespace palette::cli {
namespace {

constexpr std::int64_t kLiveInterval_ms = 100;
constexpr std::int64_t kPlainInterval_ms = 10'000;
constexpr std::int64_t kJsonInterval_ms = 1'000;

std::string rate_text(double per_s) {
  if (per_s >= 100) return grouped(std::llround(per_s));
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", per_s);
  return buffer;
}

std::string bar_text(double share, std::size_t width) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string out;
  for (std::size_t i = 0; i < width; ++i) out += i < full ? "█" : "░";
  return out;
}

// "a, b, c" in as many lines as it needs, broken after commas.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(", "), text.size());
    const std::string item = std::string(text.substr(0, end)) + (end < text.size() ? "," : "");
    text.remove_prefix(std::min(text.size(), end + 2));
    if (!lines.back().empty() && columns_of(lines.back()) + 1 + columns_of(item) > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + item;
  }
  return lines;
}

}  // namespace

ProgressDisplay::ProgressDisplay(DisplayMode mode, const generate::Progress& progress,
                                 const generate::RunControl& control, const Clock& clock)
    : mode_(mode), progress_(progress), control_(&control), clock_(clock), started_ms_(clock.monotonic_ms()) {}

ProgressDisplay::ProgressDisplay(DisplayMode mode, const generate::Progress& progress, const Clock& clock)
    : mode_(mode), progress_(progress), control_(nullptr), clock_(clock), started_ms_(clock.monotonic_ms()) {}

ProgressDisplay::~ProgressDisplay() { clear(); }

std::int64_t ProgressDisplay::interval_ms() const {
  if (mode_ == DisplayMode::live) return kLiveInterval_ms;
  return mode_ == DisplayMode::json ? kJsonInterval_ms : kPlainInterval_ms;
}

void ProgressDisplay::update() {
  switch (mode_) {
    case DisplayMode::live:
      return draw_live();
    case DisplayMode::plain:
      std::fprintf(stderr, "%s, %s\n", counts().c_str(), usage().c_str());
      return;
    case DisplayMode::json:
      return event("progress", figures());
    case DisplayMode::still:
    case DisplayMode::silent:
      return;
  }
}

// A terminal that became narrower has broken the lines of the block into several; the echo of ^C has moved the cursor.
std::string ProgressDisplay::erasing() const {
  if (drawn_.empty()) return "";
  const std::size_t width = std::max<std::size_t>(terminal_width(), 1);
  std::size_t rows = 0;
  for (const std::size_t columns : drawn_) rows += std::max<std::size_t>((columns + width - 1) / width, 1);
  return "\r\x1b[" + std::to_string(rows) + "A\x1b[J";
}

void ProgressDisplay::clear() {
  std::fputs(erasing().c_str(), stderr);
  drawn_.clear();
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
  return static_cast<double>(std::max<std::int64_t>(made, 0)) * 1000.0 / static_cast<double>(ms);
}

std::string ProgressDisplay::eta() const {
  const std::int64_t left = progress_.records_total - progress_.records_done - progress_.records_failed;
  const double rate = records_per_s();
  if (left <= 0) return "0 s left";
  if (rate <= 0) return "time left not known yet";
  const auto seconds = static_cast<std::int64_t>(std::ceil(static_cast<double>(left) / rate));
  return (seconds < 60 ? std::to_string(seconds) + " s" : duration_text(seconds * 1000)) + " left";
}

std::string ProgressDisplay::counts() const {
  return grouped(progress_.records_done) + " of " + counted(progress_.records_total, "record") + ", " +
         grouped(progress_.records_failed) + " failed, " + rate_text(records_per_s()) + " records/s";
}

std::string ProgressDisplay::usage() const {
  const std::string calls = control_ == nullptr ? "" : counted(control_->calls_in_flight, "call") + " in flight, ";
  return counted(progress_.input_tokens + progress_.output_tokens, "token") + ", " +
         dollars(progress_.cost.to_decimal()) + ", " + calls + eta();
}

double ProgressDisplay::share() const {
  const std::int64_t tried = progress_.records_done + progress_.records_failed;
  if (progress_.records_total == 0) return 0;
  return std::min(1.0, static_cast<double>(tried) / static_cast<double>(progress_.records_total));
}

// The old block goes and the new one comes in a single write, so that nothing flickers.
void ProgressDisplay::draw_live() {
  const std::size_t width = std::max<std::size_t>(terminal_width(), 20);
  std::string out = erasing();
  drawn_.clear();
  // A line of the block, with one part of it in a style.
  const auto add = [&](const std::string& text, Style style, std::string_view part) {
    std::string line = one_line(text, width);
    drawn_.push_back(columns_of(line));
    if (const std::size_t at = line.find(part); at != std::string::npos)
      line.replace(at, part.size(), styled(stderr, style, part));
    out += line + "\n";
  };
  const std::string filled = bar_text(share(), std::min<std::size_t>(40, width - 8));
  add(filled + " " + std::to_string(static_cast<int>(share() * 100)) + " %", Style::good, filled);
  const std::string failed = grouped(progress_.records_failed) + " failed";
  for (const std::string& line : wrapped(counts(), width))
    add(line, progress_.records_failed > 0 ? Style::warning : Style::plain, failed);
  for (const std::string& line : wrapped(usage(), width)) add(line, Style::plain, "");
  if (!progress_.last_error.empty()) {
    const std::string error = one_line("last error: " + progress_.last_error, width);
    add(error, Style::dim, error);
  }
  std::fputs(out.c_str(), stderr);
}

JsonObject ProgressDisplay::figures() const {
  JsonObject out;
  out["records_total"] = progress_.records_total;
  out["records_done"] = progress_.records_done;
  out["records_failed"] = progress_.records_failed;
  out["records_per_s"] = records_per_s();
  if (control_ != nullptr) {
    out["input_tokens"] = progress_.input_tokens;
    out["output_tokens"] = progress_.output_tokens;
  } else {
    out["tokens_used"] = progress_.input_tokens + progress_.output_tokens;
  }
  out["cost_usd"] = progress_.cost.to_decimal();
  if (control_ != nullptr) out["calls_in_flight"] = control_->calls_in_flight;
  return out;
}

}  // namespace palette::cli
