// Models that need nothing: no network, no key, no money.
//
// `offline` strings together words that followed one another in the job's own seed data (an n-gram model). What it says
// is plausible noise: it lets a whole pipeline be tried with nothing installed, and is no substitute for a language
// model. `offline/echo` answers with the prompt. Both give the same answer for the same seed, record, step and prompt,
// honour max_tokens (a token is taken as four bytes; they just stop there, which counts as complete), report usage,
// cost nothing, and can be made slow or failing on purpose:
// offline/echo?latency_ms=20&fail_rate=0.1&fail_kind=throttled
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "job/model_name.h"
#include "model/model.h"

namespace palette::model {

// Word trigrams of a text: which words were seen after two given ones.
class NgramCorpus {
 public:
  // Learns from at most kTextBytesMax bytes.
  explicit NgramCorpus(std::string_view text);
  ~NgramCorpus();
  NgramCorpus(const NgramCorpus&) = delete;

  static constexpr std::size_t kTextBytesMax = 512 * 1024;

  // One to three sentences, of at most `bytes_max` bytes: it stops before the word that would not fit.
  std::string generate(std::uint64_t key, std::uint64_t index, std::uint32_t stream, std::size_t bytes_max) const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

// `full_name` is how the job names it; `corpus` may be null for echo.
std::shared_ptr<Model> make_offline_model(std::string full_name, const job::ModelName& name,
                                          std::shared_ptr<const NgramCorpus> corpus);

}  // namespace palette::model
