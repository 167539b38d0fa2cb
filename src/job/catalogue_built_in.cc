// Catalogue::built_in: models.yaml as JSON, made when the program is built. Reading YAML takes twenty times as long,
// and every run would pay for it before its first call.
#include "base/json.h"
#include "job/catalogue.h"

namespace palette::job {

extern const std::string_view kCatalogueText;  // its source file is made by catalogue_json and embed_text.cmake

namespace {

// As parse_document gives it, but for the marks: who reads of a complaint about this file finds the place in
// models.yaml by its field.
Node node_of(const Json& json) {
  Node node;
  switch (json.kind()) {
    case boost::json::kind::null:
      break;
    case boost::json::kind::bool_:
      node.kind = Node::Kind::boolean;
      node.boolean = json.get_bool();
      node.text = to_json_text(json);
      break;
    case boost::json::kind::int64:
      node.kind = Node::Kind::integer;
      node.integer = json.get_int64();
      node.number = static_cast<double>(node.integer);
      node.text = to_json_text(json);
      break;
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      node.kind = Node::Kind::number;
      node.number = json.to_number<double>();
      node.text = to_json_text(json);
      break;
    case boost::json::kind::string:
      node.kind = Node::Kind::string;
      node.text = json.get_string();
      break;
    case boost::json::kind::array:
      node.kind = Node::Kind::list;
      node.items.reserve(json.get_array().size());
      for (const Json& item : json.get_array()) node.items.push_back(node_of(item));
      break;
    case boost::json::kind::object:
      node.kind = Node::Kind::map;
      node.members.reserve(json.get_object().size());
      for (const auto& member : json.get_object())
        node.members.push_back({member.key(), Mark{}, node_of(member.value())});
      break;
  }
  return node;
}

}  // namespace

Result<Catalogue> Catalogue::built_in() {
  const Result<Json> json = parse_json(kCatalogueText);
  if (!json) return std::unexpected(json.error());
  const Document document{"models.yaml (built in)", node_of(*json)};
  Catalogue out;
  Diagnostics diagnostics;
  out.add(document, diagnostics);
  if (!diagnostics.ok()) return fail(ErrorKind::internal, diagnostics.sorted().front().text());
  return out;
}

}  // namespace palette::job
