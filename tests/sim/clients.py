"""The clients that the tests drive the stand-in with."""
import functools

import boto3
import botocore.config
import openai

KEY, SECRET = "AKIASIMULATED0000001", "simulated-secret"
HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "us.amazon.nova-lite-v1:0"


@functools.cache
def session():
    return boto3.session.Session()  # one: the service descriptions are read once


def bedrock(sim, key=KEY, secret=SECRET, token=None, attempts=1, read_timeout=20, **more):
    config = botocore.config.Config(retries={"total_max_attempts": attempts, "mode": "standard"}, proxies={},
                                    read_timeout=read_timeout, connect_timeout=5)
    return session().client("bedrock-runtime", endpoint_url=sim.url, region_name="us-east-1", aws_access_key_id=key,
                            aws_secret_access_key=secret, aws_session_token=token, config=config, **more)


def chat_client(sim, retries=0, key="sim-key", timeout=20):
    return openai.OpenAI(base_url=sim.openai_url, api_key=key, max_retries=retries, timeout=timeout)


def ask(client, text="Why is the sky blue?", model=NOVA, **more):
    return client.converse(modelId=model, messages=[{"role": "user", "content": [{"text": text}]}], **more)


def text_of(answer):
    return "".join(block["text"] for block in answer["output"]["message"]["content"])
