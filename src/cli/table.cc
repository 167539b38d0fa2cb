#include "cli/table.h"

#include <algorithm>
#include <cstdio>

#include "cli/terminal.h"

namespace palette::cli {

void print_table(const std::vector<TableRow>& rows, std::initializer_list<std::size_t> number_columns) {
  std::vector<std::size_t> widths;
  for (const TableRow& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  const bool terminal = is_terminal(stdout);
  for (const TableRow& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - columns_of(row[i]), ' ');
      const bool is_number = std::ranges::find(number_columns, i) != number_columns.end();
      line += (i > 0 ? "  " : "") + (is_number ? padding + row[i] : row[i] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (terminal) line = one_line(line, terminal_width());
    std::printf("%s\n", (&row == &rows.front() ? styled(stdout, Style::bold, line) : line).c_str());
  }
}

}  // namespace palette::cli
