#include "model/offline_model.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "async/timer.h"
#include "base/random.h"
#include "base/utf8.h"

namespace palette::model {
namespace {

constexpr std::size_t kBytesPerToken = 4;
constexpr std::int64_t kMaxTokensDefault = 256;

std::int64_t tokens_of(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + kBytesPerToken - 1) / kBytesPerToken);
}

// For tests that count what was paid for: one line "record step-stream attempt" for each answer, when
// PALETTE_OFFLINE_CALL_LOG names a file.
void log_answer(const RequestKey& key) {
  static const int file = [] {
    const char* name = std::getenv("PALETTE_OFFLINE_CALL_LOG");
    return name == nullptr ? -1 : ::open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }();
  if (file < 0) return;
  const std::string line = std::to_string(key.record.value) + " " + std::to_string(key.step_stream) + " " +
                           std::to_string(key.attempt) + "\n";
  [[maybe_unused]] const auto written = ::write(file, line.data(), line.size());
}

class OfflineModel final : public Model {
 public:
  OfflineModel(std::string full_name, job::ModelName name, std::shared_ptr<const NgramCorpus> corpus)
      : full_name_(std::move(full_name)), name_(std::move(name)), corpus_(std::move(corpus)) {}

  const std::string& name() const override { return full_name_; }

  async::Task<Result<ModelResult>> call(std::shared_ptr<ModelRequest> request) override {
    if (name_.latency_ms > 0) {
      if (Status slept = co_await async::sleep_for(name_.latency_ms); !slept) co_return std::unexpected(slept.error());
    }
    if (fails(request->key)) {
      co_return fail(name_.fail_kind, "the model failed on purpose, as " + full_name_ + " says");
    }
    log_answer(request->key);
    co_return answer(*request);
  }

 private:
  bool fails(const RequestKey& key) const {
    if (name_.fail_rate <= 0) return false;
    CounterRandom random(key.seed, static_cast<std::uint64_t>(key.record.value),
                         key.step_stream + stream_of("fail") * static_cast<std::uint32_t>(key.attempt) +
                             stream_of("round") * static_cast<std::uint32_t>(key.round));
    return random.unit() < name_.fail_rate;
  }

  Result<ModelResult> answer(const ModelRequest& request) const {
    std::size_t input_bytes = request.system.size();
    for (const Message& message : request.messages) input_bytes += message.text.size();
    ModelResult result;
    const auto bytes_max =
        static_cast<std::size_t>(request.options.max_tokens.value_or(kMaxTokensDefault)) * kBytesPerToken;
    if (name_.variant == "echo") {
      const std::string& prompt = request.messages.back().text;
      // Without max_tokens an echo is whole.
      result.text = request.options.max_tokens ? std::string(utf8_prefix(prompt, bytes_max)) : prompt;
    } else {
      // The prompt takes part, so that another prompt gives another answer.
      const std::uint64_t key = request.key.seed ^ (std::uint64_t{stream_of(request.messages.back().text)} << 32);
      result.text = corpus_->generate(key, static_cast<std::uint64_t>(request.key.record.value),
                                      request.key.step_stream, bytes_max);
    }
    result.usage = Usage{tokens_of(input_bytes), tokens_of(result.text.size())};
    result.model = full_name_;
    return result;
  }

  std::string full_name_;
  job::ModelName name_;
  std::shared_ptr<const NgramCorpus> corpus_;
};

}  // namespace

std::shared_ptr<Model> make_offline_model(std::string full_name, const job::ModelName& name,
                                          std::shared_ptr<const NgramCorpus> corpus) {
  return std::make_shared<OfflineModel>(std::move(full_name), name, std::move(corpus));
}

}  // namespace palette::model
