import json
import math

import botocore.exceptions
import pytest

from clients import HAIKU, NOVA, ask, bedrock, text_of

MESSAGES = [{"role": "user", "content": "How far is the moon?"}]


def test_converse_answers_the_same_prompt_the_same_way(sim):
    client = bedrock(sim)
    first, second = ask(client), ask(client)
    assert text_of(first) == text_of(second)
    assert 20 <= len(text_of(first).split()) <= 60
    assert first["stopReason"] == "end_turn" and first["output"]["message"]["role"] == "assistant"
    assert first["usage"] == second["usage"]
    assert first["ResponseMetadata"]["RequestId"] != second["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("change", [
    {"text": "Why is the sky red?"}, {"model": HAIKU}, {"system": [{"text": "Be brief."}]},
    {"inferenceConfig": {"temperature": 0.5}}, {"inferenceConfig": {"topP": 0.5}}])
def test_another_prompt_model_or_parameter_gives_another_answer(sim, change):
    client = bedrock(sim)
    assert text_of(ask(client, **change)) != text_of(ask(client))


def test_answers_do_not_depend_on_the_seed(sim, start_sim):
    assert text_of(ask(bedrock(start_sim("--seed", "99")))) == text_of(ask(bedrock(sim)))


def test_tokens_follow_the_documented_rule(sim):
    system, question = "Be exact.", "Ünïcode 日本語 🙂?"
    answer = ask(bedrock(sim), question, system=[{"text": system}])
    tokens = [math.ceil(len(text.encode()) / 4) for text in (system, question, text_of(answer))]
    assert answer["usage"]["inputTokens"] == tokens[0] + tokens[1] + 4
    assert answer["usage"]["outputTokens"] == tokens[2]
    assert answer["usage"]["totalTokens"] == sum(tokens) + 4


@pytest.mark.parametrize("most", [1, 2, 7, 30])
def test_max_tokens_cuts_the_answer(sim, most):
    answer = ask(bedrock(sim), inferenceConfig={"maxTokens": most})
    assert answer["stopReason"] == "max_tokens" and answer["usage"]["outputTokens"] == most
    assert len(text_of(answer).encode()) == 4 * most


def test_a_stop_sequence_ends_the_answer_before_it(sim):
    whole = text_of(ask(bedrock(sim)))
    word = whole.split()[5]
    cut = ask(bedrock(sim), inferenceConfig={"stopSequences": ["not in it", word]})
    assert cut["stopReason"] == "stop_sequence" and text_of(cut) == whole[:whole.index(word)]


def test_answer_words_flag(start_sim):
    assert len(text_of(ask(bedrock(start_sim("--answer-words", "200")))).split()) == 200


@pytest.mark.parametrize("body, says", [
    ({"messages": []}, "empty"),
    ({"messages": [{"role": "assistant", "content": [{"text": "a"}]}]}, "start with a user message"),
    ({"messages": [{"role": "user", "content": [{"text": "a"}]}] * 2}, "alternate"),
    ({"messages": [{"role": "user", "content": [{"text": ""}]}]}, "blank"),
])
def test_converse_refuses_what_bedrock_refuses(sim, body, says):
    with pytest.raises(botocore.exceptions.ClientError, match=says) as refused:
        bedrock(sim).converse(modelId=NOVA, **body)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert sim.settled_stats()["rejected"] == 1


def test_arns_and_tiers(sim):
    arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
    answer = ask(bedrock(sim), model=arn, serviceTier={"type": "flex"})
    assert answer["serviceTier"] == {"type": "flex"}
    assert arn in sim.settled_stats()["models"]


BODIES = {
    "anthropic": (HAIKU, {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 12, "system": "Brief.",
                          "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi?"}]}]},
                  lambda a: (a["content"][0]["text"], a["stop_reason"], a["usage"]["input_tokens"],
                             a["usage"]["output_tokens"]), "max_tokens"),
    "llama": ("us.meta.llama3-1-8b-instruct-v1:0", {"prompt": "<|begin_of_text|>Hi?", "max_gen_len": 12},
              lambda a: (a["generation"], a["stop_reason"], a["prompt_token_count"], a["generation_token_count"]),
              "length"),
    "mistral text": ("mistral.mistral-7b-instruct-v0:2", {"prompt": "<s>[INST] Hi? [/INST]", "max_tokens": 12},
                     lambda a: (a["outputs"][0]["text"], a["outputs"][0]["stop_reason"], None, None), "length"),
    "mistral chat": ("mistral.mistral-large-2407-v1:0", {"messages": MESSAGES, "max_tokens": 12},
                     lambda a: (a["choices"][0]["message"]["content"], a["choices"][0]["stop_reason"], None, None),
                     "length"),
    "nova": (NOVA, {"schemaVersion": "messages-v1", "system": [{"text": "Brief."}], "inferenceConfig": {"maxTokens": 12},
                    "messages": [{"role": "user", "content": [{"text": "Hi?"}]}]},
             lambda a: (a["output"]["message"]["content"][0]["text"], a["stopReason"], a["usage"]["inputTokens"],
                        a["usage"]["outputTokens"]), "max_tokens"),
    "titan": ("amazon.titan-text-express-v1", {"inputText": "Hi?", "textGenerationConfig": {"maxTokenCount": 12}},
              lambda a: (a["results"][0]["outputText"], a["results"][0]["completionReason"], a["inputTextTokenCount"],
                         a["results"][0]["tokenCount"]), "LENGTH"),
    "gpt-oss": ("openai.gpt-oss-20b-1:0", {"messages": MESSAGES, "max_completion_tokens": 12},
                lambda a: (a["choices"][0]["message"]["content"], a["choices"][0]["finish_reason"],
                           a["usage"]["prompt_tokens"], a["usage"]["completion_tokens"]), "length"),
}


