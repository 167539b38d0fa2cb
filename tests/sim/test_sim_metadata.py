"""The endpoints of the machine, asked by botocore's own providers."""
import json
import time

import botocore.credentials
import botocore.exceptions
import botocore.session
import botocore.utils
import pytest

from clients import ask, bedrock, text_of


@pytest.fixture(scope="module")
def short_lived():
    from sim import Sim
    with Sim.start("--verify-signatures", "--credentials-ttl-s", "1", "--region", "eu-north-1") as started:
        yield started


def test_container_credentials_sign_until_they_expire(short_lived):
    provider = botocore.credentials.ContainerProvider(
        environ={"AWS_CONTAINER_CREDENTIALS_FULL_URI": short_lived.url + "/v2/credentials/some-id"})
    keys = provider.load().get_frozen_credentials()
    client = bedrock(short_lived, keys.access_key, keys.secret_key, keys.token)
    assert text_of(ask(client))
    time.sleep(1.1)  # the program's own clock: they are good for a second
    with pytest.raises(botocore.exceptions.ClientError) as expired:
        ask(client)
    assert expired.value.response["Error"]["Code"] == "ExpiredTokenException"
    assert expired.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_every_fetch_gives_other_credentials(sim):
    fetched = [json.loads(sim.request("GET", "/v2/credentials/x")[2]) for _ in range(2)]
    assert fetched[0]["AccessKeyId"] != fetched[1]["AccessKeyId"]
    assert set(fetched[0]) == {"RoleArn", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"}


def test_instance_credentials_by_botocore(short_lived):
    fetcher = botocore.utils.InstanceMetadataFetcher(base_url=short_lived.url, config={
        "ec2_metadata_service_endpoint": short_lived.url + "/", "ec2_metadata_v1_disabled": True})
    keys = fetcher.retrieve_iam_role_credentials()
    assert keys["role_name"] == "plot-palette-sim"
    assert text_of(ask(bedrock(short_lived, keys["access_key"], keys["secret_key"], keys["token"])))


def test_instance_metadata_wants_a_token(short_lived):
    path = "/latest/meta-data/placement/region"
    assert short_lived.request("GET", path)[0] == 401
    assert short_lived.request("GET", path, headers={"x-aws-ec2-metadata-token": "made up"})[0] == 401
    assert short_lived.request("PUT", "/latest/api/token")[0] == 400
    assert short_lived.request("GET", "/latest/api/token")[0] == 405
    ttl = {"x-aws-ec2-metadata-token-ttl-seconds": "60"}
    status, headers, token = short_lived.request("PUT", "/latest/api/token", headers=ttl)
    assert status == 200 and headers["x-aws-ec2-metadata-token-ttl-seconds"] == "60"
    with_token = {"x-aws-ec2-metadata-token": token.decode()}
    assert short_lived.request("GET", path, headers=with_token)[2] == b"eu-north-1"
    roles = "/latest/meta-data/iam/security-credentials/"
    role = short_lived.request("GET", roles, headers=with_token)[2].decode()
    credentials = json.loads(short_lived.request("GET", roles + role, headers=with_token)[2])
    assert credentials["Code"] == "Success" and credentials["Type"] == "AWS-HMAC"
    assert short_lived.request("GET", roles + "other", headers=with_token)[0] == 404


def test_task_metadata(short_lived):
    task = json.loads(short_lived.request("GET", "/v4/any-id/task")[2])
    assert task["TaskARN"].startswith("arn:aws:ecs:eu-north-1:") and task["AvailabilityZone"] == "eu-north-1a"
    assert task["LaunchType"] == "FARGATE" and task["Containers"][0]["Name"] == "plot-palette"
    assert json.loads(short_lived.request("GET", "/v4/any-id")[2])["KnownStatus"] == "RUNNING"
    assert short_lived.request("GET", "/v4/any-id/nothing")[0] == 404
