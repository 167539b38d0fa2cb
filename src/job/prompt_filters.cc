#include "job/prompt_filters.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"

namespace palette::job {
namespace {

constexpr std::int64_t kBytesPerToken = 4;

// Function words of four letters and more: the shorter ones never count.
constexpr std::array<std::string_view, 70> kFunctionWords = {
    "about",  "above", "after",  "again",   "also",   "although", "among", "another", "because", "been",
    "before", "being", "below",  "between", "both",   "cannot",   "could", "does",    "doing",   "down",
    "during", "each",  "either", "else",    "ever",   "every",    "from",  "have",    "having",  "here",
    "into",   "just",  "many",   "might",   "more",   "most",     "much",  "must",    "only",    "other",
    "ours",   "over",  "same",   "shall",   "should", "since",    "some",  "such",    "than",    "that",
    "their",  "them",  "then",   "there",   "these",  "they",     "this",  "those",   "through", "under",
    "until",  "very",  "were",   "what",    "when",   "where",    "which", "while",   "with",    "would"};

constexpr std::array<std::string_view, 12> kStyles = {
    "formal and precise",      "casual and friendly",          "concise and factual",     "vivid and descriptive",
    "playful and humorous",    "technical and detailed",       "plain and simple",        "persuasive and confident",
    "reflective and personal", "academic and well structured", "conversational and warm", "dry and understated"};

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalpha(byte) || c == '\'';
}

template <class Visit>
void for_each_word(std::string_view text, Visit visit) {
  for (std::size_t i = 0; i < text.size();) {
    if (!is_word_byte(text[i])) {
      ++i;
      continue;
    }
    const std::size_t start = i;
    while (i < text.size() && is_word_byte(text[i])) ++i;
    visit(text.substr(start, i - start));
  }
}

std::string lower_ascii(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Result<std::int64_t> count_argument(const jinja::Call& call, std::string_view filter,
                                    std::optional<std::int64_t> by_default) {
  if (call.args.size() == 1 && by_default) return *by_default;
  if (call.args.size() == 2) {
    const Json n = call.args[1].to_json();
    if (n.is_int64() && n.get_int64() >= 0) return n.get_int64();
  }
  return fail(ErrorKind::bad_input,
              std::string(filter) + " takes one number that is not negative, e.g. " + std::string(filter) + "(5)");
}

Result<jinja::Value> truncate_filter(jinja::Call& call) {
  const Result<std::int64_t> tokens = count_argument(call, "truncate_tokens", std::nullopt);
  if (!tokens) return std::unexpected(tokens.error());
  const std::string text = call.args[0].to_text();
  return jinja::Value::of(std::string(truncate_tokens(text, *tokens)));
}

Result<jinja::Value> keywords_filter(jinja::Call& call) {
  const Result<std::int64_t> count = count_argument(call, "extract_keywords", 5);
  if (!count) return std::unexpected(count.error());
  std::vector<jinja::Value> words;
  for (const std::string& word : extract_keywords(call.args[0].to_text(), static_cast<std::size_t>(*count))) {
    words.push_back(jinja::Value::of(word));
  }
  return jinja::Value::list(std::move(words));
}

Result<jinja::Value> random_sentence_filter(jinja::Call& call) {
  if (call.args.size() != 1) return fail(ErrorKind::bad_input, "random_sentence takes no arguments");
  const std::string text = call.args[0].to_text();
  const std::vector<std::string_view> sentences = sentences_of(text);
  if (sentences.empty()) return jinja::Value::of(std::string());
  return jinja::Value::of(std::string(sentences[call.draw(text, sentences.size())]));
}

Result<jinja::Value> writing_style_filter(jinja::Call& call) {
  if (call.args.size() != 1) return fail(ErrorKind::bad_input, "writing_style takes no arguments");
  return jinja::Value::of(describe_style(call.args[0].to_text()));
}

Result<jinja::Value> writing_style_function(jinja::Call& call) {
  if (!call.args.empty())
    return fail(ErrorKind::bad_input,
                "writing_style() takes no arguments; to describe a text say {{ text | writing_style }}");
  return jinja::Value::of(std::string(kStyles[call.draw("writing_style", kStyles.size())]));
}

}  // namespace

std::string_view truncate_tokens(std::string_view text, std::int64_t tokens) {
  const auto bytes_max = static_cast<std::size_t>(std::min<std::int64_t>(tokens, 1 << 30) * kBytesPerToken);
  if (text.size() <= bytes_max) return text;
  const std::string_view cut = utf8_prefix(text, bytes_max);
  const std::size_t blank = cut.find_last_of(" \t\r\n");
  const bool cuts_a_word = std::string_view(" \t\r\n").find(text[cut.size()]) == std::string_view::npos;
  // A text without blanks (Chinese, say) is cut between characters.
  if (!cuts_a_word || blank == std::string_view::npos || blank < cut.size() / 2) return cut;
  return cut.substr(0, blank);
}

std::vector<std::string> extract_keywords(std::string_view text, std::size_t count) {
  struct Counted {
    std::string word;
    std::size_t times = 0;
  };
  std::vector<Counted> words;
  std::unordered_map<std::string, std::size_t> position;
  for_each_word(text, [&](std::string_view word) {
    std::string lower = lower_ascii(word);
    if (lower.ends_with("'s")) lower.resize(lower.size() - 2);
    if (count_code_points(lower) < 4) return;
    if (std::binary_search(kFunctionWords.begin(), kFunctionWords.end(), std::string_view(lower))) return;
    const auto [entry, added] = position.try_emplace(lower, words.size());
    if (added) words.push_back(Counted{lower});
    ++words[entry->second].times;
  });
  std::stable_sort(words.begin(), words.end(), [](const Counted& a, const Counted& b) { return a.times > b.times; });
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(count, words.size()); ++i) out.push_back(std::move(words[i].word));
  return out;
}

