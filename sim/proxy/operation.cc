#include "operation.h"

namespace palette::proxy {
namespace {

constexpr std::string_view kDynamoTarget = "DynamoDB_20120810.";

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// Is there a parameter of that name, with or without a value?
bool has_parameter(std::string_view target, std::string_view name) {
  const std::size_t question = target.find('?');
  std::string_view rest = question == std::string_view::npos ? "" : target.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    if (pair.substr(0, pair.find('=')) == name) return true;
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
  }
  return false;
}

// Path style, "/bucket" or "/bucket/" without a key: the stand-ins are reached by address, never by a bucket's name.
bool is_of_bucket(std::string_view path) {
  const std::size_t slash = path.find('/', 1);
  return slash == std::string_view::npos || slash + 1 == path.size();
}

std::string multipart_name(std::string_view method) {
  if (method == "PUT") return "PUT_PART";
  if (method == "GET") return "LIST_PARTS";
  if (method == "DELETE") return "ABORT_MULTIPART";
  return "COMPLETE_MULTIPART";
}

std::string s3_name(const http::ServerRequest& request) {
  const std::string_view target = request.target;
  if (has_parameter(target, "uploadId")) return multipart_name(request.method);
  if (has_parameter(target, "list-type")) return "LIST";
  if (request.method == "POST" && has_parameter(target, "uploads")) return "CREATE_MULTIPART";
  if (request.method == "POST" && has_parameter(target, "delete")) return "DELETE_OBJECTS";
  if (is_of_bucket(path_of(target))) return "BUCKET";
  if (request.method == "PUT" && request.headers.find("x-amz-copy-source") != nullptr) return "COPY";
  return request.method;
}

}  // namespace

bool Operation::is_transaction() const { return name == "TransactWriteItems" || name == "TransactGetItems"; }

bool Operation::is_plain_write() const {
  return service == Service::dynamodb && (name == "PutItem" || name == "UpdateItem" || name == "DeleteItem");
}

Operation operation_of(const http::ServerRequest& request) {
  const std::string_view target = request.headers.get("X-Amz-Target");
  if (target.starts_with(kDynamoTarget))
    return {.service = Service::dynamodb, .name = std::string(target.substr(kDynamoTarget.size()))};
  if (!target.empty())
    // Without a dot, find() + 1 is 0: the whole.
    return {.service = Service::json, .name = std::string(target.substr(target.rfind('.') + 1))};
  Operation operation{.service = Service::s3, .name = s3_name(request)};
  const bool is_write = operation.name == "PUT" || operation.name == "COPY" || operation.name == "DELETE" ||
                        operation.name == "COMPLETE_MULTIPART";
  operation.is_conditional =
      is_write && (request.headers.find("If-Match") != nullptr || request.headers.find("If-None-Match") != nullptr);
  return operation;
}

bool is_about(const http::ServerRequest& request, const Operation& operation, std::string_view text) {
  const std::string& where = operation.service == Service::s3 ? request.target : request.body;
  return where.find(text) != std::string::npos;
}

}  // namespace palette::proxy
