// The few texts that are read out of XML answers (STS, errors of S3): a leaf element found by its name, wherever it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace palette::aws {

// The text of the first <name>…</name> (no attributes, as AWS writes them), entities decoded; none when it is not
// there or not closed.
std::optional<std::string> xml_element(std::string_view xml, std::string_view name);

// The text that "&lt;", "&#233;" and their like stand for; what is no entity of XML 1.0 stays as it is.
std::string xml_decoded(std::string_view text);

}  // namespace palette::aws