std::vector<std::string_view> sentences_of(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kWideEnds = {"。", "！", "？"};
  std::vector<std::string_view> out;
  std::size_t start = 0;
  const auto end_at = [&](std::size_t end) {
    if (const std::string_view sentence = trimmed(text.substr(start, end - start)); !sentence.empty())
      out.push_back(sentence);
    start = end;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool last = i + 1 == text.size();
    const bool stop = text[i] == '.' || text[i] == '!' || text[i] == '?';
    if (text[i] == '\n' || (stop && (last || std::isspace(static_cast<unsigned char>(text[i + 1]))))) {
      end_at(i + 1);
    } else if (std::find(kWideEnds.begin(), kWideEnds.end(), text.substr(i, 3)) != kWideEnds.end()) {
      end_at(i + 3);
    }
  }
  end_at(text.size());
  return out;
}

std::string describe_style(std::string_view text) {
  std::size_t words = 0, letters = 0, first_person = 0, second_person = 0;
  for_each_word(text, [&](std::string_view word) {
    const std::string lower = lower_ascii(word);
    ++words;
    letters += count_code_points(lower);
    first_person +=
        lower == "i" || lower == "we" || lower == "my" || lower == "our" || lower == "me" || lower.starts_with("i'");
    second_person += lower == "you" || lower == "your" || lower.starts_with("you'");
  });
  if (words == 0) return "no text";
  const std::vector<std::string_view> sentences = sentences_of(text);
  const double words_a_sentence =
      static_cast<double>(words) / static_cast<double>(std::max<std::size_t>(sentences.size(), 1));
  const double letters_a_word = static_cast<double>(letters) / static_cast<double>(words);
  const auto asking =
      std::count_if(sentences.begin(), sentences.end(), [](std::string_view s) { return s.ends_with('?'); });
  const auto calling =
      std::count_if(sentences.begin(), sentences.end(), [](std::string_view s) { return s.ends_with('!'); });

  std::string out = words_a_sentence < 10   ? "short sentences"
                    : words_a_sentence < 20 ? "sentences of medium length"
                                            : "long sentences";
  out += letters_a_word < 4.6 ? ", plain words" : letters_a_word < 5.6 ? ", everyday words" : ", learned words";
  if (first_person * 40 >= words)
    out += ", first person";
  else if (second_person * 40 >= words)
    out += ", addressing the reader";
  else
    out += ", impersonal";
  if (asking * 3 >= static_cast<long>(sentences.size())) out += ", asking";
  if (calling * 3 >= static_cast<long>(sentences.size())) out += ", emphatic";
  return out;
}

jinja::Environment make_prompt_environment(jinja::Loader loader) {
  jinja::Environment environment;
  environment.set_loader(std::move(loader));
  environment.add_filter("truncate_tokens", truncate_filter);
  environment.add_filter("extract_keywords", keywords_filter);
  environment.add_filter("random_sentence", random_sentence_filter);
  environment.add_filter("writing_style", writing_style_filter);
  environment.add_function("writing_style", writing_style_function);
  return environment;
}

}  // namespace palette::job
