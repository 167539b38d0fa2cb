#include "job/compiled_job.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/nearest.h"
#include "base/random.h"
#include "job/include_tags.h"
#include "job/prompt_filters.h"

namespace palette::job {
namespace {

constexpr std::array<std::string_view, 3> kStepFields = {"output", "prompt", "model"};

// Where a place of a text, or of what it includes, stands in a file.
struct Located {
  std::string file, field;
  Mark mark;
  std::string excerpt;
  std::string inside;  // "in the included template 'x', line 3: " when its file is not known, else empty
};

// Names this short are near to everything.
constexpr std::size_t kNearIdBytesMin = 3;

class Compiler {
 public:
  Compiler(const JobSpec& spec, std::shared_ptr<TemplateLibrary> library, Diagnostics& diagnostics)
      : spec_(spec),
        library_(std::move(library)),
        diagnostics_(diagnostics),
        // The templates keep the loader longer than this compiler lives: it owns what it uses.
        environment_(make_prompt_environment([texts = library_](std::string_view name) { return texts->find(name); })) {
  }

  CompiledJob compile() {
    for (const StepSpec& step : spec_.templ.steps) job_.step_ids.push_back(step.id);
    std::vector<CompiledStep> steps;
    for (std::size_t i = 0; i < spec_.templ.steps.size(); ++i) {
      if (auto step = compile_step(i)) steps.push_back(std::move(*step));
    }
    for (const auto& [name, text] : spec_.columns) {
      std::set<std::size_t> needs;
      if (auto compiled = compile_text(text, needs, spec_.templ.steps.size()))
        job_.columns.emplace_back(name, std::move(*compiled));
      used_steps_.insert(needs.begin(), needs.end());
    }
    tell_unused_steps(steps);
    order(std::move(steps));
    check_includes();
    return std::move(job_);
  }

 private:
  std::optional<CompiledStep> compile_step(std::size_t position) {
    const StepSpec& spec = spec_.templ.steps[position];
    std::set<std::size_t> needs;
    CompiledStep step;
    step.id = spec.id;
    step.position = position;
    step.models = spec_.models_of(spec);
    step.options = spec_.options_of(spec);
    step.stream = stream_of(spec.id);
    if (spec.system) step.system = compile_text(*spec.system, needs, position);
    step.cache_system = step.options.cache.value_or(false) && step.system && step.system->references().empty();
    if (!spec.prompt.text().empty()) step.prompt = compile_text(spec.prompt, needs, position);
    if (spec.is_fragment()) return std::nullopt;
    step.needs.assign(needs.begin(), needs.end());  // positions, until order() makes indexes of them
    used_steps_.insert(needs.begin(), needs.end());
    return step;
  }

  std::optional<jinja::Template> compile_text(const TextField& field, std::set<std::size_t>& needs,
                                              std::size_t position) {
    Result<jinja::Template> compiled = environment_.compile(field.text(), field.field);
    if (!compiled) {
      const Error& error = compiled.error();
      complain(locate(field, error.where, error.line, error.column), error.message);
      return std::nullopt;
    }
    for (const jinja::Reference& reference : compiled->references()) check_reference(field, reference, needs, position);
    check_include_tags(field, field.text(), field.field);
    return std::move(*compiled);
  }

  void complain(const Located& at, const std::string& message) {
    diagnostics_.error(at.file, at.mark, at.field, at.inside + message, at.excerpt);
  }

  Located locate(const TextField& field, const std::string& template_name, std::uint32_t line,
                 std::uint32_t column) const {
    if (template_name.empty() || template_name == field.field) {
      return locate(field, line, column);
    }
    if (const auto origin = library_->origin_of(template_name, line)) {
      return locate(*origin->field, origin->line, column);
    }
    std::string excerpt;
    if (const auto text = library_->find(template_name)) excerpt = jinja::caret_excerpt(*text, line, column);
    return {field.file, field.field, field.node.mark, excerpt,
            "in the included template '" + template_name + "', line " + std::to_string(line) + ": "};
  }

