#include "store/local/job_tables.h"

#include <algorithm>

#include "store/local/job_rows.h"
#include "store/local/table_queries.h"

namespace palette::store {

// --- Jobs

Status JobTables::create_job(JobItem job, const std::vector<QueueItem>& queue) {
  return database_.transaction("create_job", [&]() -> Status {
    job.revision = 1;
    const auto inserted = database_.execute(write_row("INSERT", "Jobs", kJobColumns), to_row(job));
    if (!inserted && inserted.error().kind == ErrorKind::already_exists) {
      return fail(ErrorKind::already_exists, "there is a job '" + job.id.text + "' already");
    }
    if (!inserted) return std::unexpected(inserted.error());
    for (const QueueItem& item : queue) {
      if (Status ok = check_item_of(item, job); !ok) return ok;
      if (Status ok = insert_queue_item(item); !ok) return ok;
    }
    return {};
  });
}

Result<JobItem> JobTables::get_job(const JobId& id) {
  return one_of(items_of(database_.query(select(kJobColumns, "Jobs WHERE job_id = ?"), {id.text}), job_from),
                "job '" + id.text + "'");
}

Result<std::int64_t> JobTables::put_job(JobItem job) {
  return database_.transaction("put_job", [&] { return replace_if_unchanged(std::move(job)); });
}

Result<std::int64_t> JobTables::put_job_and_enqueue(JobItem job, std::vector<QueueItem> items) {
  for (QueueItem& item : items) {
    if (Status ok = check_item_of(item, job); !ok) return std::unexpected(ok.error());
    if (item.status != QueueStatus::queued) return fail(ErrorKind::bad_input, "a new queue item must be QUEUED");
    // The numbers of a part's attempts go on where its last queue item left them: they name its journals.
    if (const auto part = job.parts.find(item.part.value); part != job.parts.end())
      item.attempt = std::max(item.attempt, part->second.attempt);
  }
  return database_.transaction("put_job_and_enqueue", [&]() -> Result<std::int64_t> {
    const Result<std::int64_t> revision = replace_if_unchanged(std::move(job));
    if (!revision) return revision;
    for (const QueueItem& item : items) {
      if (Status ok = insert_queue_item(item); !ok) return std::unexpected(ok.error());
    }
    return revision;
  });
}

Result<std::vector<JobItem>> JobTables::list_jobs() {
  return items_of(database_.query(select(kJobColumns, "Jobs ORDER BY created_at, job_id")), job_from);
}

Result<std::vector<JobItem>> JobTables::jobs_named(const std::string& name) {
  return items_of(database_.query(select(kJobColumns, "Jobs WHERE name = ? ORDER BY created_at, job_id"), {name}),
                  job_from);
}

Status JobTables::remove_job(const JobId& id) {
  return database_.transaction("remove_job", [&]() -> Status {
    for (const char* table : {"Jobs", "Queue", "CostTracking"}) {
      const auto removed = database_.execute("DELETE FROM " + std::string(table) + " WHERE job_id = ?", {id.text});
      if (!removed) return std::unexpected(removed.error());
    }
    return {};
  });
}

Result<std::int64_t> JobTables::replace_if_unchanged(JobItem job) {
  const Result<JobItem> now = get_job(job.id);
  if (!now) return std::unexpected(now.error());
  if (now->revision != job.revision) {
    return fail(ErrorKind::changed, "job '" + job.id.text + "' was written since it was read: read it again");
  }
  if (Status ok = replace_job(job); !ok) return std::unexpected(ok.error());
  return job.revision;
}

Status JobTables::replace_job(JobItem& job) {
  ++job.revision;
  return done(database_.execute(write_row("REPLACE", "Jobs", kJobColumns), to_row(job)));
}

// --- Templates

Status JobTables::put_template(const TemplateItem& item) {
  return database_.transaction("put_template", [&]() -> Status {
    const auto inserted = database_.execute(write_row("INSERT", "Templates", kTemplateColumns), to_row(item));
    if (!inserted && inserted.error().kind == ErrorKind::already_exists) {
      return fail(ErrorKind::already_exists,
                  "there is a version " + std::to_string(item.version) + " of the template '" + item.id + "' already");
    }
    return done(inserted);
  });
}

Result<TemplateItem> JobTables::get_template(const std::string& id, std::optional<std::int64_t> version) {
  if (!version) {
    const std::string newest =
        select(kTemplateColumns, "Templates WHERE template_id = ? ORDER BY version DESC LIMIT 1");
    return one_of(items_of(database_.query(newest, {id}), template_from), "template '" + id + "'");
  }
  const std::string exact = select(kTemplateColumns, "Templates WHERE template_id = ? AND version = ?");
  return one_of(items_of(database_.query(exact, {id, *version}), template_from),
                "version " + std::to_string(*version) + " of the template '" + id + "'");
}

Result<std::vector<TemplateItem>> JobTables::list_templates() {
  return items_of(database_.query(select(kTemplateColumns, "Templates ORDER BY template_id, version")), template_from);
}

// --- CostTracking

Status JobTables::put_cost_rows(const std::vector<CostRow>& rows) {
  return database_.transaction("put_cost_rows", [&]() -> Status {
    for (const CostRow& row : rows) {
      const auto put = database_.execute(write_row("REPLACE", "CostTracking", kCostColumns), to_row(row));
      if (!put) return std::unexpected(put.error());
    }
    return {};
  });
}

Result<std::vector<CostRow>> JobTables::cost_rows(const JobId& id) {
  return items_of(database_.query(select(kCostColumns, "CostTracking WHERE job_id = ? ORDER BY timestamp"), {id.text}),
                  cost_row_from);
}

Result<std::optional<CostRow>> JobTables::last_cost_row(const JobId& id, PartNumber part) {
  const std::string newest =
      select(kCostColumns, "CostTracking WHERE job_id = ? AND timestamp LIKE ? ORDER BY timestamp DESC LIMIT 1");
  Result<std::vector<CostRow>> rows =
      items_of(database_.query(newest, {id.text, "%#" + std::to_string(part.value) + "#%#%"}), cost_row_from);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  return std::move(rows->front());
}

}  // namespace palette::store
