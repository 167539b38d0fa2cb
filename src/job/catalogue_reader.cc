#include "job/catalogue_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/nearest.h"

namespace palette::job {
namespace {

constexpr std::size_t kIdBytesMax = 2048;
constexpr std::int64_t kTokensMax = 100'000'000;

template <class Value>
using Choice = std::pair<std::string_view, Value>;

constexpr std::array<Choice<ModelFamily>, 8> kFamilies = {{{"anthropic", ModelFamily::anthropic},
                                                           {"llama", ModelFamily::llama},
                                                           {"mistral_text", ModelFamily::mistral_text},
                                                           {"mistral_chat", ModelFamily::mistral_chat},
                                                           {"nova", ModelFamily::nova},
                                                           {"titan", ModelFamily::titan},
                                                           {"openai", ModelFamily::openai},
                                                           {"other", ModelFamily::other}}};
constexpr std::array<Choice<Provider>, 2> kProviders = {{{"bedrock", Provider::bedrock}, {"openai", Provider::openai}}};

constexpr std::array<Choice<bool Capabilities::*>, 12> kFlags = {
    {{"converse", &Capabilities::converse},
     {"system", &Capabilities::system},
     {"temperature", &Capabilities::temperature},
     {"top_p", &Capabilities::top_p},
     {"temperature_with_top_p", &Capabilities::temperature_with_top_p},
     {"stop", &Capabilities::stop},
     {"prefill", &Capabilities::prefill},
     {"forced_tools", &Capabilities::forced_tools},
     {"cache", &Capabilities::cache},
     {"count_tokens", &Capabilities::count_tokens},
     {"usage_includes_cache", &Capabilities::usage_includes_cache},
     {"max_completion_tokens", &Capabilities::max_completion_tokens}}};

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), fits);
}

bool is_reserved(std::string_view name) {
  return name == "bedrock" || name == "openai" || name == "offline" || name == "none";
}

template <class Value, std::size_t N>
void read_choice(NodeReader& reader, std::string_view key, const std::array<Choice<Value>, N>& choices, Value& to) {
  const auto text = reader.string(key, 100);
  if (!text) return;
  std::string allowed;
  std::vector<std::string_view> names;
  for (const auto& [name, value] : choices) {
    if (name == *text) {
      to = value;
      return;
    }
    names.push_back(name);
    allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  }
  const std::string_view near = nearest_name(*text, names);
  reader.complain(key, *reader.any(key),
                  "found '" + *text + "'; " +
                      (near.empty() ? "allowed are " + allowed : "did you mean " + std::string(near) + "?"));
}

// A list that may be empty, which takes away what was there.
void read_names(NodeReader& reader, std::string_view key, std::string_view what, std::vector<std::string>& to) {
  const Node* node = reader.any(key);
  if (node == nullptr) return;
  to.clear();
  if (node->kind == Node::Kind::list && node->items.empty()) return;
  for (const std::string& name : reader.strings(key, 100, 64)) {
    if (is_name(name) && !is_reserved(name)) {
      to.push_back(name);
    } else {
      reader.complain(key, *node, "found '" + name + "'; " + std::string(what));
    }
  }
}

void read_capabilities(NodeReader& reader, Diagnostics& diagnostics, Capabilities& to) {
  const Node* node = reader.any("capabilities");
  if (node == nullptr) return;
  NodeReader flags(reader.file(), *node, reader.path("capabilities"), diagnostics);
  std::vector<std::string_view> known;
  for (const auto& [name, member] : kFlags) known.push_back(name);
  known.push_back("service_tiers");
  if (!flags.is_object_of(known)) return;
  for (const auto& [name, member] : kFlags) to.*member = flags.boolean(name).value_or(to.*member);
  read_names(flags, "service_tiers", "names such as flex and priority are expected", to.service_tiers);
}

void read_limits(NodeReader& reader, ModelInfo& info) {
  info.context_tokens = reader.integer("context_tokens", 1, kTokensMax).value_or(info.context_tokens);
  info.output_tokens_max = reader.integer("output_tokens_max", 1, kTokensMax).value_or(info.output_tokens_max);
  info.burn_down = reader.integer("burn_down", 1, 100).value_or(info.burn_down);
}

bool is_url(std::string_view url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const auto bad = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '?' || c == '#' || c == 0x7F; };
  return scheme > 0 && url.size() > scheme && url[scheme] != '/' && std::none_of(url.begin(), url.end(), bad);
}

bool is_variable(std::string_view name) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

