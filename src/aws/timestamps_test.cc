#include "aws/timestamps.h"

#include <gtest/gtest.h>

namespace palette::aws {
namespace {

TEST(Timestamps, ExpiriesComeInManyForms) {
  for (const char* text :
       {"2026-11-24T12:00:00Z", "2026-11-24T12:00:00UTC", "2026-11-24T12:00:00+00:00", "2026-11-24T14:00:00+02:00",
        "2026-11-24T06:30:00-0530", "2026-11-24T12:00:00.000Z", "2026-11-24T12:00:00.000000+00:00"}) {
    const Result<UtcTime> time = parse_expiry(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(time->to_iso(), "2026-11-24T12:00:00.000Z") << text;
  }
  for (const char* text : {"", "Z", "never", "2026-11-24", "2026-11-24T12:00:00", "2026-11-24T12:00:00+1", "1764000000",
                           "2026-11-24T12:00:00+0260"}) {
    EXPECT_FALSE(parse_expiry(text)) << text;
  }
  EXPECT_EQ(parse_expiry("soon").error().message, "'soon' is not a time like 2026-11-23T10:00:00Z");
}

TEST(Timestamps, DatesOfHttp) {
  EXPECT_EQ(parse_http_date("Tue, 24 Nov 2026 11:26:25 GMT")->to_iso(), "2026-11-24T11:26:25.000Z");
  EXPECT_EQ(parse_http_date("Thu, 01 Jan 2026 00:00:00 GMT")->to_iso(), "2026-01-01T00:00:00.000Z");
  for (const char* text : {"", "Tue, 24 Nov 2026 11:26:25 UTC", "Tue, 24 Nox 2026 11:26:25 GMT",
                           "Tue, 31 Feb 2026 11:26:25 GMT", "Tuesday, 24-Nov-26 11:26:25 GMT"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(Timestamps, DigitsAreDigitsAlone) {
  EXPECT_EQ(parse_digits("0"), 0);
  EXPECT_EQ(parse_digits("000123"), 123);
  EXPECT_EQ(parse_digits("999999999999999"), 999'999'999'999'999);
  for (const char* text : {"", "-1", "+1", "1.5", "1 ", "1234567890123456"}) EXPECT_FALSE(parse_digits(text)) << text;
}

}  // namespace
}  // namespace palette::aws
