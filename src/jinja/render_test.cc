// What templates give, by table. Expected texts are those of Python's jinja2 3.1.6.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "jinja/environment.h"

namespace palette::jinja {
namespace {

Value context() {
  Json json = parse_json(R"({
    "name": "Ada", "n": 5, "f": 2.5, "none_value": null, "flag": true, "text": "äöü ß",
    "list": [3, 1, 2], "words": ["b", "A", "c"], "dict": {"b": 1, "a": [1, null]},
    "users": [{"name": "Bob", "age": 30}, {"name": "al", "age": 25}, {"name": "Cy", "age": 30}]
  })")
                  .value();
  return Value::from_json(json);
}

std::string render(std::string source, Settings settings = {}) {
  Environment environment(std::move(settings));
  environment.set_loader([](std::string_view name) -> std::optional<std::string> {
    static const std::map<std::string, std::string, std::less<>> kTemplates = {
        {"part", "<{{ name }}{{ x }}>"},
        {"macros", "{% macro hi(who='you') %}hi {{ who }}{{ name }}{% endmacro %}{% set top = 7 %}"},
        {"base", "[{% block head %}base{% endblock %}|{% block body required %}{% endblock %}]"},
        {"endless", "{% include 'endless' %}"},
    };
    auto found = kTemplates.find(name);
    if (found == kTemplates.end()) return std::nullopt;
    return found->second;
  });
  Result<Template> compiled = environment.compile(std::move(source), "t");
  if (!compiled) return "ERROR " + compiled.error().text();
  Result<std::string> text = compiled->render(context());
  return text ? *text : "ERROR " + text.error().text();
}

struct Case {
  const char* source;
  const char* expected;
};

class Render : public testing::TestWithParam<Case> {};

TEST_P(Render, GivesTheTextOfJinja2) { EXPECT_EQ(render(GetParam().source), GetParam().expected) << GetParam().source; }

INSTANTIATE_TEST_SUITE_P(
    Expressions, Render,
    testing::Values(Case{"{{ 1 + 2 * 3 ** 2 }}", "19"},
                    Case{"{{ 2 ** 3 ** 2 }} {{ -5 ** 2 }} {{ -5 ** (n - 3) }}", "64 25 -25"},
                    Case{"{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }}", "-4 2 3.5"},
                    Case{"{{ 1 < n <= 5 }} {{ 'a' in 'abc' }} {{ 4 not in list }}", "True True True"},
                    Case{"{{ name ~ 1 ~ none }}", "Ada1None"},
                    Case{"{{ 1.0 }} {{ 1e16 }} {{ 0.00001 }}", "1.0 1e+16 1e-05"},
                    Case{"{{ [1, 'a', 2.5, none, true] }}", "[1, 'a', 2.5, None, True]"},
                    Case{"{{ {'a': (1,), \"it's\": '\\n'} }}", "{'a': (1,), \"it's\": '\\n'}"},
                    Case{"{{ text[1:3] }} {{ text[::-1] }} {{ text|length }}", "öü ß üöä 5"},
                    Case{"{{ list[-1] }}{{ list[0:2] }}{{ list.1 }}", "2[3, 1]1"},
                    Case{"{{ 'yes' if flag else 'no' }}{{ 'x' if not flag }}", "yes"},
                    Case{"{{ missing }}|{{ dict.nope }}|{{ missing is defined }}", "||False"},
                    Case{"{{ '%05.1f %s' % (2.25, 'x') }} {{ '{:>4}|{!r}'.format(1, 'a') }}", "002.2 x    1|'a'"},
                    Case{"{{ dict.items()|list }} {{ dict.get('zz', 9) }}", "[('b', 1), ('a', [1, None])] 9"},
                    Case{"{{ range(5) }} {{ range(10, 0, -3)|list }}", "range(0, 5) [10, 7, 4, 1]"}));

INSTANTIATE_TEST_SUITE_P(
    Statements, Render,
    testing::Values(
        Case{"{% for x in list if x > 1 %}{{ loop.index }}{{ x }}{% if not loop.last %},{% endif %}{% else %}no{% "
             "endfor %}",
             "13,22"},
        Case{"{% for x in [] %}{{ x }}{% else %}none{% endfor %}", "none"},
        Case{"{% for k, v in dict.items() %}{{ k }}={{ v }};{% endfor %}", "b=1;a=[1, None];"},
        Case{"{% for x in list %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 2 %}{% break %}{% endif %}{{ x "
             "}}{% endfor %}",
             "3"},
        Case{"{% set x = 1 %}{% for i in list %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "3121"},
        Case{"{% set ns = namespace(t=0) %}{% for i in list %}{% set ns.t = ns.t + i %}{% endfor %}{{ ns.t }}", "6"},
        Case{"{% macro m(a, b='d') %}{{ a }}{{ b }}{{ varargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2, 3) }}{{ m(b=4) }}",
             "1d()12(3,)4()"},
        Case{"{% macro box() %}[{{ caller(2) }}]{% endmacro %}{% call(x) box() %}in{{ x }}{% endcall %}", "[in2]"},
        Case{"{% set t %}a{{ n }}{% endset %}{{ t|upper }}{% filter upper %}x{% endfilter %}", "A5X"},
        Case{"{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "3"},
        Case{"{% for x in [[1, [2]], [3]] recursive %}({{ loop(x) if x is sequence else x }}){% endfor %}",
             "((1)((2)))((3))"},
        Case{"{% raw %}{{ x }}{% endraw %}{# gone #}", "{{ x }}"},
        Case{"{% set x = 4 %}{% include 'part' %}{% include ['nope', 'part'] without context %}{% include 'nope' "
             "ignore missing %}",
             "<Ada4><>"},
        Case{"{% import 'macros' as m %}{{ m.hi() }}{{ m.top }}{% from 'macros' import hi as h with context %}{{ "
             "h('x') }}",
             "hi you7hi xAda"},
        Case{"{% extends 'base' %}lost{% block head %}my {{ super() }}{% endblock %}{% block body %}{{ self.head() "
             "}}{% endblock %}",
             "[my base|my base]"},
        Case{"{% autoescape true %}{{ '<' }}{{ '<'|safe }}{{ '&' ~ '<'|safe }}{% endautoescape %}{{ '<' }}",
             "&lt;<&amp;<<"},
        Case{"{% do list.append(9) %}{{ list }}", "[3, 1, 2, 9]"}));

INSTANTIATE_TEST_SUITE_P(Whitespace, Render,
                         testing::Values(Case{"a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc"},
                                         Case{"a  {{- 1 -}}  b", "a1b"}, Case{"  {%+ if true %}x{% endif %}\n", "  x"},
                                         Case{"{% if true +%}\nx{% endif %}", "\nx"}, Case{"a\n\n{#- c -#}\n\nb", "ab"},
                                         Case{"{% raw -%}  {{ x }}  {%- endraw %}", "{{ x }}"}));

INSTANTIATE_TEST_SUITE_P(
    FiltersAndTests, Render,
    testing::Values(
        Case{"{{ users|map(attribute='name')|join(', ') }} {{ users|sum(attribute='age') }}", "Bob, al, Cy 85"},
        Case{"{{ users|groupby('age')|map('first')|list }}", "[25, 30]"},
        Case{"{{ users|selectattr('age', 'gt', 26)|map(attribute='name')|list }}", "['Bob', 'Cy']"},
        Case{"{{ words|sort }} {{ words|sort(reverse=true, case_sensitive=true) }}", "['A', 'b', 'c'] ['c', 'b', 'A']"},
        Case{"{{ 'hello world-wide'|title }} {{ text|upper }} {{ 'x'|center(5) }}|", "Hello World-Wide ÄÖÜ SS   x  |"},
        Case{"{{ dict|tojson }} {{ {'a': '<'}|tojson(1) }}", "{\"a\": [1, null], \"b\": 1} {\n \"a\": \"\\u003c\"\n}"},
        Case{"{{ 2.5|round }} {{ 2.675|round(2) }} {{ 42|round(1, 'ceil') }}", "2.0 2.67 42.0"},
        Case{"{{ '42.9'|int }} {{ 'x'|int(7) }} {{ '0x1f'|int(0, 16) }} {{ '1.5'|float }}", "42 7 31 1.5"},
        Case{"{{ missing|default('d') }} {{ ''|default('d', true) }} {{ none_value|default('d') }}", "d d None"},
        Case{"{{ 'a b c d'|truncate(5, leeway=0) }} {{ 'a\nb'|indent(2) }} {{ 'one two three'|wordwrap(8) }}",
             "a... a\n  b one two\nthree"},
        Case{"{{ [1, 2, 3, 4]|batch(3, 0)|list }} {{ [1, 2, 3]|slice(2)|list }}",
             "[[1, 2, 3], [4, 0, 0]] [[1, 2], [3]]"},
        Case{"{{ 3 is odd }} {{ list is sequence }} {{ dict is mapping }} {{ n is divisibleby 5 }} {{ 'a' is in 'abc' "
             "}}",
             "True True True True True"},
        Case{"{{ '<a>&amp;</a>'|striptags }} {{ '<'|e }} {{ 'a b/ä'|urlencode }} {{ 1500|filesizeformat }}",
             "& &lt; a%20b/%C3%A4 1.5 kB"}));

TEST(Settings, StrictUndefinedFailsOnUse) {
  EXPECT_EQ(render("{{ missing }}", {.undefined = UndefinedMode::strict}), "ERROR t:1:4: 'missing' is undefined");
  EXPECT_EQ(render("{{ missing is defined }}{{ missing|default(1) }}", {.undefined = UndefinedMode::strict}), "False1");
}

TEST(Settings, ChainableAndDebugUndefined) {
  EXPECT_EQ(render("[{{ missing.a.b }}]", {.undefined = UndefinedMode::chainable}), "[]");
  EXPECT_EQ(render("{{ missing }}", {.undefined = UndefinedMode::debug}), "{{ missing }}");
}

TEST(Settings, DelimitersAndLineStatements) {
  Settings settings;
  settings.variable_start = "${";
  settings.variable_end = "}";
  settings.line_statement_prefix = "%";
  settings.line_comment_prefix = "##";
  EXPECT_EQ(render("% for x in list\n${ x } ## note\n% endfor\n", settings), "3\n1\n2\n");
}

TEST(Settings, HuggingFaceProfile) {
  EXPECT_EQ(render("{% generation %}{{ {'b': '<é>', 'a': 1}|tojson }}{% endgeneration %}", Settings::hugging_face()),
            "{\"b\": \"<é>\", \"a\": 1}");
  EXPECT_EQ(render("{{ raise_exception('no system role') }}", Settings::hugging_face()), "ERROR t:1:4: no system role");
}

TEST(Template, LeavesTheHostsValuesAlone) {
  Environment environment;
  Template change = environment.compile("{% set l = list %}{% do l.append(1) %}{{ list|length }}", "t").value();
  Value given = context();
  EXPECT_EQ(change.render(given).value(), "4");
  EXPECT_EQ(change.render(given).value(), "4");
  EXPECT_EQ(given.find("list")->to_text(), "[3, 1, 2]");
}

TEST(Template, ListsThatHoldThemselvesAreFreedAndRefused) {
  EXPECT_EQ(render("{% set l = [] %}{% do l.append(l) %}{{ l }}"),
            "ERROR t:1:40: lists and dicts nest deeper than the limit of 200 (value_depth)");
}

TEST(Template, AppendsNothingOnAnError) {
  Environment environment;
  Template failing = environment.compile("abc{{ 1 // 0 }}", "t").value();
  std::string out = "before ";
  EXPECT_FALSE(failing.render_to(out, Value()));
  EXPECT_EQ(out, "before ");
  Template good = environment.compile("{{ 1 + 1 }}", "t").value();
  EXPECT_TRUE(good.render_to(out, Value()));
  EXPECT_EQ(out, "before 2");
}

TEST(Template, EvaluatesASingleExpression) {
  Environment environment;
  Template single = environment.compile(" {{ users|map(attribute='age') }}\n", "t").value();
  EXPECT_TRUE(single.is_single_expression());
  EXPECT_EQ(to_json_text(single.evaluate(context())->to_json()), "[30,25,30]");
  Template number = environment.compile("{{ n }}", "t").value();
  EXPECT_TRUE(number.evaluate(context())->is_int());
  Template text = environment.compile("n: {{ n }}", "t").value();
  EXPECT_FALSE(text.is_single_expression());
  EXPECT_EQ(text.evaluate(context()).error().message, "expected the template to be one {{ expression }}");
}

TEST(Template, DrawsDependOnKeyIndexAndWhatIsDrawnFrom) {
  Environment environment;
  Template one =
      environment.compile("{{ list|random }}{{ list|random }}{{ list|random }}{{ list|random }}", "one").value();
  Template two = environment.compile("{{ words|random }}{{ [3, 1, 2]|random }}", "two").value();
  RenderOptions options{.random_key = 7, .random_index = 3};
  std::string first = one.render(context(), options).value();
  EXPECT_EQ(one.render(context(), options).value(), first);
  EXPECT_EQ(two.render(context(), options).value().back(), first[0]);
  std::string all;
  for (std::uint64_t index = 0; index < 8; ++index)
    all += one.render(context(), {.random_key = 7, .random_index = index}).value();
  EXPECT_NE(all.find('1'), std::string::npos);
  EXPECT_NE(all.find('3'), std::string::npos);
}

TEST(Template, RendersOnSeveralThreadsAtOnce) {
  Environment environment;
  Template shared =
      environment.compile("{% macro m(x) %}{{ x }}{% endmacro %}{% for u in users %}{{ m(u.name) }}{% endfor %}", "t")
          .value();
  Value given = context();
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (int& count : good) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) count += shared.render(given).value() == "BobalCy" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 200));
}

