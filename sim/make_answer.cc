#include <array>

#include "answer.h"
#include "base/random.h"
#include "base/utf8.h"

namespace palette::sim {
namespace {

constexpr std::int64_t kWordsLeast = 20, kWordsMost = 60;
constexpr std::int64_t kRoomLeast_tokens = 32;
constexpr std::int64_t kSentenceLeast = 6, kSentenceMost = 14;

constexpr std::array<std::string_view, 128> kWords = {
    "river",   "quiet",   "method",   "green",   "carries", "often",     "the",    "a",       "small",   "village",
    "learns",  "from",    "paper",    "light",   "and",     "when",      "people", "measure", "bread",   "their",
    "winter",  "songs",   "with",     "simple",  "tools",   "in",        "every",  "garden",  "stone",   "walls",
    "keep",    "warm",    "air",      "near",    "water",   "of",        "early",  "morning", "trade",   "routes",
    "crossed", "high",    "valleys",  "until",   "new",     "roads",     "made",   "it",      "easier",  "to",
    "travel",  "salt",    "was",      "worth",   "more",    "than",      "gold",   "because", "food",    "could",
    "be",      "kept",    "for",      "months",  "ships",   "sailed",    "along",  "coast",   "by",      "stars",
    "careful", "notes",   "helped",   "farmers", "choose",  "seeds",     "that",   "grow",    "well",    "under",
    "dry",     "skies",   "children", "ask",     "clear",   "questions", "about",  "numbers", "answers", "come",
    "slowly",  "at",      "first",    "then",    "all",     "once",      "old",    "maps",    "show",    "how",
    "far",     "markets", "were",     "spread",  "across",  "plains",    "each",   "town",    "has",     "one",
    "clock",   "tower",   "whose",    "bell",    "rings",   "before",    "noon",   "while",   "workers", "rest",
    "between", "shifts",  "reading",  "letters", "sent",    "home",      "again",  "today"};

// Takes seven bits at a time of a stream of random numbers: the draws of an answer cost a few of them.
class SmallDraws {
 public:
  explicit SmallDraws(std::uint64_t key) : random_(key, 0, stream_of("answer")) {}

  unsigned next() {
    if (left_ == 0) {
      bits_ = random_.next();
      left_ = 9;
    }
    const auto drawn = static_cast<unsigned>(bits_ & 127);
    bits_ >>= 7;
    --left_;
    return drawn;
  }

 private:
  CounterRandom random_;
  std::uint64_t bits_ = 0;
  int left_ = 0;
};

// `fits`: ends by itself before `bytes_max`; else it may be a word longer, to be cut.
std::string make_words(std::uint64_t hash, std::int64_t words, std::size_t bytes_max, bool fits) {
  SmallDraws draws(hash);
  if (words == 0) words = kWordsLeast + draws.next() % (kWordsMost - kWordsLeast + 1);
  std::string text;
  text.reserve(std::min(static_cast<std::size_t>(words) * 8, bytes_max + 16));
  std::int64_t in_sentence = 0;
  for (std::int64_t i = 0; i < words && text.size() <= bytes_max; ++i) {
    const std::string_view word = kWords[draws.next()];
    if (fits && !text.empty() && text.size() + word.size() + 2 > bytes_max) {  // with a blank and a full stop
      if (text.back() != '.') text += '.';
      break;
    }
    if (!text.empty()) text += ' ';
    const std::size_t start = text.size();
    text += word;
    if (in_sentence == 0) text[start] = static_cast<char>(text[start] - 'a' + 'A');
    ++in_sentence;
    const bool ends = in_sentence >= kSentenceMost || (in_sentence >= kSentenceLeast && draws.next() < 16);
    if (ends || i + 1 == words) {
      text += '.';
      in_sentence = 0;
    }
  }
  return text;
}

}  // namespace

Answer make_answer(const Call& call, std::int64_t words) {
  constexpr std::size_t kBytesMax = 64 * 1024 * 1024;
  std::size_t bytes_max = kBytesMax;
  if (call.max_tokens && *call.max_tokens < static_cast<std::int64_t>(kBytesMax) / kBytesPerToken)
    bytes_max = static_cast<std::size_t>(*call.max_tokens * kBytesPerToken);
  Answer answer;
  if (call.shape == Shape::titan_embedding) return answer;
  // A model that is given room for a few sentences mostly ends within it.
  const bool fits = words == 0 && bytes_max >= static_cast<std::size_t>(kRoomLeast_tokens * kBytesPerToken);
  answer.text = make_words(call.prompt_hash, words, bytes_max, fits);
  if (answer.text.size() > bytes_max) {
    answer.text.resize(utf8_prefix(answer.text, bytes_max).size());
    answer.stop = Stop::max_tokens;
  }
  for (const std::string& sequence : call.stop) {
    const std::size_t met = answer.text.find(sequence);
    if (met == std::string::npos) continue;
    answer.text.resize(met);
    answer.stop = Stop::stop_sequence;
    answer.stop_sequence = sequence;
  }
  return answer;
}

}  // namespace palette::sim
