// What `run` and `watch` show while a job is worked on: one live block on a terminal, a plain line every 10 s without
// one, JSON lines with
// --json. `still` shows no progress but says what happens; `silent` says nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "generate/progress.h"
#include "generate/run_control.h"

namespace palette::cli {

enum class DisplayMode : std::uint8_t { live, plain, still, json, silent };

class ProgressDisplay {
 public:
  ProgressDisplay(DisplayMode mode, const generate::Progress& progress, const generate::RunControl& control,
                  const Clock& clock);
  // Of a job that others work on: nothing is known of their calls, and of tokens only the sum (in input_tokens).
  ProgressDisplay(DisplayMode mode, const generate::Progress& progress, const Clock& clock);
  ~ProgressDisplay();

  DisplayMode mode() const { return mode_; }
  std::int64_t interval_ms() const;  // between two calls of update()
  void update();
  void clear();                       // takes the live block away
  void say(const std::string& text);  // a line above it

  // One event as a JSON line on stdout; nothing in the other modes.
  void event(std::string_view name, JsonObject fields);

 private:
  double share() const;        // of the records that were tried, 0 to 1
  std::string counts() const;  // records made and failed, how many a second
  std::string usage() const;   // tokens, cost, calls in flight, time left
  std::string erasing() const;
  void draw_live();
  JsonObject figures() const;
  double records_per_s() const;
  std::string eta() const;

  DisplayMode mode_;
  const generate::Progress& progress_;
  const generate::RunControl* control_;  // null: others work on it
  const Clock& clock_;
  std::int64_t started_ms_;
  std::vector<std::size_t> drawn_;  // columns of each line of the live block that is on the screen
};

}  // namespace palette::cli
