#include "model/bedrock_metadata.h"

#include "model/request_body.h"

namespace palette::model {
namespace {

constexpr std::size_t kValueBytesMax = 256;

// White space but the space is allowed, too, but would end a header's line.
bool is_allowed(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view(" :_@$#=/+,-.").find(c) != std::string_view::npos;
}

}  // namespace

std::string metadata_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.size() == kValueBytesMax) break;
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;  // a code point's later bytes
    out += is_allowed(c) ? c : '_';
  }
  return out;
}

bool has_identity(const CallIdentity& identity) { return !identity.job.empty() || !identity.step.empty(); }

void append_request_metadata(std::string& out, const CallIdentity& identity) {
  BodyObject metadata(out);
  metadata.text("job", metadata_value(identity.job));
  metadata.text("record", std::to_string(identity.record.value));
  metadata.text("step", metadata_value(identity.step));
  metadata.end();
}

}  // namespace palette::model
