// Exact messages, with their places.
#include <gtest/gtest.h>

#include <string>

#include "jinja/environment.h"

namespace palette::jinja {
namespace {

std::string error_of(std::string source, Settings settings = {}) {
  Environment environment(std::move(settings));
  Result<Template> compiled = environment.compile(std::move(source), "t");
  if (!compiled) return compiled.error().text();
  Result<std::string> text =
      compiled->render(Value::from_json(parse_json(R"({"d": {"a": 1}, "l": [1], "s": "text", "n": 5})").value()));
  return text ? "no error: " + *text : text.error().text();
}

struct Case {
  const char* source;
  const char* message;
};

class Errors : public testing::TestWithParam<Case> {};

TEST_P(Errors, SayWhatWasFoundAndExpected) {
  EXPECT_EQ(error_of(GetParam().source), GetParam().message) << GetParam().source;
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, Errors,
    testing::Values(
        Case{"{{ x", "t:1:1: this tag is not closed: expected '}}'"},
        Case{"a\n{# x", "t:2:1: this comment is not closed: expected '#}'"},
        Case{"{% raw %}x", "t:1:1: this raw block is not closed: expected '{% endraw %}'"},
        Case{"{{ }}", "t:1:4: expected an expression, found end of print statement"},
        Case{"{{ foo bar }}", "t:1:8: expected end of print statement, found 'bar'"},
        Case{"{{ (1 }}", "t:1:7: unexpected '}', expected ')'"},
        Case{"{{ 'a }}", "t:1:4: this string is not closed: expected '"},
        Case{"{{ 1 ? 2 }}", "t:1:6: unexpected character '?'"},
        Case{"{% if x %}a",
             "t:1:12: the template ends where 'elif' or 'else' or 'endif' is expected for the open 'if'"},
        Case{"{% for x in l %}{% endif %}",
             "t:1:20: unknown tag 'endif'; expected 'endfor' or 'else' for the open 'for'"},
        Case{"{% fro x in l %}", "t:1:4: unknown tag 'fro'"}, Case{"{% endif %}", "t:1:4: unknown tag 'endif'"},
        Case{"{% for x l %}{% endfor %}", "t:1:10: expected 'in', found 'l'"},
        Case{"{% break %}", "t:1:4: 'break' stands outside of a loop"},
        Case{"{% set 1 = 2 %}", "t:1:8: expected a name to assign to, found 1"},
        Case{"{% for none in l %}{% endfor %}", "t:1:8: expected a name to assign to, found 'none'"},
        Case{"{{ s|titel }}", "t:1:6: unknown filter 'titel'; did you mean 'title'?"},
        Case{"{{ s is strng }}", "t:1:9: unknown test 'strng'; did you mean 'string'?"},
        Case{"{% if s %}{{ s|nope_at_all }}{% endif %}", "t:1:16: unknown filter 'nope_at_all'"},
        Case{"{{ f(a=1, 2) }}",
             "t:1:11: this argument may not stand here: the order is positional, keyword, *args, **kwargs"},
        Case{"{% macro m(a=1, b) %}{% endmacro %}", "t:1:17: a parameter without a default follows one with a default"},
        Case{"{% block a %}{% endblock %}{% block a %}{% endblock %}", "t:1:37: the block 'a' is defined twice"},
        Case{"{{ 9223372036854775808 }}", "t:1:4: the integer 9223372036854775808 does not fit in 64 bits"},
        Case{"{% call s %}{% endcall %}", "t:1:9: expected a call of a macro"}));

INSTANTIATE_TEST_SUITE_P(
    Running, Errors,
    testing::Values(
        Case{"{{ x.y }}", "t:1:4: 'x' is undefined"},
        Case{"a\n  {{ d.nope.more }}", "t:2:8: 'dict object' has no attribute 'nope'"},
        Case{"{{ l[7].x }}", "t:1:5: list object has no element 7"}, Case{"{{ x() }}", "t:1:4: 'x' is undefined"},
        Case{"{{ 1 + x }}", "t:1:8: 'x' is undefined"},
        Case{"{{ s + 1 }}", "t:1:6: can only concatenate str (not \"int\") to str"},
        Case{"{{ l + 1 }}", "t:1:6: unsupported operand type(s) for +: 'list' and 'int'"},
        Case{"{{ 1 < s }}", "t:1:6: '<' not supported between instances of 'int' and 'str'"},
        Case{"{{ n // 0 }}", "t:1:6: integer division or modulo by zero"},
        Case{"{{ 9223372036854775807 + 1 }}", "t:1:24: the result of + does not fit in a 64-bit integer"},
        Case{"{% for x in n %}{% endfor %}", "t:1:13: 'int' object is not iterable"},
        Case{"{% for a, b in [[1]] %}{% endfor %}", "t:1:8: not enough values to unpack (expected 2, got 1)"},
        Case{"{{ s.nope() }}", "t:1:6: 'str object' has no attribute 'nope'"},
        Case{"{{ s.__class__ }}", "t:1:6: templates have no access to the attribute '__class__' of a string"},
        Case{"{{ s|truncate(1) }}", "t:1:6: expected length >= 3, got 1"},
        Case{"{{ s|upper(1) }}", "t:1:6: upper() takes at most 1 argument(s), 2 were given"},
        Case{"{{ l|map('upper') }}", "t:1:6: a generator has no text of its own: add |list or |join"},
        Case{"{% include 'gone' %}", "t:1:12: there is no template 'gone'"},
        Case{"{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "t:1:34: macro 'm' takes not more than 1 argument(s)"},
        Case{"{% set d.a = 1 %}", "t:1:8: cannot assign to an attribute of a dict; only namespace(…) allows it"},
        Case{"{{ l.pop(5) }}", "t:1:6: pop index out of range"},
        Case{"{{ {[]: 1} }}", "t:1:5: unhashable type: 'list'"}));

INSTANTIATE_TEST_SUITE_P(
    Limits, Errors,
    testing::Values(
        Case{"{{ 'x' * 2000000000 }}",
             "t:1:8: a repeated string would make 2000000000 bytes; the limit for one operation is 8388608 "
             "(operation_bytes)"},
        Case{"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
             "t:1:35: the template takes more than the limit of 2000000 steps (steps)"},
        Case{"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
             "t:1:19: macros, includes and recursive loops nest deeper than the limit of 200 (call_depth)"},
        Case{"{{ range(1000000000)|list }}",
             "t:1:22: a list of this range would make 16000000000 bytes; the limit for one operation is 8388608 "
             "(operation_bytes)"},
        Case{"{% for i in range(100) %}{{ 'x' * 1000000 }}{% endfor %}",
             "t:1:33: the text grows beyond the limit of 8388608 bytes (output_bytes)"},
        Case{"{% set l = [] %}{% for i in range(1000) %}{% do l.append('x' ~ i ~ 'x' * 100000) %}{% endfor %}",
             "t:1:72: the values of this render take more than the limit of 25165824 bytes (live_bytes)"}));

TEST(Errors, NestedBracketsHaveALimit) {
  std::string deep(5000, '(');
  EXPECT_EQ(error_of("{{ " + deep + "1" + std::string(5000, ')') + " }}"),
            "t:1:64: brackets and blocks nest deeper than the limit of 120 levels");
  std::string sum = "{{ 1";
  for (int i = 0; i < 5000; ++i) sum += " + 1";
  EXPECT_EQ(error_of(sum + " }}"), "t:1:2406: this expression nests deeper than the limit of 600 levels");
}

TEST(Errors, DeadlineIsATimeout) {
  Environment environment;
  Template slow = environment.compile("{% for a in range(1000000) %}{{ a|string|length }}{% endfor %}", "t").value();
  RenderOptions options;
  options.limits.deadline_ms = 1;
  options.limits.steps = 1'000'000'000;
  options.limits.output_bytes = 1'000'000'000;
  EXPECT_EQ(slow.render(Value(), options).error().kind, ErrorKind::timeout);
}

TEST(Errors, CrossedLimitsAreTooLarge) {
  Environment environment;
  Template big = environment.compile("{{ 'x' * 9999999999 }}", "t").value();
  EXPECT_EQ(big.render(Value()).error().kind, ErrorKind::too_large);
}

TEST(Errors, MutationCanBeForbidden) {
  EXPECT_EQ(error_of("{% do l.append(1) %}", {.allow_mutation = false}),
            "t:1:9: templates here may not change lists and dicts: append() is not allowed");
}

TEST(CaretExcerpt, ShowsTheLineAndThePlace) {
  EXPECT_EQ(caret_excerpt("Dear {{ name|titel }},\nbye", 1, 14), "Dear {{ name|titel }},\n             ^\n");
  EXPECT_EQ(caret_excerpt("a\r\nä\t{{ x", 2, 4), "ä\t{{ x\n \t^\n");
  EXPECT_EQ(caret_excerpt("a", 2, 1), "");
}

}  // namespace
}  // namespace palette::jinja
