// pprint.pformat of Python, width 80.
#pragma once

#include <string>

#include "jinja/value.h"

namespace palette::jinja {

std::string pretty_text(const Value& value);

}  // namespace palette::jinja
