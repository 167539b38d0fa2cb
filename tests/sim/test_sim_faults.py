import json
import time

import botocore.exceptions
import openai
import pytest

from clients import HAIKU, NOVA, ask, bedrock, chat_client, text_of

BILLED = {"hang", "cut", "half", "malformed", "empty", "error_in_200"}
# What botocore makes of each fault that has an answer: code and status.
ANSWERS = {"throttle": ("ThrottlingException", 429), "500": ("InternalServerException", 500),
           "503": ("ServiceUnavailableException", 503), "408": ("ModelTimeoutException", 408),
           "424": ("ModelErrorException", 424), "not_ready": ("ModelNotReadyException", 429),
           "quota_day": ("ThrottlingException", 429), "zero_quota": ("ThrottlingException", 429)}
BROKEN = {"cut": botocore.exceptions.ConnectionClosedError, "hang": botocore.exceptions.ReadTimeoutError}


def error_of(call):
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        call()
    return failed.value.response


def check_counted(sim, kind):
    stats = sim.settled_stats()
    assert stats["faults"] == {kind: 1} and stats["calls"] == 1 and stats["answered"] == 0
    assert stats["billed_unanswered"] == (1 if kind in BILLED else 0)
    assert (stats["cost_usd"] > 0) == (kind in BILLED)
    assert stats["cost_unanswered_usd"] == stats["cost_usd"] and stats["cost_answered_usd"] == 0
    assert [call["outcome"] for call in sim.calls()] == [kind]


@pytest.mark.parametrize("kind", ANSWERS)
def test_faults_with_an_answer_as_boto3_sees_them(sim, kind):
    sim.set_faults({"kind": kind})
    response = error_of(lambda: ask(bedrock(sim)))
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ANSWERS[kind]
    if kind == "424":
        assert response["originalStatusCode"] == 500
    if kind == "quota_day":
        assert "Too many tokens per day" in response["Error"]["Message"]
    check_counted(sim, kind)
    assert text_of(ask(bedrock(sim)))  # one call, as scripted


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_answers_as_boto3_sees_them(sim, kind):
    sim.set_faults({"kind": kind})
    with pytest.raises(BROKEN[kind]):
        ask(bedrock(sim, read_timeout=1))
    check_counted(sim, kind)


@pytest.mark.parametrize("kind", ["half", "malformed"])
def test_answers_that_botocore_cannot_read_have_no_output(sim, kind):
    sim.set_faults({"kind": kind})
    assert "output" not in ask(bedrock(sim))  # it swallows what the body's parser says
    check_counted(sim, kind)


def test_an_empty_answer_has_its_usage(sim):
    sim.set_faults({"kind": "empty"})
    answer = ask(bedrock(sim))
    assert text_of(answer) == "" and answer["usage"]["outputTokens"] > 0
    check_counted(sim, "empty")


def test_an_error_in_200(sim):
    sim.set_faults({"kind": "error_in_200"})
    body = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    status, _, text = sim.request("POST", "/model/m/converse", body)
    assert status == 200 and json.loads(text)["__type"] == "InternalServerException"
    assert sim.settled_stats()["billed_unanswered"] == 1


def test_malformed_answers_come_whole(sim):
    sim.set_faults({"kind": "malformed"})
    body = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    status, headers, text = sim.request("POST", "/model/m/converse", body)
    assert status == 200 and int(headers["Content-Length"]) == len(text)
    with pytest.raises(ValueError):
        json.loads(text)


def test_a_zero_quota_through_invoke_model(sim):
    sim.set_faults({"kind": "zero_quota"})
    response = error_of(lambda: bedrock(sim).invoke_model(modelId=NOVA, body=json.dumps(
        {"messages": [{"role": "user", "content": [{"text": "a"}]}]})))
    assert response["Error"]["Code"] == "ServiceQuotaExceededException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_boto3_retries_throttling_by_itself(sim):
    sim.set_faults({"kind": "throttle", "count": 2}, {"kind": "503"})
    answer = ask(bedrock(sim, attempts=5))
    assert answer["ResponseMetadata"]["RetryAttempts"] == 3
    stats = sim.settled_stats()
    assert stats["faults"] == {"throttle": 2, "503": 1} and stats["answered"] == 1 and stats["calls"] == 4


OPENAI = {"throttle": openai.RateLimitError, "500": openai.InternalServerError, "503": openai.InternalServerError,
          "408": openai.APIStatusError, "424": openai.APIStatusError, "hang": openai.APITimeoutError,
          "cut": openai.APIConnectionError, "half": openai.APIConnectionError, "malformed": json.JSONDecodeError,
          "not_ready": openai.InternalServerError, "quota_day": openai.RateLimitError,
          "zero_quota": openai.RateLimitError}


@pytest.mark.parametrize("kind", OPENAI)
def test_faults_as_the_openai_package_sees_them(sim, kind):
    sim.set_faults({"kind": kind})
    with pytest.raises(OPENAI[kind]) as failed:
        chat_client(sim, timeout=1).chat.completions.create(model="gpt-4o-mini",
                                                            messages=[{"role": "user", "content": "a"}])
    if kind == "zero_quota":
        assert failed.value.code == "insufficient_quota"
    if kind in ("408", "424"):
        assert failed.value.status_code == int(kind)
    check_counted(sim, kind)


