#include "aws/s3_xml.h"

#include <gtest/gtest.h>

namespace palette::aws {
namespace {

TEST(S3Xml, ReadsAListing) {
  const Result<XmlElement> root = parse_xml(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><!-- a comment --><Name>b</Name>\n"
      "  <Contents><Key>a &amp; b</Key><ETag>&quot;x&quot;</ETag><Size>7</Size></Contents>\n"
      "  <Contents a='1' b = \"2>\" ><Key><![CDATA[<c>]]></Key><Owner/></Contents></ListBucketResult>\n");
  ASSERT_TRUE(root) << root.error().text();
  EXPECT_EQ(root->name, "ListBucketResult");
  EXPECT_EQ(root->text_of("Name"), "b");
  ASSERT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->children[1].text_of("Key"), "a & b");
  EXPECT_EQ(root->children[1].text_of("ETag"), "\"x\"");
  EXPECT_EQ(root->children[2].text_of("Key"), "<c>");
  EXPECT_NE(root->children[2].child("Owner"), nullptr);
  EXPECT_EQ(root->children[2].child("Size"), nullptr);
  EXPECT_EQ(root->children[2].text_of("Size"), "");
}

TEST(S3Xml, TakesWhatStandsBeforeTheDocument) {
  // CompleteMultipartUpload sends blanks while it works, and the declaration comes first of all.
  EXPECT_EQ(parse_xml(" \n  <Error><Code>X</Code></Error>")->text_of("Code"), "X");
  EXPECT_EQ(parse_xml("<?xml version=\"1.0\"?>\n \n<Error><Code>X</Code></Error>")->text_of("Code"), "X");
  EXPECT_EQ(parse_xml("\xef\xbb\xbf<s3:a xmlns:s3='u'><s3:b>1</s3:b></s3:a>")->text_of("b"), "1");
}

TEST(S3Xml, RefusesWhatIsNoWholeDocument) {
  const std::string deep = [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "<a>";
    return text;
  }();
  for (const std::string_view bad :
       {std::string_view(""), std::string_view("  "), std::string_view("text"), std::string_view("<a>"),
        std::string_view("<a><b></a></b>"), std::string_view("<a></a><b></b>"), std::string_view("<a></a>text"),
        std::string_view("<a x></a>"), std::string_view("<a x=1></a>"), std::string_view("<a x=\"1></a>"),
        std::string_view("<a"), std::string_view("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
        std::string_view("</a>"), std::string_view("<a><!-- </a>"), std::string_view("<a></a"),
        std::string_view("<>x</>"), std::string_view("<![CDATA[x]]>"), std::string_view("<a><![CDATA[x</a>"),
        std::string_view(deep)}) {
    const Result<XmlElement> root = parse_xml(bad);
    ASSERT_FALSE(root) << bad;
    EXPECT_EQ(root.error().kind, ErrorKind::corrupt) << bad;
  }
}

TEST(S3Xml, WhatIsEscapedComesBack) {
  const std::string text = "a<b>&\"c' \n\té";
  EXPECT_EQ(xml_escaped("<\"&'>\r"), "&lt;&quot;&amp;&apos;&gt;&#13;");
  EXPECT_EQ(parse_xml("<a>" + xml_escaped(text) + "</a>")->text, text);
}

}  // namespace
}  // namespace palette::aws
