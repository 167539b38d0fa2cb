#include "base/time.h"

#include <chrono>
#include <cstdio>

namespace palette {
namespace {

using namespace std::chrono;

class SystemClock final : public Clock {
 public:
  UtcTime now() const override {
    return UtcTime{duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }
  std::int64_t monotonic_ms() const override {
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
  }
};

// The `count` digits at `at`, or -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string UtcTime::to_iso() const {
  const sys_time<milliseconds> point{milliseconds{unix_ms}};
  const auto day = floor<days>(point);
  const year_month_day date{day};
  const hh_mm_ss time{point - day};
  char buffer[40];
  const int size =
      std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return std::string(buffer, static_cast<std::size_t>(size));
}

std::string UtcTime::to_date() const { return to_iso().substr(0, 10); }

Result<UtcTime> UtcTime::from_iso(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorKind::bad_input, "'" + std::string(text) + "' is not a time like 2026-11-23T10:00:00.123Z");
  };
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text.back() != 'Z') {
    return bad();
  }
  const int y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
  const int h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
  if (y < 0 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59) return bad();
  int ms = 0;
  if (text.size() > 20) {
    if (text[19] != '.' || text.size() < 22 || text.size() > 30) return bad();
    for (std::size_t i = 20; i + 1 < text.size(); ++i) {
      const int digit = digits(text, i, 1);
      if (digit < 0) return bad();
      if (i < 23) ms = ms * 10 + digit;
    }
    for (std::size_t i = text.size() - 1; i < 23; ++i) ms *= 10;
  }
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo < 0 ? 0 : mo)},
                            day{static_cast<unsigned>(d < 0 ? 0 : d)}};
  if (!date.ok()) return bad();
  const auto point = sys_days{date} + hours{h} + minutes{mi} + seconds{s} + milliseconds{ms};
  return UtcTime{duration_cast<milliseconds>(point.time_since_epoch()).count()};
}

}  // namespace palette
