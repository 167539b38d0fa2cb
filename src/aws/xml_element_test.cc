#include "aws/xml_element.h"

#include <gtest/gtest.h>

namespace palette::aws {
namespace {

TEST(XmlElement, FindsALeafAndDecodesIt) {
  const std::string_view xml =
      "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>a &lt;b&gt; &amp;amp; &quot;c&apos; "
      "&#233;&#x1F600; "
      "&unknown; &#0; &#xD800; & ;</Message><Empty></Empty><Open>x</Error>";
  EXPECT_EQ(xml_element(xml, "Code"), "AccessDenied");
  EXPECT_EQ(xml_element(xml, "Message"), "a <b> &amp; \"c' \xc3\xa9\xf0\x9f\x98\x80 &unknown; &#0; &#xD800; & ;");
  EXPECT_EQ(xml_element(xml, "Empty"), "");
  EXPECT_EQ(xml_element(xml, "Open"), std::nullopt);
  EXPECT_EQ(xml_element(xml, "Absent"), std::nullopt);
  EXPECT_EQ(xml_element("", "Code"), std::nullopt);
}

}  // namespace
}  // namespace palette::aws