  static Located locate(const TextField& field, std::uint32_t line, std::uint32_t column) {
    return {field.file, field.field, field.node.position_of(line, column),
            jinja::caret_excerpt(field.text(), line, column), ""};
  }

  void check_reference(const TextField& field, const jinja::Reference& reference, std::set<std::size_t>& needs,
                       std::size_t position) {
    const Located place = locate(field, reference.template_name, reference.line, reference.column);
    if (reference.path[0] == kStepsVariable) {
      check_step_reference(reference, place, needs, position);
    } else if (reference.path[0] == kSeedRowVariable && reference.path.size() > 1 && !is_method(reference.path[1])) {
      job_.seed_variables.push_back({{reference.path.begin() + 1, reference.path.end()},
                                     place.file,
                                     place.mark,
                                     place.field,
                                     place.excerpt,
                                     reference.guarded});
    } else if (reference.path[0] != kRecordIndexVariable && reference.path[0] != kSeedRowVariable) {
      job_.seed_variables.push_back(
          {reference.path, place.file, place.mark, place.field, place.excerpt, reference.guarded});
    }
  }

  void check_step_reference(const jinja::Reference& reference, const Located& place, std::set<std::size_t>& needs,
                            std::size_t position) {
    const auto& steps = spec_.templ.steps;
    const std::string id = reference.path.size() > 1 ? reference.path[1] : "";
    const bool whole = id.empty() || is_method(id);
    if (whole) {  // a loop over steps: all that stand before this one
      for (std::size_t i = 0; i < std::min(position, steps.size()); ++i) {
        if (!steps[i].is_fragment()) needs.insert(i);
      }
      return;
    }
    const auto found = std::find_if(steps.begin(), steps.end(), [&](const StepSpec& step) { return step.id == id; });
    if (found == steps.end()) {
      if (reference.guarded) return;
      std::vector<std::string_view> ids;
      for (const StepSpec& step : steps) ids.push_back(step.id);
      std::string message = "there is no step '" + id + "'";
      if (const auto near = nearest_name(id, ids); id.size() >= kNearIdBytesMin && !near.empty())
        message += "; did you mean steps." + std::string(near) + "?";
      else
        message += "; the steps are " + joined(ids);
      return complain(place, message);
    }
    if (found->is_fragment()) {
      return complain(place, "the step '" + id +
                                 "' is a fragment (model: none): it is never executed and has no output; use {% "
                                 "include %}, or give it a model");
    }
    const auto at = static_cast<std::size_t>(found - steps.begin());
    if (reference.path.size() > 2) check_step_field(reference, place);
    if (at == position)
      return complain(place, "the step '" + id + "' refers to itself; a step can use the outputs of other steps only");
    needs.insert(at);
  }

  void check_step_field(const jinja::Reference& reference, const Located& place) {
    const std::string& name = reference.path[2];
    if (reference.guarded || is_method(name) ||
        std::find(kStepFields.begin(), kStepFields.end(), name) != kStepFields.end())
      return;
    complain(place, "a step has no '" + name + "'; it has output, prompt and model");
  }

  static bool is_method(const std::string& name) {
    return name == "items" || name == "values" || name == "keys" || name == "get";
  }

  static std::string joined(const std::vector<std::string_view>& names) {
    std::string out;
    for (std::string_view name : names) out += (out.empty() ? "" : ", ") + std::string(name);
    return out;
  }

  // Of `text`, which stands in `field` or is a template that it includes. A list is missing when all of it is.
  void check_include_tags(const TextField& field, std::string_view text, const std::string& template_name) {
    for (const IncludeTag& tag : include_tags(text)) {
      const bool found =
          std::ranges::any_of(tag.names, [&](const auto& name) { return library_->find(name).has_value(); });
      if (!found && !tag.ignore_missing)
        complain(locate(field, template_name, tag.line, tag.column), missing_include(tag));
    }
  }

