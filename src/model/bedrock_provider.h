// Amazon Bedrock: Converse, or InvokeModel for models that have no Converse.
#pragma once

#include <memory>

#include "aws/service.h"
#include "model/provider.h"

namespace palette::model {

// `service` is that of bedrock-runtime. What kind of call it is, the model's capabilities say.
std::shared_ptr<Provider> make_bedrock_provider(job::ResolvedModel model, std::shared_ptr<aws::Service> service,
                                                http::Deadlines deadlines);

// The call that goes out for a request, without its signature.
aws::ServiceRequest bedrock_call(const ModelRequest& request, const job::ResolvedModel& model,
                                 const http::Deadlines& deadlines);

// What a call without a 2xx answer means: an answer of the service bills nothing, one of a gateway before it (502, 504
// without an error code) and a request that was sent and not answered may have.
ProviderFailure failed_bedrock_call(const aws::ServiceFailure& failure, const job::ResolvedModel& model);

}  // namespace palette::model
