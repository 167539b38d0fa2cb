// Counts how deep the parser's own recursion is.
#pragma once

#include <string>

#include "jinja/limits.h"
#include "jinja/parser.h"

namespace palette::jinja {

struct Parser::Depth {
  explicit Depth(Parser& of) : parser(of) {
    if (++parser.depth_ > kParseDepthMax) {
      parser.fail(parser.now(),
                  "brackets and blocks nest deeper than the limit of " + std::to_string(kParseDepthMax) + " levels");
    }
  }
  ~Depth() { --parser.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;
  Parser& parser;
};

}  // namespace palette::jinja
