#include "job/catalogue.h"

#include <algorithm>
#include <array>

#include "base/nearest.h"

namespace palette::job {
namespace {

using ModelPointer = std::shared_ptr<const ModelInfo>;

// Prefixes of profile ids: "us.anthropic.claude-…". The catalogue may lag behind AWS, so an id with any of them finds
// its model, whether its entry lists that profile or not.
constexpr std::array<std::string_view, 8> kProfilePrefixes = {"us", "us-gov", "ca", "eu", "apac", "jp", "au", "global"};

std::string_view profile_of(std::string_view id) {
  const std::string_view prefix = id.substr(0, id.find('.'));
  const bool known = std::find(kProfilePrefixes.begin(), kProfilePrefixes.end(), prefix) != kProfilePrefixes.end();
  return known && prefix.size() < id.size() ? prefix : std::string_view{};
}

std::string_view without_profile(std::string_view id) {
  const std::string_view prefix = profile_of(id);
  return prefix.empty() ? id : id.substr(prefix.size() + 1);
}

// Prefixes that can be called from a region, the best first. Nothing global leaves GovCloud, and nothing but its own
// enters it.
std::vector<std::string_view> profiles_from(std::string_view region) {
  if (region.starts_with("us-gov-")) return {"us-gov"};
  if (region.starts_with("us-") || region.empty()) return {"us", "global"};
  if (region.starts_with("eu-")) return {"eu", "global"};
  if (region.starts_with("ca-")) return {"ca", "global"};
  if (region == "ap-northeast-1" || region == "ap-northeast-3") return {"apac", "jp", "global"};
  if (region == "ap-southeast-2" || region == "ap-southeast-4") return {"apac", "au", "global"};
  if (region.starts_with("ap-")) return {"apac", "global"};
  return {"global"};
}

// Where a base id may cost more than the price list of us-east-1 says.
bool is_outside_usa(std::string_view region) {
  return !region.empty() && (!region.starts_with("us-") || region.starts_with("us-gov-"));
}

bool has_profile(const ModelInfo& info, std::string_view prefix) {
  return std::find(info.profiles.begin(), info.profiles.end(), prefix) != info.profiles.end();
}

// "us.x, eu.x or global.x"
std::string profile_ids(const ModelInfo& info) {
  std::string out;
  for (std::size_t i = 0; i < info.profiles.size(); ++i) {
    if (i > 0) out += i + 1 == info.profiles.size() ? " or " : ", ";
    out += info.profiles[i] + "." + info.id;
  }
  return out;
}

struct Arn {
  std::string_view region, type, id;  // "us-east-1", "inference-profile", "us.anthropic.claude-…"
};

// arn:<partition>:bedrock:<region>:<account>:<type>/<id>; ids have colons of their own.
std::optional<Arn> parse_arn(std::string_view text) {
  std::array<std::string_view, 5> fields;
  for (std::string_view& field : fields) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    field = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const std::size_t slash = text.find('/');
  const bool fits = fields[0] == "arn" && fields[1].starts_with("aws") && fields[2] == "bedrock" &&
                    slash != std::string_view::npos && slash > 0 && slash + 1 < text.size();
  if (!fits) return std::nullopt;
  return Arn{fields[3], text.substr(0, slash), text.substr(slash + 1)};
}

// Looking up names in a catalogue; it lives as long as one call of resolve().
class Resolver {
 public:
  Resolver(const Catalogue& catalogue, std::string_view text, std::string_view region)
      : catalogue_(catalogue), text_(text), region_(region) {}

  Result<ResolvedModel> resolve() const {
    const std::string_view base = text_.substr(0, text_.find('?'));
    if (base == "none" || base == "offline" || base.starts_with("offline/")) return offline();
    if (text_.starts_with("bedrock/")) return bedrock(text_.substr(8));
    if (text_.starts_with("openai/")) return openai(text_);
    if (text_.starts_with("arn:")) return bedrock(text_);
    if (const ModelPointer info = by_alias()) return aliased(info);
    if (const ModelPointer info = by_id(text_)) {
      if (info->provider == Provider::openai) return openai(text_);
      return bedrock(text_);
    }
    if (const ModelPointer info = by_id(without_profile(text_)); info && info->provider == Provider::bedrock)
      return bedrock(text_);
    if (endpoint_of(text_)) return openai(text_);
    return std::unexpected(unknown());
  }

