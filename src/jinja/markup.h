// HTML: what markupsafe's Markup does.
#pragma once

#include <string>
#include <string_view>

namespace palette::jinja {

// Markup.striptags: without comments and tags, whitespace runs as one blank, entities resolved.
std::string without_tags(std::string_view text);
// html.unescape for numeric entities and the names that HTML templates use; fails for other names.
std::string unescape_entities(std::string_view text);

}  // namespace palette::jinja
