// One test per case of the places that credentials come from, the profile aside (profile_credentials_test.cc).
#include "aws/credential_sources.h"

#include <gtest/gtest.h>

#include "aws/test_parts.h"

namespace palette::aws {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;
using Fetch = async::Task<Result<Credentials>> (*)(SourceParts);

constexpr const char* kContainerAnswer =
    R"({"RoleArn":"arn","AccessKeyId":"AK","SecretAccessKey":"SK","Token":"TK","Expiration":"2026-11-24T18:00:00Z"})";

void set(World& world, const Variables& variables) {
  for (const auto& [name, value] : variables) world.environment.variables[name] = value;
}

Result<Credentials> fetch(World& world, Fetch from) { return world.run(from(world.parts())); }

void expect_keys(const Result<Credentials>& credentials, std::string_view source) {
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_EQ(credentials->keys.access_key_id, "AK");
  EXPECT_EQ(credentials->keys.secret_access_key, "SK");
  EXPECT_EQ(credentials->keys.session_token, "TK");
  ASSERT_TRUE(credentials->expires_at);
  EXPECT_EQ(credentials->expires_at->to_iso(), "2026-11-24T18:00:00.000Z");
  EXPECT_EQ(credentials->source, source);
}

// --- the environment

TEST(EnvironmentCredentials, TakesKeysTokenAndExpiration) {
  const Variables keys = {{"AWS_ACCESS_KEY_ID", "AK"},
                          {"AWS_SECRET_ACCESS_KEY", "SK"},
                          {"AWS_CREDENTIAL_EXPIRATION", "2026-11-24T18:00:00+00:00"}};
  const Variables tokens[] = {{{"AWS_SESSION_TOKEN", "TK"}},
                              {{"AWS_SECURITY_TOKEN", "TK"}},
                              {{"AWS_SECURITY_TOKEN", "TK"}, {"AWS_SESSION_TOKEN", "newer name, read second"}}};
  for (const Variables& token : tokens) {
    World world;
    set(world, keys);
    set(world, token);
    expect_keys(fetch(world, fetch_from_environment), "environment");
  }
}

TEST(EnvironmentCredentials, KeysAloneDoNotExpire) {
  World world;
  set(world, {{"AWS_ACCESS_KEY_ID", "AK"}, {"AWS_SECRET_ACCESS_KEY", "SK"}});
  const Result<Credentials> credentials = fetch(world, fetch_from_environment);
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->keys.session_token, "");
  EXPECT_FALSE(credentials->expires_at);
}

