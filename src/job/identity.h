// What makes two jobs the same: everything that decides their records (DESIGN.md section 4), and nothing else. Not
// num_records, budget, columns, formats, concurrency.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "base/result.h"
#include "job/spec.h"

namespace palette::job {

class Identity {
 public:
  // `seed_sha256`: of the seed data's bytes. spec.includes must be filled in.
  static Identity of(const JobSpec& spec, std::string_view seed_sha256);
  static Result<Identity> from_json(const JsonObject& object);
  JsonObject to_json() const;

  const std::string& hash() const { return hash_; }  // SHA-256, hex
  // What differs, for a person: "seed, the prompt of step 'answer'".
  std::string differences(const Identity& other) const;

 private:
  void put(std::string name, std::string_view content);
  void seal();

  std::vector<std::pair<std::string, std::string>> parts_;  // name for a person -> SHA-256 of the content
  std::string hash_;
};

// The id of a new job: the one it asks for, else its name in letters, digits and hyphens with the beginning of the
// hash.
JobId make_job_id(const JobSpec& spec, const Identity& identity);

}  // namespace palette::job
