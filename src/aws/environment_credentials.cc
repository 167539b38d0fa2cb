#include "aws/credential_parts.h"

namespace palette::aws {

async::Task<Result<Credentials>> fetch_from_environment(SourceParts parts) {
  KeyTexts texts;
  texts.access_key_id = parts.variable("AWS_ACCESS_KEY_ID");
  if (texts.access_key_id.empty()) co_return fail(ErrorKind::not_found, "AWS_ACCESS_KEY_ID is not set");
  texts.secret_access_key = parts.variable("AWS_SECRET_ACCESS_KEY");
  if (texts.secret_access_key.empty()) {
    co_return fail(
        ErrorKind::bad_input,
        "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both, or none to use another source");
  }
  // The older name is read first, as the SDKs do.
  texts.session_token = parts.variable("AWS_SECURITY_TOKEN");
  if (texts.session_token.empty()) texts.session_token = parts.variable("AWS_SESSION_TOKEN");
  texts.expiration = parts.variable("AWS_CREDENTIAL_EXPIRATION");
  co_return credentials_of(std::move(texts), "environment");
}

}  // namespace palette::aws