TEST(EnvironmentCredentials, SaysWhatIsMissingOrWrong) {
  const std::tuple<Variables, ErrorKind, const char*> cases[] = {
      {{}, ErrorKind::not_found, "AWS_ACCESS_KEY_ID is not set"},
      {{{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", "SK"}},
       ErrorKind::not_found,
       "AWS_ACCESS_KEY_ID is not set"},
      {{{"AWS_ACCESS_KEY_ID", "AK"}},
       ErrorKind::bad_input,
       "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both, or none to use another source"},
      {{{"AWS_ACCESS_KEY_ID", "AK\n"}, {"AWS_SECRET_ACCESS_KEY", "SK"}},
       ErrorKind::bad_input,
       "environment: a key or token has a line end or a control character inside; set it again"},
      {{{"AWS_ACCESS_KEY_ID", "AK"}, {"AWS_SECRET_ACCESS_KEY", "SK"}, {"AWS_CREDENTIAL_EXPIRATION", "soon"}},
       ErrorKind::bad_input,
       "environment, expiration: 'soon' is not a time like 2026-11-23T10:00:00Z"},
  };
  for (const auto& [variables, kind, message] : cases) {
    World world;
    set(world, variables);
    const Result<Credentials> credentials = fetch(world, fetch_from_environment);
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().kind, kind);
    EXPECT_EQ(credentials.error().text(), message);
  }
}

// --- the container endpoint

TEST(ContainerCredentials, TheRelativeUriWinsOverTheFullOne) {
  World world;
  set(world, {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/id"},
              {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/never"},
              {"PALETTE_CONTAINER_CREDENTIALS_ENDPOINT", world.url()}});
  world.answer(200, kContainerAnswer);
  expect_keys(fetch(world, fetch_from_container), "container");
  ASSERT_EQ(world.requests().size(), 1u);
  EXPECT_EQ(world.requests()[0].method, "GET");
  EXPECT_EQ(world.requests()[0].target, "/v2/credentials/id");
  EXPECT_EQ(world.requests()[0].headers.get("accept"), "application/json");
  EXPECT_EQ(world.requests()[0].headers.find("authorization"), nullptr);
}

TEST(ContainerCredentials, TheTokenGoesAsItIsAndTheFileWins) {
  World world;
  const std::string file = world.home.write("token", "from file\n");
  set(world, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", world.url() + "/c?x=1"},
              {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "from variable"}});
  world.answer(200, kContainerAnswer);
  expect_keys(fetch(world, fetch_from_container), "container");
  set(world, {{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file}});
  expect_keys(fetch(world, fetch_from_container), "container");
  world.home.write("token", "rotated");
  expect_keys(fetch(world, fetch_from_container), "container");
  ASSERT_EQ(world.requests().size(), 3u);
  EXPECT_EQ(world.requests()[0].target, "/c?x=1");
  EXPECT_EQ(world.requests()[0].headers.get("authorization"), "from variable");
  EXPECT_EQ(world.requests()[1].headers.get("authorization"), "from file");
  EXPECT_EQ(world.requests()[2].headers.get("authorization"), "rotated");
}

TEST(ContainerCredentials, OnlyHostsOfThePlatformAreAskedInTheClear) {
  const std::pair<const char*, bool> cases[] = {
      {"http://example.com/c", false},       {"http://169.254.169.254/c", false},   {"http://10.0.0.1/c", false},
      {"http://localhost.example/c", false}, {"http://127.0.0.1.example/c", false}, {"http://[fd00:ec2::24]/c", false},
      {"ftp://localhost/c", false},
  };
  for (const auto& [uri, allowed] : cases) {
    World world;
    set(world, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri}});
    const Result<Credentials> credentials = fetch(world, fetch_from_container);
    ASSERT_FALSE(credentials) << uri;
    EXPECT_EQ(credentials.error().kind, ErrorKind::bad_input) << uri;
    EXPECT_EQ(credentials.error().where, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    EXPECT_TRUE(world.requests().empty());
  }
}