@pytest.mark.parametrize("family", BODIES)
def test_invoke_model_of_each_family(sim, family):
    model, body, read, stop = BODIES[family]
    answer = bedrock(sim).invoke_model(modelId=model, body=json.dumps(body))
    text, stopped, input_tokens, output_tokens = read(json.loads(answer["body"].read()))
    assert len(text) == 48 and stopped == stop
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    counted = sim.settled_stats()["models"][model]
    assert int(headers["x-amzn-bedrock-input-token-count"]) == counted["input_tokens"]
    assert int(headers["x-amzn-bedrock-output-token-count"]) == counted["output_tokens"] == 12
    assert input_tokens in (None, counted["input_tokens"]) and output_tokens in (None, 12)


def test_invoke_model_of_an_embedding(sim):
    body = {"inputText": "Hello", "dimensions": 256, "normalize": True}
    answer = bedrock(sim).invoke_model(modelId="amazon.titan-embed-text-v2:0", body=json.dumps(body))
    answer = json.loads(answer["body"].read())
    assert len(answer["embedding"]) == 256 and answer["inputTextTokenCount"] == 6


@pytest.mark.parametrize("model, body", [
    (HAIKU, {"max_tokens": 5, "messages": MESSAGES}), (HAIKU, {"anthropic_version": "x", "messages": MESSAGES}),
    (HAIKU, {"anthropic_version": "x", "max_tokens": 5, "stream": True, "messages": MESSAGES}),
    (NOVA, {"inputText": "a"}), ("us.meta.llama3-1-8b-instruct-v1:0", {"messages": MESSAGES}), (HAIKU, []),
    ("cohere.command-r-v1:0", {"message": "a"})])
def test_invoke_model_refuses_bodies_of_another_family(sim, model, body):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        bedrock(sim).invoke_model(modelId=model, body=json.dumps(body))
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_count_tokens_counts_what_converse_bills(sim):
    conversation = {"system": [{"text": "Be brief."}], "messages": [{"role": "user", "content": [{"text": "Why?"}]}]}
    client = bedrock(sim)
    model = "anthropic.claude-haiku-4-5-20251001-v1:0"
    counted = client.count_tokens(modelId=model, input={"converse": conversation})["inputTokens"]
    assert counted == client.converse(modelId=HAIKU, **conversation)["usage"]["inputTokens"]
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "system": "Be brief.",
                       "messages": [{"role": "user", "content": "Why?"}]})
    assert client.count_tokens(modelId=model, input={"invokeModel": {"body": body}})["inputTokens"] == counted
    stats = sim.settled_stats()
    assert stats["calls"] == 1 and stats["count_tokens"] == 2


@pytest.mark.parametrize("model", [HAIKU, "global.anthropic.claude-haiku-4-5-20251001-v1:0", "arn:aws:bedrock:us-east-1:"
                                   "123456789012:application-inference-profile/abcdefghijkl"])
def test_count_tokens_refuses_profiles(sim, model):
    with pytest.raises(botocore.exceptions.ClientError, match="model identifier is invalid") as refused:
        bedrock(sim).count_tokens(modelId=model, input={"converse": {"messages": [
            {"role": "user", "content": [{"text": "Why?"}]}]}})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_prompt_cache_writes_first_and_reads_later(sim):
    client = bedrock(sim)
    system = [{"text": "rule " * 1000}, {"cachePoint": {"type": "default"}}]  # 1,250 tokens
    first, second = ask(client, "One?", system=system)["usage"], ask(client, "Two?", system=system)["usage"]
    assert (first["cacheWriteInputTokens"], first["cacheReadInputTokens"]) == (1250, 0)
    assert (second["cacheWriteInputTokens"], second["cacheReadInputTokens"]) == (0, 1250)
    assert first["inputTokens"] == second["inputTokens"] == 5
    assert ask(client, system=[{"text": "other " * 1000}, system[1]])["usage"]["cacheWriteInputTokens"] == 1500


def test_prompt_cache_ignores_short_prefixes(sim, start_sim):
    system = [{"text": "rule " * 80}, {"cachePoint": {"type": "default"}}]  # 100 tokens
    assert ask(bedrock(sim), system=system)["usage"]["cacheWriteInputTokens"] == 0
    small = start_sim("--cache-min-tokens", "100")
    assert ask(bedrock(small), system=system)["usage"]["cacheWriteInputTokens"] == 100


@pytest.mark.parametrize("change, says", [
    ({"model": "anthropic.claude-haiku-4-5-20251001-v1:0"}, "on-demand throughput"),
    ({"model": HAIKU, "inferenceConfig": {"temperature": 1.0, "topP": 0.9}}, "cannot both be specified"),
    ({"model": HAIKU, "inferenceConfig": {"maxTokens": 10_000_000}}, "exceeds the model limit")])
def test_strict_refuses_what_the_catalogue_says_a_model_refuses(sim, start_sim, change, says):
    ask(bedrock(sim), **change)
    with pytest.raises(botocore.exceptions.ClientError, match=says):
        ask(bedrock(start_sim("--strict")), **change)
