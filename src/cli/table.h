// Rows of cells in columns under a bold head, for people.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

namespace palette::cli {

using TableRow = std::vector<std::string>;

// To stdout; `rows` begins with the head, and all have as many cells. The columns of numbers end together, the others
// begin together. On a terminal a line ends at its width.
void print_table(const std::vector<TableRow>& rows, std::initializer_list<std::size_t> number_columns);

}  // namespace palette::cli
