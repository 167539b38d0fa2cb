#include "cli/confirm_cost.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/calibration.h"
#include "cli/command.h"
#include "cli/terminal.h"

namespace palette::cli {
namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

bool is_free(const job::TokenPrices& prices) {
  return prices.input == 0 && prices.output == 0 && prices.cache_read == 0 && prices.cache_write == 0;
}

// Bedrock, or OpenAI's own server: whoever is asked there sends a bill.
bool sends_bills(const job::ResolvedModel& model, const aws::Environment& environment) {
  if (model.parsed.provider == job::Provider::bedrock) return true;
  return model.endpoint == nullptr && environment.get("OPENAI_BASE_URL").empty();
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// "this job may cost about $1.20, at most $4.50 (200 records, 400 calls)"
std::string what_it_costs(const generate::Estimate& estimate, const generate::PreparedJob& prepared,
                          const CallCosts& costs) {
  const std::string size = " (" + counted(estimate.records, "record") + ", " + counted(estimate.calls, "call") + ")";
  const std::string cost = cost_text(estimate, prepared);
  if (cost == "not known")
    return "what this job costs is not known" + size + ": the catalogue has no price of " + joined(costs.unpriced);
  return "this job may cost " + cost + size;
}

}  // namespace

bool is_remote(const job::ResolvedModel& model) {
  return model.parsed.provider == job::Provider::bedrock || model.parsed.provider == job::Provider::openai;
}

CallCosts call_costs(const generate::PreparedJob& prepared, const aws::Environment& environment) {
  CallCosts out;
  for (std::size_t i = 0; i < prepared.step_models.size(); ++i) {
    const std::string tier = prepared.compiled.steps[i].options.service_tier.value_or("");
    for (const job::ResolvedModel& model : prepared.step_models[i]) {
      if (!is_remote(model)) continue;
      const auto prices = model.prices(tier);
      if (prices) {
        out.costs_money = out.costs_money || !is_free(*prices);
      } else if (sends_bills(model, environment)) {
        out.costs_money = true;
        add_once(out.unpriced, model.name);
      } else {
        add_once(out.uncounted, model.name);
      }
    }
  }
  return out;
}

void note_uncounted(const CallCosts& costs) {
  for (const std::string& name : costs.uncounted) {
    std::fprintf(stderr, "%s no price is known for %s: its cost is not counted\n",
                 styled(stderr, Style::bold, "note:").c_str(), name.c_str());
  }
}

Result<bool> nothing_left_to_do(Workspace& workspace, const generate::PreparedJob& prepared, bool fresh,
                                bool retry_failed) {
  if (fresh) return false;
  const auto job = workspace.loop.run(same_job(&workspace, prepared.spec.name, prepared.identity.hash()));
  if (!job) return std::unexpected(job.error());
  if (!*job || (*job)->status != job::JobStatus::completed) return false;
  const bool all_tried = prepared.spec.num_records <= (*job)->records_generated + (*job)->records_failed;
  return all_tried && !(retry_failed && (*job)->records_failed > 0);
}

Result<bool> nothing_left_to_do(const std::filesystem::path& data_dir, const generate::PreparedJob& prepared,
                                bool fresh, bool retry_failed) {
  if (fresh) return false;
  const auto workspace = Workspace::open_existing(data_dir);
  if (!workspace && workspace.error().kind == ErrorKind::not_found) return false;
  if (!workspace) return std::unexpected(workspace.error());
  return nothing_left_to_do(**workspace, prepared, fresh, retry_failed);
}

bool can_ask() { return is_terminal(stdin) && is_terminal(stderr); }

bool ask(const std::string& question) {
  std::fflush(stdout);  // what was shown before stands above the question
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::fflush(stderr);
  std::array<char, 100> line{};
  if (std::fgets(line.data(), static_cast<int>(line.size()), stdin) == nullptr) {
    std::fprintf(stderr, "\n");  // the end of the input is a no
    return false;
  }
  std::string answer(line.data());
  answer.erase(answer.find_last_not_of(" \t\r\n") + 1);
  answer.erase(0, answer.find_first_not_of(" \t"));
  for (char& c : answer) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return answer == "y" || answer == "yes";
}

std::optional<int> confirm_run(const generate::Estimate& estimate, const generate::PreparedJob& prepared,
                               const CallCosts& costs) {
  std::string text = what_it_costs(estimate, prepared, costs);
  if (!can_ask()) {
    return tell_error(Error{ErrorKind::bad_input, text + ", and it has no budget_limit; set budget_limit (or --budget "
                                                         "USD), or give --yes"});
  }
  text.front() = text.front() == 't' ? 'T' : 'W';
  std::fprintf(stderr, "%s; how long answers are is a guess. It has no budget_limit (--budget USD sets one).\n",
               text.c_str());
  if (ask("Go on?")) return std::nullopt;
  std::fprintf(stderr, "Nothing was started.\n");
  return kBadInput;
}

std::optional<int> look_at_costs(const CostLook& look, const generate::PreparedJob& prepared,
                                 const aws::Environment& environment, std::optional<KeptEstimate>& estimate) {
  const CallCosts costs = call_costs(prepared, environment);
  if (!look.quiet) note_uncounted(costs);
  if (!costs.costs_money) return std::nullopt;
  const auto found = generate::estimate_job(prepared);
  if (!found) return tell_error(found.error());
  if (found->expected > Money{}) estimate = kept_of(*found);
  if (look.yes || prepared.spec.budget_limit) return std::nullopt;
  const Result<bool> is_made = look.is_made();
  if (!is_made) return tell_error(is_made.error());
  return *is_made ? std::nullopt : confirm_run(*found, prepared, costs);
}

}  // namespace palette::cli
