#include <algorithm>
#include <new>
#include <set>

#include "jinja/compiled.h"
#include "jinja/fault.h"
#include "jinja/printing.h"
#include "jinja/run.h"

namespace palette::jinja {
namespace {

Error edge_error(const Fault& caught, const Run& run) {
  Error error{caught.kind, caught.message, caught.template_name};
  error.line = caught.line;
  error.column = caught.column;
  if (!error.where.empty()) return error;
  error.where = run.current->name;
  if (error.line == 0 && run.here != nullptr) {
    error.line = run.here->line;
    error.column = run.here->column;
  }
  return error;
}

// What may leave the render: containers as copies of their own, the rest that lives in it as its text.
Value released(const Value& value, std::uint32_t depth) {
  check_value_depth(depth);
  switch (value.kind()) {
    case Kind::undefined:
      return {};
    case Kind::list:
    case Kind::tuple: {
      std::vector<Value> items;
      for (std::size_t i = 0; i < value.size(); ++i) items.push_back(released(value.at(i), depth + 1));
      return value.is_list() ? Value::list(std::move(items)) : Value::tuple(std::move(items));
    }
    case Kind::generator:
    case Kind::view: {
      std::vector<Value> items;
      for (const Value& item : items_of(value)) items.push_back(released(item, depth + 1));
      return Value::list(std::move(items));
    }
    case Kind::dict: {
      Value dict = make_dict(true);
      for (std::size_t i = 0; i < value.size(); ++i) {
        const DictEntry& entry = dict_of(value).entries[i];
        dict_of(dict).set(released(entry.key, depth + 1), entry.hash, released(entry.value, depth + 1));
      }
      return dict;
    }
    case Kind::none:
    case Kind::boolean:
    case Kind::integer:
    case Kind::floating:
    case Kind::string:
    case Kind::range:
      return value;
    default:
      return Value::of(text_of(value));
  }
}

// Runs `work`, once more on copies of the host's values when the template changes one of them.
template <class Work>
Status guarded(const detail::CompiledTemplate& compiled, const Value& context, const RenderOptions& options,
               const Work& work) {
  if (!context.is_map() && !context.is_undefined()) {
    return fail(ErrorKind::bad_input,
                "the variables of a template must be a map, not " + std::string(kind_name(context)), compiled.name);
  }
  for (bool thaw : {false, true}) {
    Run run(compiled, context, options, thaw);
    try {
      work(run);
      return {};
    } catch (const StartOver&) {
      continue;
    } catch (const Fault& caught) {
      return std::unexpected(edge_error(caught, run));
    } catch (const std::bad_alloc&) {
      return std::unexpected(
          edge_error(Fault(ErrorKind::too_large, "the render needs more memory than there is"), run));
    }
  }
  return fail(ErrorKind::internal, "the render started over twice", compiled.name);
}

void collect_references(const detail::CompiledTemplate& compiled, std::set<std::string>& seen,
                        const std::vector<std::string>& hidden, std::vector<Reference>& out) {
  for (const Reference& reference : compiled.own_references) {
    if (std::ranges::find(hidden, reference.path[0]) == hidden.end()) out.push_back(reference);
  }
  for (const detail::StaticUse& use : compiled.uses) {
    if (!seen.insert(use.template_name).second) continue;
    std::shared_ptr<const detail::CompiledTemplate> used;
    try {
      used = load_template(*compiled.environment, use.template_name);
    } catch (const Fault&) {
      continue;  // what is wrong there is reported where it is compiled or included
    }
    if (used == nullptr) continue;
    std::vector<std::string> inner = hidden;
    inner.insert(inner.end(), use.hidden.begin(), use.hidden.end());
    collect_references(*used, seen, inner, out);
  }
}

}  // namespace

Template::Template(std::shared_ptr<const detail::EnvironmentState> environment,
                   std::shared_ptr<const detail::CompiledTemplate> compiled)
    : environment_(std::move(environment)), compiled_(std::move(compiled)) {}

Result<std::string> Template::render(const Value& context, const RenderOptions& options) const {
  std::string out;
  Status status = guarded(*compiled_, context, options, [&](Run& run) {
    run.render();
    out = std::move(run.out);
  });
  if (!status) return std::unexpected(status.error());
  return out;
}

Status Template::render_to(std::string& out, const Value& context, const RenderOptions& options) const {
  return guarded(*compiled_, context, options, [&](Run& run) {
    run.render();
    out += run.out;
  });
}

bool Template::is_single_expression() const { return compiled_->single_expression != nullptr; }

Result<Value> Template::evaluate(const Value& context, const RenderOptions& options) const {
  if (!is_single_expression()) {
    return fail(ErrorKind::bad_input, "expected the template to be one {{ expression }}", compiled_->name);
  }
  Value value;
  Status status = guarded(*compiled_, context, options,
                          [&](Run& run) { value = released(run.evaluate(compiled_->single_expression), 0); });
  if (!status) return std::unexpected(status.error());
  return value;
}

const std::vector<Reference>& Template::references() const {
  std::call_once(compiled_->references_once, [&] {
    std::set<std::string> seen = {compiled_->name};
    collect_references(*compiled_, seen, {}, compiled_->references);
    std::ranges::stable_sort(compiled_->references, [](const Reference& a, const Reference& b) {
      return std::tie(a.template_name, a.line, a.column) < std::tie(b.template_name, b.line, b.column);
    });
  });
  return compiled_->references;
}

const std::string& Template::name() const { return compiled_->name; }
const std::string& Template::source() const { return compiled_->source; }

}  // namespace palette::jinja
