#include "job/read_spec.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "job/model_directory.h"
#include "job/node_reader.h"
#include "job/read_parts.h"

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 33> kJobKeys = {"id",
                                                       "name",
                                                       "description",
                                                       "model",
                                                       "seed_data",
                                                       "seed_data_path",
                                                       "seed_sampling",
                                                       "seed",
                                                       "num_records",
                                                       "budget_limit",
                                                       "output_format",
                                                       "partition_strategy",
                                                       "template",
                                                       "template_id",
                                                       "template_version",
                                                       "columns",
                                                       "concurrency",
                                                       "requests_per_minute",
                                                       "tokens_per_minute",
                                                       "max_failure_ratio",
                                                       "parts",
                                                       "priority",
                                                       "cpu",
                                                       "memory",
                                                       "workers",
                                                       "max_tokens",
                                                       "temperature",
                                                       "top_p",
                                                       "stop",
                                                       "cache",
                                                       "service_tier",
                                                       "accept_truncated",
                                                       "additional_fields"};

Result<std::string> built_in_name(std::string_view name) {
  Result<ResolvedModel> model = ModelDirectory({}, "").resolve(name);
  if (!model) return std::unexpected(model.error());
  return std::move(model->name);
}

// `marks`: where each name stands.
void resolve_models(std::vector<std::string>& names, const std::vector<Mark>& marks, const std::string& file,
                    const std::string& field, const ModelNames& model_names, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    Result<std::string> name = model_names ? model_names(names[i]) : built_in_name(names[i]);
    if (!name) {
      diagnostics.error(file, marks[i], field, name.error().message);
      continue;
    }
    names[i] = std::move(*name);
    if (names[i] == "none" && names.size() > 1)
      diagnostics.error(file, marks[i], field, "none cannot stand in a list of fallbacks");
  }
}

class SpecReader {
 public:
  SpecReader(const Document& document, const Overrides& overrides, const TemplateById& template_by_id,
             Diagnostics& diagnostics)
      : document_(document),
        overrides_(overrides),
        template_by_id_(template_by_id),
        diagnostics_(diagnostics),
        reader_(document.file, document.root, "", diagnostics) {}

  JobSpec read() {
    spec_.file = document_.file;
    if (!reader_.is_object_of(kJobKeys)) return std::move(spec_);
    names();
    seed_data();
    amounts();
    formats();
    templ();
    models();
    columns();
    return std::move(spec_);
  }

