// Prompt caching: which prefixes were seen lately (reference: Amazon Bedrock user guide, prompt caching).
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "answer.h"
#include "prompt_meter.h"

namespace palette::sim {

class PromptCache {
 public:
  static constexpr std::size_t kPrefixesMax = 100'000;

  // Splits the input of a call that will be billed: the longest prefix that is known is read, what lies between it and
  // the last cache point is written. Points before `tokens_min` tokens are ignored, as the service does.
  Usage split(const std::vector<CachePoint>& points, std::int64_t input_tokens, std::int64_t tokens_min,
              std::int64_t now_ms);
  void clear() { expires_ms_.clear(); }

 private:
  void forget_old(std::int64_t now_ms);

  std::unordered_map<std::uint64_t, std::int64_t> expires_ms_;  // by the prefix's hash
};

}  // namespace palette::sim
