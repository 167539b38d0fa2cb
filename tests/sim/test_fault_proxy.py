"""Holds plot-palette-fault-proxy to the truth by boto3, before DynamoDB Local and moto."""
import socket
import subprocess
import time
import uuid

import boto3
import botocore.config
import botocore.exceptions
import pytest

from aws_stand_ins import PROXY


def client(service, url, attempts=1):
    config = botocore.config.Config(retries={"total_max_attempts": attempts, "mode": "standard"}, proxies={},
                                    read_timeout=20, s3={"addressing_style": "path"})
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="AKIATEST",
                        aws_secret_access_key="secret", config=config)


def code_of(call):
    with pytest.raises(botocore.exceptions.ClientError) as failed:
        call()
    return failed.value.response["Error"]["Code"]


@pytest.fixture(scope="module")
def dynamo_proxy(dynamodb, fault_proxy):
    return fault_proxy(dynamodb)


@pytest.fixture(scope="module")
def table(dynamodb):
    name = f"items-{uuid.uuid4().hex}"
    client("dynamodb", dynamodb).create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    return name


@pytest.fixture(scope="module")
def s3_proxy(moto, fault_proxy):
    return fault_proxy(moto)


@pytest.fixture(scope="module")
def bucket(moto):
    name = f"bucket-{uuid.uuid4().hex}"
    client("s3", moto).create_bucket(Bucket=name)
    return name


@pytest.fixture(autouse=True)
def as_after_a_start(dynamo_proxy, s3_proxy):
    dynamo_proxy.reset()
    s3_proxy.reset()


def item(key, value="v"):
    return {"id": {"S": key}, "value": {"S": value}}


def test_items_go_through_and_are_counted(dynamo_proxy, table):
    dynamo = client("dynamodb", dynamo_proxy.url)
    dynamo.put_item(TableName=table, Item=item("a"))
    assert dynamo.get_item(TableName=table, Key={"id": {"S": "a"}})["Item"] == item("a")
    assert code_of(lambda: dynamo.put_item(TableName=table, Item=item("a"), ConditionExpression="attribute_not_exists(id)")
                   ) == "ConditionalCheckFailedException"
    stats = dynamo_proxy.stats()
    assert stats["requests"] == 3 and stats["by_op"] == {"GetItem": 1, "PutItem": 2} and stats["in_flight"] == 0
    assert stats["errors"] == {"ConditionalCheckFailedException": 1} and stats["faults"] == {}


@pytest.mark.parametrize("kind, codes", [
    ("500", {"InternalServerError"}), ("503", {"ServiceUnavailable"}), ("conflict", {"TransactionConflictException"}),
    ("throttle", {"ThrottlingException", "ProvisionedThroughputExceededException"})])
def test_faults_of_dynamodb_as_boto3_sees_them(dynamo_proxy, table, kind, codes):
    dynamo = client("dynamodb", dynamo_proxy.url)
    dynamo_proxy.set_faults({"kind": kind, "op": "PutItem"})
    assert code_of(lambda: dynamo.put_item(TableName=table, Item=item(kind))) in codes
    assert "Item" not in dynamo.get_item(TableName=table, Key={"id": {"S": kind}})
    stats = dynamo_proxy.stats()
    assert stats["faults"] == {kind: 1} and stats["refused_by_op"] == {"PutItem": 1}
    assert stats["by_op"] == {"GetItem": 1} and stats["transaction_conflicts"] == (kind == "conflict")


def test_a_cancelled_transaction_says_for_which_item(dynamo_proxy, table):
    dynamo = client("dynamodb", dynamo_proxy.url)
    transaction = {"TransactItems": [{"Put": {"TableName": table, "Item": item(f"t-{i}")}} for i in range(3)],
                   "ClientRequestToken": uuid.uuid4().hex}
    dynamo_proxy.set_faults({"kind": "conflict"}, {"kind": "in_progress"})
    with pytest.raises(dynamo.exceptions.TransactionCanceledException) as cancelled:
        dynamo.transact_write_items(**transaction)
    reasons = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert sorted(reasons) == ["None", "None", "TransactionConflict"]
    assert code_of(lambda: dynamo.transact_write_items(**transaction)) == "TransactionInProgressException"
    dynamo.transact_write_items(**transaction)
    assert dynamo_proxy.stats()["by_op"] == {"TransactWriteItems": 1}


def test_a_lost_answer_of_work_that_was_done(dynamo_proxy, table):
    dynamo = client("dynamodb", dynamo_proxy.url)
    dynamo_proxy.set_faults({"kind": "cut_after", "op": "PutItem"})
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        dynamo.put_item(TableName=table, Item=item("lost"))
    assert dynamo.get_item(TableName=table, Key={"id": {"S": "lost"}})["Item"] == item("lost")


def test_boto3_retries_by_itself(dynamo_proxy, table):
    dynamo_proxy.set_faults({"kind": "throttle"}, {"kind": "500"}, {"kind": "cut_before"})
    answer = client("dynamodb", dynamo_proxy.url, attempts=5).put_item(TableName=table, Item=item("again"))
    assert answer["ResponseMetadata"]["RetryAttempts"] == 3


