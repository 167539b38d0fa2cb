#include "store/aws/dynamo_job_items.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "store/aws/dynamo_item_reader.h"

namespace palette::store {
namespace {

using aws::Attribute, aws::DynamoItem;

void put_text(DynamoItem& item, std::string name, const std::string& text) {
  if (!text.empty()) item.insert_or_assign(std::move(name), Attribute::text(text));
}

void put_time(DynamoItem& item, std::string name, const std::optional<UtcTime>& time) {
  if (time) item.insert_or_assign(std::move(name), Attribute::text(time->to_iso()));
}

std::string place(std::string_view table, const DynamoItem& item, std::string_view key) {
  const auto found = item.find(key);
  const auto* text = found == item.end() ? nullptr : std::get_if<std::string>(&found->second.value);
  return "table " + std::string(table) + ", '" + (text == nullptr ? "?" : *text) + "'";
}

template <class Item>
Result<Item> checked(const ItemReader& reader, Item item) {
  if (Status ok = reader.status(); !ok) return std::unexpected(ok.error());
  return item;
}

// The value of an enumeration by its name.
template <class Enum>
Enum value_named(ItemReader& reader, const std::string& name, std::initializer_list<Enum> values) {
  const auto found = std::ranges::find_if(values, [&](Enum value) { return to_string(value) == name; });
  if (found != values.end()) return *found;
  reader.refuse({ErrorKind::corrupt, "'" + name + "' is not one of the names that are known"});
  return *values.begin();
}

std::map<std::int64_t, PartProgress> parts_from(ItemReader& reader, const DynamoItem& parts) {
  std::map<std::int64_t, PartProgress> out;
  for (const auto& [key, value] : parts) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    const auto* members = std::get_if<DynamoItem>(&value.value);
    if (error != std::errc{} || end != key.data() + key.size() || members == nullptr) {
      reader.refuse({ErrorKind::corrupt, "attribute 'parts': '" + key + "' is not a part by its number"});
      continue;
    }
    ItemReader of_part(*members, "attribute 'parts." + key + "'");
    PartProgress part;
    part.attempt.value = of_part.number("attempt");
    part.slice_no = of_part.number("slice_no");
    part.last_slice = of_part.money("last_slice");
    part.records = of_part.number("records");
    part.failed = of_part.number("failed");
    part.tokens = of_part.number("tokens");
    part.cost = of_part.money("cost");
    part.fruitless = of_part.number("fruitless");
    part.last_cause = of_part.text("last_cause");
    if (Status ok = of_part.status(); !ok) reader.refuse(ok.error());
    out.emplace(number, part);
  }
  return out;
}

// The spec's short fields: a map `config`; where somebody wrote none, the attributes of these names.
JsonObject spec_fields_from(ItemReader& reader, const DynamoItem& item) {
  JsonObject fields;
  if (const DynamoItem* config = reader.map("config")) {
    for (const auto& [name, value] : *config) fields[name] = aws::json_of(value);
    return fields;
  }
  for (const char* name : {"template_id", "seed_data_path", "num_records", "output_format", "partition_strategy"}) {
    if (aws::has(item, name)) fields[name] = aws::json_of(item.find(name)->second);
  }
  return fields;
}

// A number of records in the short fields, where the item itself has none.
std::int64_t num_records_from(ItemReader& reader) {
  const DynamoItem* config = reader.map("config");
  if (config == nullptr || !aws::has(*config, "num_records")) return reader.number("num_records");
  const Result<std::int64_t> of_config = aws::int_of(*config, "num_records");
  if (!of_config) reader.refuse(of_config.error().at("attribute 'config'"));
  return reader.number("num_records", of_config.value_or(0));
}

// Amounts stand as numbers in the table, for whoever adds them up there; in a row they are decimal texts, exact.
bool is_amount(std::string_view name) { return name == "delta_usd" || name == "fargate_hours"; }

Attribute amount_from(const Json& json) {
  if (json.is_string()) {
    const std::string_view text = json.get_string();
    if (const Result<std::string> plain = aws::plain_decimal(text)) return Attribute(aws::DynamoNumber{*plain});
  }
  return aws::attribute_from_json(json);
}

Json amount_of(const Attribute& attribute) {
  if (const auto* number = std::get_if<aws::DynamoNumber>(&attribute.value)) {
    if (const Result<std::string> plain = aws::plain_decimal(number->text)) return Json(boost::json::string(*plain));
  }
  return aws::json_of(attribute);
}

}  // namespace

