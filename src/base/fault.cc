#include "base/fault.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace palette::fault {
namespace {

struct Settings {
  long crash_at = 0;
  int trace_fd = -1;
  Settings() {
    if (const char* at = std::getenv("PALETTE_CRASH_AT_WRITE")) crash_at = std::atol(at);
    if (const char* file = std::getenv("PALETTE_CRASH_TRACE")) {
      trace_fd = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
  }
};

}  // namespace

void durable_write(std::string_view name) {
  static const Settings settings;
  if (settings.crash_at == 0 && settings.trace_fd < 0) return;
  static std::atomic<long> passed = 0;
  const long n = ++passed;
  if (settings.trace_fd >= 0) {
    const std::string line = std::to_string(n) + " " + std::string(name) + "\n";
    [[maybe_unused]] auto written = ::write(settings.trace_fd, line.data(), line.size());
  }
  if (n == settings.crash_at) ::kill(::getpid(), SIGKILL);
}

}  // namespace palette::fault