TEST(Environment, HostFiltersTestsFunctionsAndGlobals) {
  Environment environment;
  environment.add_filter(
      "twice", [](Call& call) -> Result<Value> { return Value::of(call.args[0].to_text() + call.args[0].to_text()); });
  environment.add_filter("broken", [](Call&) -> Result<Value> { return fail(ErrorKind::bad_input, "no luck"); });
  environment.add_test("short",
                       [](Call& call) -> Result<Value> { return Value::of(call.args[0].to_text().size() < 3); });
  environment.add_function("add", [](Call& call) -> Result<Value> {
    return Value::of(call.argument(0, "a")->as_int() + call.argument(1, "b")->as_int());
  });
  environment.add_global("version", Value::of("v1"));
  Template good =
      environment
          .compile(
              "{{ 'ab'|twice }} {{ 'ab' is short }} {{ add(1, b=2) }} {{ version }} {{ ['x']|map('twice')|first }}",
              "t")
          .value();
  EXPECT_EQ(good.render(Value()).value(), "abab True 3 v1 xx");
  Template broken = environment.compile("ok\n {{ 1|broken }}", "t").value();
  EXPECT_EQ(broken.render(Value()).error().text(), "t:2:7: no luck");
}

}  // namespace
}  // namespace palette::jinja
