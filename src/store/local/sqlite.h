// SQLite as values: one connection, statements with their values, transactions. The only header that knows the library.
//
//   Result<SqlRows> rows = database.query("SELECT name FROM Jobs WHERE job_id = ?", {id.text});
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/fault.h"
#include "base/result.h"

struct sqlite3;

namespace palette::store {

using SqlValue = std::variant<std::monostate, std::int64_t, std::string>;  // NULL, INTEGER, TEXT
using SqlRow = std::vector<SqlValue>;
using SqlRows = std::vector<SqlRow>;

// One thread at a time.
class Database {
 public:
  // Opens a database that exists. Other processes may use it as well: a write waits up to `busy_timeout_ms` for theirs.
  static Result<Database> open(const std::filesystem::path& path, int busy_timeout_ms);

  // The bytes of a new database in WAL mode, made by `script`.
  static Result<std::string> new_image(const std::string& script);

  // Runs one statement and gives its rows. Errors: corrupt, conflict (busy), already_exists (a key is taken), denied,
  // io.
  Result<SqlRows> query(std::string_view sql, const SqlRow& values = {});
  // Runs one statement and gives how many rows it changed.
  Result<std::int64_t> execute(std::string_view sql, const SqlRow& values = {});

  // Runs `work` (a function that gives a Result) as one transaction that no other writer is in; an error rolls it back.
  // On the disk when it returns. `what` names its two fault points.
  template <class Work>
  auto transaction(std::string_view what, Work work) -> decltype(work()) {
    if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return std::unexpected(begun.error());
    auto result = work();
    if (!result) {
      roll_back();
      return result;
    }
    fault::durable_write("jobs.before_commit " + std::string(what));
    if (auto committed = execute("COMMIT"); !committed) {
      roll_back();
      return std::unexpected(committed.error());
    }
    fault::durable_write("jobs.after_commit " + std::string(what));
    return result;
  }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit Database(std::string name) : name_(std::move(name)) {}

  void roll_back();
  Error error_now(std::string_view doing) const;

  std::string name_;  // for messages
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace palette::store
