// dict(…) and dict.update(…).
#pragma once

#include "jinja/value.h"

namespace palette::jinja {

// Sets the entries of a dict, or of an iterable of pairs, in `target`, a dict.
void update_dict(const Value& target, const Value& source);

}  // namespace palette::jinja
