// Does a model take what a job asks of it? Asked before anything is spent.
#pragma once

#include <string>
#include <vector>

#include "job/catalogue.h"
#include "job/spec.h"

namespace palette::model {

// What the catalogue says; of a model that it does not know: everything but caching.
const job::Capabilities& capabilities_of(const job::ResolvedModel& model);

// Is it called by Converse, or by InvokeModel with a body of its family? Bedrock only.
bool uses_converse(const job::ResolvedModel& model);

// Does a system text that is marked for the cache go out with a cache point?
bool offers_cache(const job::ResolvedModel& model);

// One sentence for each option that the model refuses, the option's name in front: "stop: …". Empty: all is well. A
// system text is no complaint anywhere: where a model has no place for it, it goes in front of the prompt. Nothing is
// said of OpenAI's `cache` (such servers cache by themselves or not at all) and of what the catalogue does not know.
std::vector<std::string> unsupported_options(const job::CallOptions& options, bool has_system,
                                             const job::ResolvedModel& model);

}  // namespace palette::model
