// Catalogue::add: a file of models, endpoints and prices over what is there.
#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "job/catalogue.h"
#include "job/catalogue_reader.h"

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 5> kFileKeys = {"models", "endpoints", "infrastructure", "price_source",
                                                       "price_date"};
constexpr std::size_t kEntriesMax = 10'000;

// The entries of a list, or nothing after a complaint.
std::span<const Node> entries(NodeReader& file, std::string_view key) {
  const Node* node = file.any(key);
  if (node == nullptr) return {};
  if (node->kind != Node::Kind::list || node->items.size() > kEntriesMax) {
    file.complain(
        key, *node,
        "found " +
            (node->kind == Node::Kind::list ? std::to_string(node->items.size()) + " entries" : node->describe()) +
            "; a list of at most 10000 entries is expected");
    return {};
  }
  return node->items;
}

std::string entry_name(std::string_view key, std::size_t number) {
  return std::string(key) + "[" + std::to_string(number) + "]";
}

// Puts an entry in the place of the one with the same key, or at the end.
template <class Entry, class Key>
void put(std::vector<std::shared_ptr<const Entry>>& entries, Entry entry, Key key) {
  auto shared = std::make_shared<const Entry>(std::move(entry));
  const auto same =
      std::find_if(entries.begin(), entries.end(), [&](const auto& other) { return (*other).*key == (*shared).*key; });
  if (same == entries.end()) {
    entries.push_back(std::move(shared));
  } else {
    *same = std::move(shared);
  }
}

// Where entries of this file stand, by id or name, to tell the second of two.
class Seen {
 public:
  // Complains when it was there before.
  bool add(NodeReader& entry, std::string_view key, const std::string& name) {
    const Node& node = *entry.any(key);
    const auto [first, is_new] = lines_.emplace(name, node.mark.line);
    if (!is_new) {
      entry.complain(key, node, "'" + name + "' is there twice; the first is in line " + std::to_string(first->second));
    }
    return is_new;
  }

 private:
  std::map<std::string, std::uint32_t> lines_;
};

// A name must say one model only: what an entry of this file is called, and another model too, is told there.
void check_names(const std::vector<std::shared_ptr<const ModelInfo>>& models, std::span<const Node> nodes,
                 const std::string& file, Diagnostics& diagnostics) {
  std::map<std::string_view, std::vector<const ModelInfo*>> owners;
  for (const auto& model : models) {
    owners[model->id].push_back(model.get());
    for (const std::string& alias : model->aliases) owners[alias].push_back(model.get());
  }
  for (const auto& [name, named] : owners) {
    for (std::size_t number = 0; named.size() > 1 && number < nodes.size(); ++number) {
      const Node* id = nodes[number].find("id");
      if (id == nullptr) continue;
      const auto is_this = [&](const ModelInfo* model) { return model->id == id->text; };
      const auto other = std::find_if_not(named.begin(), named.end(), is_this);
      if (other == named.end() || std::none_of(named.begin(), named.end(), is_this)) continue;
      const Node* aliases = nodes[number].find("aliases");
      diagnostics.error(file, (aliases != nullptr ? *aliases : *id).mark, entry_name("models", number) + ".aliases",
                        "'" + std::string(name) + "' is also a name of " + (*other)->id +
                            "; choose another, or list that model here with aliases that leave it out");
    }
  }
}

}  // namespace

void Catalogue::add(const Document& document, Diagnostics& diagnostics) {
  NodeReader file(document.file, document.root, "", diagnostics);
  if (!file.is_object_of(kFileKeys)) return;
  std::size_t number = 0;
  Seen endpoint_names, model_ids;
  for (const Node& node : entries(file, "endpoints")) {
    NodeReader reader(document.file, node, entry_name("endpoints", number++), diagnostics);
    auto endpoint = read_endpoint(reader, diagnostics);
    if (endpoint && endpoint_names.add(reader, "name", endpoint->name))
      put(endpoints_, std::move(*endpoint), &Endpoint::name);
  }
  ModelSurroundings surroundings;
  surroundings.price_source = file.string("price_source", 500).value_or(document.file);
  surroundings.price_date = read_date(file, "price_date").value_or("");
  surroundings.known = [this](std::string_view id) -> const ModelInfo* {
    const auto found = std::find_if(models_.begin(), models_.end(), [&](const auto& model) { return model->id == id; });
    return found == models_.end() ? nullptr : found->get();
  };
  surroundings.of_endpoint = [this](std::string_view id) {
    return id.find('/') != std::string_view::npos &&
           std::any_of(endpoints_.begin(), endpoints_.end(),
                       [&](const auto& endpoint) { return endpoint->name == id.substr(0, id.find('/')); });
  };
  number = 0;
  const std::span<const Node> models = entries(file, "models");
  for (const Node& node : models) {
    NodeReader reader(document.file, node, entry_name("models", number++), diagnostics);
    auto model = read_model(reader, diagnostics, surroundings);
    if (model && model_ids.add(reader, "id", model->id)) put(models_, std::move(*model), &ModelInfo::id);
  }
  check_names(models_, models, document.file, diagnostics);
  if (const Node* node = file.any("infrastructure")) {
    NodeReader reader(document.file, *node, "infrastructure", diagnostics);
    read_infrastructure(reader, infrastructure_);
  }
}

}  // namespace palette::job