TEST(ContainerCredentials, LocalhostIsAsked) {
  World world;
  set(world,
      {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:" + std::to_string(world.server->port()) + "/"}});
  world.answer(200, kContainerAnswer);
  expect_keys(fetch(world, fetch_from_container), "container");
}

TEST(ContainerCredentials, TokensWithLineEndsAreRefused) {
  World world;
  set(world,
      {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", world.url()}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nx-evil: 1"}});
  EXPECT_EQ(
      fetch(world, fetch_from_container).error().text(),
      "AWS_CONTAINER_AUTHORIZATION_TOKEN: the token has a line end or a control character; set it again, as one line");
  set(world, {{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", world.home.write("token", "a\r\nb")}});
  EXPECT_EQ(fetch(world, fetch_from_container).error().kind, ErrorKind::bad_input);
  EXPECT_TRUE(world.requests().empty());
}

TEST(ContainerCredentials, ThreeAttemptsASecondApart) {
  World world;
  set(world, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", world.url()}});
  world.answer(500, "");
  world.cut();
  world.answer(200, kContainerAnswer);
  expect_keys(fetch(world, fetch_from_container), "container");
  EXPECT_EQ(*world.pauses, (std::vector<std::int64_t>{1'000, 1'000}));
}

TEST(ContainerCredentials, AfterTheThirdTheFailureIsTold) {
  World world;
  set(world, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", world.url()}});
  world.answer(404, R"({"code":"NoSuchTask","message":"no such task"})");
  const Result<Credentials> credentials = fetch(world, fetch_from_container);
  ASSERT_FALSE(credentials);
  // Not not_found: no other source may be asked instead.
  EXPECT_EQ(credentials.error().kind, ErrorKind::denied);
  EXPECT_EQ(credentials.error().text(), "container answered NoSuchTask (HTTP 404): no such task");
  EXPECT_EQ(world.requests().size(), 3u);
}

TEST(ContainerCredentials, AnswersThatHoldNoneAreErrors) {
  const std::pair<const char*, const char*> cases[] = {
      {"SK", "container: the answer is no JSON object; expected one that holds credentials"},
      {"[]", "container: the answer is no JSON object; expected one that holds credentials"},
      {R"({"SecretAccessKey":"SK"})", "container: the credentials have no access key id; both keys are needed"},
      {R"({"AccessKeyId":"AK"})", "container: the credentials have no secret access key; both keys are needed"},
      {R"({"AccessKeyId":"AK","SecretAccessKey":"S\nK"})",
       "container: a key or token has a line end or a control character inside; set it again"},
  };
  for (const auto& [body, message] : cases) {
    World world;
    set(world, {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", world.url()}});
    world.answer(200, body);
    const Result<Credentials> credentials = fetch(world, fetch_from_container);
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().text(), message);
  }
}

// --- instance metadata

struct Instance : World {
  Instance() {
    environment.variables.erase("AWS_EC2_METADATA_DISABLED");
    environment.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url() + "/";
  }
  void answer_keys(const std::string& expiration) {
    answer(200, "session");
    answer(200, "the role\n");
    answer(200, R"({"Code":"Success","AccessKeyId":"AK","SecretAccessKey":"SK","Token":"TK","Expiration":")" +
                    expiration + "\"}");
  }
};

TEST(InstanceMetadata, AsksForASessionTheRoleAndItsKeys) {
  Instance world;
  world.answer_keys("2026-11-24T18:00:00Z");
  expect_keys(fetch(world, fetch_from_instance_metadata), "instance metadata");
  ASSERT_EQ(world.requests().size(), 3u);
  EXPECT_EQ(world.requests()[0].method, "PUT");
  EXPECT_EQ(world.requests()[0].target, "/latest/api/token");
  EXPECT_EQ(world.requests()[0].headers.get("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(world.requests()[1].target, "/latest/meta-data/iam/security-credentials/");
  EXPECT_EQ(world.requests()[1].headers.get("x-aws-ec2-metadata-token"), "session");
  EXPECT_EQ(world.requests()[2].target, "/latest/meta-data/iam/security-credentials/the%20role");
  EXPECT_EQ(world.requests()[2].headers.get("x-aws-ec2-metadata-token"), "session");
}

TEST(InstanceMetadata, OldCredentialsAreUsedOn) {
  const std::tuple<const char*, std::uint64_t, const char*> cases[] = {
      {"2026-11-24T11:00:00Z", 0, "2026-11-24T12:17:00.000Z"},               // expired: 15 + 2 minutes
      {"2026-11-24T12:05:00Z", 8 * 60'000 - 1, "2026-11-24T12:24:59.999Z"},  // near its end: 15 + nearly 10
      {"2026-11-24T12:17:01Z", 0, "2026-11-24T12:17:01.000Z"},               // not near
  };
  for (const auto& [expiration, bits, extended] : cases) {
    Instance world;
    world.answer_keys(expiration);
    SourceParts parts = world.parts();
    parts.random_bits = [bits] { return bits; };
    const Result<Credentials> credentials = world.run(fetch_from_instance_metadata(parts));
    ASSERT_TRUE(credentials) << credentials.error().text();
    EXPECT_EQ(credentials->expires_at->to_iso(), extended);
  }
}

TEST(InstanceMetadata, WhereThereIsNoneTheSearchGoesOn) {
  {
    Instance world;
    world.environment.variables["AWS_EC2_METADATA_DISABLED"] = "TRUE";
    EXPECT_EQ(fetch(world, fetch_from_instance_metadata).error().kind, ErrorKind::not_found);
    EXPECT_TRUE(world.requests().empty());
  }
  for (const int status : {403, 404}) {
    Instance world;
    world.answer(status, "");
    EXPECT_EQ(fetch(world, fetch_from_instance_metadata).error().kind, ErrorKind::not_found) << status;
    EXPECT_EQ(world.requests().size(), 1u) << "one attempt";
  }
  {
    Instance world;
    world.cut();
    EXPECT_EQ(fetch(world, fetch_from_instance_metadata).error().kind, ErrorKind::not_found);
  }
  for (const auto& [status, role] : {std::pair(404, "<html/>"), std::pair(200, "")}) {
    Instance world;
    world.answer(200, "session");
    world.answer(status, role);
    EXPECT_EQ(fetch(world, fetch_from_instance_metadata).error().kind, ErrorKind::not_found);
  }
}

TEST(InstanceMetadata, FailuresAreErrors) {
  {
    Instance world;
    world.answer(200, "session");
    world.answer(200, "role");
    world.answer(200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"})");
    EXPECT_EQ(fetch(world, fetch_from_instance_metadata).error().text(),
              "instance metadata: it gives no credentials: AssumeRoleUnauthorizedAccess: EC2 cannot assume the role");
  }
  {
    Instance world;
    world.answer(200, "ses\nsion");
    EXPECT_EQ(fetch(world, fetch_from_instance_metadata).error().kind, ErrorKind::corrupt);
  }
  {
    Instance world;
    world.answer(200, "session");
    world.answer(500, "");
    EXPECT_EQ(fetch(world, fetch_from_instance_metadata).error().kind, ErrorKind::unavailable);
  }
}

// --- web identity

constexpr const char* kRoleAnswer =
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AK</AccessKeyId>"
    "<SecretAccessKey>SK</SecretAccessKey><SessionToken>TK</SessionToken><Expiration>2026-11-24T18:00:00Z</Expiration>"
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

struct Pod : World {
  Pod() {
    set(*this, {{"AWS_WEB_IDENTITY_TOKEN_FILE", home.write("jwt", "a.b/c=\n")},
                {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"},
                {"AWS_ENDPOINT_URL_STS", url()}});
  }
};

TEST(WebIdentity, IsAnUnsignedFormAndAnXmlAnswer) {
  Pod world;
  world.answer(200, kRoleAnswer);
  expect_keys(fetch(world, fetch_from_web_identity), "web identity");
  ASSERT_EQ(world.requests().size(), 1u);
  const http::ServerRequest& request = world.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/");
  EXPECT_EQ(request.headers.get("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.headers.find("authorization"), nullptr);
  EXPECT_EQ(request.body,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
            "&RoleSessionName=plot-palette-1795521600000&WebIdentityToken=a.b%2Fc%3D");
}

TEST(WebIdentity, ReadsTheTokenFileAtEachFetchAndNamesItsSession) {
  Pod world;
  set(world, {{"AWS_ROLE_SESSION_NAME", "mine"}});
  world.answer(200, kRoleAnswer);
  expect_keys(fetch(world, fetch_from_web_identity), "web identity");
  world.home.write("jwt", "rotated");
  expect_keys(fetch(world, fetch_from_web_identity), "web identity");
  EXPECT_NE(world.requests()[0].body.find("&RoleSessionName=mine&WebIdentityToken=a.b%2Fc%3D"), std::string::npos);
  EXPECT_TRUE(world.requests()[1].body.ends_with("&WebIdentityToken=rotated"));
}

TEST(WebIdentity, AsksAgainWhenTheIdentityProviderIsAway) {
  Pod world;
  world.answer(400,
               "<ErrorResponse><Error><Code>IDPCommunicationError</Code><Message>m</Message></Error></ErrorResponse>");
  world.answer(200, kRoleAnswer);
  expect_keys(fetch(world, fetch_from_web_identity), "web identity");
  EXPECT_EQ(*world.pauses, (std::vector<std::int64_t>{1'000}));
}

TEST(WebIdentity, ARefusalIsToldAtOnce) {
  Pod world;
  world.answer(403,
               "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to perform "
               "sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>");
  EXPECT_EQ(fetch(world, fetch_from_web_identity).error().text(),
            "web identity answered AccessDenied (HTTP 403): Not authorized to perform sts:AssumeRoleWithWebIdentity");
  EXPECT_EQ(world.requests().size(), 1u);
}

TEST(WebIdentity, SaysWhatIsMissing) {
  World none;
  EXPECT_EQ(fetch(none, fetch_from_web_identity).error().kind, ErrorKind::not_found);
  Pod without_role;
  without_role.environment.variables.erase("AWS_ROLE_ARN");
  EXPECT_EQ(fetch(without_role, fetch_from_web_identity).error().text(),
            "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both");
  Pod without_file;
  set(without_file, {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/file"}});
  EXPECT_EQ(fetch(without_file, fetch_from_web_identity).error().text(),
            "/no/such/file: there is no such token file; check the path");
  Pod empty_answer;
  empty_answer.answer(200, "<X/>");
  EXPECT_EQ(fetch(empty_answer, fetch_from_web_identity).error().text(),
            "web identity: the credentials have no access key id; both keys are needed");
}

}  // namespace
}  // namespace palette::aws
