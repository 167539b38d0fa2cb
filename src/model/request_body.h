// Writing a request's body: one JSON object after the other to the end of one text, no tree in between.
//
//   std::string out;
//   BodyObject body(out, additional_fields);
//   body.text("model", "m");
//   body.end();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "job/catalogue.h"
#include "model/model.h"

namespace palette::model {

// An object that is being written. The user's additional fields are merged into it: one with the name of a member of
// ours replaces ours, unless it is a field that the program owns (additional_fields.h).
class BodyObject {
 public:
  // `extra` may be null. `parent`: the name of the member that this object is the value of; empty at the top.
  explicit BodyObject(std::string& out, const JsonObject* extra = nullptr, std::string_view parent = {});

  void text(std::string_view key, std::string_view value);
  void integer(std::string_view key, std::int64_t value);
  void number(std::string_view key, double value);
  void texts(std::string_view key, const std::vector<std::string>& values);

  // Writes the name; the caller appends the value to the text that it gives. Not replaced by an additional field.
  std::string& member(std::string_view key);

  // A member that is an object, merged with the additional field of that name. The caller ends it. `key` outlives this.
  BodyObject object(std::string_view key);

  // Appends the additional fields that are left, and closes the object.
  void end();

 private:
  bool is_replaced(std::string_view key) const;

  std::string& out_;
  const JsonObject* extra_;
  std::string_view parent_;
  std::vector<std::string_view> written_;  // with member() and object(): an additional field of that name is left out
  bool first_ = true;
};

// The user's additional fields, or null.
const JsonObject* additional_fields_of(const ModelRequest& request);

// Is the tier set, and another than the default one?
bool has_service_tier(const ModelRequest& request);

// The text of message `at`. Where the model takes no system text, that stands before the first message's; `room` keeps
// the two then.
std::string_view message_text(const ModelRequest& request, std::size_t at, const job::ResolvedModel& model,
                              std::string& room);

// Does the request have a system text that goes where the model wants it?
bool has_own_system(const ModelRequest& request, const job::ResolvedModel& model);

std::string_view role_name(Message::Role role);

}  // namespace palette::model
