// plot-palette doctor [JOB.yaml]: is everything there that a job needs? One line a check, good or what to do.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "cli/command.h"
#include "cli/confirm_cost.h"
#include "cli/doctor_machine.h"
#include "cli/doctor_network.h"
#include "cli/doctor_report.h"
#include "cli/job_overrides.h"
#include "cli/terminal.h"

namespace palette::cli {
namespace {

struct DoctorOptions {
  CommonOptions common;
  std::filesystem::path job_file;  // empty: none
  OverrideOptions overrides;       // only --models
  bool yes = false;
};

// Those that are called over a network, each once, in the order of the steps.
std::vector<DoctorModel> remote_models(const generate::Preflight& checked) {
  std::vector<DoctorModel> out;
  for (std::size_t i = 0; i < checked.step_models.size(); ++i) {
    const std::string tier =
        checked.job ? checked.job->compiled.steps[i].options.service_tier.value_or("") : std::string();
    for (const job::ResolvedModel& model : checked.step_models[i]) {
      const bool known = std::ranges::any_of(
          out, [&](const DoctorModel& other) { return other.model.name == model.name && other.tier == tier; });
      if (is_remote(model) && !known) out.push_back({model, tier});
    }
  }
  return out;
}

// No model, but where models of that provider are asked.
job::ResolvedModel any_model_of(job::Provider provider) {
  job::ResolvedModel out;
  out.name = provider == job::Provider::bedrock ? "Bedrock" : "OpenAI";
  out.parsed.provider = provider;
  return out;
}

// What is asked without a job: whatever the environment is set up for.
std::vector<job::ResolvedModel> configured(const aws::Environment& environment) {
  std::vector<job::ResolvedModel> out;
  const bool has_region = !aws::region_of(environment).empty();
  const bool has_bedrock = has_aws_credentials(environment) || !environment.get("AWS_BEARER_TOKEN_BEDROCK").empty();
  if (has_region && has_bedrock) out.push_back(any_model_of(job::Provider::bedrock));
  if (!environment.get("OPENAI_API_KEY").empty() || !environment.get("OPENAI_BASE_URL").empty())
    out.push_back(any_model_of(job::Provider::openai));
  return out;
}

void check_models(const DoctorOptions& options, const std::vector<DoctorModel>& models, NetworkChecks& network,
                  DoctorReport& report) {
  for (const DoctorModel& model : models) network.check_price(model);
  if (models.empty()) return;
  const bool may_call =
      options.yes || (can_ask() && ask("Call " + counted(static_cast<std::int64_t>(models.size()), "model") +
                                       " for one token" + (models.size() > 1 ? " each" : "") + "?"));
  for (const DoctorModel& model : models) {
    if (!network.has_address(model.model)) {
      report.add(DoctorReport::Level::skipped, "access", model.model.name + " (see what failed above)");
    } else if (may_call) {
      network.check_access(model);
    } else {
      report.add(DoctorReport::Level::skipped, "access", model.model.name + " (--yes makes a one-token call)");
    }
  }
}

// With a job its preflight does it.
void check_models_file(job::ModelDirectory& directory, DoctorReport& report) {
  job::Diagnostics diagnostics;
  directory.open(diagnostics);
  for (const job::Diagnostic& finding : diagnostics.sorted()) report.fail("models file", finding.where_and_what());
}

int doctor(const DoctorOptions& options, const std::string& version) {
  DoctorReport report(options.common.json);
  report.ok("program", version);
  check_data_dir(options.common.data_dir, report);
  generate::PreflightInput input = preflight_input(options.job_file, options.overrides, options.common.data_dir);
  generate::Preflight checked;
  const bool has_job = !options.job_file.empty();
  if (has_job) {
    checked = generate::preflight(input);
    check_job(options.job_file, checked, report);
  } else if (input.models->has_user_file()) {
    check_models_file(*input.models, report);
  }
  check_open_files(checked.job ? std::optional(checked.job->spec.concurrency) : std::nullopt, report);

  const std::vector<DoctorModel> models = remote_models(checked);
  const bool bedrock = std::ranges::any_of(
      models, [](const DoctorModel& model) { return model.model.parsed.provider == job::Provider::bedrock; });
  check_region(input.environment, bedrock, report);
  check_endpoints(input.environment, report);
  NetworkChecks network(input.environment, report);
  if (bedrock || has_aws_credentials(input.environment)) {
    network.check_credentials(bedrock);
  } else {
    report.ok("AWS credentials", "none are set up; only Bedrock needs them");
  }
  std::vector<job::ResolvedModel> asked;
  for (const DoctorModel& model : models) asked.push_back(model.model);
  network.check_servers(has_job ? asked : configured(input.environment), has_job);
  check_models(options, models, network, report);
  return report.finish();
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = app.add_subcommand("doctor", "Check this machine, the settings and the models of a job");
  command->add_option("JOB", options->job_file, "A job file; without one what the environment is set up for is checked")
      ->type_name("");
  command->add_flag("--yes", options->yes, "Calls each model of the job for one token, without asking");
  command
      ->add_option("--models", options->overrides.models_file,
                   "A file of models, prices and servers beside the built-in ones")
      ->type_name("FILE")
      ->envname("PALETTE_MODELS");
  add_common_options(*command, options->common);
  command->footer("Example:\n  plot-palette doctor job.yaml --yes\n\nThe exit code is 0 when nothing failed, else 1.");
  command->callback([options, command, &exit_code] { exit_code = doctor(*options, command->version()); });
}

}  // namespace palette::cli
