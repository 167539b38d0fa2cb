// The limit of open files: each connection is one.
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "http/client.h"

namespace palette::http {

Result<std::uint64_t> raise_file_limit(std::uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return std::unexpected(system_error("getrlimit", "the limit of open files", errno));
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  if (limit.rlim_max < wanted) {
    // Only a privileged process may raise the hard limit; for the others it is what there is.
    rlimit higher{wanted, wanted};
    if (setrlimit(RLIMIT_NOFILE, &higher) == 0) return wanted;
  }
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return std::unexpected(system_error("setrlimit", "the limit of open files", errno));
  return limit.rlim_cur;
}

}  // namespace palette::http
