#include "cli/submit_job.h"

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "cli/terminal.h"
#include "generate/saved_job.h"

namespace palette::cli {
namespace {

constexpr int kRoundsMax = 20;  // others may write the job between our look and our write
constexpr std::size_t kHashDigits = 8;

// What of a job file the export alone depends on.
bool same_dataset(const job::JobSpec& a, const job::JobSpec& b) {
  return a.output_formats == b.output_formats && a.partition_strategy == b.partition_strategy && a.columns == b.columns;
}

// A job that has ended: is only its export to be made again, or even nothing to be done?
enum class Wanted : std::uint8_t { nothing, export_only, records };

Wanted what_is_wanted(const store::JobItem& item, const generate::PreparedJob& prepared,
                      const std::optional<generate::SavedJob>& saved) {
  const std::int64_t asked = prepared.spec.num_records;
  if (item.status != job::JobStatus::completed || asked > item.records_generated + item.records_failed)
    return Wanted::records;
  const bool same = saved && asked == item.num_records && same_dataset(saved->prepared.spec, prepared.spec);
  return same ? Wanted::nothing : Wanted::export_only;
}

Status check_budget(const store::JobItem& item, const generate::PreparedJob& prepared) {
  const std::optional<Money>& asked = prepared.spec.budget_limit;
  if (item.status != job::JobStatus::budget_exceeded || !asked || !item.budget_limit || *asked > *item.budget_limit)
    return {};
  return fail(ErrorKind::over_budget, "the job " + item.id.text + " stopped at its budget of " +
                                          dollars(item.budget_limit->to_decimal()) +
                                          "; raise budget_limit (or --budget) and give the same command again");
}

// Its parts wait, all of them: nobody has claimed one, and none has ended.
bool is_waiting(const store::JobItem& item, const JobQueue& queue) {
  return item.parts_ended == 0 && std::ranges::all_of(queue.items, [](const store::QueueItem& queued) {
           return queued.status != store::QueueStatus::running && queued.kind == store::WorkKind::generate;
         });
}

Error busy(const store::JobItem& item, const std::string& what) {
  return Error{ErrorKind::held, "the job " + item.id.text + " " + what +
                                    "; wait until it has ended (plot-palette watch " + item.id.text +
                                    " --aws), then give the same command again"};
}

// One look at a job that exists, and what follows from it. Errors: changed when it was written meanwhile.
class Renewal {
 public:
  Renewal(Workspace& workspace, const generate::PreparedJob& prepared, JobOptions options, UtcTime now)
      : workspace_(workspace), prepared_(prepared), options_(std::move(options)), now_(now) {}

  async::Task<Result<SubmittedJob>> run(store::JobItem item) {
    out_.item = std::move(item);
    if (Status enough = check_enough(out_.item, prepared_.spec.budget_limit, "budget_limit"); !enough)
      co_return std::unexpected(enough.error());
    auto queue = co_await load_queue(*workspace_.jobs, out_.item);
    if (!queue) co_return std::unexpected(queue.error());
    out_.queue = std::move(*queue);
    auto saved = co_await generate::load_job(workspace_.objects, out_.item.id);
    if (!saved && saved.error().kind != ErrorKind::not_found) co_return std::unexpected(saved.error());
    if (saved) saved_ = std::move(*saved);
    const bool is_queued = !job::is_terminal(out_.item.status) && !out_.queue.items.empty();
    async::Task<Status> renewing = is_queued ? meanwhile() : again();
    if (Status done = co_await std::move(renewing); !done) co_return std::unexpected(done.error());
    co_return std::move(out_);
  }

 private:
  std::int64_t priority() const { return prepared_.spec.priority.value_or(kPriorityDefault); }

  // It has ended.
  async::Task<Status> again() {
    const std::string& id = out_.item.id.text;
    if (!job::is_terminal(out_.item.status)) co_return co_await lost_its_place();
    if (Status covered = check_budget(out_.item, prepared_); !covered) co_return covered;
    const Wanted wanted = what_is_wanted(out_.item, prepared_, saved_);
    out_.told = told_about(out_.item, prepared_.spec.num_records);
    if (wanted == Wanted::export_only) out_.told = "Exporting " + id + " again.";
    if (wanted == Wanted::nothing) {
      out_.told = id + " is COMPLETED: there is nothing to do.";
      co_return Status{};
    }
    // What is left over of its earlier life would stand in the way of the new items.
    for (const store::QueueItem& left : out_.queue.items) {
      if (Status removed = co_await workspace_.jobs->remove_queue_item(left); !removed) co_return removed;
    }
    store::JobItem item = out_.item;
    if (Status taken = co_await take_over_wishes(workspace_, &item, prepared_, options_, now_); !taken) co_return taken;
    std::vector<store::QueueItem> queue;
    if (wanted == Wanted::export_only)
      queue.push_back(queue_export(item, priority()));
    else
      queue = queue_all_parts(item, priority());
    const auto put = co_await workspace_.jobs->put_job_and_enqueue(std::move(item), std::move(queue));
    if (!put) co_return std::unexpected(put.error());
    out_.is_changed = true;
    co_return Status{};
  }

  // Neither ended nor in the queue, unless it has moved between our two looks.
  async::Task<Status> lost_its_place() {
    const auto now = co_await workspace_.jobs->get_job(out_.item.id);
    if (!now) co_return std::unexpected(now.error());
    if (now->revision != out_.item.revision) co_return fail(ErrorKind::changed, "the job was written meanwhile");
    out_.told = out_.item.id.text + " has lost its place in the queue; the next worker puts it back.";
    co_return Status{};
  }

