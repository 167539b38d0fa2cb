#include "jinja/methods.h"

#include <algorithm>
#include <array>
#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/object.h"
#include "jinja/printing.h"
#include "jinja/run.h"
#include "jinja/undefined.h"

namespace palette::jinja {
namespace {

// In the order of MethodId.
constexpr std::string_view kNames[] = {"",
                                       "append",
                                       "as_integer_ratio",
                                       "bit_count",
                                       "bit_length",
                                       "capitalize",
                                       "casefold",
                                       "center",
                                       "clear",
                                       "conjugate",
                                       "copy",
                                       "count",
                                       "encode",
                                       "endswith",
                                       "expandtabs",
                                       "extend",
                                       "find",
                                       "format",
                                       "format_map",
                                       "fromkeys",
                                       "get",
                                       "index",
                                       "insert",
                                       "is_integer",
                                       "isalnum",
                                       "isalpha",
                                       "isascii",
                                       "isdecimal",
                                       "isdigit",
                                       "isidentifier",
                                       "islower",
                                       "isnumeric",
                                       "isprintable",
                                       "isspace",
                                       "istitle",
                                       "isupper",
                                       "items",
                                       "join",
                                       "keys",
                                       "ljust",
                                       "lower",
                                       "lstrip",
                                       "maketrans",
                                       "partition",
                                       "pop",
                                       "popitem",
                                       "remove",
                                       "removeprefix",
                                       "removesuffix",
                                       "replace",
                                       "reverse",
                                       "rfind",
                                       "rindex",
                                       "rjust",
                                       "rpartition",
                                       "rsplit",
                                       "rstrip",
                                       "setdefault",
                                       "sort",
                                       "split",
                                       "splitlines",
                                       "startswith",
                                       "striptags",
                                       "strip",
                                       "swapcase",
                                       "title",
                                       "translate",
                                       "unescape",
                                       "update",
                                       "upper",
                                       "values",
                                       "zfill",
                                       "hex",
                                       "to_bytes",
                                       "from_bytes",
                                       "changed",
                                       "cycle",
                                       "next",
                                       "reset"};

constexpr std::size_t kCount = std::size(kNames);
using Set = std::array<bool, kCount>;

constexpr Set set_of(std::initializer_list<MethodId> methods) {
  Set set{};
  for (MethodId method : methods) set[static_cast<std::size_t>(method)] = true;
  return set;
}

using enum MethodId;
constexpr Set kStringMethods = set_of(
    {capitalize,   casefold, center,   count,   encode,    endswith,   expandtabs,   find,      format,    format_map,
     index,        isalnum,  isalpha,  isascii, isdecimal, isdigit,    isidentifier, islower,   isnumeric, isprintable,
     isspace,      istitle,  isupper,  join,    ljust,     lower,      lstrip,       maketrans, partition, removeprefix,
     removesuffix, replace,  rfind,    rindex,  rjust,     rpartition, rsplit,       rstrip,    split,     splitlines,
     startswith,   strip,    swapcase, title,   translate, upper,      zfill});
constexpr Set kListMethods = set_of({append, clear, copy, count, extend, index, insert, pop, remove, reverse, sort});
constexpr Set kTupleMethods = set_of({count, index});
constexpr Set kDictMethods =
    set_of({clear, copy, fromkeys, get, items, keys, pop, popitem, setdefault, update, values});
constexpr Set kIntMethods = set_of({as_integer_ratio, bit_count, bit_length, conjugate, to_bytes, from_bytes});
constexpr Set kFloatMethods = set_of({as_integer_ratio, conjugate, is_integer, hex});
constexpr Set kMutating =
    set_of({append, clear, extend, insert, pop, popitem, remove, reverse, setdefault, sort, update});

bool in(const Set& set, MethodId method) { return set[static_cast<std::size_t>(method)]; }

struct ByName {
  std::array<std::uint16_t, kCount> order{};
  constexpr ByName() {
    for (std::size_t i = 0; i < kCount; ++i) order[i] = static_cast<std::uint16_t>(i);
    std::sort(order.begin(), order.end(), [](std::uint16_t a, std::uint16_t b) { return kNames[a] < kNames[b]; });
  }
};
constexpr ByName kByName;

Value call_loop_method(const Value& self, MethodId method, Arguments& arguments) {
  LoopObject& loop = loop_of(self);
  if (method == cycle) {
    if (arguments.positional.empty()) fault("no items for cycling given");
    return arguments.positional[static_cast<std::size_t>(loop.index0) % arguments.positional.size()];
  }
  std::vector<Value> values(arguments.positional.begin(), arguments.positional.end());
  Value now = make_list(std::move(values), Kind::tuple);
  bool is_changed = loop.last_changed.is_undefined() || !equal(loop.last_changed, now);
  if (is_changed) loop.last_changed = std::move(now);
  return Value::of(is_changed);
}

Value call_cycler_method(const Value& self, MethodId method) {
  CyclerObject& cycler = cycler_of(self);
  if (method == reset) {
    cycler.position = 0;
    return Value::none();
  }
  Value item = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return item;
}

}  // namespace

MethodId method_named(std::string_view name) {
  auto found = std::lower_bound(kByName.order.begin(), kByName.order.end(), name,
                                [](std::uint16_t at, std::string_view wanted) { return kNames[at] < wanted; });
  if (found == kByName.order.end() || kNames[*found] != name) return MethodId::none;
  return static_cast<MethodId>(*found);
}

std::string_view name_of(MethodId method) { return kNames[static_cast<std::size_t>(method)]; }

bool is_mutating(MethodId method) { return in(kMutating, method); }

bool has_method(const Value& value, MethodId method) {
  switch (value.kind()) {
    case Kind::string:
      return in(kStringMethods, method) || (value.is_safe() && (method == unescape || method == striptags));
    case Kind::list:
      return in(kListMethods, method);
    case Kind::tuple:
      return in(kTupleMethods, method);
    case Kind::range:
      return in(kTupleMethods, method);
    case Kind::dict:
      return in(kDictMethods, method);
    case Kind::boolean:
    case Kind::integer:
      return in(kIntMethods, method);
    case Kind::floating:
      return in(kFloatMethods, method);
    case Kind::loop:
      return method == cycle || method == changed;
    case Kind::cycler:
      return method == next || method == reset;
    default:
      return false;
  }
}

bool is_hidden_attribute(std::string_view name) {
  return name.size() > 4 && name.starts_with("__") && name.ends_with("__");
}

Value call_method(const Value& self, MethodId method, Arguments& arguments) {
  if (in(kMutating, method) && (self.kind() == Kind::list || self.kind() == Kind::dict)) {
    check_may_change(self, method, arguments.run);
  }
  switch (self.kind()) {
    case Kind::string:
      return call_string_method(self, method, arguments);
    case Kind::list:
      return call_list_method(self, method, arguments);
    case Kind::tuple:
    case Kind::range:
      return call_tuple_method(self, method, arguments);
    case Kind::dict:
      return call_dict_method(self, method, arguments);
    case Kind::boolean:
    case Kind::integer:
    case Kind::floating:
      return call_number_method(self, method, arguments);
    case Kind::loop:
      return call_loop_method(self, method, arguments);
    case Kind::cycler:
      return call_cycler_method(self, method);
    default:
      fault(std::string(kind_name(self)) + " has no method " + repr_text(name_of(method)));
  }
}

void check_may_change(const Value& self, MethodId method, Run& run) {
  if (!run.settings.allow_mutation) {
    fault("templates here may not change lists and dicts: " + std::string(name_of(method)) + "() is not allowed");
  }
  bool frozen = self.kind() == Kind::list ? list_of(self).frozen : dict_of(self).frozen;
  if (!frozen) return;
  if (!run.thaw) throw StartOver{};
  fault(std::string(kind_name(self)) + " of the host cannot be changed by " + std::string(name_of(method)) + "()");
}

}  // namespace palette::jinja
