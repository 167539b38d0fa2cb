#include "job/read_parts.h"

namespace palette::job {

std::vector<std::string> read_models(NodeReader& reader, std::string_view key, std::vector<Mark>& marks) {
  // Names are kept even when they are not known: --model may replace them. check_models complains.
  std::vector<std::string> models = reader.strings(key, limits::kFallbackModelsMax, limits::kNameBytesMax);
  const Node* node = reader.any(key);
  if (node == nullptr) return models;
  if (models.empty() || node->kind != Node::Kind::list) {
    marks.push_back(node->mark);
  } else {
    for (const Node& item : node->items) marks.push_back(item.mark);
  }
  return models;
}

CallOptions read_call_options(NodeReader& reader) {
  CallOptions options;
  options.max_tokens = reader.integer("max_tokens", 1, limits::kMaxTokensMax);
  options.temperature = reader.number("temperature", 0, 2);
  options.top_p = reader.number("top_p", 0, 1);
  options.stop = reader.strings("stop", limits::kStopSequencesMax, limits::kNameBytesMax);
  options.cache = reader.boolean("cache");
  options.accept_truncated = reader.boolean("accept_truncated");
  if (auto tier = reader.string("service_tier", limits::kNameBytesMax)) {
    if (*tier == "default" || *tier == "flex" || *tier == "priority") {
      options.service_tier = tier;
    } else {
      reader.complain("service_tier", *reader.any("service_tier"),
                      "found " + reader.any("service_tier")->describe() + "; allowed are default, flex and priority");
    }
  }
  if (const Node* fields = reader.any("additional_fields")) {
    if (fields->kind == Node::Kind::map) {
      options.additional_fields = fields->to_json().as_object();
    } else {
      reader.complain("additional_fields", *fields, "found " + fields->describe() + "; an object is expected");
    }
  }
  return options;
}

std::optional<TextField> read_text(NodeReader& reader, std::string_view key) {
  if (!reader.string(key, limits::kTemplateBytesMax)) return std::nullopt;
  return TextField{reader.file(), reader.path(key), *reader.any(key)};
}

}  // namespace palette::job