const std::vector<std::string> kOptionalJobAttributes = {"name",        "user_id",       "identity_hash",
                                                         "stop_reason", "error_message", "budget_limit",
                                                         "started_at",  "completed_at",  "task_arn"};

DynamoItem job_key(const JobId& id) { return {{"job_id", Attribute::text(id.text)}}; }

DynamoItem queue_key(QueueStatus status, const QueuePosition& position) {
  return {{"status", Attribute::text(to_string(status))}, {"position", Attribute::text(position.text)}};
}

// --- Jobs

DynamoItem to_item(const PartProgress& part) {
  return {{"attempt", Attribute::number(part.attempt.value)},
          {"slice_no", Attribute::number(part.slice_no)},
          {"last_slice", Attribute::dollars(part.last_slice)},
          {"records", Attribute::number(part.records)},
          {"failed", Attribute::number(part.failed)},
          {"tokens", Attribute::number(part.tokens)},
          {"cost", Attribute::dollars(part.cost)},
          {"fruitless", Attribute::number(part.fruitless)},
          {"last_cause", Attribute::text(part.last_cause)}};
}

DynamoItem to_item(const JobItem& job) {
  DynamoItem item = job_key(job.id);
  put_text(item, "name", job.name);
  put_text(item, "user_id", job.user_id);
  put_text(item, "identity_hash", job.identity_hash);
  item.emplace("status", Attribute::text(job::to_string(job.status)));
  put_text(item, "stop_reason", job.stop_reason);
  put_text(item, "error_message", job.error_message);
  item.emplace("config", aws::attribute_from_json(job.spec_fields));
  item.emplace("num_records", Attribute::number(job.num_records));
  if (job.budget_limit) item.emplace("budget_limit", Attribute::dollars(*job.budget_limit));
  item.emplace("unallocated", Attribute::dollars(job.unallocated));
  item.emplace("extents", aws::attribute_from_json(job.extents));
  DynamoItem parts;
  for (const auto& [number, part] : job.parts) parts.emplace(std::to_string(number), Attribute::map(to_item(part)));
  item.emplace("parts", Attribute::map(std::move(parts)));
  item.emplace("parts_ended", Attribute::number(job.parts_ended));
  item.emplace("records_generated", Attribute::number(job.records_generated));
  item.emplace("records_failed", Attribute::number(job.records_failed));
  item.emplace("tokens_used", Attribute::number(job.tokens_used));
  item.emplace("cost_estimate", Attribute::dollars(job.cost_estimate));
  put_time(item, "created_at", job.created_at);
  put_time(item, "started_at", job.started_at);
  put_time(item, "completed_at", job.completed_at);
  put_time(item, "updated_at", job.updated_at);
  put_text(item, "task_arn", job.task_arn);
  item.emplace("revision", Attribute::number(job.revision));
  return item;
}

Result<JobItem> job_from(const DynamoItem& item) {
  ItemReader reader(item, place("Jobs", item, "job_id"));
  JobItem job;
  job.id.text = reader.needed_text("job_id");
  job.name = reader.text("name", job.id.text);
  job.user_id = reader.text("user_id", job.user_id);
  job.identity_hash = reader.text("identity_hash");
  const Result<job::JobStatus> status = job::job_status_from(reader.text("status", "QUEUED"));
  if (!status) reader.refuse(status.error());
  job.status = status.value_or(job::JobStatus::queued);
  job.stop_reason = reader.text("stop_reason");
  job.error_message = reader.text("error_message");
  job.spec_fields = spec_fields_from(reader, item);
  job.num_records = num_records_from(reader);
  job.budget_limit = reader.optional_money("budget_limit");
  // Who wrote no `unallocated` gave no slice out of the budget either.
  job.unallocated = reader.money("unallocated", job.budget_limit.value_or(Money{}));
  job.extents = reader.array("extents");
  if (const DynamoItem* parts = reader.map("parts")) job.parts = parts_from(reader, *parts);
  job.parts_ended = reader.number("parts_ended");
  job.records_generated = reader.number("records_generated");
  job.records_failed = reader.number("records_failed");
  job.tokens_used = reader.number("tokens_used");
  job.cost_estimate = reader.money("cost_estimate");
  job.created_at = reader.time("created_at").value_or(UtcTime{});
  job.started_at = reader.time("started_at");
  job.completed_at = reader.time("completed_at");
  job.updated_at = reader.time("updated_at").value_or(job.created_at);
  job.task_arn = reader.text("task_arn");
  job.revision = reader.number("revision");
  return checked(reader, std::move(job));
}

