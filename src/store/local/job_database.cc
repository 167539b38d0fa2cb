// open_job_database: a database that cannot be read is an error, never a new one.
#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/ids.h"
#include "store/local/file.h"
#include "store/local/job_rows.h"
#include "store/local/job_tables.h"

namespace palette::store {
namespace {

constexpr int kBusyTimeout_ms = 30'000;

std::filesystem::path with_suffix(std::filesystem::path path, const std::string& suffix) {
  path += suffix;
  return path;
}

// The new database appears whole: a file that is empty or has no tables was never ours.
Status make_database(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(with_suffix(path, "-wal"), ignored)) {
    return fail(
        ErrorKind::corrupt,
        "the database is missing but its -wal file, which holds a part of it, is there: put the database back, or "
        "move the -wal file away to start anew",
        path.native());
  }
  if (path.has_parent_path()) {
    if (Status ok = make_folders(path.parent_path()); !ok) return ok;
  }
  const Result<std::string> image = Database::new_image(schema_script());
  if (!image) return std::unexpected(image.error());
  const std::filesystem::path temp = with_suffix(path, ".new-" + random_hex_id());
  Status done = write_new_file(temp, *image);
  if (done) {
    fault::durable_write("jobs.before_create");
    done = rename_if_absent(temp, path);
    fault::durable_write("jobs.after_create");
  }
  if (!done) {
    ::unlink(temp.c_str());
    if (done.error().kind != ErrorKind::already_exists) return done;  // else another process made it
  }
  return sync_folder(path.has_parent_path() ? path.parent_path() : ".");
}

Result<std::int64_t> pragma(Database& database, const std::string& name) {
  const Result<SqlRows> rows = database.query("PRAGMA " + name);
  if (!rows) return std::unexpected(rows.error());
  if (rows->size() != 1 || !std::holds_alternative<std::int64_t>((*rows)[0][0])) {
    return fail(ErrorKind::corrupt, name + " cannot be read");
  }
  return std::get<std::int64_t>((*rows)[0][0]);
}

Status check_schema(Database& database, const std::filesystem::path& path) {
  const Result<std::int64_t> application = pragma(database, "application_id");
  if (!application) return std::unexpected(application.error());
  const Result<std::int64_t> version = pragma(database, "user_version");
  if (!version) return std::unexpected(version.error());
  if (*application != kApplicationId || *version < 1) {
    return fail(ErrorKind::corrupt, "this file is not a database of plot-palette, or it lost its content",
                path.native());
  }
  if (*version > kSchemaVersion) {
    return fail(ErrorKind::bad_input,
                "a newer plot-palette wrote this database (version " + std::to_string(*version) +
                    " of its tables; this program knows " + std::to_string(kSchemaVersion) + "): use the newer program",
                path.native());
  }
  for (const char* table : {"Jobs", "Queue", "Templates", "CostTracking"}) {
    const Result<SqlRows> rows = database.query("SELECT 1 FROM " + std::string(table) + " LIMIT 1");
    if (!rows && rows.error().kind == ErrorKind::internal) {
      return fail(ErrorKind::corrupt, "the table " + std::string(table) + " is missing", path.native());
    }
    if (!rows) return std::unexpected(rows.error());
  }
  return {};
}

}  // namespace

Result<Database> open_job_database(const std::filesystem::path& path) {
  if (::access(path.c_str(), F_OK) != 0) {
    if (errno != ENOENT) return std::unexpected(system_error("access", path.native(), errno));
    if (Status ok = make_database(path); !ok) return std::unexpected(ok.error());
  }
  Result<Database> database = Database::open(path, kBusyTimeout_ms);
  if (!database) return database;
  if (Status ok = check_schema(*database, path); !ok) return std::unexpected(ok.error().at(path.native()));
  return database;
}

}  // namespace palette::store
