// Template files and inline templates: `{id, name, …, steps: [{id, model, system, prompt, …}]}`.
#include <algorithm>
#include <array>
#include <cctype>

#include "job/node_reader.h"
#include "job/read_parts.h"
#include "job/read_spec.h"

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 8> kTemplateKeys = {"id",      "name",      "description",         "category",
                                                           "version", "is_public", "schema_requirements", "steps"};

constexpr std::array<std::string_view, 14> kStepKeys = {
    "id",          "name",  "description", "model", "system",       "prompt",           "max_tokens",
    "temperature", "top_p", "stop",        "cache", "service_tier", "accept_truncated", "additional_fields"};

// Methods of the `steps` object: steps.items would be the method, not the step.
constexpr std::array<std::string_view, 11> kReservedStepIds = {
    "keys", "values", "items", "get", "pop", "copy", "update", "clear", "popitem", "fromkeys", "setdefault"};

bool is_name(std::string_view text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0]))) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

void read_step_id(NodeReader& reader, StepSpec& step) {
  const Node* node = reader.any("id");
  if (node == nullptr) {
    reader.complain_missing("id", "every step needs a name that later steps can use, e.g. id: answer");
    return;
  }
  step.id = node->kind == Node::Kind::string ? node->text : "";
  if (!is_name(step.id) || step.id.size() > limits::kStepIdBytesMax) {
    reader.complain("id", *node,
                    "found " + node->describe() +
                        "; a name of letters, digits and _ that does not start with a digit is expected, "
                        "because templates say steps.<id>.output");
    step.id.clear();
  } else if (std::find(kReservedStepIds.begin(), kReservedStepIds.end(), step.id) != kReservedStepIds.end()) {
    reader.complain("id", *node, "'" + step.id + "' is a method of the steps object; choose another name");
  }
}

StepSpec read_step(const std::string& file, const Node& node, const std::string& field, Diagnostics& diagnostics) {
  StepSpec step;
  step.file = file;
  step.field = field;
  step.mark = node.mark;
  NodeReader reader(file, node, field, diagnostics);
  if (!reader.is_object_of(kStepKeys)) return step;
  read_step_id(reader, step);
  step.models = read_models(reader, "model", step.model_marks);
  step.options = read_call_options(reader);
  step.system = read_text(reader, "system");
  if (auto prompt = read_text(reader, "prompt")) {
    step.prompt = std::move(*prompt);
    if (step.prompt.text().empty()) reader.complain("prompt", step.prompt.node, "the prompt is empty");
  } else if (reader.any("prompt") == nullptr) {
    reader.complain_missing("prompt", "every step needs a prompt");
  }
  return step;
}

void check_step_ids(const TemplateSpec& templ, const std::string& field, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < templ.steps.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (!templ.steps[i].id.empty() && templ.steps[i].id == templ.steps[k].id) {
        diagnostics.error(templ.file, templ.steps[i].mark, field + "steps[" + std::to_string(i) + "].id",
                          "the step id '" + templ.steps[i].id + "' is used twice; the first is in line " +
                              std::to_string(templ.steps[k].mark.line));
        break;
      }
    }
  }
}

void read_schema_requirements(NodeReader& reader, TemplateSpec& templ) {
  const Node* list = reader.any("schema_requirements");
  if (list == nullptr) return;
  if (list->kind != Node::Kind::list) {
    reader.complain("schema_requirements", *list, "found " + list->describe() + "; a list of dotted paths is expected");
    return;
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Node& item = list->items[i];
    const std::string key = "schema_requirements[" + std::to_string(i) + "]";
    if (item.kind != Node::Kind::string || item.text.empty() || item.text.starts_with('.') ||
        item.text.ends_with('.') || item.text.find("..") != std::string::npos) {
      reader.complain(key, item,
                      "found " + item.describe() + "; a dotted path into a seed row such as author.name is expected");
      continue;
    }
    templ.schema_requirements.push_back(TextField{reader.file(), reader.path(key), item});
  }
}

}  // namespace

TemplateSpec read_template(const std::string& file, const Node& node, const std::string& field,
                           Diagnostics& diagnostics) {
  TemplateSpec templ;
  templ.file = file;
  templ.mark = node.mark;
  NodeReader reader(file, node, field, diagnostics);
  if (!reader.is_object_of(kTemplateKeys)) return templ;
  templ.id = reader.string("id", limits::kNameBytesMax).value_or("");
  templ.name = reader.string("name", limits::kNameBytesMax).value_or("");
  templ.description = reader.string("description", limits::kDescriptionBytesMax).value_or("");
  templ.category = reader.string("category", limits::kNameBytesMax).value_or("");
  templ.version = reader.integer("version", 1, 1'000'000'000).value_or(1);
  templ.is_public = reader.boolean("is_public").value_or(false);
  read_schema_requirements(reader, templ);

  const Node* steps = reader.any("steps");
  const std::string prefix = field.empty() ? "" : field + ".";
  if (steps == nullptr) {
    reader.complain_missing("steps", "a template needs a list of 1 to 100 steps");
  } else if (steps->kind != Node::Kind::list || steps->items.empty() || steps->items.size() > limits::kStepsMax) {
    const std::string found =
        steps->kind == Node::Kind::list ? std::to_string(steps->items.size()) + " steps" : steps->describe();
    reader.complain("steps", *steps, "found " + found + "; a list of 1 to 100 steps is expected");
  } else {
    for (std::size_t i = 0; i < steps->items.size(); ++i) {
      templ.steps.push_back(read_step(file, steps->items[i], prefix + "steps[" + std::to_string(i) + "]", diagnostics));
    }
  }
  check_step_ids(templ, prefix, diagnostics);
  return templ;
}

TemplateSpec read_template_file(const Document& document, Diagnostics& diagnostics) {
  static constexpr std::array<std::string_view, 1> kTop = {"template"};
  const Node* inner = document.root.find("template");
  if (inner == nullptr && document.root.find("steps") != nullptr) {
    return read_template(document.file, document.root, "", diagnostics);
  }
  NodeReader reader(document.file, document.root, "", diagnostics);
  TemplateSpec templ;
  templ.file = document.file;
  if (document.root.find("num_records") != nullptr || document.root.find("seed_data") != nullptr) {
    reader.complain("", document.root,
                    "this is a job file; a template file is expected: `template: {id, steps: [...]}`");
    return templ;
  }
  if (!reader.is_object_of(kTop)) return templ;
  if (inner == nullptr) {
    reader.complain_missing("template", "a template file is `template: {id, steps: [...]}`");
    return templ;
  }
  return read_template(document.file, *inner, "template", diagnostics);
}

}  // namespace palette::job
