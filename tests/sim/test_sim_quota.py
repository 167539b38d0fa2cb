import botocore.exceptions
import openai
import pytest

from clients import HAIKU, NOVA, ask, bedrock, chat_client


def refusal(call):
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        call()
    return failed.value.response["Error"]["Code"], failed.value.response["Error"]["Message"]


def test_requests_per_minute_are_of_each_model(start_sim):
    sim = start_sim("--rpm", "3")
    client = bedrock(sim)
    for _ in range(3):
        ask(client)
    assert refusal(lambda: ask(client)) == ("ThrottlingException",
                                            "Too many requests, please wait before trying again.")
    ask(client, model=HAIKU)
    stats = sim.settled_stats()
    assert stats["faults"] == {"quota": 1} and stats["answered"] == 4 and stats["billed_unanswered"] == 0


def test_tokens_are_reserved_with_max_tokens_and_given_back(start_sim):
    sim = start_sim("--tpm", "1000")
    client = bedrock(sim)
    assert refusal(lambda: ask(client, inferenceConfig={"maxTokens": 1000}))[1].startswith("Too many tokens,")
    used = sum(ask(client, inferenceConfig={"maxTokens": 900})["usage"][kind] for kind in ("inputTokens", "outputTokens"))
    # What was reserved and not used is free again, what was used is not.
    assert refusal(lambda: ask(client, inferenceConfig={"maxTokens": 1000 - used}))[0] == "ThrottlingException"
    ask(client, inferenceConfig={"maxTokens": 900 - used})


def test_output_burns_down_as_the_catalogue_says(start_sim):
    sim = start_sim("--tpm", "1000")
    client = bedrock(sim)
    usage = ask(client, model=HAIKU, inferenceConfig={"maxTokens": 30})["usage"]
    used = usage["inputTokens"] + 5 * usage["outputTokens"]  # Claude since 3.7
    left = 1000 - used - usage["inputTokens"]
    refusal(lambda: ask(client, model=HAIKU, inferenceConfig={"maxTokens": left + 1}))
    ask(client, model=HAIKU, inferenceConfig={"maxTokens": left})


def test_without_max_tokens_the_models_maximum_is_reserved(start_sim):
    sim = start_sim("--tpm", "5000")
    ask(bedrock(sim), model=NOVA, inferenceConfig={"maxTokens": 100})
    assert refusal(lambda: ask(bedrock(sim), model=NOVA))[0] == "ThrottlingException"  # it could be 10,000


def test_calls_that_failed_give_their_tokens_back(start_sim):
    sim = start_sim("--tpm", "1000")
    sim.set_faults({"kind": "500"})
    refusal(lambda: ask(bedrock(sim), inferenceConfig={"maxTokens": 900}))
    ask(bedrock(sim), inferenceConfig={"maxTokens": 900})


def test_openai_says_which_limit_and_when(start_sim):
    sim = start_sim("--rpm", "1")
    client = chat_client(sim)
    message = [{"role": "user", "content": "a"}]
    client.chat.completions.create(model="gpt-4o-mini", messages=message)
    with pytest.raises(openai.RateLimitError, match="requests per min") as refused:
        client.chat.completions.create(model="gpt-4o-mini", messages=message)
    assert refused.value.code == "rate_limit_exceeded"
    assert 0 < float(refused.value.response.headers["retry-after"]) <= 60


def test_openai_says_what_is_left(start_sim):
    sim = start_sim("--rpm", "10", "--tpm", "1000")
    raw = chat_client(sim).chat.completions.with_raw_response.create(
        model="gpt-4o-mini", max_tokens=50, messages=[{"role": "user", "content": "a"}])
    usage = raw.parse().usage
    assert raw.headers["x-ratelimit-limit-requests"] == "10" and raw.headers["x-ratelimit-remaining-requests"] == "9"
    assert raw.headers["x-ratelimit-limit-tokens"] == "1000"
    assert int(raw.headers["x-ratelimit-remaining-tokens"]) == 1000 - usage.total_tokens
    assert 0 < int(raw.headers["x-ratelimit-reset-tokens"].removesuffix("ms")) <= 60_000


def test_a_reset_forgets_what_was_used(start_sim):
    sim = start_sim("--rpm", "1")
    ask(bedrock(sim))
    sim.reset()
    ask(bedrock(sim))
