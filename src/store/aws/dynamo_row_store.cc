// Templates and cost rows (dynamo_job_store.h).
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "store/aws/dynamo_expression.h"
#include "store/aws/dynamo_job_items.h"
#include "store/aws/dynamo_job_store.h"

namespace palette::store {
namespace {

using aws::Attribute, aws::DynamoItem;

constexpr std::size_t kTemplatesMax = 100'000;
constexpr std::size_t kCostRowsMax = 2'000'000;
constexpr std::int64_t kNewestRows = 100;  // looked at for the newest of a part, page by page

DynamoItem template_key(const std::string& id, std::int64_t version) {
  return {{"template_id", Attribute::text(id)}, {"version", Attribute::number(version)}};
}

aws::Query query_by(const std::string& table, std::string_view key_name, const std::string& key) {
  DynamoExpression is;
  is.require_equal(is.path({key_name}), Attribute::text(key));
  return {.table = table, .key_condition = is.condition(), .terms = is.terms()};
}

// {ISO time}#{part}#{attempt}#{seq}
bool is_row_of(const DynamoItem& item, PartNumber part) {
  const std::string key = aws::text_of(item, "timestamp").value_or("");
  const std::string middle = "#" + std::to_string(part.value) + "#";
  const std::size_t at = key.find('#');
  return at != std::string::npos && key.compare(at, middle.size(), middle) == 0 &&
         key.find('#', at + middle.size()) != std::string::npos;
}

}  // namespace

// --- Templates

async::Task<Status> DynamoJobStore::put_template(TemplateItem item) {
  DynamoExpression absent;
  absent.require("attribute_not_exists(" + absent.path({"template_id"}) + ")");
  const DynamoItem wanted = to_item(item);
  aws::PutItem request{
      .table = tables_.templates, .item = wanted, .condition = absent.condition(), .terms = absent.terms()};
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->put_item(std::move(request));
  if (done) co_return Status{};
  const aws::DynamoFailure& failure = done.error();
  if (failure.error.kind != ErrorKind::changed) co_return failed(failure, tables_.templates);
  // Our own earlier try, or one of somebody else's that wrote the very same: as good.
  if (failure.may_have_worked && failure.item && *failure.item == wanted) co_return Status{};
  co_return fail(ErrorKind::already_exists,
                 "there is a version " + std::to_string(item.version) + " of the template '" + item.id + "' already");
}

async::Task<Result<TemplateItem>> DynamoJobStore::get_template(std::string id, std::optional<std::int64_t> version) {
  const std::string what =
      version ? "version " + std::to_string(*version) + " of the template '" + id + "'" : "template '" + id + "'";
  if (version) {
    aws::GetItem request{.table = tables_.templates, .key = template_key(id, *version)};
    aws::DynamoResult<std::optional<DynamoItem>> item = co_await dynamodb_->get_item(std::move(request));
    if (!item) co_return failed(item.error(), tables_.templates);
    if (!*item) co_return fail(ErrorKind::not_found, "there is no " + what);
    co_return template_from(**item);
  }
  aws::Query newest = query_by(tables_.templates, "template_id", id);
  newest.forward = false;
  newest.page_items = 1;
  aws::DynamoResult<aws::ItemPage> page = co_await dynamodb_->query_page(std::move(newest));
  if (!page) co_return failed(page.error(), tables_.templates);
  if (page->items.empty()) co_return fail(ErrorKind::not_found, "there is no " + what);
  co_return template_from(page->items.front());
}

async::Task<Result<std::vector<TemplateItem>>> DynamoJobStore::list_templates() {
  aws::Scan request{.table = tables_.templates};
  aws::DynamoResult<std::vector<DynamoItem>> items = co_await dynamodb_->scan(std::move(request), kTemplatesMax);
  if (!items) co_return failed(items.error(), tables_.templates);
  Result<std::vector<TemplateItem>> templates = all_from(*items, template_from);
  if (!templates) co_return templates;
  std::ranges::sort(*templates, [](const TemplateItem& a, const TemplateItem& b) {
    return std::tie(a.id, a.version) < std::tie(b.id, b.version);
  });
  co_return templates;
}

// --- CostTracking

async::Task<Status> DynamoJobStore::put_cost_rows(std::vector<CostRow> rows) {
  if (rows.size() == 1) {
    // A transaction would take twice the capacity.
    aws::PutItem request{.table = tables_.costs, .item = to_item(rows.front())};
    aws::DynamoResult<aws::Written> done = co_await dynamodb_->put_item(std::move(request));
    if (!done) co_return failed(done.error(), tables_.costs);
    co_return Status{};
  }
  // The same row twice in one transaction is refused: the later one counts, as if it had replaced the earlier.
  std::map<std::pair<std::string, std::string>, const CostRow*> by_key;
  for (const CostRow& row : rows) by_key[{row.job.text, row.timestamp_key}] = &row;
  std::vector<aws::TransactAction> actions;
  for (auto next = by_key.begin(); next != by_key.end();) {
    actions.emplace_back(aws::PutItem{.table = tables_.costs, .item = to_item(*next->second)});
    if (++next != by_key.end() && actions.size() < aws::kTransactActionsMax) continue;
    aws::DynamoResult<aws::Written> done = co_await dynamodb_->transact_write(std::exchange(actions, {}));
    if (!done) co_return failed(done.error(), tables_.costs);
  }
  co_return Status{};
}

async::Task<Result<std::vector<CostRow>>> DynamoJobStore::cost_rows(JobId id) {
  aws::Query request = query_by(tables_.costs, "job_id", id.text);
  aws::DynamoResult<std::vector<DynamoItem>> items = co_await dynamodb_->query(std::move(request), kCostRowsMax);
  if (!items) co_return failed(items.error(), tables_.costs);
  co_return all_from(*items, cost_row_from);
}

async::Task<Result<std::optional<CostRow>>> DynamoJobStore::last_cost_row(JobId id, PartNumber part) {
  aws::Query newest_first = query_by(tables_.costs, "job_id", id.text);
  newest_first.forward = false;
  newest_first.page_items = kNewestRows;
  std::optional<DynamoItem> start;
  for (std::size_t seen = 0; seen <= kCostRowsMax; seen += kNewestRows) {
    aws::DynamoResult<aws::ItemPage> page = co_await dynamodb_->query_page(newest_first, start);
    if (!page) co_return failed(page.error(), tables_.costs);
    const auto found =
        std::ranges::find_if(page->items, [part](const DynamoItem& item) { return is_row_of(item, part); });
    if (found != page->items.end()) {
      Result<CostRow> row = cost_row_from(*found);
      if (!row) co_return std::unexpected(row.error());
      co_return std::move(*row);
    }
    if (!page->next) co_return std::nullopt;
    start = std::move(page->next);
  }
  co_return fail(ErrorKind::too_large,
                 "job '" + id.text + "' has more than " + std::to_string(kCostRowsMax) + " cost rows");
}

async::Task<Status> DynamoJobStore::remove_cost_rows(JobId id) {
  aws::Query request = query_by(tables_.costs, "job_id", id.text);
  aws::DynamoResult<std::vector<DynamoItem>> items = co_await dynamodb_->query(std::move(request), kCostRowsMax);
  if (!items) co_return failed(items.error(), tables_.costs);
  std::vector<aws::BatchWrite> removals;
  for (const DynamoItem& item : *items) {
    DynamoItem key{{"job_id", item.at("job_id")}, {"timestamp", item.at("timestamp")}};
    removals.push_back({.table = tables_.costs, .put = {}, .remove = std::move(key)});
  }
  aws::DynamoResult<aws::Written> done = co_await dynamodb_->batch_write(std::move(removals));
  if (!done) co_return failed(done.error(), tables_.costs);
  co_return Status{};
}

}  // namespace palette::store
