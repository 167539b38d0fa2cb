#include "prompt_meter.h"

#include <bit>
#include <cstring>

namespace palette::sim {
namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

}  // namespace

std::uint64_t hash_text(std::uint64_t before, std::string_view text) {
  std::uint64_t hash = mixed(before ^ (text.size() + 0x9e3779b97f4a7c15ULL));
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = text.size() < sizeof word ? text.size() : sizeof word;
    std::memcpy(&word, text.data(), size);
    hash = mixed(hash ^ word);
    text.remove_prefix(size);
  }
  return hash;
}

void PromptMeter::parameter(double value) { hash_ = mixed(hash_ ^ std::bit_cast<std::uint64_t>(value)); }

}  // namespace palette::sim
