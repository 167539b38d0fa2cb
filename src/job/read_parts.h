// Pieces that job files and template files share; for read_spec.cc and read_template.cc only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "job/node_reader.h"
#include "job/spec.h"

namespace palette::job {

// A model or a list of fallbacks. `marks`: where each stands; one when the key is there but wrong.
std::vector<std::string> read_models(NodeReader& reader, std::string_view key, std::vector<Mark>& marks);

// max_tokens, temperature, top_p, stop, cache, service_tier, accept_truncated, additional_fields.
CallOptions read_call_options(NodeReader& reader);

// A template text of at most limits::kTemplateBytesMax, with its place.
std::optional<TextField> read_text(NodeReader& reader, std::string_view key);

TemplateSpec read_template(const std::string& file, const Node& node, const std::string& field,
                           Diagnostics& diagnostics);

}  // namespace palette::job
