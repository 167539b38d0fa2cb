#include "jinja/undefined.h"

#include "jinja/object.h"
#include "jinja/printing.h"

namespace palette::jinja {
namespace {

// Jinja's object_type_repr: "None", "dict object".
std::string owner_text(const Value& value) {
  auto kind = static_cast<Kind>(value.detail() & 0xFF);
  switch (kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return "bool object";
    case Kind::integer:
      return "int object";
    case Kind::floating:
      return "float object";
    case Kind::string:
      return "str object";
    case Kind::list:
      return "list object";
    case Kind::tuple:
      return "tuple object";
    case Kind::dict:
      return "dict object";
    case Kind::range:
      return "range object";
    case Kind::view:
      return "view object";
    case Kind::generator:
      return "generator object";
    case Kind::loop:
      return "jinja2.runtime.LoopContext object";
    case Kind::macro:
      return "jinja2.runtime.Macro object";
    case Kind::function:
    case Kind::method:
      return "function object";
    case Kind::name_space:
      return "jinja2.utils.Namespace object";
    case Kind::cycler:
      return "jinja2.utils.Cycler object";
    case Kind::joiner:
      return "jinja2.utils.Joiner object";
    case Kind::module:
      return "jinja2.environment.TemplateModule object";
    case Kind::blocks:
      return "jinja2.runtime.TemplateReference object";
    case Kind::undefined:
      return "undefined";
  }
  return "object";
}

std::string_view name_text(const Value& value) {
  if (value.object() == nullptr) return "value";
  return static_cast<StringObject*>(value.object())->view();
}

}  // namespace

Value undefined_name(const Value& name) { return Value::undefined_of(name.object(), kUndefinedName); }

Value undefined_attribute(const Value& owner, const Value& name) {
  return Value::undefined_of(name.object(),
                             static_cast<std::uint16_t>(kUndefinedAttribute | static_cast<unsigned>(owner.kind())));
}

Value undefined_element(const Value& owner, const Value& key) {
  Value text = Value::of(repr_of(key));
  return Value::undefined_of(text.object(),
                             static_cast<std::uint16_t>(kUndefinedElement | static_cast<unsigned>(owner.kind())));
}

Value undefined_hint(std::string_view message, bool mild) {
  Value text = Value::of(message);
  return Value::undefined_of(text.object(), static_cast<std::uint16_t>(kUndefinedHint | (mild ? kUndefinedMild : 0)));
}

Value unset() { return Value::undefined_of(nullptr, kUnset); }

std::string undefined_subject(const Value& value) { return std::string(name_text(value)); }

std::string undefined_message(const Value& value) {
  std::string name(name_text(value));
  std::uint16_t detail = value.detail();
  if (detail == kUnset || detail == kUndefinedName) return repr_text(name) + " is undefined";
  if ((detail & kUndefinedHint) != 0) return name;
  if ((detail & kUndefinedElement) != 0) return owner_text(value) + " has no element " + name;
  return "'" + owner_text(value) + "' has no attribute " + repr_text(name);
}

std::string undefined_debug_text(const Value& value) {
  std::string name(name_text(value));
  std::uint16_t detail = value.detail();
  if ((detail & kUndefinedHint) != 0) return "{{ undefined value printed: " + name + " }}";
  if (detail == kUnset || detail == kUndefinedName) return "{{ " + name + " }}";
  if ((detail & kUndefinedElement) == 0) name = repr_text(name);
  return "{{ no such element: " + owner_text(value) + "[" + name + "] }}";
}

}  // namespace palette::jinja
