// From the names in a job to a Model that can be called: providers, retries and fallbacks put together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/stop_flag.h"
#include "model/model.h"
#include "model/offline_model.h"
#include "model/retry.h"

namespace palette::model {

// What providers need; what a job's models do not use may be null.
struct ModelParts {
  std::shared_ptr<const NgramCorpus> corpus;  // of the stand-in `offline`
  std::shared_ptr<async::StopFlag> stop;      // raised: no further try starts
  RetryPolicy retry;
};

// `names`: fallbacks in order, not empty. bad_input for a name that is none of a model.
Result<std::shared_ptr<Model>> make_model(const std::vector<std::string>& names, const ModelParts& parts);

// Does any of the names need the corpus?
bool needs_corpus(const std::vector<std::string>& names);

}  // namespace palette::model
