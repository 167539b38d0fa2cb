// One test per kind of profile.
#include <gtest/gtest.h>

#include "aws/credential_sources.h"
#include "aws/test_parts.h"

namespace palette::aws {
namespace {

// The answer of STS AssumeRole for the n-th role of a chain.
std::string role_answer(const std::string& n) {
  return "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AK" + n +
         "</AccessKeyId><SecretAccessKey>SK" + n + "</SecretAccessKey><SessionToken>TK" + n +
         "</SessionToken><Expiration>2026-11-24T13:00:00Z</Expiration></Credentials></AssumeRoleResult></"
         "AssumeRoleResponse>";
}

struct User : World {
  explicit User(std::string_view config, std::string_view profile = "dev") {
    home.write(".aws/config", config);
    environment.variables["AWS_PROFILE"] = profile;
    environment.variables["PATH"] = "/usr/bin:/bin";
    environment.variables["AWS_ENDPOINT_URL_STS"] = url();
    environment.variables["AWS_ENDPOINT_URL_SSO"] = url();
  }
  Result<Credentials> fetch() { return run(fetch_from_profile(parts())); }
};

void expect_error(User& user, ErrorKind kind, std::string_view text) {
  const Result<Credentials> credentials = user.fetch();
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().kind, kind);
  EXPECT_EQ(credentials.error().text(), text);
}

TEST(ProfileKeys, AreTaken) {
  User user("[profile dev]\naws_access_key_id = AK\naws_secret_access_key = SK\naws_session_token = TK\n");
  const Result<Credentials> credentials = user.fetch();
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_EQ(credentials->keys.access_key_id, "AK");
  EXPECT_EQ(credentials->keys.secret_access_key, "SK");
  EXPECT_EQ(credentials->keys.session_token, "TK");
  EXPECT_FALSE(credentials->expires_at);
  EXPECT_EQ(credentials->source, "profile dev");
}

TEST(ProfileKeys, OneWithoutTheOtherIsAnError) {
  User user("[profile dev]\naws_access_key_id = AK\n");
  expect_error(user, ErrorKind::bad_input,
               "profile dev: the credentials have no secret access key; both keys are needed");
  User other("[profile dev]\naws_secret_access_key = AK\n");
  expect_error(other, ErrorKind::bad_input, "profile dev: the credentials have no access key id; both keys are needed");
}

TEST(Profile, WithoutCredentialsIsNotConfigured) {
  User user("[profile dev]\nregion = us-east-1\n");
  expect_error(user, ErrorKind::not_found, "the profile dev has no credentials");
  User none("", "");
  EXPECT_EQ(none.fetch().error().kind, ErrorKind::not_found);
}

TEST(Profile, ALoginSessionNamesTheWayRound) {
  User user("[profile dev]\nlogin_session = arn:aws:iam::1:user/x\n");
  expect_error(user, ErrorKind::bad_input,
               "profile dev: login_session is not read here; add to the profile: credential_process = aws configure "
               "export-credentials --format process --profile dev");
}

// --- credential_process

TEST(ProfileProcess, RunsWithoutAShellAndReadsItsAnswer) {
  User user(
      "[profile dev]\ncredential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":\"AK\","
      "\"SecretAccessKey\":\"SK\",\"SessionToken\":\"$HOME\",\"Expiration\":\"2026-11-24T13:00:00+00:00\"}'\n");
  const Result<Credentials> credentials = user.fetch();
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_EQ(credentials->keys.session_token, "$HOME");
  EXPECT_EQ(credentials->expires_at->to_iso(), "2026-11-24T13:00:00.000Z");
  EXPECT_EQ(credentials->source, "profile dev (credential_process)");
}

TEST(ProfileProcess, WithoutAnExpirationTheyAreKept) {
  User user(
      "[profile dev]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"SK\"}'\n");
  const Result<Credentials> credentials = user.fetch();
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_FALSE(credentials->expires_at);
}

TEST(ProfileProcess, FailuresSayWhyAndShowNothingOfItsOutput) {
  const std::tuple<const char*, ErrorKind, const char*> cases[] = {
      {"sh -c 'echo SECRET; echo please log in >&2; exit 2'", ErrorKind::denied,
       "the program ended with exit code 2: please log in"},
      {"sh -c 'exit 1'", ErrorKind::denied, "the program ended with exit code 1; run it by hand to see why"},
      {"echo SECRET", ErrorKind::corrupt, "the answer is no JSON object; expected one that holds credentials"},
      {"echo '{\"Version\":2,\"AccessKeyId\":\"AK\",\"SecretAccessKey\":\"SK\"}'", ErrorKind::bad_input,
       "the program's answer has no \"Version\": 1, the only one that is known"},
      {"echo '{\"Version\":1,\"AccessKeyId\":\"AK\"}'", ErrorKind::bad_input,
       "the credentials have no secret access key; both keys are needed"},
      {"echo 'open", ErrorKind::bad_input, "the command has an open quote ('); close it"},
      {"/no/such/program", ErrorKind::bad_input, "/no/such/program: start: No such file or directory"},
  };
  for (const auto& [command, kind, message] : cases) {
    User user("[profile dev]\ncredential_process = " + std::string(command) + "\n");
    const Result<Credentials> credentials = user.fetch();
    ASSERT_FALSE(credentials) << command;
    EXPECT_EQ(credentials.error().kind, kind) << command;
    EXPECT_EQ(credentials.error().where, "profile dev (credential_process)") << command;
    EXPECT_EQ(credentials.error().message, message);
  }
}

// --- roles

constexpr const char* kRole =
    "[profile dev]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nrole_session_name = me\nexternal_id = "
    "e/1\n"
    "duration_seconds = 900\nregion = eu-west-1\n"
    "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = SK\n";

TEST(ProfileRole, IsAssumedWithASignedCall) {
  User user(kRole);
  user.answer(200, role_answer("1"));
  const Result<Credentials> credentials = user.fetch();
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_EQ(credentials->keys.access_key_id, "AK1");
  EXPECT_EQ(credentials->keys.session_token, "TK1");
  EXPECT_EQ(credentials->expires_at->to_iso(), "2026-11-24T13:00:00.000Z");
  EXPECT_EQ(credentials->source, "profile dev (role)");
  ASSERT_EQ(user.requests().size(), 1u);
  EXPECT_EQ(user.requests()[0].body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me"
            "&DurationSeconds=900&ExternalId=e%2F1");
  EXPECT_TRUE(user.requests()[0]
                  .headers.get("authorization")
                  .starts_with("AWS4-HMAC-SHA256 Credential=BASE/20261124/eu-west-1/sts/aws4_request, "
                               "SignedHeaders=content-type;host;x-amz-date,"));
}

TEST(ProfileRole, RolesStandOnRoles) {
  User user(
      "[profile dev]\nrole_arn = r2\nsource_profile = middle\n"
      "[profile middle]\nrole_arn = r1\nsource_profile = base\n"
      "[profile base]\nrole_arn = ignored\nsource_profile = dev\naws_access_key_id = BASE\naws_secret_access_key = "
      "SK\n");
  user.answer(200, role_answer("1"));
  user.answer(200, role_answer("2"));
  const Result<Credentials> credentials = user.fetch();
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_EQ(credentials->keys.access_key_id, "AK2");
  ASSERT_EQ(user.requests().size(), 2u);
  EXPECT_NE(user.requests()[0].headers.get("authorization").find("Credential=BASE/"), std::string::npos);
  EXPECT_NE(user.requests()[1].headers.get("authorization").find("Credential=AK1/"), std::string::npos);
  EXPECT_EQ(user.requests()[1].headers.get("x-amz-security-token"), "TK1");
}

TEST(ProfileRole, AProfileMayBeItsOwnSource) {
  User user("[profile dev]\nrole_arn = r\nsource_profile = dev\naws_access_key_id = OWN\naws_secret_access_key = SK\n");
  user.answer(200, role_answer("1"));
  const Result<Credentials> credentials = user.fetch();
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_NE(user.requests().at(0).headers.get("authorization").find("Credential=OWN/"), std::string::npos);
}

TEST(ProfileRole, TheSourceMayBeTheEnvironmentOrTheContainer) {
  User environment("[profile dev]\nrole_arn = r\ncredential_source = Environment\n");
  environment.environment.variables["AWS_ACCESS_KEY_ID"] = "ENV";
  environment.environment.variables["AWS_SECRET_ACCESS_KEY"] = "SK";
  environment.answer(200, role_answer("1"));
  ASSERT_TRUE(environment.fetch());
  EXPECT_NE(environment.requests().at(0).headers.get("authorization").find("Credential=ENV/"), std::string::npos);

  User container("[profile dev]\nrole_arn = r\ncredential_source = EcsContainer\n");
  container.environment.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = container.url();
  container.answer(200, R"({"AccessKeyId":"ECS","SecretAccessKey":"SK","Token":"T"})");
  container.answer(200, role_answer("1"));
  ASSERT_TRUE(container.fetch());
  EXPECT_NE(container.requests().at(1).headers.get("authorization").find("Credential=ECS/"), std::string::npos);

  User instance("[profile dev]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n");
  instance.environment.variables.erase("AWS_EC2_METADATA_DISABLED");
  instance.environment.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = instance.url();
  instance.answer(200, "session");
  instance.answer(200, "role");
  instance.answer(200, R"({"AccessKeyId":"EC2","SecretAccessKey":"SK","Token":"T"})");
  instance.answer(200, role_answer("1"));
  ASSERT_TRUE(instance.fetch());
  EXPECT_NE(instance.requests().at(3).headers.get("authorization").find("Credential=EC2/"), std::string::npos);
}

TEST(ProfileRole, WebIdentityInTheProfile) {
  User user("");
  user.home.write(".aws/config",
                  "[profile dev]\nrole_arn = r\nweb_identity_token_file = " + user.home.write("jwt", "J") + "\n");
  user.answer(200, role_answer("1"));
  const Result<Credentials> credentials = user.fetch();
  ASSERT_TRUE(credentials) << credentials.error().text();
  EXPECT_EQ(credentials->source, "profile dev (web identity)");
  EXPECT_NE(user.requests().at(0).body.find("Action=AssumeRoleWithWebIdentity"), std::string::npos);
}

TEST(ProfileRole, SaysWhatIsWrong) {
  const std::tuple<const char*, ErrorKind, const char*> cases[] = {
      {"role_arn = r\n", ErrorKind::bad_input,
       "profile dev: role_arn has neither source_profile nor credential_source; give one of them"},
      {"role_arn = r\nsource_profile = a\ncredential_source = Environment\n", ErrorKind::bad_input,
       "profile dev: role_arn has both source_profile and credential_source; give one of them"},
      {"role_arn = r\nsource_profile = absent\n", ErrorKind::bad_input,
       "profile dev: source_profile names 'absent', which does not exist"},
      {"role_arn = r\nsource_profile = other\n[profile other]\nrole_arn = r\nsource_profile = dev\n",
       ErrorKind::bad_input, "profile other: the source_profile settings go in a circle: dev -> other -> dev"},
      {"role_arn = r\ncredential_source = environment\n", ErrorKind::bad_input,
       "profile dev: credential_source 'environment' is not known; expected Environment, EcsContainer or "
       "Ec2InstanceMetadata"},
      {"role_arn = r\ncredential_source = Environment\n", ErrorKind::denied,
       "profile dev: AWS_ACCESS_KEY_ID is not set"},
      {"role_arn = r\nsource_profile = base\nduration_seconds = 1h\n", ErrorKind::bad_input,
       "profile dev: duration_seconds is no whole number"},
      {"role_arn = r\nsource_profile = base\nmfa_serial = m\n", ErrorKind::bad_input,
       "profile dev: the role wants a code of an MFA device (mfa_serial), which nobody is there to type; get the "
       "credentials with the AWS CLI and put them into the environment"},
  };
  for (const auto& [lines, kind, text] : cases) {
    User user("[profile dev]\n" + std::string(lines));
    expect_error(user, kind, text);
    EXPECT_TRUE(user.requests().empty());
  }
}

TEST(ProfileRole, ARefusalOfStsIsTold) {
  User user(kRole);
  user.answer(403,
              "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: u is not authorized to perform: "
              "sts:AssumeRole on resource: r</Message></Error></ErrorResponse>");
  expect_error(user, ErrorKind::denied,
               "profile dev (role): STS answered AccessDenied (HTTP 403): User: u is not authorized to perform: "
               "sts:AssumeRole on resource: r; allow sts:AssumeRole in the IAM policy of this identity");
}

// --- SSO

constexpr const char* kSsoAnswer =
    R"({"roleCredentials":{"accessKeyId":"AK","secretAccessKey":"SK","sessionToken":"TK","expiration":1795528800000}})";
constexpr const char* kSessionForm =
    "[profile dev]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = Data Science\n"
    "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n";
constexpr const char* kOlderForm =
    "[profile dev]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 123\n"
    "sso_role_name = Data Science\n";
// sha1("corp") and sha1("https://example.awsapps.com/start").
constexpr const char* kSessionCache = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
constexpr const char* kOlderCache = ".aws/sso/cache/e8be5486177c5b5392bd9aa76563515b29358e6e.json";

TEST(ProfileSso, BothFormsReadTheirCachedToken) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {kSessionForm, kSessionCache, "2026-11-24T13:00:00Z"}, {kOlderForm, kOlderCache, "2026-11-24T13:00:00UTC"}};
  for (const auto& [config, cache, expires_at] : cases) {
    User user(config);
    user.home.write(cache, std::string(R"({"accessToken":"BEARER","expiresAt":")") + expires_at + "\"}");
    user.answer(200, kSsoAnswer);
    const Result<Credentials> credentials = user.fetch();
    ASSERT_TRUE(credentials) << credentials.error().text();
    EXPECT_EQ(credentials->keys.access_key_id, "AK");
    EXPECT_EQ(credentials->keys.session_token, "TK");
    EXPECT_EQ(credentials->expires_at->to_iso(), "2026-11-24T14:00:00.000Z");
    EXPECT_EQ(credentials->source, "profile dev (SSO)");
    const http::ServerRequest& request = user.requests().at(0);
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, "/federation/credentials?role_name=Data%20Science&account_id=123");
    EXPECT_EQ(request.headers.get("x-amz-sso_bearer_token"), "BEARER");
    EXPECT_EQ(request.headers.find("authorization"), nullptr);
  }
}