def test_openai_errors_in_200_and_empty_answers(sim):
    client = chat_client(sim)
    sim.set_faults({"kind": "error_in_200"}, {"kind": "empty"})
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "a"}]}
    status, _, text = sim.request("POST", "/v1/chat/completions", body)
    assert status == 200 and json.loads(text)["error"]["type"] == "server_error"
    answer = client.chat.completions.create(**body)
    assert answer.choices[0].message.content == "" and answer.usage.completion_tokens > 0
    assert sim.settled_stats()["billed_unanswered"] == 2


def test_the_openai_package_retries_by_itself(sim):
    sim.set_faults({"kind": "throttle", "count": 1}, {"kind": "500", "count": 1})
    answer = chat_client(sim, retries=3).chat.completions.create(model="gpt-4o-mini",
                                                                 messages=[{"role": "user", "content": "a"}])
    assert answer.choices[0].message.content and sim.settled_stats()["calls"] == 3


def test_half_of_the_throttled_are_told_when_to_come_back(start_sim):
    sim = start_sim("--fault", "throttle=1")
    waits = []
    body = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    for _ in range(100):
        status, headers, _ = sim.request("POST", "/model/m/converse", body)
        assert status == 429
        waits.append(headers["Retry-After"])
        if waits[-1]:
            assert int(headers["x-amz-retry-after"]) == round(float(waits[-1]) * 1000)
    told = [float(wait) for wait in waits if wait]
    assert 30 <= len(told) <= 70 and all(0.1 <= wait <= 1 for wait in told)


def outcomes(sim, count=400):
    body = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    for _ in range(count):
        sim.request("POST", "/model/m/converse", body)
    return [call["outcome"] for call in sim.calls()]


def test_random_faults_follow_the_seed_and_their_rates(start_sim):
    flags = ("--fault", "throttle=0.2", "--fault", "500=0.1", "--fault", "empty=0.1")
    first = outcomes(start_sim(*flags, "--seed", "7"))
    assert first == outcomes(start_sim(*flags, "--seed", "7")) and first != outcomes(start_sim(*flags, "--seed", "8"))
    shares = {kind: first.count(kind) / len(first) for kind in set(first)}
    assert set(shares) == {"answered", "throttle", "500", "empty"}
    assert 0.12 < shares["throttle"] < 0.28 and 0.04 < shares["500"] < 0.17 and 0.04 < shares["empty"] < 0.17


def test_scripts_look_at_model_identity_and_order(sim):
    sim.set_faults({"kind": "500", "model": "haiku", "after": 1}, {"kind": "503", "identity": "-2/"})
    client = bedrock(sim)

    def converse(model, record):
        metadata = {"job": "job", "record": str(record), "step": "s"}
        return client.converse(modelId=model, messages=[{"role": "user", "content": [{"text": "a"}]}],
                               requestMetadata=metadata)
    converse(HAIKU, 1)
    converse(NOVA, 1)
    assert error_of(lambda: converse(HAIKU, 1))["Error"]["Code"] == "InternalServerException"
    converse(HAIKU, 1)
    assert error_of(lambda: converse(NOVA, 2))["Error"]["Code"] == "ServiceUnavailableException"
    converse(NOVA, 2)


def test_an_outage_ends_when_it_is_told_to(sim):
    sim.configure(outage=True)
    assert error_of(lambda: ask(bedrock(sim)))["Error"]["Code"] == "ServiceUnavailableException"
    assert bedrock(sim).count_tokens(modelId="m", input={"converse": {"messages": [
        {"role": "user", "content": [{"text": "a"}]}]}})["inputTokens"] == 5
    sim.configure(outage=False)
    assert text_of(ask(bedrock(sim))) and sim.settled_stats()["faults"] == {"outage": 1}


def test_a_client_that_leaves_has_paid(sim):
    sim.configure(latency_ms=1500)
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        ask(bedrock(sim, read_timeout=0.2))
    stats = sim.settled_stats()
    assert stats["client_left"] == stats["billed_unanswered"] == 1 and stats["answered"] == 0 and stats["faults"] == {}
    assert stats["cost_usd"] == stats["cost_unanswered_usd"] > 0


def test_a_hang_lasts_until_the_client_leaves(sim):
    sim.set_faults({"kind": "hang"})
    started = time.monotonic()
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        ask(bedrock(sim, read_timeout=2))
    assert 1.9 < time.monotonic() - started < 10
    assert sim.settled_stats(timeout_s=5)["in_flight"] == 0


@pytest.mark.parametrize("body, says", [
    ({"faults": [{"kind": "earthquake"}]}, "known are throttle, 500"), ({"faults": [{"count": 1}]}, "needs a 'kind'"),
    ({"faults": [{"kind": "cut", "count": 0}]}, "'count'"), ({"faults": [{"kind": "cut", "often": 1}]}, "'often'"),
    ({"faults": {}}, "expected"), ([], "JSON object"), ({}, "expected")])
def test_wrong_scripts_change_nothing(sim, body, says):
    status, _, text = sim.request("POST", "/_sim/faults", body)
    assert status == 400 and says in json.loads(text)["message"]
    assert text_of(ask(bedrock(sim)))
