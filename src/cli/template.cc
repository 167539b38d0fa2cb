// plot-palette template check|render: looking at templates without running anything.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/diagnostics_output.h"
#include "cli/job_overrides.h"
#include "cli/terminal.h"
#include "cli/workspace.h"
#include "generate/pipeline.h"
#include "generate/preflight.h"

namespace palette::cli {
namespace {

struct TemplateOptions {
  CommonOptions common;
  std::filesystem::path file;
  std::string seed_data;
  std::uint64_t row = 1;
  std::string step;
  std::vector<std::string> with;  // step=output
};

struct Loaded {
  generate::CheckedTemplate checked;
  std::optional<dataset::SeedData> seeds;
  job::Diagnostics diagnostics;
};

Loaded load(const TemplateOptions& options) {
  Loaded out;
  job::Overrides overrides;
  if (!options.seed_data.empty()) overrides.seed_data = options.seed_data;
  out.checked = generate::check_template(options.file, overrides, out.diagnostics);
  const std::string seed_file = options.seed_data.empty() ? out.checked.spec.seed_data : options.seed_data;
  if (seed_file.empty()) return out;
  out.checked.spec.seed_data = seed_file;
  auto seeds = generate::open_seed_data(out.checked.spec, !options.seed_data.empty(),
                                        spool_dir_of(options.common.data_dir), out.diagnostics);
  if (!seeds) return out;
  generate::check_seed_variables(out.checked.spec, out.checked.compiled, *seeds, out.diagnostics);
  out.seeds.emplace(std::move(*seeds));
  return out;
}

int check(const TemplateOptions& options) {
  const Loaded loaded = load(options);
  if (options.common.json) {
    std::printf("%s\n", to_json_text(findings_json(loaded.diagnostics)).c_str());
  } else {
    tell_findings(loaded.diagnostics, false);
    if (loaded.diagnostics.ok()) {
      std::printf("%s: %s, no errors%s\n", options.file.c_str(),
                  counted(static_cast<std::int64_t>(loaded.checked.spec.templ.steps.size()), "step").c_str(),
                  loaded.seeds ? "" : " (variables were not checked: name seed rows with --seed-data)");
    }
  }
  return loaded.diagnostics.ok() ? kDone : kBadInput;
}

// Outputs that --with gives stand for steps that were not run.
Result<std::vector<std::optional<generate::StepOutcome>>> given_outputs(const TemplateOptions& options,
                                                                        const job::CompiledJob& compiled) {
  std::vector<std::optional<generate::StepOutcome>> out(compiled.step_ids.size());
  for (const std::string& pair : options.with) {
    const std::size_t equals = pair.find('=');
    const std::string id = pair.substr(0, equals);
    const auto found = std::find(compiled.step_ids.begin(), compiled.step_ids.end(), id);
    if (equals == std::string::npos || found == compiled.step_ids.end()) {
      return fail(ErrorKind::bad_input, "found '" + pair + "'; STEP=TEXT with the id of a step is expected", "--with");
    }
    generate::StepOutcome outcome;
    outcome.output = pair.substr(equals + 1);
    out[static_cast<std::size_t>(found - compiled.step_ids.begin())] = std::move(outcome);
  }
  return out;
}

// " --with question=TEXT" for each step whose output this one reads and that was not given.
std::string outputs_missing(const job::CompiledStep& step, const job::CompiledJob& compiled,
                            const std::vector<std::optional<generate::StepOutcome>>& given) {
  std::string out;
  for (const std::size_t need : step.needs) {
    if (!given[compiled.steps[need].position]) out += " --with " + compiled.steps[need].id + "=TEXT";
  }
  return out;
}

struct Prompt {
  std::optional<std::string> system;
  std::string text;
};

Result<Prompt> render_step(const job::CompiledStep& step, const jinja::Value& context,
                           const jinja::RenderOptions& options) {
  Prompt out;
  if (step.system) {
    Result<std::string> system = step.system->render(context, options);
    if (!system) return std::unexpected(system.error());
    out.system = std::move(*system);
  }
  Result<std::string> text = step.prompt->render(context, options);
  if (!text) return std::unexpected(text.error());
  out.text = std::move(*text);
  return out;
}

// One step asked for alone is printed as it is, so that it can be piped.
void print_prompt(const std::string& id, const Prompt& prompt, bool with_heads) {
  if (with_heads) std::printf("%s\n", styled(stdout, Style::bold, "--- " + id).c_str());
  if (prompt.system)
    std::printf("%s%s\n\n", with_heads ? styled(stdout, Style::dim, "system: ").c_str() : "", prompt.system->c_str());
  std::printf("%s\n", prompt.text.c_str());
}

int render(const TemplateOptions& options) {
  const Loaded loaded = load(options);
  tell_findings(loaded.diagnostics, options.common.json);
  if (!loaded.diagnostics.ok()) return kBadInput;
  const job::CompiledJob& compiled = loaded.checked.compiled;
  jinja::Value row = jinja::Value::map({});
  if (loaded.seeds) {
    if (options.row < 1 || options.row > loaded.seeds->rows()) {
      return tell_error(Error{ErrorKind::bad_input,
                              "found " + std::to_string(options.row) + "; the seed data has rows 1 to " +
                                  std::to_string(loaded.seeds->rows()),
                              "--row"});
    }
    const auto object = loaded.seeds->row(options.row - 1);
    if (!object) return tell_error(object.error());
    row = jinja::Value::from_json(*object);
  }
  const auto given = given_outputs(options, compiled);
  if (!given) return tell_error(given.error());
  std::vector<const generate::StepOutcome*> visible;
  for (const auto& step : *given) visible.push_back(step ? &*step : nullptr);
  const RecordIndex record{static_cast<std::int64_t>(options.row) - 1};
  const jinja::Value context = generate::record_context(row, record, compiled.step_ids, visible);
  const jinja::RenderOptions render_options = generate::render_options(loaded.checked.spec, record);

  bool any = false;
  JsonObject json;
  for (const job::CompiledStep& step : compiled.steps) {
    if (!options.step.empty() && step.id != options.step) continue;
    any = true;
    if (const std::string missing = outputs_missing(step, compiled, *given); !missing.empty()) {
      const std::string text = "the step '" + step.id + "' uses what earlier steps answer; give it:" + missing;
      if (!options.step.empty()) return tell_error(Error{ErrorKind::bad_input, text, options.file.string()});
      std::fprintf(stderr, "%s %s\n", styled(stderr, Style::warning, "left out:").c_str(), text.c_str());
      continue;
    }
    const Result<Prompt> prompt = render_step(step, context, render_options);
    if (!prompt) return tell_error(prompt.error().at(options.file.string()));
    if (options.common.json) {
      JsonObject one;
      if (prompt->system) one["system"] = *prompt->system;
      one["prompt"] = prompt->text;
      json[step.id] = std::move(one);
    } else {
      print_prompt(step.id, *prompt, options.step.empty());
    }
  }
  if (!any) {
    std::string known;
    for (const job::CompiledStep& step : compiled.steps) known += (known.empty() ? "" : ", ") + step.id;
    return tell_error(
        Error{ErrorKind::bad_input, "there is no step '" + options.step + "'; known are " + known, "--step"});
  }
  if (options.common.json) std::printf("%s\n", to_json_text(json).c_str());
  return kDone;
}

}  // namespace

void add_template(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("template", "Check a template, or see the prompts it makes");
  command->require_subcommand(1);
  auto options = std::make_shared<TemplateOptions>();

  command->footer("Example:\n  plot-palette template check examples/countries-qa.yaml");
  CLI::App* checking = command->add_subcommand("check", "Tell everything that is wrong with a template or job file");
  checking->add_option("FILE", options->file, "A template file or a job file")->type_name("")->required();
  checking->add_option("--seed-data", options->seed_data, "Seed rows to check its variables against")
      ->type_name("FILE");
  add_common_options(*checking, options->common);
  checking->footer("Example:\n  plot-palette template check examples/countries-qa.yaml");
  checking->callback([options, &exit_code] { exit_code = check(*options); });

  CLI::App* rendering = command->add_subcommand("render", "Show the exact prompts for a seed row");
  rendering->add_option("FILE", options->file, "A template file or a job file")->type_name("")->required();
  rendering->add_option("--seed-data", options->seed_data, "Seed rows; else those of the job file")->type_name("FILE");
  rendering->add_option("--row", options->row, "Which seed row, from 1")->type_name("N")->capture_default_str();
  rendering->add_option("--step", options->step, "Only this step")->type_name("STEP");
  rendering->add_option("--with", options->with, "The output of an earlier step")->type_name("STEP=TEXT");
  add_common_options(*rendering, options->common);
  rendering->footer(
      "Example:\n  plot-palette template render examples/countries-qa.yaml --row 3 --step answer --with "
      "question='Where is it?'");
  rendering->callback([options, &exit_code] { exit_code = render(*options); });
}

}  // namespace palette::cli
