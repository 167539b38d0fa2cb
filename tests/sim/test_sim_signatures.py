import datetime
import email.utils
import json

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

from clients import KEY, NOVA, SECRET, ask, bedrock, text_of

PATH = "/model/" + NOVA.replace(":", "%3A") + "/converse"
BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": "Why?"}]}]}).encode()


@pytest.fixture(scope="module")
def strict_sim():
    from sim import Sim
    with Sim.start("--verify-signatures", "--credentials", f"{KEY}:{SECRET}", "--credentials", "AKIDTWO:two:token-two",
                   "--credentials-ttl-s", "2", "--api-key", "bedrock-key") as started:
        yield started


def error_of(call):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


def signed_headers(url, service="bedrock", at=None, extra=None):
    """Headers as botocore signs them, `at` another time if need be."""
    request = botocore.awsrequest.AWSRequest("POST", url, data=BODY, headers=dict(extra or {}))
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, SECRET), service, "eu-west-3")
    if at is None:
        signer.add_auth(request)
    else:
        stamp = at.strftime("%Y%m%dT%H%M%SZ")
        request.context["timestamp"] = stamp
        request.headers["X-Amz-Date"] = stamp
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        signer._inject_signature_to_request(request, signature)
    return dict(request.headers)


def refused(sim, headers, body=BODY):
    status, answer, text = sim.request("POST", PATH, body, headers)
    return status, answer.get("x-amzn-ErrorType"), json.loads(text)["message"], answer


def test_botocore_signatures_are_accepted(strict_sim):
    assert text_of(ask(bedrock(strict_sim)))
    assert text_of(ask(bedrock(strict_sim, "AKIDTWO", "two", "token-two")))
    arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
    assert text_of(ask(bedrock(strict_sim), model=arn))  # its path is encoded twice in what is signed
    assert bedrock(strict_sim).count_tokens(modelId="amazon.nova-lite-v1:0", input={"converse": {"messages": [
        {"role": "user", "content": [{"text": "Why?"}]}]}})["inputTokens"] == 5


def test_an_unknown_key_a_wrong_secret_and_a_wrong_token_are_refused(strict_sim):
    strict_sim.reset()
    assert error_of(lambda: ask(bedrock(strict_sim, "AKIAUNKNOWN"))) == ("UnrecognizedClientException", 403)
    assert error_of(lambda: ask(bedrock(strict_sim, KEY, "wrong"))) == ("InvalidSignatureException", 403)
    assert error_of(lambda: ask(bedrock(strict_sim, "AKIDTWO", "two", "other"))) == ("UnrecognizedClientException", 403)
    assert error_of(lambda: ask(bedrock(strict_sim, KEY, SECRET, "not needed"))) == ("UnrecognizedClientException", 403)
    stats = strict_sim.settled_stats()
    assert stats["refused_signatures"] == 4 and stats["answered"] == 0 and stats["cost_usd"] == 0


def test_no_authorization_is_refused(strict_sim):
    status, kind, message, _ = refused(strict_sim, {})
    assert (status, kind, message) == (403, "MissingAuthenticationTokenException", "Missing Authentication Token")


@pytest.mark.parametrize("minutes, accepted", [(-6, False), (-4, True), (4, True), (6, False)])
def test_five_minutes_of_skew_are_allowed(strict_sim, minutes, accepted):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    headers = signed_headers(strict_sim.url + PATH, at=at)
    if accepted:
        assert strict_sim.request("POST", PATH, BODY, headers)[0] == 200
        return
    status, kind, message, answer = refused(strict_sim, headers)
    assert (status, kind) == (403, "InvalidSignatureException")
    assert ("Signature expired" if minutes < 0 else "Signature not yet current") in message
    date = email.utils.parsedate_to_datetime(answer["Date"])
    assert abs((date - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 5


def test_the_scope_must_be_of_bedrock(strict_sim):
    status, kind, message, _ = refused(strict_sim, signed_headers(strict_sim.url + PATH, "bedrock-runtime"))
    assert (status, kind) == (403, "InvalidSignatureException") and "correct service: 'bedrock'" in message


def test_what_was_signed_must_be_what_came(strict_sim):
    headers = signed_headers(strict_sim.url + PATH)
    assert refused(strict_sim, headers, BODY.replace(b"Why", b"How"))[:2] == (403, "InvalidSignatureException")
    assert strict_sim.request("POST", PATH, BODY, headers)[0] == 200


def test_every_amz_header_must_be_signed(strict_sim):
    headers = {**signed_headers(strict_sim.url + PATH), "X-Amz-Extra": "1"}
    status, kind, message, _ = refused(strict_sim, headers)
    assert (status, kind) == (403, "InvalidSignatureException") and "x-amz-extra" in message
    assert strict_sim.request("POST", PATH, BODY, signed_headers(strict_sim.url + PATH, extra={"X-Amz-Extra": "1"}))[0] == 200


def test_an_authorization_that_is_no_signature_is_refused(strict_sim):
    assert refused(strict_sim, {"Authorization": "AWS4-HMAC-SHA256 nonsense"})[:2] == (403, "IncompleteSignatureException")


def test_bedrock_api_keys(strict_sim):
    assert strict_sim.request("POST", PATH, BODY, {"Authorization": "Bearer bedrock-key"})[0] == 200
    assert refused(strict_sim, {"Authorization": "Bearer wrong"})[:2] == (403, "AccessDeniedException")


def test_bedrock_api_keys_by_boto3_over_tls(start_sim, certificate, monkeypatch):
    authority, flags = certificate
    sim = start_sim(*flags, "--verify-signatures", "--api-key", "bedrock-key", ca_file=authority)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-key")
    assert text_of(ask(bedrock(sim, None, None, verify=str(authority))))
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "wrong")
    assert error_of(lambda: ask(bedrock(sim, None, None, verify=str(authority)))) == ("AccessDeniedException", 403)


def test_without_verification_anything_is_accepted(sim):
    assert sim.request("POST", PATH, BODY)[0] == 200
    assert text_of(ask(bedrock(sim, "AKIAUNKNOWN", "whatever")))