// --- Queue

DynamoItem to_item(const QueueItem& queued) {
  DynamoItem item = queue_key(queued.status, queued.position);
  item.emplace("job_id", Attribute::text(queued.job.text));
  item.emplace("part", Attribute::number(queued.part.value));
  item.emplace("kind", Attribute::text(to_string(queued.kind)));
  item.emplace("attempt", Attribute::number(queued.attempt.value));
  put_text(item, "task_arn", queued.owner);
  put_time(item, "lease_expires_at", queued.lease_expires_at);
  put_time(item, "not_before", queued.not_before);
  put_time(item, "started_at", queued.started_at);
  return item;
}

Result<QueueItem> queue_item_from(const DynamoItem& item) {
  ItemReader reader(item, place("Queue", item, "position"));
  QueueItem queued;
  queued.status = value_named(reader, reader.needed_text("status"),
                              {QueueStatus::queued, QueueStatus::running, QueueStatus::parked});
  queued.position.text = reader.needed_text("position");
  queued.job.text = reader.needed_text("job_id");
  queued.part.value = reader.number("part", 1);
  queued.kind = value_named(reader, reader.text("kind", "generate"), {WorkKind::generate, WorkKind::export_});
  queued.attempt.value = reader.number("attempt");
  queued.owner = reader.text("task_arn");
  queued.lease_expires_at = reader.time("lease_expires_at");
  queued.not_before = reader.time("not_before");
  queued.started_at = reader.time("started_at");
  return checked(reader, std::move(queued));
}

// --- Templates

DynamoItem to_item(const TemplateItem& its_template) {
  DynamoItem item{{"template_id", Attribute::text(its_template.id)},
                  {"version", Attribute::number(its_template.version)},
                  {"template_definition", Attribute::text(its_template.definition)}};
  put_text(item, "name", its_template.name);
  put_time(item, "created_at", its_template.created_at);
  return item;
}

Result<TemplateItem> template_from(const DynamoItem& item) {
  ItemReader reader(item, place("Templates", item, "template_id"));
  TemplateItem out;
  out.id = reader.needed_text("template_id");
  out.version = reader.number("version", 1);
  out.name = reader.text("name", out.id);
  const auto definition = item.find("template_definition");
  if (definition == item.end()) {
    reader.refuse({ErrorKind::corrupt, "attribute 'template_definition' is missing"});
  } else if (std::holds_alternative<DynamoItem>(definition->second.value)) {
    out.definition = to_json_text(aws::json_of(definition->second));
  } else {
    out.definition = reader.text("template_definition");
  }
  out.created_at = reader.time("created_at").value_or(UtcTime{});
  return checked(reader, std::move(out));
}

// --- CostTracking

DynamoItem to_item(const CostRow& row) {
  DynamoItem item;
  for (const auto& member : row.fields) {
    const std::string_view name = member.key();
    const Json& value = member.value();
    if (name == "estimated_cost" && value.is_object()) {
      DynamoItem amounts;
      for (const auto& amount : value.get_object()) amounts.emplace(amount.key(), amount_from(amount.value()));
      item.emplace(name, Attribute::map(std::move(amounts)));
    } else {
      item.emplace(name, is_amount(name) ? amount_from(value) : aws::attribute_from_json(value));
    }
  }
  item.insert_or_assign("job_id", Attribute::text(row.job.text));
  item.insert_or_assign("timestamp", Attribute::text(row.timestamp_key));
  return item;
}

Result<CostRow> cost_row_from(const DynamoItem& item) {
  ItemReader reader(item, place("CostTracking", item, "job_id"));
  CostRow row;
  row.job.text = reader.needed_text("job_id");
  row.timestamp_key = reader.needed_text("timestamp");
  for (const auto& [name, attribute] : item) {
    if (name == "job_id" || name == "timestamp") continue;
    const auto* members = std::get_if<DynamoItem>(&attribute.value);
    if (name == "estimated_cost" && members != nullptr) {
      JsonObject amounts;
      for (const auto& [key, amount] : *members) amounts[key] = amount_of(amount);
      row.fields[name] = std::move(amounts);
    } else {
      row.fields[name] = is_amount(name) ? amount_of(attribute) : aws::json_of(attribute);
    }
  }
  return checked(reader, std::move(row));
}

}  // namespace palette::store
