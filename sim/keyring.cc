#include "keyring.h"

#include <cctype>

#include "base/ids.h"

namespace palette::sim {

Keyring::Keyring(const std::vector<aws::SigningCredentials>& fixed) {
  for (const aws::SigningCredentials& credentials : fixed)
    keys_[credentials.access_key_id] = Key{credentials, std::nullopt};
}

Key Keyring::issue(UtcTime now, std::int64_t ttl_s) {
  std::string id = "ASIA" + random_hex_id().substr(0, 16);  // ASIA: temporary, as opposed to AKIA
  for (char& c : id) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  Key key{{id, random_hex_id() + random_hex_id().substr(0, 8), "sim-session-" + random_hex_id()},
          UtcTime{now.unix_ms + ttl_s * 1000}};
  if (issued_.size() < kIssuedMax) {
    issued_.push_back(id);
  } else {
    std::string& oldest = issued_[issued_count_ % kIssuedMax];
    keys_.erase(oldest);
    oldest = id;
  }
  ++issued_count_;
  return keys_[id] = std::move(key);
}

const Key* Keyring::find(std::string_view access_key_id) const {
  const auto found = keys_.find(access_key_id);
  return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace palette::sim
