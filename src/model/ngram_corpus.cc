#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "model/offline_model.h"

namespace palette::model {
namespace {

constexpr std::uint32_t kEdge = 0;  // the word before the first and after the last

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool ends_sentence(std::string_view word) { return word.ends_with('.') || word.ends_with('!') || word.ends_with('?'); }

}  // namespace

struct NgramCorpus::Tables {
  std::string text;                                    // what the words point into
  std::vector<std::string_view> words{""};             // by number; 0 is the edge
  std::vector<std::array<std::uint32_t, 3>> trigrams;  // sorted

  // The trigrams that begin with (a, b), as a range of positions.
  std::pair<std::size_t, std::size_t> after(std::uint32_t a, std::uint32_t b) const {
    const auto low = std::lower_bound(trigrams.begin(), trigrams.end(), std::array<std::uint32_t, 3>{a, b, 0});
    const auto high = std::lower_bound(low, trigrams.end(), std::array<std::uint32_t, 3>{a, b + 1, 0});
    return {static_cast<std::size_t>(low - trigrams.begin()), static_cast<std::size_t>(high - trigrams.begin())};
  }
};

NgramCorpus::NgramCorpus(std::string_view text) : tables_(std::make_unique<Tables>()) {
  tables_->text = text.substr(0, kTextBytesMax);
  const std::string_view kept = tables_->text;
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  std::uint32_t a = kEdge, b = kEdge;
  for (std::size_t i = 0; i < kept.size();) {
    while (i < kept.size() && is_blank(kept[i])) ++i;
    const std::size_t start = i;
    while (i < kept.size() && !is_blank(kept[i])) ++i;
    // A word that the cut may have torn is left out.
    if (i == start || (i == kept.size() && kept.size() < text.size())) break;
    const std::string_view word = kept.substr(start, i - start);
    const auto [entry, added] = numbers.try_emplace(word, static_cast<std::uint32_t>(tables_->words.size()));
    if (added) tables_->words.push_back(word);
    tables_->trigrams.push_back({a, b, entry->second});
    a = b;
    b = entry->second;
    if (ends_sentence(word)) {
      tables_->trigrams.push_back({a, b, kEdge});
      a = b = kEdge;
    }
  }
  if (b != kEdge) tables_->trigrams.push_back({a, b, kEdge});
  std::sort(tables_->trigrams.begin(), tables_->trigrams.end());
}

NgramCorpus::~NgramCorpus() = default;

std::string NgramCorpus::generate(std::uint64_t key, std::uint64_t index, std::uint32_t stream,
                                  std::size_t bytes_max) const {
  CounterRandom random(key, index, stream);
  const std::size_t sentences = 1 + random.below(3);
  std::string out;
  for (std::size_t done = 0; done < sentences && !tables_->trigrams.empty();) {
    std::uint32_t a = kEdge, b = kEdge;
    // A sentence of at most 60 words: seed data without full stops would never end.
    for (int words = 0; words < 60; ++words) {
      const auto [low, high] = tables_->after(a, b);
      const std::uint32_t next = low == high ? kEdge : tables_->trigrams[low + random.below(high - low)][2];
      if (next == kEdge) break;
      const std::string_view word = tables_->words[next];
      if (out.size() + word.size() + 1 > bytes_max) return out;
      if (!out.empty()) out += ' ';
      out += word;
      a = b;
      b = next;
    }
    ++done;
  }
  return out;
}

}  // namespace palette::model