 private:
  void names() {
    spec_.id = reader_.string("id", 100).value_or("");
    const bool id_ok = std::all_of(spec_.id.begin(), spec_.id.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    });
    if (!id_ok || spec_.id.starts_with('-')) {
      reader_.complain("id", *reader_.any("id"),
                       "found " + reader_.any("id")->describe() +
                           "; letters, digits, - and _ are allowed, because it is part of file names");
      spec_.id.clear();
    }
    spec_.name = reader_.string("name", limits::kNameBytesMax).value_or("");
    if (spec_.name.empty()) spec_.name = std::filesystem::path(document_.file).stem().string();
    spec_.description = reader_.string("description", limits::kDescriptionBytesMax).value_or("");
  }

  void seed_data() {
    const Node* by_key = reader_.any("seed_data_path");
    const bool has_file = reader_.any("seed_data") != nullptr;
    const std::string_view key = !has_file && by_key != nullptr ? "seed_data_path" : "seed_data";
    if (const Node* node = reader_.any(key)) spec_.seed_data_mark = node->mark;
    if (overrides_.seed_data) {
      spec_.seed_data = *overrides_.seed_data;
    } else if (has_file && by_key != nullptr) {
      reader_.complain("seed_data_path", *by_key, "both seed_data and seed_data_path are given; give one of them");
    } else if (auto path = reader_.string(key, 4096); path && !path->empty()) {
      if (by_key != nullptr)
        spec_.seed_key = std::move(*path);
      else
        spec_.seed_data = (std::filesystem::path(document_.file).parent_path() / *path).lexically_normal().string();
    } else if (reader_.any(key) == nullptr || path) {
      reader_.complain_missing(
          key, "a job needs seed data: a JSON, JSONL, CSV or Parquet file, e.g. seed_data: seeds.jsonl");
    }
    if (auto sampling = reader_.string("seed_sampling", 100)) {
      if (*sampling == "random")
        spec_.seed_sampling = SeedSampling::random;
      else if (*sampling == "shuffle")
        spec_.seed_sampling = SeedSampling::shuffle;
      else if (*sampling == "sequential")
        spec_.seed_sampling = SeedSampling::sequential;
      else
        choice_error("seed_sampling", "random, shuffle and sequential");
    }
    spec_.seed = static_cast<std::uint64_t>(reader_.integer("seed", 0, INT64_MAX).value_or(0));
  }

  void amounts() {
    if (overrides_.num_records) {
      spec_.num_records = *overrides_.num_records;
    } else {
      const auto n = reader_.integer("num_records", 1, limits::kRecordsMax);
      spec_.num_records = n.value_or(0);
      if (reader_.any("num_records") == nullptr) {
        reader_.complain_missing("num_records", "how many records to make, 1 to 10000000");
      }
    }
    budget();
    spec_.concurrency =
        overrides_.concurrency
            ? *overrides_.concurrency
            : reader_.integer("concurrency", 1, limits::kConcurrencyMax).value_or(limits::kConcurrencyDefault);
    spec_.requests_per_minute = reader_.integer("requests_per_minute", 1, 1'000'000'000);
    spec_.tokens_per_minute = reader_.integer("tokens_per_minute", 1, 1'000'000'000'000);
    spec_.max_failure_ratio = reader_.number("max_failure_ratio", 0, 1).value_or(limits::kFailureRatioDefault);
    spec_.parts = reader_.integer("parts", 1, limits::kPartsMax);
    spec_.priority = reader_.integer("priority", 0, 9);
    spec_.cpu = reader_.integer("cpu", 256, 16384);
    spec_.memory = reader_.integer("memory", 512, 122880);
    spec_.workers = reader_.integer("workers", 1, 1000);
    spec_.options = read_call_options(reader_);
  }

  void budget() {
    const Node* node = reader_.any("budget_limit");
    if (overrides_.budget_limit || node != nullptr) {
      const std::string text = overrides_.budget_limit.value_or(node != nullptr ? node->text : "");
      const Result<Money> money = Money::from_decimal(text);
      if (money && *money > Money{} && *money <= Money{limits::kBudgetUsdMax * 1'000'000'000'000}) {
        spec_.budget_limit = *money;
      } else if (overrides_.budget_limit) {
        diagnostics_.error("--budget", Mark{0, 0}, "",
                           "found '" + text + "'; US dollars above 0 and up to 1000000 are allowed");
      } else {
        reader_.complain("budget_limit", *node,
                         "found " + node->describe() + "; US dollars above 0 and up to 1000000 are allowed");
      }
    }
  }

  void choice_error(std::string_view key, std::string_view allowed) {
    const Node* node = reader_.any(key);
    reader_.complain(key, *node, "found " + node->describe() + "; allowed are " + std::string(allowed));
  }

  void formats() {
    std::vector<std::string> names = overrides_.output_formats;
    const Node* node = reader_.any("output_format");
    if (names.empty()) names = reader_.strings("output_format", 3, 20);
    std::vector<OutputFormat> formats;
    for (const std::string& name : names) {
      const auto format = output_format_from(name);
      if (!format && node != nullptr && overrides_.output_formats.empty()) {
        reader_.complain("output_format", *node, "found '" + name + "'; allowed are JSONL, PARQUET and CSV");
      } else if (!format) {
        diagnostics_.error("--format", Mark{0, 0}, "", "found '" + name + "'; allowed are jsonl, parquet and csv");
      } else if (std::find(formats.begin(), formats.end(), *format) == formats.end()) {
        formats.push_back(*format);
      }
    }
    if (!formats.empty()) spec_.output_formats = formats;
    if (auto strategy = reader_.string("partition_strategy", 100)) {
      if (*strategy == "timestamp")
        spec_.partition_strategy = PartitionStrategy::timestamp;
      else if (*strategy != "none")
        choice_error("partition_strategy", "none and timestamp");
    }
  }

  void templ() {
    const Node* node = reader_.any("template");
    const Node* id = reader_.any("template_id");
    if (node != nullptr && id != nullptr) {
      reader_.complain("template_id", *id, "both template and template_id are given; give one of them");
    } else if (node != nullptr && node->kind == Node::Kind::string) {
      template_file(*node);
    } else if (node != nullptr) {
      spec_.templ = read_template(document_.file, *node, "template", diagnostics_);
    } else if (id != nullptr) {
      stored_template(*id);
    } else {
      reader_.complain_missing("template",
                               "a job needs a template: inline steps, a path to a template file, or template_id");
    }
  }

  void template_file(const Node& node) {
    const auto path = (std::filesystem::path(document_.file).parent_path() / node.text).lexically_normal();
    Result<Document> file = load_document(path);
    if (!file && file.error().line == 0) {
      reader_.complain("template", node, path.string() + ": " + file.error().message);
    } else if (!file) {
      diagnostics_.error(file.error());
    } else {
      spec_.templ = read_template_file(*file, diagnostics_);
    }
  }

  void stored_template(const Node& id) {
    const auto text = reader_.string("template_id", limits::kNameBytesMax);
    if (!text) return;
    if (const auto stored = template_by_id_ ? template_by_id_(*text) : std::nullopt) {
      spec_.templ = read_template_file(*stored, diagnostics_);
    } else {
      reader_.complain(
          "template_id", id,
          "no template with the id '" + *text + "' is stored; a template file is named with template: PATH");
    }
  }

  void models() {
    std::vector<Mark> marks;
    spec_.models = read_models(reader_, "model", marks);
    if (overrides_.model) {
      spec_.models = {*overrides_.model};
      for (StepSpec& step : spec_.templ.steps) {
        if (!step.is_fragment()) step.models.clear();  // the job's
      }
      marks = {Mark{0, 0}};
    } else {
      resolve_step_models(spec_.templ, overrides_.model_names, diagnostics_);
    }
    const std::string file = overrides_.model ? "--model" : document_.file, field = overrides_.model ? "" : "model";
    resolve_models(spec_.models, marks, file, field, overrides_.model_names, diagnostics_);
    if (spec_.models == std::vector<std::string>{"none"})
      diagnostics_.error(file, marks[0], field,
                         "none is for a single step that is only included; name the model that the job calls");
    bool executed = false;
    for (const StepSpec& step : spec_.templ.steps) {
      executed = executed || !step.is_fragment();
      if (spec_.models_of(step).empty() && marks.empty() && step.model_marks.empty()) {
        diagnostics_.error(step.file, step.mark, step.field + ".model",
                           "missing; neither the step nor the job names a model, e.g. model: offline");
      }
    }
    if (!executed && !spec_.templ.steps.empty()) {
      diagnostics_.error(spec_.templ.file, spec_.templ.mark, "template.steps",
                         "every step has the model none, so nothing would be made");
    }
  }

  void columns() {
    const Node* node = reader_.any("columns");
    if (node == nullptr) return;
    if (node->kind != Node::Kind::map || node->members.empty() || node->members.size() > limits::kColumnsMax) {
      const std::string found =
          node->kind == Node::Kind::map ? std::to_string(node->members.size()) + " columns" : node->describe();
      reader_.complain("columns", *node, "found " + found + "; 1 to 1000 names with a template each are expected");
      return;
    }
    std::vector<std::string_view> names;
    for (const Member& member : node->members) names.push_back(member.key);
    NodeReader columns(document_.file, *node, "columns", diagnostics_);
    columns.is_object_of(names);  // tells duplicates
    for (const Member& member : node->members) {
      if (member.key.empty() || member.key.size() > limits::kNameBytesMax) {
        diagnostics_.error(
            document_.file, member.mark, "columns",
            "found a name of " + std::to_string(member.key.size()) + " bytes; a column's name has 1 to 200");
        continue;
      }
      const bool seen =
          std::any_of(spec_.columns.begin(), spec_.columns.end(), [&](const auto& c) { return c.first == member.key; });
      if (auto text = read_text(columns, member.key); text && !seen)
        spec_.columns.emplace_back(member.key, std::move(*text));
      if (member.value.kind == Node::Kind::null)
        diagnostics_.error(document_.file, member.mark, columns.path(member.key),
                           "found nothing; a template is expected");
    }
  }

  const Document& document_;
  const Overrides& overrides_;
  const TemplateById& template_by_id_;
  Diagnostics& diagnostics_;
  NodeReader reader_;
  JobSpec spec_;
};

}  // namespace

void resolve_step_models(TemplateSpec& templ, const ModelNames& model_names, Diagnostics& diagnostics) {
  for (StepSpec& step : templ.steps) {
    resolve_models(step.models, step.model_marks, step.file, step.field + ".model", model_names, diagnostics);
  }
}

JobSpec read_job_spec(const Document& document, const Overrides& overrides, const TemplateById& template_by_id,
                      Diagnostics& diagnostics) {
  return SpecReader(document, overrides, template_by_id, diagnostics).read();
}

}  // namespace palette::job
