// A server that speaks OpenAI's protocol: OpenAI itself, vLLM, the llama.cpp server, Ollama, and others.
#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "model/provider.h"

namespace palette::model {

// `base_url` has the /v1; a query that it has (Azure's api-version) stays. `api_key` goes into Authorization, and
// nowhere else; none is sent when it is empty.
std::shared_ptr<Provider> make_openai_provider(job::ResolvedModel model, std::shared_ptr<http::Client> client,
                                               http::Url base_url, std::string api_key, http::Deadlines deadlines);

// base_url with /chat/completions on its path.
http::Url chat_url(http::Url base_url);

// What a call that did not come to its end means: paid for by nobody knows how much once it was sent.
ProviderFailure failed_exchange(const http::Failure& failure, std::string_view model_name, std::string_view server);

// For X-Client-Request-Id, which takes printable ASCII, at most 512 bytes; everything else becomes "_".
std::string client_request_id(std::string_view identity);

}  // namespace palette::model