  std::string missing_include(const IncludeTag& tag) const {
    std::string names;
    for (const std::string& name : tag.names) names += (names.empty() ? "'" : " or '") + name + "'";
    std::string message = "{% " + tag.keyword + " %}: no template file beside this one has the template.id " + names;
    if (const auto near = nearest_name(tag.names[0], library_->ids()); !near.empty())
      message += "; did you mean '" + std::string(near) + "'?";
    constexpr std::size_t kFilesTold = 3;
    std::size_t told = 0;
    for (const auto& [file, why] : library_->unreadable()) {
      if (told++ < kFilesTold) message += "; " + file + " cannot be read as a template (" + why + ")";
    }
    return message;
  }

  // What is included must compile too: a parent only fails when it is rendered.
  void check_includes() {
    const std::map<std::string, std::string> used = library_->used();
    for (const auto& [id, text] : used) {
      const TextField unknown{"the included template '" + id + "'", "", Node{}};
      const auto compiled = environment_.compile(text, id);
      if (compiled) {
        check_include_tags(unknown, text, id);
      } else {
        complain(locate(unknown, id, compiled.error().line, compiled.error().column), compiled.error().message);
      }
    }
  }

  void tell_unused_steps(const std::vector<CompiledStep>& steps) {
    if (spec_.columns.empty() || !diagnostics_.ok()) return;  // a mistyped name would seem unused
    for (const CompiledStep& step : steps) {
      if (used_steps_.contains(step.position)) continue;
      const StepSpec& spec = spec_.templ.steps[step.position];
      diagnostics_.warning(spec.file, spec.mark, spec.field,
                           "no column and no other step uses the step '" + step.id + "'; it is paid for all the same");
    }
  }

  // Depth first, in the order of the template.
  void order(std::vector<CompiledStep> steps) {
    enum class Mark_ { fresh, open, done };
    std::vector<Mark_> marks(spec_.templ.steps.size(), Mark_::fresh);
    std::vector<std::size_t> index_of(spec_.templ.steps.size());
    std::vector<std::size_t> path;
    bool cyclic = false;
    const auto find = [&](std::size_t position) {
      return std::find_if(steps.begin(), steps.end(), [&](const CompiledStep& s) { return s.position == position; });
    };
    const auto visit = [&](auto& self, std::size_t position) -> void {
      const auto step = find(position);
      if (step == steps.end() || marks[position] == Mark_::done) return;
      if (marks[position] == Mark_::open) {
        cyclic = true;
        return tell_cycle(path, position);
      }
      marks[position] = Mark_::open;
      path.push_back(position);
      for (std::size_t need : step->needs) self(self, need);
      path.pop_back();
      marks[position] = Mark_::done;
      index_of[position] = job_.steps.size();
      job_.steps.push_back(*step);
    };
    for (const CompiledStep& step : steps) visit(visit, step.position);
    if (cyclic) return;
    for (CompiledStep& step : job_.steps) {
      for (std::size_t& need : step.needs) need = index_of[need];
      std::sort(step.needs.begin(), step.needs.end());
    }
  }

  void tell_cycle(const std::vector<std::size_t>& path, std::size_t position) {
    std::string cycle;
    for (auto at = std::find(path.begin(), path.end(), position); at != path.end(); ++at) {
      cycle += spec_.templ.steps[*at].id + " -> ";
    }
    const StepSpec& step = spec_.templ.steps[position];
    diagnostics_.error(
        step.file, step.mark, step.field,
        "the steps wait for one another: " + cycle + step.id + "; one of them must do without the output of the next");
  }

  const JobSpec& spec_;
  std::shared_ptr<TemplateLibrary> library_;
  Diagnostics& diagnostics_;
  std::set<std::size_t> used_steps_;
  jinja::Environment environment_;
  CompiledJob job_;
};

}  // namespace

bool CompiledJob::is_chain() const {
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const auto& needs = steps[i].needs;
    if (std::find(needs.begin(), needs.end(), i - 1) == needs.end()) return false;
  }
  return true;
}

CompiledJob compile_job(const JobSpec& spec, std::shared_ptr<TemplateLibrary> library, Diagnostics& diagnostics) {
  return Compiler(spec, std::move(library), diagnostics).compile();
}

}  // namespace palette::job