TEST(ProfileSso, WhoIsNotLoggedInIsToldHow) {
  User absent(kSessionForm);
  expect_error(absent, ErrorKind::denied,
               "profile dev (SSO): nobody is logged in to SSO; run: aws sso login --profile dev");
  User expired(kSessionForm);
  expired.home.write(kSessionCache, R"({"accessToken":"BEARER","expiresAt":"2026-11-24T12:00:00Z"})");
  expect_error(
      expired, ErrorKind::denied,
      "profile dev (SSO): the login to SSO expired at 2026-11-24T12:00:00.000Z; run: aws sso login --profile dev");
  User unusable(kSessionForm);
  unusable.home.write(kSessionCache, R"({"accessToken":"BEARER"})");
  const Result<Credentials> credentials = unusable.fetch();
  ASSERT_FALSE(credentials);
  EXPECT_TRUE(credentials.error().message.ends_with("; run: aws sso login --profile dev"))
      << credentials.error().text();
  EXPECT_EQ(credentials.error().message.find("BEARER"), std::string::npos);
}

TEST(ProfileSso, ARefusedTokenIsToldHowToo) {
  User user(kSessionForm);
  user.home.write(kSessionCache, R"({"accessToken":"BEARER","expiresAt":"2026-11-24T13:00:00Z"})");
  user.answer(401, R"({"message":"Session token not found or invalid"})",
              {{"x-amzn-ErrorType", "UnauthorizedException:http://x"}});
  expect_error(user, ErrorKind::denied,
               "profile dev (SSO): SSO refused the login or the role: profile dev (SSO) answered UnauthorizedException "
               "(HTTP 401): Session token not found or invalid; run: aws sso login --profile dev");
}

TEST(ProfileSso, SaysWhatIsMissing) {
  const std::pair<const char*, const char*> cases[] = {
      {"[profile dev]\nsso_session = corp\n",
       "sso_session names 'corp', but there is no section [sso-session corp] in "},
      {"[profile dev]\nsso_start_url = u\nsso_region = r\nsso_account_id = 1\n",
       "sso_role_name is missing; SSO needs sso_account_id, sso_role_name, and sso_session or sso_start_url with "
       "sso_region"},
      {"[profile dev]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = n\n[sso-session corp]\nsso_start_url = "
       "u\n",
       "sso_region is missing; SSO needs sso_account_id, sso_role_name, and sso_session or sso_start_url with "
       "sso_region"},
  };
  for (const auto& [config, message] : cases) {
    User user(config);
    const Result<Credentials> credentials = user.fetch();
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(credentials.error().where, "profile dev");
    EXPECT_TRUE(credentials.error().message.starts_with(message)) << credentials.error().message;
  }
}

}  // namespace
}  // namespace palette::aws
