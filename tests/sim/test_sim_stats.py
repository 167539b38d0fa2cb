"""What is counted, and what it cost, to the pico-dollar."""
import concurrent.futures
import decimal
import json

import pytest

from clients import HAIKU, NOVA, ask, bedrock

CATALOGUE = """
models:
  - id: "acme.test-model-v1:0"
    name: Test
    vendor: Acme
    provider: bedrock
    family: other
    context_tokens: 100000
    output_tokens_max: 1000
    capabilities: {cache: true}
    prices:
      geo: {input: 1.000001, output: 3.000007, cache_read: 0.1, cache_write: 1.25}
    price_source: made up
    price_date: "2026-11-24"
"""
MILLION = decimal.Decimal(1_000_000)


@pytest.fixture
def catalogue(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text(CATALOGUE)
    return path


def test_the_first_fields_are_those_that_are_promised(sim):
    assert list(sim.stats())[:7] == ["calls", "answered", "paid_twice", "faults", "billed_unanswered", "models",
                                     "in_flight_max"]
    ask(bedrock(sim))
    assert {"input_tokens", "output_tokens", "cost_usd"} <= set(sim.settled_stats()["models"][NOVA])


def test_costs_are_exact_and_by_the_catalogue_that_is_given(start_sim, catalogue):
    sim = start_sim("--prices", catalogue)
    client = bedrock(sim)
    total = decimal.Decimal(0)
    cached = [{"text": "rule " * 1000}, {"cachePoint": {"type": "default"}}]
    for system in ([{"text": "a"}], cached, cached):
        usage = ask(client, model="acme.test-model-v1:0", system=system)["usage"]
        total += (usage["inputTokens"] * decimal.Decimal("1.000001") + usage["outputTokens"] * decimal.Decimal("3.000007")
                  + usage["cacheReadInputTokens"] * decimal.Decimal("0.1")
                  + usage["cacheWriteInputTokens"] * decimal.Decimal("1.25")) / MILLION
    stats = sim.settled_stats()
    assert stats["cost_usd"] == stats["models"]["acme.test-model-v1:0"]["cost_usd"] == stats["cost_answered_usd"] == total


def test_built_in_prices_of_profiles(sim):
    client = bedrock(sim)
    for model, prices in ((HAIKU, ("1.10", "5.50")), ("global." + HAIKU.removeprefix("us."), ("1.00", "5.00"))):
        usage = ask(client, model=model)["usage"]
        expected = (usage["inputTokens"] * decimal.Decimal(prices[0]) + usage["outputTokens"] * decimal.Decimal(prices[1]))
        assert sim.settled_stats()["models"][model]["cost_usd"] == expected / MILLION


def test_an_unknown_model_costs_nothing_and_says_so(sim):
    ask(bedrock(sim), model="acme.unknown-v1:0")
    model = sim.settled_stats()["models"]["acme.unknown-v1:0"]
    assert model["cost_usd"] == 0 and model["priced"] is False and model["output_tokens"] > 0


def test_paid_twice_counts_answers_of_the_same_identity(sim):
    client = bedrock(sim)

    def converse(record):
        ask(client, requestMetadata={"job": "kitchen-1", "record": record, "step": "answer"})
    for record in ("1", "2", "1", "1"):
        converse(record)
    ask(client)
    ask(client)  # without an identity nothing is known
    stats = sim.settled_stats()
    assert stats["paid_twice"] == 2 and stats["answered"] == 6
    assert [call["identity"] for call in sim.calls()] == [
        "kitchen-1-1/answer", "kitchen-1-2/answer", "kitchen-1-1/answer", "kitchen-1-1/answer", "", ""]


def test_a_retry_of_what_gave_no_answer_is_not_paid_twice(sim):
    sim.set_faults({"kind": "empty"}, {"kind": "500"})
    client = bedrock(sim, attempts=3)
    for _ in range(2):
        ask(client, requestMetadata={"job": "j", "record": "1", "step": "s"})
    stats = sim.settled_stats()
    assert stats["paid_twice"] == 0 and stats["billed_unanswered"] == 1 and stats["answered"] == 1


def test_the_identity_of_invoke_model_is_a_header(sim):
    body = json.dumps({"prompt": "a"})
    headers = {"X-Amzn-Bedrock-Request-Metadata": json.dumps({"job": "j", "record": "5", "step": "s"})}
    assert sim.request("POST", "/model/us.meta.llama3-1-8b-instruct-v1%3A0/invoke", body.encode(), headers)[0] == 200
    assert sim.calls()[0]["identity"] == "j-5/s"
    bad = {"X-Amzn-Bedrock-Request-Metadata": "not json"}
    assert sim.request("POST", "/model/us.meta.llama3-1-8b-instruct-v1%3A0/invoke", body.encode(), bad)[0] == 400


def test_in_flight_max(sim):
    sim.configure(latency_ms=300)
    client = bedrock(sim)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ask(client, str(number)), range(8)))
    stats = sim.settled_stats()
    assert stats["in_flight_max"] == 8 and stats["answered"] == 8


def test_every_call_ends_in_one_count(start_sim):
    kinds = ["throttle", "500", "503", "408", "424", "cut", "half", "malformed", "empty", "error_in_200", "not_ready"]
    sim = start_sim(*[flag for kind in kinds for flag in ("--fault", f"{kind}=0.05")])
    body = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}
    for number in range(300):
        try:
            sim.request("POST", "/model/" + NOVA + "/converse", body if number % 10 else {"messages": []})
        except OSError:
            pass  # cut; half of an answer
        except Exception as broken:
            assert type(broken).__name__ == "IncompleteRead"
    stats = sim.settled_stats()
    assert stats["rejected"] == 30 and stats["calls"] == 300
    assert stats["answered"] + stats["rejected"] + sum(stats["faults"].values()) == 300
    billed = {"cut", "half", "malformed", "empty", "error_in_200"}
    assert stats["billed_unanswered"] == sum(count for kind, count in stats["faults"].items() if kind in billed)
    assert stats["models"][NOVA]["calls"] == stats["answered"] + stats["billed_unanswered"]
    assert stats["cost_usd"] == stats["cost_answered_usd"] + stats["cost_unanswered_usd"]
    outcomes = [call["outcome"] for call in sim.calls()]
    assert len(outcomes) == 300 and outcomes.count("answered") == stats["answered"]
    assert len(sim.calls(since=290)) == 10


def test_a_reset_starts_over(sim):
    sim.configure(latency_ms=5, faults={"500": 1})
    sim.set_faults({"kind": "cut"})
    sim.reset()
    ask(bedrock(sim))
    stats = sim.settled_stats()
    assert stats["calls"] == stats["answered"] == 1 and sim.calls()[0]["number"] == 1
