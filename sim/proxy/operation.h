// What a request asks for: of which service, which operation. Read off the request alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/server.h"

namespace palette::proxy {

enum class Service : std::uint8_t {
  dynamodb,
  json,  // another service that names its operation in X-Amz-Target, such as ECS
  s3,    // everything else
};

struct Operation {
  Service service = Service::s3;
  // "PutItem"; of S3 the verb ("GET", "HEAD", "PUT", "DELETE", "POST") or, where that says too little, "LIST", "COPY",
  // "BUCKET", "DELETE_OBJECTS", "CREATE_MULTIPART", "PUT_PART", "LIST_PARTS", "COMPLETE_MULTIPART", "ABORT_MULTIPART".
  std::string name;
  // A write of S3 with If-Match or If-None-Match.
  bool is_conditional = false;

  // All or nothing: TransactWriteItems, TransactGetItems.
  bool is_transaction() const;
  // A write of DynamoDB that a transaction on the same item would refuse.
  bool is_plain_write() const;
};

Operation operation_of(const http::ServerRequest& request);

// Does `text` occur in what the request is about: the path and query of S3 (as on the wire), else the body?
bool is_about(const http::ServerRequest& request, const Operation& operation, std::string_view text);

}  // namespace palette::proxy
