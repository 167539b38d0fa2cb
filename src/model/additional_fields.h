// `additional_fields` of a job go to the model as they are. Some would take the budget's ground away, or stand against
// what the job says elsewhere: those are refused before anything runs.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "job/catalogue.h"

namespace palette::model {

// May only the program set this field of a request's body? `parent`: the member it lies in; empty at the top.
bool is_owned_field(std::string_view parent, std::string_view key);

// bad_input for the first field that is not allowed; the message names it and what to use instead.
Status check_additional_fields(const JsonObject& fields, const job::ResolvedModel& model);

}  // namespace palette::model