 private:
  Result<ResolvedModel> offline() const {
    Result<ModelName> parsed = parse_model_name(text_);
    if (!parsed) return std::unexpected(parsed.error());
    ResolvedModel out;
    out.name = text_;
    out.parsed = std::move(*parsed);
    return out;
  }

  Result<ResolvedModel> bedrock(std::string_view id) const {
    Result<ModelName> parsed = named_model(Provider::bedrock, id, text_);
    if (!parsed) return std::unexpected(parsed.error());
    ResolvedModel out;
    out.name = "bedrock/" + std::string(id);
    out.id = id;
    out.parsed = std::move(*parsed);
    std::string_view model_id = id, region = region_;
    if (id.starts_with("arn:")) {
      const std::optional<Arn> arn = parse_arn(id);
      if (!arn) {
        return fail(ErrorKind::bad_input,
                    "the model '" + std::string(text_) + "' is no ARN of Bedrock's; expected is " +
                        "arn:aws:bedrock:<region>:<account>:inference-profile/<id>, or another type in place of "
                        "inference-profile");
      }
      const bool of_model = arn->type == "inference-profile" || arn->type == "foundation-model";
      model_id = of_model ? arn->id : id;
      region = arn->region;
    }
    const std::string_view profile = profile_of(model_id);
    if (profile == "global") out.scope = "global";
    if (profile.empty() && is_outside_usa(region)) out.scope = "elsewhere";
    out.info = by_id(id);  // an entry of the user's may be about this very profile or ARN
    if (!out.info) out.info = by_id(model_id);
    if (!out.info) out.info = by_id(without_profile(model_id));
    if (out.info && out.info->provider != Provider::bedrock) out.info = nullptr;
    if (out.info && out.info->id == model_id && !out.info->on_demand) return std::unexpected(needs_profile(*out.info));
    return out;
  }

  // "openai/<model>", "<endpoint>/<model>", or a model of OpenAI's by its id alone.
  Result<ResolvedModel> openai(std::string_view name) const {
    ResolvedModel out;
    out.endpoint = endpoint_of(name);
    std::string_view id = name;
    if (out.endpoint) id.remove_prefix(out.endpoint->name.size() + 1);
    if (name.starts_with("openai/")) id.remove_prefix(7);
    Result<ModelName> parsed = named_model(Provider::openai, id, text_);
    if (!parsed) return std::unexpected(parsed.error());
    out.parsed = std::move(*parsed);
    out.id = id;
    out.name = out.endpoint ? std::string(name) : "openai/" + std::string(id);
    // What another server calls gpt-4o need not be OpenAI's, nor cost the same: its models have entries by full name.
    out.info = by_id(out.endpoint ? name : id);
    if (out.info && out.info->provider != Provider::openai) out.info = nullptr;
    return out;
  }

  Result<ResolvedModel> aliased(const ModelPointer& info) const {
    if (info->provider == Provider::openai) return openai(info->id);
    for (const std::string_view prefix : profiles_from(region_)) {
      if (has_profile(*info, prefix)) return bedrock(std::string(prefix) + "." + info->id);
    }
    if (info->on_demand) return bedrock(info->id);
    if (!region_.starts_with("us-gov-") && !info->profiles.empty()) {
      // The catalogue knows of no profile for this region. AWS adds some, and it says so if this one is not there.
      return bedrock(info->profiles.front() + "." + info->id);
    }
    return fail(ErrorKind::bad_input, "the model '" + std::string(text_) + "' has no profile that can be called in " +
                                          std::string(region_) + "; known are " + profile_ids(*info) +
                                          ". Choose another region, or write bedrock/ and the id that AWS lists there");
  }

  ModelPointer by_alias() const {
    for (const ModelPointer& info : catalogue_.models()) {
      if (std::find(info->aliases.begin(), info->aliases.end(), text_) != info->aliases.end()) return info;
    }
    return nullptr;
  }

  ModelPointer by_id(std::string_view id) const {
    for (const ModelPointer& info : catalogue_.models()) {
      if (info->id == id) return info;
    }
    return nullptr;
  }

