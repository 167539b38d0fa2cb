// Reads a prompt piece by piece into what the stand-in needs of it: a hash (the answer follows from it) and a number of
// tokens. No text is kept.
//
// The token rule: every text counts ceil(bytes / 4), every message 4 more; an answer counts ceil(bytes / 4). So a
// prompt never has more tokens than UTF-8 bytes plus 16 a message, and an answer cut to 4 * max_tokens bytes never more
// than max_tokens.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace palette::sim {

inline constexpr std::int64_t kBytesPerToken = 4;
inline constexpr std::int64_t kTokensPerMessage = 4;

inline std::int64_t tokens_of(std::string_view text) {
  return (static_cast<std::int64_t>(text.size()) + kBytesPerToken - 1) / kBytesPerToken;
}

// 64 bits of a text, starting from those of what came before. Stable between runs and machines of one byte order.
std::uint64_t hash_text(std::uint64_t before, std::string_view text);

// The end of a prefix that the caller wants cached.
struct CachePoint {
  std::uint64_t prefix_hash = 0;
  std::int64_t prefix_tokens = 0;
  bool one_hour = false;  // else five minutes
};

class PromptMeter {
 public:
  explicit PromptMeter(std::string_view model) : hash_(hash_text(0, model)) {}

  void message(std::string_view role) {
    hash_ = hash_text(hash_, role);
    tokens_ += kTokensPerMessage;
  }
  void text(std::string_view text) {
    hash_ = hash_text(hash_, text);
    tokens_ += tokens_of(text);
  }
  void cache_point(bool one_hour) { cache_points_.push_back({hash_, tokens_, one_hour}); }
  // A sampling parameter: part of the hash, no tokens.
  void parameter(double value);

  std::uint64_t hash() const { return hash_; }
  std::int64_t tokens() const { return tokens_; }
  const std::vector<CachePoint>& cache_points() const { return cache_points_; }

 private:
  std::uint64_t hash_;
  std::int64_t tokens_ = 0;
  std::vector<CachePoint> cache_points_;
};

}  // namespace palette::sim
