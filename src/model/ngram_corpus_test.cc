#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <sstream>

#include "base/utf8.h"
#include "model/offline_model.h"

namespace palette::model {
namespace {

constexpr std::size_t kLong = 100'000;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

TEST(NgramCorpus, SaysOneToThreeSentencesOfWhatItRead) {
  const NgramCorpus corpus("The cat sat.\nA dog\tran! Who came? ");
  std::set<std::size_t> sentences;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::string text = corpus.generate(1, i, 0, kLong);
    std::string rest = text;
    std::size_t count = 0;
    for (const char* sentence : {"The cat sat.", "A dog ran!", "Who came?"}) {
      for (std::size_t at; (at = rest.find(sentence)) != std::string::npos; ++count) {
        rest.erase(at, std::string(sentence).size());
      }
    }
    EXPECT_EQ(rest.find_first_not_of(' '), std::string::npos) << text;
    sentences.insert(count);
  }
  EXPECT_EQ(sentences, (std::set<std::size_t>{1, 2, 3}));
}

TEST(NgramCorpus, EveryThreeWordsWereSeenInThatOrder) {
  const std::string source =
      "The cat sat on the mat. The cat ate the fish. A dog sat on the cat. The dog ate the fish on the mat.";
  const NgramCorpus corpus(source);
  std::set<std::string> texts;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::string text = corpus.generate(1, i, 0, kLong);
    texts.insert(text);
    EXPECT_THAT(text, ::testing::AnyOf(::testing::StartsWith("The "), ::testing::StartsWith("A ")));
    const std::vector<std::string> words = words_of(text);
    for (std::size_t k = 0; k + 2 < words.size(); ++k) {
      if (words[k].ends_with('.') || words[k + 1].ends_with('.')) continue;  // the next sentence has begun
      const std::string three = words[k] + " " + words[k + 1] + " " + words[k + 2];
      EXPECT_NE(source.find(three), std::string::npos) << three;
    }
  }
  EXPECT_GT(texts.size(), 10u);
}

TEST(NgramCorpus, IsAFunctionOfKeyIndexAndStream) {
  const std::string source = "the cat sat on the mat and the cat ate the fish while the dog sat on the cat";
  const NgramCorpus one(source), other(source);
  std::set<std::string> keys, streams;
  for (std::uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(one.generate(i, 2, 3, kLong), other.generate(i, 2, 3, kLong));
    keys.insert(one.generate(i, 2, 3, kLong));
    streams.insert(one.generate(1, 2, static_cast<std::uint32_t>(i), kLong));
  }
  EXPECT_GT(keys.size(), 5u);
  EXPECT_GT(streams.size(), 5u);
}

TEST(NgramCorpus, StopsBeforeTheWordThatWouldNotFit) {
  const NgramCorpus corpus("eins zwei drei vier");
  EXPECT_EQ(corpus.generate(1, 1, 1, 3), "");
  EXPECT_THAT(corpus.generate(1, 1, 1, 10), ::testing::StartsWith("eins"));
  for (std::uint64_t i = 0; i < 30; ++i) {
    for (std::size_t bytes = 0; bytes < 40; ++bytes) {
      const std::string text = corpus.generate(1, i, 1, bytes);
      EXPECT_LE(text.size(), bytes);
      for (const std::string& word : words_of(text)) {
        EXPECT_THAT(word, ::testing::AnyOf("eins", "zwei", "drei", "vier")) << text;
      }
    }
  }
}

// Text without a full stop would go round and round.
TEST(NgramCorpus, ASentenceEnds) {
  const NgramCorpus corpus("a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a");
  std::size_t longest = 0;
  for (std::uint64_t i = 0; i < 200; ++i) longest = std::max(longest, words_of(corpus.generate(1, i, 1, kLong)).size());
  EXPECT_GT(longest, 60u);
  EXPECT_LE(longest, 180u);
}

TEST(NgramCorpus, OfNothingSaysNothing) {
  EXPECT_EQ(NgramCorpus("").generate(1, 1, 1, kLong), "");
  EXPECT_EQ(NgramCorpus(" \n\t ").generate(1, 1, 1, kLong), "");
}

// Promise 7: it reads at most so much, and a word that the cut tears is not learnt.
TEST(Promise7, LearnsFromABoundedPartOfTheText) {
  std::string text;
  while (text.size() + 4 < NgramCorpus::kTextBytesMax) text += "wort ";
  text += "wöörtchen ende";
  const NgramCorpus corpus(text);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string said = corpus.generate(1, i, 1, kLong);
    EXPECT_EQ(find_invalid_utf8(said), std::string_view::npos);
    for (const std::string& word : words_of(said)) EXPECT_EQ(word, "wort");
  }
}

}  // namespace
}  // namespace palette::model
