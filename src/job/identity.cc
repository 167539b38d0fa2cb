#include "job/identity.h"

#include <algorithm>
#include <cctype>

#include "base/hash.h"
#include "job/plan.h"

namespace palette::job {

void Identity::put(std::string name, std::string_view content) {
  parts_.emplace_back(std::move(name), sha256_hex(content));
}

void Identity::seal() {
  std::string all;
  for (const auto& [name, sha] : parts_) all += name + "=" + sha + "\n";
  hash_ = sha256_hex(all);
}

Identity Identity::of(const JobSpec& spec, std::string_view seed_sha256) {
  Identity out;
  out.put("the version of the plan", std::to_string(kPlanVersion));
  out.put("seed", std::to_string(spec.seed));
  out.put("seed_sampling", to_string(spec.seed_sampling));
  out.put("the seed data", seed_sha256);
  for (const StepSpec& step : spec.templ.steps) {
    if (step.is_fragment()) continue;  // seen where it is included
    std::string models;
    for (const std::string& model : spec.models_of(step)) models += model + "\n";
    out.put("the model of step '" + step.id + "'", models);
    if (step.system) out.put("the system text of step '" + step.id + "'", step.system->text());
    out.put("the prompt of step '" + step.id + "'", step.prompt.text());
    const JsonObject options = spec.options_of(step).to_json();
    if (!options.empty()) out.put("the sampling parameters of step '" + step.id + "'", to_json_text(options));
  }
  for (const auto& [id, text] : spec.includes) out.put("the included template '" + id + "'", text);
  out.seal();
  return out;
}

Result<Identity> Identity::from_json(const JsonObject& object) {
  Identity out;
  for (const auto& member : object) {
    if (!member.value().is_string())
      return fail(ErrorKind::corrupt, "the identity of the job holds something else than hashes");
    out.parts_.emplace_back(std::string(member.key()), std::string(member.value().get_string()));
  }
  out.seal();
  return out;
}

JsonObject Identity::to_json() const {
  JsonObject out;
  for (const auto& [name, sha] : parts_) out[name] = sha;
  return out;
}

std::string Identity::differences(const Identity& other) const {
  std::string out;
  const auto add = [&](const std::string& name) { out += (out.empty() ? "" : ", ") + name; };
  const auto sha_in = [](const Identity& identity, const std::string& name) {
    const auto found =
        std::find_if(identity.parts_.begin(), identity.parts_.end(), [&](const auto& p) { return p.first == name; });
    return found == identity.parts_.end() ? std::string() : found->second;
  };
  for (const auto& [name, sha] : parts_) {
    if (sha_in(other, name) != sha) add(name);
  }
  for (const auto& [name, sha] : other.parts_) {
    if (sha_in(*this, name).empty()) add(name);
  }
  return out;
}

JobId make_job_id(const JobSpec& spec, const Identity& identity) {
  if (!spec.id.empty()) return JobId{spec.id};
  std::string slug;
  for (char c : spec.name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte))
      slug += static_cast<char>(std::tolower(byte));
    else if (!slug.empty() && slug.back() != '-')
      slug += '-';
    if (slug.size() == 40) break;
  }
  while (slug.ends_with('-')) slug.pop_back();
  return JobId{(slug.empty() ? "job" : slug) + "-" + identity.hash().substr(0, 8)};
}

}  // namespace palette::job
