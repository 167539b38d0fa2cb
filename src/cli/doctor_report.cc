#include "cli/doctor_report.h"

#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"

namespace palette::cli {
namespace {

constexpr std::size_t kLevelColumns = 7, kCheckColumns = 15;

std::string padded(std::string_view text, std::size_t columns) {
  return std::string(text) + std::string(columns - std::min(columns, columns_of(text)), ' ');
}

struct LevelLook {
  const char* text;
  const char* json;
  Style style;
};

LevelLook look_of(DoctorReport::Level level) {
  switch (level) {
    case DoctorReport::Level::ok:
      return {"ok", "ok", Style::good};
    case DoctorReport::Level::warn:
      return {"warn", "warn", Style::warning};
    case DoctorReport::Level::fail:
      return {"FAIL", "fail", Style::error};
    case DoctorReport::Level::skipped:
      break;
  }
  return {"skipped", "skipped", Style::dim};
}

}  // namespace

void DoctorReport::add(Level level, std::string_view check, const std::string& found) {
  if (level == Level::fail) ++failed_;
  if (level == Level::warn) ++warned_;
  const LevelLook look = look_of(level);
  const std::string text = one_line(found, std::string::npos);
  if (json_) {
    checks_.emplace_back(JsonObject{{"check", check}, {"level", look.json}, {"found", text}});
    return;
  }
  std::printf("%s  %s  %s\n", styled(stdout, look.style, padded(look.text, kLevelColumns)).c_str(),
              padded(check, kCheckColumns).c_str(), text.c_str());
  std::fflush(stdout);  // the next check may wait for a network
}

int DoctorReport::finish() const {
  if (json_) {
    std::printf("%s\n", to_json_text(JsonObject{{"ok", failed_ == 0}, {"checks", checks_}}).c_str());
  } else if (failed_ > 0) {
    std::printf("%s\n", (counted(failed_, "check") + " failed.").c_str());
  } else if (warned_ > 0) {
    std::printf("Nothing failed; %s.\n", counted(warned_, "warning").c_str());
  } else {
    std::printf("All is well.\n");
  }
  return failed_ > 0 ? kFailed : kDone;
}

}  // namespace palette::cli