std::optional<std::string> read_date(NodeReader& reader, std::string_view key) {
  const auto text = reader.string(key, 100);
  if (!text) return std::nullopt;
  bool fits = text->size() == 10;
  for (std::size_t i = 0; fits && i < text->size(); ++i) {
    fits = i == 4 || i == 7 ? (*text)[i] == '-' : std::isdigit(static_cast<unsigned char>((*text)[i])) != 0;
  }
  if (!fits) {
    reader.complain(key, *reader.any(key), "found " + reader.any(key)->describe() + "; YYYY-MM-DD is expected");
    return std::nullopt;
  }
  return text;
}

std::optional<ModelInfo> read_model(NodeReader& reader, Diagnostics& diagnostics,
                                    const ModelSurroundings& surroundings) {
  constexpr std::array<std::string_view, 15> kKeys = {
      "id",        "name",         "vendor",    "provider",       "family",
      "aliases",   "profiles",     "on_demand", "context_tokens", "output_tokens_max",
      "burn_down", "capabilities", "prices",    "price_source",   "price_date"};
  if (!reader.is_object_of(kKeys)) return std::nullopt;
  const auto id = reader.string("id", kIdBytesMax);
  if (!id || id->empty()) {
    if (id || reader.any("id") == nullptr)
      reader.complain_missing("id", "the id that is sent to the provider, e.g. anthropic.claude-3-haiku-20240307-v1:0");
    return std::nullopt;
  }
  const ModelInfo* before = surroundings.known(*id);
  ModelInfo info = before != nullptr ? *before : ModelInfo{};
  info.id = *id;
  if (before == nullptr && surroundings.of_endpoint(*id)) info.provider = Provider::openai;
  read_choice(reader, "provider", kProviders, info.provider);
  if (before == nullptr && info.provider == Provider::openai) info.family = ModelFamily::openai;
  read_choice(reader, "family", kFamilies, info.family);
  info.display_name = reader.string("name", 200).value_or(info.display_name.empty() ? *id : info.display_name);
  info.vendor = reader.string("vendor", 200).value_or(info.vendor);
  read_names(reader, "aliases", "an alias has 1 to 64 letters, digits, - _ and ., and is no provider's name",
             info.aliases);
  read_names(reader, "profiles", "prefixes such as us, eu, apac and global are expected", info.profiles);
  info.on_demand = reader.boolean("on_demand").value_or(info.on_demand);
  read_limits(reader, info);
  read_capabilities(reader, diagnostics, info.capabilities);
  if (reader.any("prices") != nullptr) {
    info.prices = read_price_table(reader, diagnostics);
    info.price_source = surroundings.price_source;
    info.price_date = surroundings.price_date;
  }
  info.price_source = reader.string("price_source", 500).value_or(info.price_source);
  info.price_date = read_date(reader, "price_date").value_or(info.price_date);
  if (const Result<ModelName> named = named_model(info.provider, *id, *id); !named)
    reader.complain("id", *reader.any("id"), named.error().message);
  return info;
}

std::optional<Endpoint> read_endpoint(NodeReader& reader, Diagnostics& diagnostics) {
  constexpr std::array<std::string_view, 5> kKeys = {"name", "url", "key_variable", "prices", "output_tokens_max"};
  if (!reader.is_object_of(kKeys)) return std::nullopt;
  Endpoint out;
  if (reader.any("name") == nullptr) reader.complain_missing("name", "its models are then named <name>/<model>");
  if (const auto name = reader.string("name", 64)) {
    out.name = *name;
    if (!is_name(out.name) || is_reserved(out.name)) {
      reader.complain("name", *reader.any("name"),
                      "found '" + *name + "'; 1 to 64 letters, digits, - _ and . are allowed, but not bedrock, " +
                          "openai, offline and none");
    }
  }
  if (reader.any("url") == nullptr)
    reader.complain_missing("url", "where the server is, with /v1, e.g. http://127.0.0.1:8000/v1");
  if (const auto url = reader.string("url", 2048)) {
    out.url = url->substr(0, url->find_last_not_of('/') + 1);
    if (!is_url(out.url))
      reader.complain("url", *reader.any("url"),
                      "found '" + *url +
                          "'; http:// or https:// with a host, a path such as /v1 and nothing after it "
                          "is expected");
  }
  if (const auto variable = reader.string("key_variable", 200)) {
    out.key_variable = *variable;
    // What is found is not told: it may be the key itself.
    if (!variable->empty() && !is_variable(*variable))
      reader.complain("key_variable", *reader.any("key_variable"),
                      "the name of an environment variable that holds the key is expected, e.g. MY_SERVER_KEY, "
                      "not the key");
  }
  if (const Node* prices = reader.any("prices")) {
    NodeReader table(reader.file(), *prices, reader.path("prices"), diagnostics);
    out.prices = read_token_prices(table);
  }
  out.output_tokens_max = reader.integer("output_tokens_max", 1, kTokensMax).value_or(0);
  if (out.name.empty() || out.url.empty()) return std::nullopt;
  return out;
}

}  // namespace palette::job
