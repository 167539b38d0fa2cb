// SHA-256 and HMAC-SHA-256 for signing: thousands of short texts a second. OpenSSL's EVP interface looks the algorithm
// up and allocates at each use, which costs more than hashing them; this uses its plain one.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <string>
#include <string_view>

namespace palette::aws {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view data);

// A key whose part of the work is done once (RFC 2104: the two padded key blocks are hashed already).
class HmacKey {
 public:
  explicit HmacKey(std::string_view key);

  Digest of(std::string_view data) const;

 private:
  SHA256_CTX inner_, outer_;
};

std::string_view bytes_of(const Digest& digest);

void append_hex(std::string& out, const Digest& digest);

}  // namespace palette::aws
