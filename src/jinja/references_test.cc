#include <gtest/gtest.h>

#include <map>
#include <string>

#include "jinja/environment.h"

namespace palette::jinja {
namespace {

// "steps.question.output@1:4 name?@2:3 part:x@1:4": ? marks a guarded one.
std::string references_of(std::string source) {
  Environment environment;
  environment.add_global("version", Value::of(1));
  environment.set_loader([](std::string_view name) -> std::optional<std::string> {
    if (name == "part") return "{{ x }}{{ y.z }}";
    if (name == "loop") return "{% include 'loop' %}{{ q }}";
    return std::nullopt;
  });
  Result<Template> compiled = environment.compile(std::move(source), "t");
  if (!compiled) return compiled.error().text();
  std::string text;
  for (const Reference& reference : compiled->references()) {
    if (!text.empty()) text += " ";
    if (reference.template_name != "t") text += reference.template_name + ":";
    for (std::size_t i = 0; i < reference.path.size(); ++i) text += (i > 0 ? "." : "") + reference.path[i];
    if (reference.guarded) text += "?";
    text += "@" + std::to_string(reference.line) + ":" + std::to_string(reference.column);
  }
  return text;
}

struct Case {
  const char* source;
  const char* expected;
};

class References : public testing::TestWithParam<Case> {};

TEST_P(References, AreTheFreeVariables) {
  EXPECT_EQ(references_of(GetParam().source), GetParam().expected) << GetParam().source;
}

INSTANTIATE_TEST_SUITE_P(
    All, References,
    testing::Values(Case{"{{ a }}\n{{ steps.question['output'] }}", "a@1:4 steps.question.output@2:4"},
                    Case{"{{ a[i].b }}", "a@1:4 i@1:6"}, Case{"{{ range(3) }}{{ version }}{{ loop }}", ""},
                    Case{"{% for x in steps.items() %}{{ x }}{{ loop.index }}{{ y }}{% endfor %}{{ x }}",
                         "steps@1:13 y@1:55 x@1:74"},
                    Case{"{% set x = 1 %}{{ x }}{% macro m(a) %}{{ a }}{{ b }}{% endmacro %}{{ m(c) }}",
                         "b@1:49 c@1:72"},
                    Case{"{% if a is defined %}{{ a.b }}{% else %}{{ a }}{% endif %}", "a?@1:7 a.b?@1:25 a@1:44"},
                    Case{"{% if a %}{{ a }}{% endif %}{{ a }}", "a?@1:7 a?@1:14 a@1:32"},
                    Case{"{{ a|default('x') }}{{ b.c|d(1) }}", "a?@1:4 b.c?@1:24"},
                    Case{"{{ a if a else b }}{{ c and c.d }}", "a?@1:4 a?@1:9 b@1:16 c?@1:23 c.d?@1:29"},
                    Case{"{% if not a is defined %}{% set a = 1 %}{% endif %}{{ a }}", "a?@1:11"},
                    Case{"{% set x = 1 %}{% include 'part' %}", "part:y.z@1:11"},
                    Case{"{% include 'loop' %}{% include 'gone' %}", "loop:q@1:24"},
                    Case{"{% with a = b %}{{ a }}{% endwith %}{% import 'part' as p %}{{ p.m }}",
                         "part:x@1:4 part:y.z@1:11 b@1:13"},
                    Case{"{% if x == 'a' %}{% endif %}", "x@1:7"}));

}  // namespace
}  // namespace palette::jinja
