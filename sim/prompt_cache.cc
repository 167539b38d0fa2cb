#include "prompt_cache.h"

namespace palette::sim {
namespace {

constexpr std::int64_t kFiveMinutes_ms = 5 * 60'000;
constexpr std::int64_t kHour_ms = 60 * 60'000;

}  // namespace

void PromptCache::forget_old(std::int64_t now_ms) {
  std::erase_if(expires_ms_, [&](const auto& entry) { return entry.second <= now_ms; });
  if (expires_ms_.size() >= kPrefixesMax) expires_ms_.clear();
}

Usage PromptCache::split(const std::vector<CachePoint>& points, std::int64_t input_tokens, std::int64_t tokens_min,
                         std::int64_t now_ms) {
  Usage usage;
  usage.input = input_tokens;
  const CachePoint* last = nullptr;
  for (const CachePoint& point : points) {
    if (point.prefix_tokens < tokens_min) continue;
    last = &point;
    const auto known = expires_ms_.find(point.prefix_hash);
    if (known != expires_ms_.end() && known->second > now_ms) usage.cache_read = point.prefix_tokens;
  }
  if (last == nullptr) return usage;
  const std::int64_t written = last->prefix_tokens - usage.cache_read;
  (last->one_hour ? usage.cache_write_1h : usage.cache_write) = written;
  usage.input = input_tokens - last->prefix_tokens;
  if (expires_ms_.size() >= kPrefixesMax) forget_old(now_ms);
  for (const CachePoint& point : points) {  // reading a prefix makes it live longer, too
    if (point.prefix_tokens >= tokens_min)
      expires_ms_[point.prefix_hash] = now_ms + (point.one_hour ? kHour_ms : kFiveMinutes_ms);
  }
  return usage;
}

}  // namespace palette::sim
