#include "model/request_body.h"

#include <algorithm>

#include "model/additional_fields.h"
#include "model/capability_check.h"

namespace palette::model {

BodyObject::BodyObject(std::string& out, const JsonObject* extra, std::string_view parent)
    : out_(out), extra_(extra), parent_(parent) {
  out_ += '{';
}

bool BodyObject::is_replaced(std::string_view key) const {
  return extra_ != nullptr && extra_->contains(key) && !is_owned_field(parent_, key);
}

void BodyObject::text(std::string_view key, std::string_view value) {
  if (!is_replaced(key)) append_json_string(member(key), value);
}

void BodyObject::integer(std::string_view key, std::int64_t value) {
  if (!is_replaced(key)) append_integer(member(key), value);
}

void BodyObject::number(std::string_view key, double value) {
  if (!is_replaced(key)) append_double(member(key), value);
}

void BodyObject::texts(std::string_view key, const std::vector<std::string>& values) {
  if (is_replaced(key)) return;
  std::string& out = member(key);
  out += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, values[i]);
  }
  out += ']';
}

std::string& BodyObject::member(std::string_view key) {
  if (!first_) out_ += ',';
  first_ = false;
  append_json_string(out_, key);
  out_ += ':';
  if (extra_ != nullptr) written_.push_back(key);
  return out_;
}

BodyObject BodyObject::object(std::string_view key) {
  const Json* nested = extra_ == nullptr ? nullptr : extra_->if_contains(key);
  std::string& out = member(key);
  return BodyObject(out, nested != nullptr && nested->is_object() ? &nested->get_object() : nullptr, key);
}

void BodyObject::end() {
  if (extra_ != nullptr) {
    for (const auto& field : *extra_) {
      const std::string_view key(field.key().data(), field.key().size());
      if (is_owned_field(parent_, key) || std::find(written_.begin(), written_.end(), key) != written_.end()) continue;
      append_json(member(key), field.value());
    }
  }
  out_ += '}';
}

const JsonObject* additional_fields_of(const ModelRequest& request) {
  return request.options.additional_fields ? &*request.options.additional_fields : nullptr;
}

bool has_service_tier(const ModelRequest& request) {
  return request.options.service_tier && !request.options.service_tier->empty() &&
         *request.options.service_tier != "default";
}

std::string_view message_text(const ModelRequest& request, std::size_t at, const job::ResolvedModel& model,
                              std::string& room) {
  const std::string& text = request.messages[at].text;
  if (at != 0 || request.system.empty() || has_own_system(request, model)) return text;
  room = request.system + "\n\n" + text;
  return room;
}

bool has_own_system(const ModelRequest& request, const job::ResolvedModel& model) {
  return !request.system.empty() && capabilities_of(model).system;
}

std::string_view role_name(Message::Role role) { return role == Message::Role::user ? "user" : "assistant"; }

}  // namespace palette::model
