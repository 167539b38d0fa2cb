#include <string>

#include "jinja/compare.h"
#include "jinja/fault.h"
#include "jinja/run.h"

namespace palette::jinja {
namespace {

bool is_empty(const ArgumentNodes& nodes) {
  return nodes.positional.empty() && nodes.keywords.empty() && nodes.star == nullptr && nodes.star_star == nullptr;
}

}  // namespace

Value Run::apply_filter(const FilterExpr& node, std::span<const Value> positional, std::span<const Keyword> keywords) {
  at(node);
  count_steps(2 + (positional[0].is_string() ? string_of(positional[0]).size / 32 : 0));
  if (node.entry == nullptr) {
    fault("unknown filter '" + std::string(node.name->as_string()) + "'" +
          environment.registry.filter_hint(node.name->as_string()));
  }
  Arguments arguments{*this, node.name->as_string(), positional, keywords};
  if (node.entry->builtin != nullptr) return node.entry->builtin(arguments);
  return call_host(node.entry->host, arguments);
}

bool Run::apply_test(const TestExpr& node, std::span<const Value> positional, std::span<const Keyword> keywords) {
  at(node);
  count_steps();
  if (node.entry == nullptr) {
    fault("unknown test '" + std::string(node.name->as_string()) + "'" +
          environment.registry.test_hint(node.name->as_string()));
  }
  Arguments arguments{*this, node.name->as_string(), positional, keywords};
  if (node.entry->builtin != nullptr) return node.entry->builtin(arguments);
  return truth(call_host(node.entry->host, arguments));
}

Value Run::eval_filter(Frame& frame, const FilterExpr& node, const Value* captured) {
  if (is_empty(node.arguments) && captured == nullptr && node.subject != nullptr) {
    Value scratch;
    const Value& subject = ref(frame, node.subject, scratch);
    return apply_filter(node, {&subject, 1}, {});
  }
  ArgumentPack pack;
  if (node.subject != nullptr) {
    pack.positional.push_back(node.subject->kind == ExprKind::filter && captured != nullptr
                                  ? eval_filter(frame, static_cast<const FilterExpr&>(*node.subject), captured)
                                  : eval(frame, node.subject));
  } else {
    pack.positional.push_back(captured == nullptr ? Value() : *captured);
  }
  collect(frame, node.arguments, pack);
  return apply_filter(node, pack.positional.view(), pack.keywords.view());
}

bool Run::eval_test(Frame& frame, const TestExpr& node) {
  if (is_empty(node.arguments)) {
    Value scratch;
    const Value& subject = ref(frame, node.subject, scratch);
    return apply_test(node, {&subject, 1}, {});
  }
  ArgumentPack pack;
  pack.positional.push_back(eval(frame, node.subject));
  collect(frame, node.arguments, pack);
  return apply_test(node, pack.positional.view(), pack.keywords.view());
}

}  // namespace palette::jinja
