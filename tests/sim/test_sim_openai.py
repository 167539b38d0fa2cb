import json

import openai
import pytest

from clients import chat_client

MODEL = "gpt-4o-mini"


def chat(client, text="Why is the sky blue?", **more):
    return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], **more)


def test_chat_completions(sim):
    client = chat_client(sim)
    answer = chat(client)
    assert answer.choices[0].finish_reason == "stop" and answer.choices[0].message.role == "assistant"
    assert 20 <= len(answer.choices[0].message.content.split()) <= 60
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.prompt_tokens == 4 + 5
    assert chat(client).choices[0].message.content == answer.choices[0].message.content
    assert chat(client, "Why is it red?").choices[0].message.content != answer.choices[0].message.content


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_both_names_of_max_tokens(sim, limit):
    answer = chat(chat_client(sim), **{limit: 9})
    assert answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens == 9
    assert len(answer.choices[0].message.content) == 36


@pytest.mark.parametrize("as_list", [True, False])
def test_stop(sim, as_list):
    client = chat_client(sim)
    whole = chat(client).choices[0].message.content
    word = whole.split()[4]
    cut = chat(client, stop=[word] if as_list else word)
    assert cut.choices[0].finish_reason == "stop" and cut.choices[0].message.content == whole[:whole.index(word)]


def test_system_messages_and_parts_count(sim):
    answer = chat_client(sim).chat.completions.create(model=MODEL, messages=[
        {"role": "system", "content": "abcd"}, {"role": "user", "content": [{"type": "text", "text": "abcde"}]},
        {"role": "assistant", "content": "ab"}, {"role": "user", "content": "?"}])
    assert answer.usage.prompt_tokens == 4 * 4 + 1 + 2 + 1 + 1


def test_paths_with_and_without_the_version(sim):
    body = {"model": MODEL, "messages": [{"role": "user", "content": "a"}]}
    for path in ("/v1/chat/completions", "/chat/completions"):
        assert json.loads(sim.request("POST", path, body)[2])["object"] == "chat.completion"
    for path in ("/v1/models", "/models"):
        assert json.loads(sim.request("GET", path)[2])["object"] == "list"


def test_models(sim):
    client = chat_client(sim)
    names = [model.id for model in client.models.list()]
    assert "sim-model" in names and len(set(names)) == len(names)
    assert client.models.retrieve("sim-model").owned_by == "plot-palette-sim"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


@pytest.mark.parametrize("body, says", [
    ({"messages": [{"role": "user", "content": "a"}]}, "model parameter"), ({"model": MODEL}, "messages"),
    ({"model": MODEL, "messages": []}, "messages"),
    ({"model": MODEL, "messages": [{"role": "king", "content": "a"}]}, "role"),
    ({"model": MODEL, "messages": [{"role": "user", "content": "a"}], "stream": True}, "does not stream"),
    ({"model": MODEL, "messages": [{"role": "user", "content": "a"}], "n": 2}, "one choice"),
    ({"model": MODEL, "messages": [{"role": "user", "content": "a"}], "temperature": 3}, "temperature"),
    ({"model": MODEL, "messages": [{"role": "user", "content": "a"}], "max_tokens": 0}, "max_tokens"),
    ([], "JSON object"), (b"{", "Malformed")])
def test_wrong_requests(sim, body, says):
    status, _, text = sim.request("POST", "/v1/chat/completions", body)
    error = json.loads(text)["error"]
    assert status == 400 and says in error["message"] and error["type"] == "invalid_request_error"


def test_the_key_is_checked_when_one_is_given(start_sim):
    sim = start_sim("--api-key", "right")
    assert chat(chat_client(sim, key="right")).usage.total_tokens > 0
    for call in (lambda: chat(chat_client(sim, key="wrong")), lambda: chat_client(sim, key="wrong").models.list()):
        with pytest.raises(openai.AuthenticationError) as refused:
            call()
        assert refused.value.status_code == 401 and refused.value.code == "invalid_api_key"
    assert sim.settled_stats()["refused_signatures"] == 1  # lists are no calls of a model


def test_the_identity_is_the_client_request_id(sim):
    chat(chat_client(sim), extra_headers={"X-Client-Request-Id": "job-7/answer"})
    assert [call["identity"] for call in sim.calls()] == ["job-7/answer"]


def test_unknown_paths(sim):
    status, _, text = sim.request("POST", "/v1/embeddings", {})
    assert status == 404 and "Invalid URL" in json.loads(text)["error"]["message"]
