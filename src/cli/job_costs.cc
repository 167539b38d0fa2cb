#include "cli/job_costs.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "cli/terminal.h"

namespace palette::cli {
namespace {

struct Line {
  std::string what;
  Money cost;
  std::string tokens;
};

std::string tokens_text(const generate::ModelUsage& used) {
  std::string text = counted(used.calls, "call") + ", " + grouped(used.usage.input_tokens) + " tokens in, " +
                     grouped(used.usage.output_tokens) + " out";
  if (used.usage.cache_read_tokens > 0) text += ", " + grouped(used.usage.cache_read_tokens) + " from the cache";
  if (used.usage.cache_write_tokens > 0) text += ", " + grouped(used.usage.cache_write_tokens) + " into it";
  return text;
}

}  // namespace

Money JobCosts::total() const { return used.cost() + generate::total_of(waste).cost + compute + storage; }

JsonObject JobCosts::to_json() const {
  JsonObject out;
  out["total_usd"] = total().to_decimal();
  out["models"] = generate::usage_to_json(used.models);
  out["steps"] = generate::usage_to_json(used.steps);
  out["waste"] = generate::usage_to_json(waste);
  out["compute_usd"] = compute.to_decimal();
  out["storage_usd"] = storage.to_decimal();
  out["possibly_spent_usd"] = possibly_spent.to_decimal();
  if (budget) out["budget_usd"] = budget->to_decimal();
  if (left) out["left_usd"] = left->to_decimal();
  return out;
}

void JobCosts::print(bool with_tokens) const {
  if (total() == Money{} && possibly_spent == Money{} && !with_tokens) return;
  std::vector<Line> lines;
  for (const auto& [model, figures] : used.models) lines.push_back({model, figures.cost, tokens_text(figures)});
  if (used.steps.size() > 1) {
    for (const auto& [step, figures] : used.steps)
      lines.push_back({"  step " + step, figures.cost, tokens_text(figures)});
  }
  const generate::ModelUsage wasted = generate::total_of(waste);
  if (wasted.calls > 0) lines.push_back({"calls without an answer", wasted.cost, counted(wasted.calls, "call")});
  if (compute != Money{}) lines.push_back({"compute", compute, ""});
  if (storage != Money{}) lines.push_back({"storage", storage, ""});
  if (possibly_spent != Money{}) lines.push_back({"possibly spent in a crash", possibly_spent, ""});
  if (left) lines.push_back({"left of the budget", *left, ""});
  std::size_t width = 0;
  for (const Line& line : lines) width = std::max(width, columns_of(line.what));
  for (const Line& line : lines) {
    const std::string padding(width - columns_of(line.what), ' ');
    std::printf("  %s%s  %s%s\n", line.what.c_str(), padding.c_str(), dollars(line.cost.to_decimal()).c_str(),
                with_tokens && !line.tokens.empty() ? ("  (" + line.tokens + ")").c_str() : "");
  }
}

}  // namespace palette::cli
