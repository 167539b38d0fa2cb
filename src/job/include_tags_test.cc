#include "job/include_tags.h"

#include <gtest/gtest.h>

namespace palette::job {
namespace {

// "include style,tone? 1:13": keyword, names, ? when it may be missing, place of the first name.
std::string tags(std::string_view text) {
  std::string out;
  for (const IncludeTag& tag : include_tags(text)) {
    out += (out.empty() ? "" : "; ") + tag.keyword + " ";
    for (std::size_t i = 0; i < tag.names.size(); ++i) out += (i == 0 ? "" : ",") + tag.names[i];
    out += (tag.ignore_missing ? "? " : " ") + std::to_string(tag.line) + ":" + std::to_string(tag.column);
  }
  return out;
}

TEST(IncludeTags, FindsWhatIsNamedByConstants) {
  const struct {
    const char* text;
    const char* tags;
  } cases[] = {
      {"{% include 'style' %}", "include style 1:13"},
      {"a 'style'\n{%- include \"style\" without context -%}", "include style 2:14"},
      {"{% include 'style' ignore missing %}", "include style? 1:13"},
      {"{% include ['a', \"b\"] ignore missing with context %}", "include a,b? 1:14"},
      {"{% from 'm' import x %}{% import 'n' as n %}{% extends 'p' %}", "from m 1:10; import n 1:35; extends p 1:57"},
      {"{% include name %}{% include 'a' ~ b %}{% include [a, 'b'] %}", ""},
      {"{# {% include 'a' %} #}{% raw %}{% include 'b' %}{% endraw %}{% include 'c' %}", "include c 1:74"},
      {"{{ \"{% include 'a' %}\" }}{% set x = \"%}\" %}{% include 'b' %}", "include b 1:56"},
      {"{% include 'a", ""},
      {"{# open {% include 'a' %}", ""},
      {"{", ""},
      {"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(tags(c.text), c.tags) << c.text;
}

}  // namespace
}  // namespace palette::job