  // It is in the queue already.
  async::Task<Status> meanwhile() {
    store::JobItem item = out_.item;
    const bool waits = is_waiting(item, out_.queue);
    if (!item.stop_reason.empty() && !waits) {
      out_.busy = busy(item, "is being ended (" + item.stop_reason + ")");
      co_return Status{};
    }
    const bool other_size = item.num_records != prepared_.spec.num_records;
    if (other_size && !waits) {
      out_.busy = busy(item, "is being worked on with " + counted(item.num_records, "record") +
                                 ", and its size cannot be changed meanwhile");
      co_return Status{};
    }
    const bool other_spec = !saved_ || wishes_text(saved_->prepared) != wishes_text(prepared_);
    const bool other_budget = item.budget_limit != prepared_.spec.budget_limit;
    out_.told = item.id.text + " is in the queue already.";
    if (item.stop_reason.empty() && !other_size && !other_spec && !other_budget) co_return Status{};
    out_.told += " It takes what has changed in the job file.";
    if (Status taken = co_await take_over_wishes(workspace_, &item, prepared_, options_, now_); !taken) co_return taken;
    item.stop_reason.clear();
    const auto put = co_await workspace_.jobs->put_job(std::move(item));
    if (!put) co_return std::unexpected(put.error());
    out_.is_changed = true;
    co_return co_await wake_starved(*workspace_.jobs, out_.queue);
  }

  static std::string wishes_text(const generate::PreparedJob& prepared) {
    job::JobSpec spec = prepared.spec;
    spec.seed_key = prepared.seed_key;
    spec.seed_data.clear();
    return to_json_text(spec.to_json());
  }

  Workspace& workspace_;
  const generate::PreparedJob& prepared_;
  JobOptions options_;
  UtcTime now_;
  std::optional<generate::SavedJob> saved_;
  SubmittedJob out_;
};

async::Task<Result<SubmittedJob>> create(Workspace& workspace, const generate::PreparedJob& prepared, JobId id,
                                         JobOptions options, std::optional<store::JobItem> other, UtcTime now) {
  SubmittedJob out;
  out.is_new = out.is_changed = true;
  if (other) out.told = co_await what_differs(workspace, std::move(*other), prepared);
  if (Status made = co_await create_job(workspace, id, prepared, std::move(options), now); !made)
    co_return std::unexpected(made.error());
  co_return out;
}

}  // namespace

std::string seed_object_key(const std::string& user, const std::filesystem::path& file, std::string_view sha256) {
  return "seed-data/" + user + "/" + file.stem().string() + "-" + std::string(sha256.substr(0, kHashDigits)) +
         file.extension().string();
}

async::Task<Status> upload_seeds(Workspace& workspace, generate::PreparedJob* prepared, std::string user) {
  if (!prepared->seed_key.empty()) co_return Status{};
  const std::filesystem::path file = prepared->spec.seed_data;
  const std::string key = seed_object_key(user, file, prepared->seeds->sha256());
  std::error_code ec;
  const std::uintmax_t size = std::filesystem::file_size(file, ec);
  if (ec) co_return std::unexpected(system_error("look at", file.string(), ec.value()));
  const auto there = co_await workspace.objects.head(key);
  if (!there && there.error().kind != ErrorKind::not_found) co_return std::unexpected(there.error());
  if (there && there->size != size) {
    co_return fail(ErrorKind::changed,
                   "another seed data file is there, of " + std::to_string(there->size) + " bytes and not " +
                       std::to_string(size) + "; give the file another name",
                   workspace.objects.location(key));
  }
  if (!there) {
    // The store takes the file that it is given away: it gets a copy.
    const std::filesystem::path copy = workspace.temp_dir() / ("seed-data-" + random_hex_id());
    std::filesystem::create_directories(workspace.temp_dir(), ec);
    if (!ec) std::filesystem::copy_file(file, copy, ec);
    if (ec) co_return std::unexpected(system_error("copy " + file.string() + " to", copy.string(), ec.value()));
    const auto put = co_await workspace.objects.put_file(key, copy, {.if_absent = true});
    std::filesystem::remove(copy, ec);  // where the put failed
    if (!put && put.error().kind != ErrorKind::already_exists) co_return std::unexpected(put.error());
  }
  prepared->seed_key = key;
  co_return Status{};
}

async::Task<Result<SubmittedJob>> submit_job(Workspace& workspace, const generate::PreparedJob& prepared,
                                             JobOptions options, const Clock& clock) {
  const auto found = co_await find_jobs(workspace, prepared);
  if (!found) co_return std::unexpected(found.error());
  const auto which = co_await id_for(workspace, prepared, *found, options.fresh);
  if (!which) co_return std::unexpected(which.error());
  const JobId id = *which;
  Result<SubmittedJob> done = fail(ErrorKind::changed, "others keep changing the job " + id.text + "; try again");
  for (int round = 0; round < kRoundsMax; ++round) {
    auto item = co_await workspace.jobs->get_job(id);
    if (!item && item.error().kind != ErrorKind::not_found) co_return std::unexpected(item.error());
    if (item) {
      Renewal renewal(workspace, prepared, options, clock.now());
      done = co_await renewal.run(std::move(*item));
    } else {
      std::optional<store::JobItem> other = options.fresh ? std::nullopt : found->other;
      done = co_await create(workspace, prepared, id, options, std::move(other), clock.now());
    }
    const bool was_moved =
        !done && (done.error().kind == ErrorKind::changed || done.error().kind == ErrorKind::already_exists);
    if (!was_moved) break;
  }
  if (!done) co_return done;
  auto now = co_await workspace.jobs->get_job(id);
  if (!now) co_return std::unexpected(now.error());
  auto queue = co_await load_queue(*workspace.jobs, *now);
  if (!queue) co_return std::unexpected(queue.error());
  done->item = std::move(*now);
  done->queue = std::move(*queue);
  co_return done;
}

}  // namespace palette::cli