def test_objects_go_through_and_are_counted(s3_proxy, bucket):
    s3 = client("s3", s3_proxy.url)
    body = bytes(range(256)) * 4096
    etag = s3.put_object(Bucket=bucket, Key="a/b c+ü.bin", Body=body, IfNoneMatch="*")["ETag"]
    head = s3.head_object(Bucket=bucket, Key="a/b c+ü.bin")
    assert head["ContentLength"] == len(body) and head["ETag"] == etag
    assert s3.get_object(Bucket=bucket, Key="a/b c+ü.bin")["Body"].read() == body
    part = s3.get_object(Bucket=bucket, Key="a/b c+ü.bin", Range="bytes=10-19")
    assert part["Body"].read() == body[10:20] and part["ContentRange"] == f"bytes 10-19/{len(body)}"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="a/")["Contents"]] == ["a/b c+ü.bin"]
    assert code_of(lambda: s3.put_object(Bucket=bucket, Key="a/b c+ü.bin", Body=b"x", IfNoneMatch="*")) == "PreconditionFailed"
    assert code_of(lambda: s3.head_object(Bucket=bucket, Key="none")) == "404"
    s3.delete_object(Bucket=bucket, Key="a/b c+ü.bin")
    stats = s3_proxy.stats()
    assert stats["by_op"] == {"PUT": 2, "HEAD": 2, "GET": 2, "LIST": 1, "DELETE": 1}
    assert stats["errors"] == {"PreconditionFailed": 1, "404": 1}
    assert stats["bytes_in"]["PUT"] >= len(body) and stats["bytes_out"]["GET"] == len(body) + 10


def test_a_multipart_upload_goes_through(s3_proxy, bucket):
    s3 = client("s3", s3_proxy.url)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    bodies = [b"a" * (5 << 20), b"b"]
    parts = [{"PartNumber": i, "ETag": s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=i, Body=b)["ETag"]}
             for i, b in enumerate(bodies, 1)]
    s3_proxy.set_faults({"kind": "conflict", "op": "COMPLETE_MULTIPART"})
    complete = dict(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
    assert code_of(lambda: s3.complete_multipart_upload(**complete)) == "ConditionalRequestConflict"
    s3.complete_multipart_upload(**complete)
    assert s3.get_object(Bucket=bucket, Key="parts")["Body"].read() == b"".join(bodies)
    assert s3_proxy.stats()["by_op"] == {"CREATE_MULTIPART": 1, "PUT_PART": 2, "COMPLETE_MULTIPART": 1, "GET": 1}


@pytest.mark.parametrize("kind, code", [("500", "InternalError"), ("503", "SlowDown"), ("throttle", "SlowDown"),
                                        ("conflict", "ConditionalRequestConflict"), ("500_after", "InternalError")])
def test_faults_of_s3_as_boto3_sees_them(s3_proxy, bucket, kind, code):
    s3 = client("s3", s3_proxy.url)
    s3_proxy.set_faults({"kind": kind, "op": "PUT", "key": f"faults/{kind}"})
    put = dict(Bucket=bucket, Key=f"faults/{kind}", Body=b"x", IfNoneMatch="*")
    assert code_of(lambda: s3.put_object(**put)) == code
    if kind == "500_after":
        assert code_of(lambda: s3.put_object(**put)) == "PreconditionFailed"
    else:
        s3.put_object(**put)


def test_an_outage(s3_proxy, bucket):
    s3 = client("s3", s3_proxy.url)
    s3_proxy.configure(outage=True)
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        s3.list_objects_v2(Bucket=bucket)
    s3_proxy.configure(outage=False)
    s3.list_objects_v2(Bucket=bucket)
    assert s3_proxy.stats()["faults"] == {"outage": 1}


def run(*flags):
    return subprocess.run([str(PROXY), *flags], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("flags, says", [
    ((), "--upstream is required"), (("--upstream", "localhost"), "--upstream: "),
    (("--upstream", "http://127.0.0.1:1/x"), "an origin without a path"),
    (("--upstream", "http://127.0.0.1:1", "--fault", "hang"), "--fault wants KIND=RATE"),
    (("--upstream", "http://127.0.0.1:1", "--fault", "x=1"), "fault 'x' is not known"),
    (("--upstream", "http://127.0.0.1:1", "--latency-ms", "-1"), "--latency-ms")])
def test_bad_usage(flags, says):
    done = run(*flags)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("plot-palette-fault-proxy: ") and says in done.stderr and done.stderr.count("\n") == 1


def test_help_and_version():
    assert "Example: " in run("--help").stdout and run("--version").stdout.startswith("plot-palette-fault-proxy ")


def test_it_ends_at_once_although_a_request_hangs(dynamodb, fault_proxy):
    proxy = fault_proxy(dynamodb, "--fault", "hang=1")
    with socket.create_connection(("127.0.0.1", int(proxy.url.rsplit(":", 1)[1])), timeout=20) as asking:
        asking.sendall(b"GET /bucket/key HTTP/1.1\r\nHost: a\r\n\r\n")
        deadline = time.monotonic() + 20
        while proxy.stats()["in_flight"] == 0:
            assert time.monotonic() < deadline
        before = time.monotonic()
        assert proxy.stop() == 0
        assert time.monotonic() - before < 3
        assert asking.recv(100) == b""
