// Methods of strings, lists, dicts and numbers: 'x'.upper(), d.items(), …
#pragma once

#include <cstdint>
#include <string_view>

#include "jinja/registry.h"
#include "jinja/value.h"

namespace palette::jinja {

// Every method name there is, whatever it belongs to.
enum class MethodId : std::uint16_t {
  none,
  append,
  as_integer_ratio,
  bit_count,
  bit_length,
  capitalize,
  casefold,
  center,
  clear,
  conjugate,
  copy,
  count,
  encode,
  endswith,
  expandtabs,
  extend,
  find,
  format,
  format_map,
  fromkeys,
  get,
  index,
  insert,
  is_integer,
  isalnum,
  isalpha,
  isascii,
  isdecimal,
  isdigit,
  isidentifier,
  islower,
  isnumeric,
  isprintable,
  isspace,
  istitle,
  isupper,
  items,
  join,
  keys,
  ljust,
  lower,
  lstrip,
  maketrans,
  partition,
  pop,
  popitem,
  remove,
  removeprefix,
  removesuffix,
  replace,
  reverse,
  rfind,
  rindex,
  rjust,
  rpartition,
  rsplit,
  rstrip,
  setdefault,
  sort,
  split,
  splitlines,
  startswith,
  striptags,
  strip,
  swapcase,
  title,
  translate,
  unescape,
  update,
  upper,
  values,
  zfill,
  hex,
  to_bytes,
  from_bytes,
  // of loop, cycler and the like
  changed,
  cycle,
  next,
  reset,
};

MethodId method_named(std::string_view name);
std::string_view name_of(MethodId method);
// append, update, …: changes the list or dict in place.
bool is_mutating(MethodId method);
// Whether values of this kind have the method.
bool has_method(const Value& value, MethodId method);
// Whether Python's type has a plain attribute (no method) of that name that templates do not get.
bool is_hidden_attribute(std::string_view name);

Value call_method(const Value& self, MethodId method, Arguments& arguments);

// By kind; call_method leads here.
Value call_string_method(const Value& self, MethodId method, Arguments& arguments);
Value call_string_search_method(const Value& self, MethodId method, Arguments& arguments);
Value call_list_method(const Value& self, MethodId method, Arguments& arguments);
Value call_tuple_method(const Value& self, MethodId method, Arguments& arguments);
Value call_dict_method(const Value& self, MethodId method, Arguments& arguments);
Value call_number_method(const Value& self, MethodId method, Arguments& arguments);

// Fails when the host forbids changes, or when the list or dict is not the template's own.
void check_may_change(const Value& self, MethodId method, Run& run);

}  // namespace palette::jinja
