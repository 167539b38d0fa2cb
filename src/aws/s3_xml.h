// The XML documents of S3 (REST-XML): a small tree read out of an answer, and text made safe to be put into a request.
//
//   Result<XmlElement> listing = parse_xml(response.body);
//   for (const XmlElement& entry : listing->children) if (entry.name == "Contents") use(entry.text_of("Key"));
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace palette::aws {

struct XmlElement {
  std::string name;  // without a namespace's prefix
  std::string text;  // its own characters, entities decoded, those of its children left out
  std::vector<XmlElement> children;

  // The first child of that name; null when there is none.
  const XmlElement* child(std::string_view child_name) const;
  // The text of that child, "" when there is none.
  std::string_view text_of(std::string_view child_name) const;
};

// The root of a whole, well-formed document: elements, attributes (checked and left out), text, CDATA, comments and
// processing instructions. corrupt for anything else: a document type (no answer of AWS has one, and entities that it
// declares could grow without bound), nesting deeper than 32, more than one root.
Result<XmlElement> parse_xml(std::string_view document);

// `text` as the content of an element: & < > " ' and control characters as entities.
std::string xml_escaped(std::string_view text);

}  // namespace palette::aws
