// plot-palette models: what can be called, what it can do, what it costs.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "aws/service.h"
#include "cli/command.h"
#include "cli/diagnostics_output.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "job/model_directory.h"

namespace palette::cli {
namespace {

using ModelPointer = std::shared_ptr<const job::ModelInfo>;

struct ModelsOptions {
  CommonOptions common;
  std::vector<std::string> words;
  std::filesystem::path models_file;
  std::string region;
};

struct Row {
  ModelPointer info;
  job::ResolvedModel called;  // what the model's name stands for in the region
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// Every one of the words in the names of the model.
bool matches(const job::ModelInfo& info, const std::vector<std::string>& words) {
  const std::string names = lower(info.id + " " + info.display_name + " " + info.vendor + " " + joined(info.aliases) +
                                  " " + std::string(job::to_string(info.provider)));
  return std::all_of(words.begin(), words.end(),
                     [&](const std::string& word) { return names.find(lower(word)) != std::string::npos; });
}

// By an alias if it has one, because an alias chooses the profile for the region.
job::ResolvedModel resolve(const job::Catalogue& catalogue, const ModelPointer& info, const std::string& region) {
  std::vector<std::string> names = info->aliases;
  names.push_back(info->id);
  for (const std::string& profile : info->profiles) names.push_back(profile + "." + info->id);
  for (const std::string& name : names) {
    if (auto model = catalogue.resolve(name, region); model && model->info == info) return std::move(*model);
  }
  return {};  // not to be called from this region
}

std::string usd(std::int64_t pico_per_token) { return Money{pico_per_token * 1'000'000}.to_decimal(); }

// What is more or less than usual: "cache, flex; no temperature".
std::string abilities(const job::Capabilities& can) {
  std::vector<std::string> more = can.service_tiers, less;
  if (can.cache) more.insert(more.begin(), "cache");
  if (!can.system) less.emplace_back("system");
  if (!can.temperature) less.emplace_back("temperature");
  if (!can.top_p) less.emplace_back("top_p");
  if (can.temperature && can.top_p && !can.temperature_with_top_p) less.emplace_back("temperature with top_p");
  if (!can.stop) less.emplace_back("stop");
  std::string out = joined(more);
  if (!less.empty()) out += (out.empty() ? "no " : "; no ") + joined(less);
  return out;
}

JsonObject prices_json(const std::map<std::string, job::TokenPrices>& prices) {
  const auto number = [](std::int64_t pico) { return std::strtod(usd(pico).c_str(), nullptr); };
  JsonObject out;
  for (const auto& [scope, price] : prices) {
    out[scope] = JsonObject{{"input", number(price.input)},
                            {"output", number(price.output)},
                            {"cache_read", number(price.cache_read)},
                            {"cache_write", number(price.cache_write)},
                            {"cache_write_1h", number(price.cache_write_1h)}};
  }
  return out;
}

JsonArray names_json(const std::vector<std::string>& names) { return JsonArray(names.begin(), names.end()); }

JsonObject capabilities_json(const job::Capabilities& can) {
  return JsonObject{{"converse", can.converse},
                    {"system", can.system},
                    {"temperature", can.temperature},
                    {"top_p", can.top_p},
                    {"temperature_with_top_p", can.temperature_with_top_p},
                    {"stop", can.stop},
                    {"prefill", can.prefill},
                    {"forced_tools", can.forced_tools},
                    {"cache", can.cache},
                    {"count_tokens", can.count_tokens},
                    {"usage_includes_cache", can.usage_includes_cache},
                    {"max_completion_tokens", can.max_completion_tokens},
                    {"service_tiers", names_json(can.service_tiers)}};
}

JsonObject model_json(const Row& row) {
  const job::ModelInfo& info = *row.info;
  JsonObject out;
  out["id"] = info.id;
  out["name"] = info.display_name;
  out["aliases"] = names_json(info.aliases);
  out["vendor"] = info.vendor;
  out["provider"] = std::string(job::to_string(info.provider));
  out["family"] = std::string(job::to_string(info.family));
  out["profiles"] = names_json(info.profiles);
  out["on_demand"] = info.on_demand;
  out["called_as"] = row.called.name.empty() ? Json(nullptr) : Json(row.called.name);
  out["scope"] = row.called.scope;
  out["context_tokens"] = info.context_tokens;
  out["output_tokens_max"] = info.output_tokens_max;
  out["burn_down"] = info.burn_down;
  out["prices"] = prices_json(info.prices);
  out["price_date"] = info.price_date;
  out["price_source"] = info.price_source;
  out["capabilities"] = capabilities_json(info.capabilities);
  return out;
}

TableRow cells_of(const Row& row) {
  const job::ModelInfo& info = *row.info;
  const auto prices = row.called.prices("");
  const auto price = [&](std::int64_t pico) { return prices ? dollars(usd(pico)) : std::string("?"); };
  const auto tokens = [](std::int64_t number) { return number == 0 ? std::string("?") : grouped(number); };
  return {joined(info.aliases.empty() ? std::vector<std::string>{info.id} : info.aliases),
          price(prices ? prices->input : 0),
          price(prices ? prices->output : 0),
          tokens(info.context_tokens),
          tokens(info.output_tokens_max),
          abilities(info.capabilities),
          row.called.name.empty() ? "(not in this region)" : row.called.name};
}

void print_models(const std::vector<Row>& rows) {
  std::vector<TableRow> table = {{"NAME", "INPUT", "OUTPUT", "CONTEXT", "MAX OUTPUT", "CAN", "CALLED AS"}};
  for (const Row& row : rows) table.push_back(cells_of(row));
  print_table(table, {1, 2, 3, 4});
}

void print_endpoints(const job::Catalogue& catalogue) {
  for (const auto& endpoint : catalogue.endpoints()) {
    std::printf("%s/<model>: %s%s\n", endpoint->name.c_str(), endpoint->url.c_str(),
                endpoint->key_variable.empty() ? "" : (", key in " + endpoint->key_variable).c_str());
  }
}

int list_models(const ModelsOptions& options) {
  std::string region = options.region;
  if (region.empty()) region = aws::region_of(aws::Environment::of_process());
  if (region.empty()) region = "us-east-1";
  job::ModelDirectory directory(options.models_file, region);
  job::Diagnostics diagnostics;
  const job::Catalogue& catalogue = directory.open(diagnostics);
  tell_findings(diagnostics, false);
  if (!diagnostics.ok()) return kBadInput;
  std::vector<Row> rows;
  for (const ModelPointer& info : catalogue.models()) {
    if (matches(*info, options.words)) rows.push_back({info, resolve(catalogue, info, region)});
  }
  if (options.common.json) {
    JsonArray array;
    for (const Row& row : rows) array.emplace_back(model_json(row));
    std::printf("%s\n", to_json_text(array).c_str());
    return kDone;
  }
  if (rows.empty()) {
    std::fprintf(stderr, "No model of the catalogue has %s in its names; bedrock/<id> and openai/<name> take any.\n",
                 joined(options.words).c_str());
    return kDone;
  }
  print_models(rows);
  if (options.words.empty()) print_endpoints(catalogue);
  std::fprintf(stderr, "%s; USD per million tokens in %s, source and date of each with --json.\n",
               counted(static_cast<std::int64_t>(rows.size()), "model").c_str(), region.c_str());
  return kDone;
}

}  // namespace

void add_models(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ModelsOptions>();
  CLI::App* command = app.add_subcommand("models", "List the known models, what they can do and what they cost");
  command->add_option("TEXT", options->words, "Only models with these words in their names")->type_name("");
  command->add_option("--models", options->models_file, "A file of models, prices and servers beside the built-in ones")
      ->type_name("FILE")
      ->envname("PALETTE_MODELS");
  command
      ->add_option("--region", options->region,
                   "The region to choose profiles for; else the one of AWS_REGION or the AWS profile, or us-east-1")
      ->type_name("REGION");
  add_json_option(*command, options->common);
  command->footer("Example:\n  plot-palette models claude --region eu-west-1");
  command->callback([options, &exit_code] { exit_code = list_models(*options); });
}

}  // namespace palette::cli
