// One exchange with a provider: no retries, no limits, no money (metered_model.h adds them).
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "async/task.h"
#include "job/catalogue.h"
#include "model/model.h"

namespace palette::model {

// A call that gave no usable answer, and what may have been paid for it.
struct ProviderFailure {
  Error error;
  // nothing: the provider did not act on it, or says that it failed (it bills nothing then).
  // usage: it answered, with this usage, but not usably (empty, say).
  // unknown: it may have worked for us, nobody knows how much.
  enum class Billed : std::uint8_t { nothing, usage, unknown } billed = Billed::nothing;
  Usage usage = {};
};

using ProviderResult = std::expected<ModelResult, ProviderFailure>;

class Provider {
 public:
  virtual ~Provider() = default;

  // ModelResult::cost is left at zero; `usage_known` is false when the answer had no usage.
  virtual async::Task<ProviderResult> ask(std::shared_ptr<ModelRequest> request) = 0;

  virtual const std::string& name() const = 0;
};

}  // namespace palette::model
