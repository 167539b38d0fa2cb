#include "model/call_bound.h"

namespace palette::model {

std::optional<std::int64_t> output_tokens_max(const job::CallOptions& options, const job::ResolvedModel& model) {
  if (options.max_tokens) return options.max_tokens;
  if (model.info != nullptr && model.info->output_tokens_max > 0) return model.info->output_tokens_max;
  if (model.endpoint != nullptr && model.endpoint->output_tokens_max > 0) return model.endpoint->output_tokens_max;
  return {};
}

CallBound bound_of(const ModelRequest& request, std::int64_t output_tokens, const job::TokenPrices& prices) {
  std::int64_t bytes = static_cast<std::int64_t>(request.system.size());
  for (const Message& message : request.messages) bytes += static_cast<std::int64_t>(message.text.size());
  // Tools and schemas that the user passes through are input too.
  if (const auto& fields = request.options.additional_fields)
    bytes += static_cast<std::int64_t>(to_json_text(Json(*fields)).size());
  const auto messages = static_cast<std::int64_t>(request.messages.size()) + (request.system.empty() ? 0 : 1);
  CallBound bound;
  bound.input_tokens = bytes + kTokensAroundRequest + kTokensAroundMessage * messages;
  bound.output_tokens = output_tokens;
  bound.cost = Money::of(bound.input_tokens, prices.dearest_input(request.cache_system)) +
               Money::of(bound.output_tokens, prices.output);
  return bound;
}

Money cost_of(const Usage& usage, const job::TokenPrices& prices) {
  return Money::of(usage.input_tokens, prices.input) + Money::of(usage.output_tokens, prices.output) +
         Money::of(usage.cache_read_tokens, prices.cache_read) +
         Money::of(usage.cache_write_tokens, prices.cache_write);
}

}  // namespace palette::model