  std::shared_ptr<const Endpoint> endpoint_of(std::string_view name) const {
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) return nullptr;
    for (const auto& endpoint : catalogue_.endpoints()) {
      if (endpoint->name == name.substr(0, slash)) return endpoint;
    }
    return nullptr;
  }

  Error needs_profile(const ModelInfo& info) const {
    return Error{ErrorKind::bad_input, "the model '" + std::string(text_) +
                                           "' cannot be called by its base id, only through an inference profile; "
                                           "use " +
                                           profile_ids(info)};
  }

  // "did you mean X?" by what stands before a slash, if one does, else by the whole.
  Error unknown() const {
    const std::size_t slash = text_.find('/');
    std::vector<std::string_view> known = {"offline", "offline/echo", "none"};
    std::vector<std::string_view> providers = {"bedrock", "openai"};
    for (const auto& endpoint : catalogue_.endpoints()) providers.push_back(endpoint->name);
    for (const ModelPointer& info : catalogue_.models()) {
      known.emplace_back(info->id);
      known.insert(known.end(), info->aliases.begin(), info->aliases.end());
    }
    std::string message = "the model '" + std::string(text_) + "' is not known";
    const std::string_view first = slash == std::string_view::npos ? std::string_view{} : text_.substr(0, slash);
    const std::string_view near_provider = nearest_name(first, providers);
    if (const std::string_view near = nearest_name(text_, known); !near.empty()) {
      message += "; did you mean " + std::string(near) + "?";
    } else if (!first.empty() && !near_provider.empty()) {
      message += "; did you mean " + std::string(near_provider) + std::string(text_.substr(slash)) + "?";
    } else if (!first.empty()) {
      message += "; before the / stands bedrock, openai, offline or the name of an endpoint from a file for --models";
    } else {
      message += "; plot-palette models lists the known ones, and bedrock/<id> or openai/<name> takes any other";
    }
    return Error{ErrorKind::bad_input, message};
  }

  const Catalogue& catalogue_;
  std::string_view text_, region_;
};

}  // namespace

std::string_view to_string(ModelFamily family) {
  switch (family) {
    case ModelFamily::anthropic:
      return "anthropic";
    case ModelFamily::llama:
      return "llama";
    case ModelFamily::mistral_text:
      return "mistral_text";
    case ModelFamily::mistral_chat:
      return "mistral_chat";
    case ModelFamily::nova:
      return "nova";
    case ModelFamily::titan:
      return "titan";
    case ModelFamily::openai:
      return "openai";
    case ModelFamily::other:
      return "other";
  }
  return {};
}

// A write that lasts an hour is left out: requests never ask for one.
std::int64_t TokenPrices::dearest_input(bool with_cache) const {
  // Servers cache by themselves too; only writing into a cache is asked for.
  return with_cache ? std::max({input, cache_read, cache_write}) : std::max(input, cache_read);
}

std::optional<TokenPrices> ResolvedModel::prices(std::string_view tier) const {
  if (parsed.provider == Provider::offline || parsed.provider == Provider::none) return TokenPrices{};
  const bool by_default = tier.empty() || tier == "default";
  if (info && !info->prices.empty()) {
    const std::string suffix = by_default ? "" : "/" + std::string(tier);
    const std::size_t slash = id.starts_with("arn:") ? id.find('/') : std::string::npos;
    const std::string_view called =
        slash == std::string::npos ? std::string_view(id) : std::string_view(id).substr(slash + 1);
    // A geography of its own price decides alone. `global` costs no more than `geo`, which bounds what it does not
    // list.
    for (const std::string_view key : {profile_of(called), std::string_view(scope), std::string_view("geo")}) {
      const bool decides = key != "global" && info->prices.contains(std::string(key));
      if (const auto found = info->prices.find(std::string(key) + suffix); found != info->prices.end())
        return found->second;
      if (decides) break;
    }
    return std::nullopt;
  }
  if (endpoint && by_default) return endpoint->prices;
  return std::nullopt;
}

Result<ResolvedModel> Catalogue::resolve(std::string_view name, std::string_view region) const {
  return Resolver(*this, name, region).resolve();
}

}  // namespace palette::job
