#include "store/local/sqlite.h"

#include <sqlite3.h>

namespace palette::store {
namespace {

ErrorKind kind_of(int extended_code) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
      return ErrorKind::already_exists;
    default:
      break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
      return ErrorKind::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::conflict;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorKind::denied;
    case SQLITE_MISUSE:
    case SQLITE_ERROR:
      return ErrorKind::internal;
    default:
      return ErrorKind::io;
  }
}

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// The texts stay where they are until the statement has run: SQLite need not copy them.
int bind(sqlite3_stmt* statement, int place, const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, place, *number);
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, place, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  return sqlite3_bind_null(statement, place);
}

SqlRow read_row(sqlite3_stmt* statement) {
  SqlRow row;
  const int columns = sqlite3_column_count(statement);
  row.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_NULL:
        row.emplace_back();
        break;
      case SQLITE_INTEGER:
        row.emplace_back(std::int64_t{sqlite3_column_int64(statement, i)});
        break;
      default: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        row.emplace_back(std::string(text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, i))));
      }
    }
  }
  return row;
}

}  // namespace

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close(connection); }

Error Database::error_now(std::string_view doing) const {
  const int code = connection_ ? sqlite3_extended_errcode(connection_.get()) : SQLITE_NOMEM;
  const ErrorKind kind = kind_of(code);
  std::string message = connection_ ? sqlite3_errmsg(connection_.get()) : "out of memory";
  if (kind == ErrorKind::corrupt) {
    message = "the database cannot be read (" + message + "); put back a copy of it, or move it and its -wal file away";
  } else if (kind == ErrorKind::conflict) {
    message = "another process keeps the database busy; try again";
  } else {
    message += " (while: " + std::string(doing) + ")";
  }
  return Error{kind, std::move(message), name_};
}

Result<Database> Database::open(const std::filesystem::path& path, int busy_timeout_ms) {
  Database database(path.native());
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.connection_.reset(connection);
  if (code != SQLITE_OK) return std::unexpected(database.error_now("open"));
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, busy_timeout_ms);
  for (const char* sql : {"PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON", "PRAGMA cell_size_check = ON"}) {
    if (auto done = database.execute(sql); !done) return std::unexpected(done.error());
  }
  return database;
}

Result<std::string> Database::new_image(const std::string& script) {
  Database database(":memory:");
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(":memory:", &connection, SQLITE_OPEN_READWRITE, nullptr);
  database.connection_.reset(connection);
  if (code != SQLITE_OK || sqlite3_exec(connection, script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return std::unexpected(database.error_now("create"));
  }
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> bytes(sqlite3_serialize(connection, "main", &size, 0),
                                                                      &sqlite3_free);
  if (!bytes || size < 100) return std::unexpected(database.error_now("serialize"));
  std::string image(reinterpret_cast<const char*>(bytes.get()), static_cast<std::size_t>(size));
  // "The file format write version. 1 for legacy; 2 for WAL", and the read version (Database File Format, 1.3).
  image[18] = image[19] = 2;
  return image;
}

Result<SqlRows> Database::query(std::string_view sql, const SqlRow& values) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &prepared, nullptr);
  const Statement statement(prepared);
  if (code != SQLITE_OK) return std::unexpected(error_now(sql));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (bind(prepared, static_cast<int>(i + 1), values[i]) != SQLITE_OK) return std::unexpected(error_now(sql));
  }
  SqlRows rows;
  for (;;) {
    const int step = sqlite3_step(prepared);
    if (step == SQLITE_DONE) return rows;
    if (step != SQLITE_ROW) return std::unexpected(error_now(sql));
    rows.push_back(read_row(prepared));
  }
}

Result<std::int64_t> Database::execute(std::string_view sql, const SqlRow& values) {
  const Result<SqlRows> rows = query(sql, values);
  if (!rows) return std::unexpected(rows.error());
  return sqlite3_changes64(connection_.get());
}

void Database::roll_back() {
  if (sqlite3_get_autocommit(connection_.get()) == 0) {
    sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

}  // namespace palette::store
