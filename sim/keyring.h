// The access keys that the stand-in accepts: those of its command line, and those that its metadata endpoints gave out,
// until they expire.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4.h"
#include "base/time.h"

namespace palette::sim {

struct Key {
  aws::SigningCredentials credentials;
  std::optional<UtcTime> expires_at;  // none: it does not
};

class Keyring {
 public:
  static constexpr std::size_t kIssuedMax = 10'000;  // beyond, the oldest are forgotten

  explicit Keyring(const std::vector<aws::SigningCredentials>& fixed);

  // A new key with a session token, good for `ttl_s` seconds.
  Key issue(UtcTime now, std::int64_t ttl_s);
  // Null: nobody was given that key.
  const Key* find(std::string_view access_key_id) const;

 private:
  std::map<std::string, Key, std::less<>> keys_;
  std::vector<std::string> issued_;  // a ring, oldest at issued_count_ % kIssuedMax
  std::uint64_t issued_count_ = 0;
};

}  // namespace palette::sim
