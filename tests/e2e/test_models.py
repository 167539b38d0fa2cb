"""`plot-palette models`: the catalogue, a file over it, and what is said about a wrong one."""
import json
import re

import pytest

from conftest import ROOT

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
FIELDS = {"id", "name", "aliases", "provider", "family", "context_tokens", "output_tokens_max", "prices", "price_date",
          "price_source", "capabilities"}
ALIASES = {"claude-sonnet", "claude-haiku", "claude-opus", "llama-3.1-8b", "llama-3.1-70b", "llama-3.3-70b", "mistral-7b",
           "mistral-large", "nova-micro", "nova-lite", "nova-pro", "nova-premier", "nova-2-lite", "gpt-oss-20b", "gpt-oss-120b"}


@pytest.fixture(autouse=True)
def no_region(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # no AWS profile
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)


def models(palette, *arguments, **more):
    return {model["id"]: model for model in json.loads(palette.run("models", "--json", *arguments, **more).stdout)}


def test_json_has_every_model_with_all_its_fields(palette):
    found = models(palette)
    assert len(found) > 80
    for model in found.values():
        assert FIELDS <= model.keys()
        assert model["prices"]["geo"]["output"] > 0, model["id"]
        assert model["price_source"] and re.fullmatch(r"\d{4}-\d\d-\d\d", model["price_date"])
    assert ALIASES <= {alias for model in found.values() for alias in model["aliases"]}
    haiku = found[HAIKU]
    assert haiku["prices"]["geo"] == {"input": 1.1, "output": 5.5, "cache_read": 0.11, "cache_write": 1.375, "cache_write_1h": 2.2}
    assert haiku["prices"]["global"]["input"] == 1
    assert haiku["capabilities"]["temperature_with_top_p"] is False


def test_the_region_chooses_the_profile(palette):
    def called(*arguments, **more):
        return models(palette, *arguments, **more)[HAIKU]["called_as"]
    assert called() == f"bedrock/us.{HAIKU}"
    assert called("--region", "eu-central-1") == f"bedrock/eu.{HAIKU}"
    assert called(env={"AWS_REGION": "ap-northeast-1"}) == f"bedrock/jp.{HAIKU}"
    assert called("--region", "eu-west-1", env={"AWS_REGION": "us-west-2"}) == f"bedrock/eu.{HAIKU}"


def test_the_table_is_plain_when_it_is_read_by_a_program(palette):
    done = palette.run("models", "claude", "haiku", "4.5")
    head, row = done.stdout.splitlines()
    assert head.split() == ["NAME", "INPUT", "OUTPUT", "CONTEXT", "MAX", "OUTPUT", "CAN", "CALLED", "AS"]
    assert row.startswith("claude-haiku, claude-haiku-4.5  $1.10   $5.50  200,000      64,000  cache; no temperature with top_p  ")
    assert row.endswith(f"bedrock/us.{HAIKU}")
    assert "\x1b" not in done.stdout
    assert done.stderr == "1 model; USD per million tokens in us-east-1, source and date of each with --json.\n"


def test_words_that_no_model_has(palette):
    done = palette.run("models", "no-such-model")
    assert done.stdout == ""
    assert done.stderr.startswith("No model of the catalogue has no-such-model in its names")
    assert palette.run("models", "no-such-model", "--json").stdout == "[]\n"


MINE = {
    "models": [{"id": HAIKU, "prices": {"input": 0.9, "output": 4.5}},
               {"id": "local/meta-llama/Llama-3", "aliases": ["my-llama"], "prices": {"input": 0, "output": 0}}],
    "endpoints": [{"name": "local", "url": "http://127.0.0.1:8000/v1", "key_variable": "LOCAL_KEY"}],
}


@pytest.mark.parametrize("by", ["flag", "variable"])
def test_a_file_adds_and_overrides(palette, by):
    palette.write("mine.json", MINE)
    arguments, env = (["--models", "mine.json"], {}) if by == "flag" else ([], {"PALETTE_MODELS": "mine.json"})
    found = models(palette, *arguments, env=env)
    assert found[HAIKU]["prices"] == {"geo": {"input": 0.9, "output": 4.5, "cache_read": 0.9, "cache_write": 0.9, "cache_write_1h": 0.9}}
    assert found[HAIKU]["price_source"] == "mine.json"
    assert found[HAIKU]["name"] == "Claude Haiku 4.5"
    assert found["local/meta-llama/Llama-3"]["called_as"] == "local/meta-llama/Llama-3"
    assert found["local/meta-llama/Llama-3"]["provider"] == "openai"
    table = palette.run("models", *arguments, env=env).stdout
    assert table.endswith("local/<model>: http://127.0.0.1:8000/v1, key in LOCAL_KEY\n")


def test_everything_wrong_with_a_file_is_told_at_once(palette):
    palette.write("mine.yaml", "models:\n  - id: x.y\n    prices: {input: -1, ouput: 2}\n    aliases: [claude-haiku]\nendpoint: []\n")
    done = palette.run("models", "--models", "mine.yaml", expect=2)
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "mine.yaml:3:13: error: models[0].prices.output: missing; USD per million tokens, e.g. 0.25; 0 if it is free",
        "mine.yaml:3:21: error: models[0].prices.input: found -1; US dollars of 0 to 100000 are allowed",
        "mine.yaml:3:25: error: models[0].prices.ouput: this key is not known; did you mean output?",
        f"mine.yaml:4:14: error: models[0].aliases: 'claude-haiku' is also a name of {HAIKU}; "
        "choose another, or list that model here with aliases that leave it out",
        "mine.yaml:5:1: error: endpoint: this key is not known; did you mean endpoints?",
        "5 errors; nothing was started",
    ]


@pytest.mark.parametrize("arguments, env", [(["--models", "none.yaml"], {}), ([], {"PALETTE_MODELS": "none.yaml"})])
def test_a_file_that_is_not_there(palette, arguments, env):
    told = palette.run("models", *arguments, env=env, expect=2).stderr
    assert told == "none.yaml: error: this file does not exist\n1 error; nothing was started\n"


def test_the_example_of_the_documentation_is_right(palette):
    text = (ROOT / "docs/models.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        palette.write("models.yaml", example)
        found = models(palette, "--models", "models.yaml")
    assert found[HAIKU]["prices"]["geo"]["input"] == 0.99
    assert found["somebody.new-model-v1:0"]["called_as"] == "bedrock/us.somebody.new-model-v1:0"
    assert found["local/meta-llama/Llama-3.1-8B-Instruct"]["called_as"] == "local/meta-llama/Llama-3.1-8B-Instruct"


def test_the_table_of_the_documentation_is_right(palette):
    text = (ROOT / "docs/models.md").read_text()
    shown = re.search(r"\$ plot-palette (models .*)\n((?:.*\n)*?)```", text)
    assert palette.run(*shown[1].split()).stdout == shown[2]
    known = models(palette).values()
    for aliases, called in re.findall(r"^\| ((?:`[a-z0-9.-]+`(?:, )?)+) \| `([^`]+)` \|", text, re.MULTILINE):
        for alias in re.findall(r"`([^`]+)`", aliases):
            resolved = [m["called_as"] for m in known if alias in m["aliases"]]
            assert len(resolved) == 1, alias
            assert re.fullmatch("bedrock/" + re.escape(called).replace("…", ".*"), resolved[0]), alias
