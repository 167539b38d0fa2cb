// OpenAI's chat completions, as OpenAI and the many servers that speak it have them (API reference, "Chat"). Pure
// functions.
//
//   std::string body = chat_body(request, model);            // POST {base}/chat/completions
//   ProviderResult result = parse_chat(answer.body, place);  // of a 2xx
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/openai_errors.h"
#include "model/provider.h"

namespace palette::model {

// Only what the user set is sent. `additional_fields` are merged in at the top, and win over ours except where the
// program owns the field.
std::string chat_body(const ModelRequest& request, const job::ResolvedModel& model);

// [{"role":"system","content":"…"},{"role":"user","content":"…"}]
void append_chat_messages(std::string& out, const ModelRequest& request, const job::ResolvedModel& model);

// Reads the first choice. An answer that holds an error instead is a failure of the error's kind (openai_errors.h).
// What vLLM, the llama.cpp server and Ollama do otherwise is borne: no usage, no finish reason, content as a list of
// parts.
ProviderResult parse_chat(std::string_view body, const ChatPlace& place);

// The same of what was parsed, without looking for an error: Bedrock has models with this shape, too. `body` is for
// messages, `told` the usage where the answer has none.
ProviderResult read_chat(const JsonObject& answer, std::string_view body, std::optional<Usage> told,
                         const job::ResolvedModel& model);

}  // namespace palette::model
