"""A place in AWS for one test: tables and bucket of its own on DynamoDB Local and moto, a stand-in for the models, the
commands and workers in it, and what must be true of a job afterwards.

    place = make_place("name", "--latency-ms", "20")
    job_id = place.submit(job)
    worker = place.start_worker("--drain")
    assert worker.wait() == 0
    assert check_whole(place, job_id, records=5000) == 0

boto3 looks straight at the stand-ins, also where the program reaches them through a fault proxy.
"""
import decimal
import itertools
import json
import pathlib
import signal
import subprocess
import threading
import time
import uuid

import boto3
import botocore.config
import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from aws_stand_ins import FaultProxy, die_with_parent
from conftest import Palette, index_of
from sim import Sim

KEYS = {"JOBS": {"job_id": "S"}, "QUEUE": {"status": "S", "position": "S"}, "TEMPLATES": {"template_id": "S", "version": "N"},
        "COST_TRACKING": {"job_id": "S", "timestamp": "S"}}
TERMINAL = {"COMPLETED", "FAILED", "BUDGET_EXCEEDED", "CANCELLED"}
PARAMETERS = {"aws_access_key_id": "AKIASIMULATED0000001", "aws_secret_access_key": "simulated-secret", "region_name": "us-east-1",
              "config": botocore.config.Config(proxies={}, max_pool_connections=32, retries={"max_attempts": 5})}
EXIT_S_MAX = 40
POLL_S = 0.05


class Worker:
    """A `plot-palette worker`, whose stdout and stderr go to files."""

    def __init__(self, place, number, flags, env):
        self.place = place
        self.number = number
        self.out, self.err = (place.palette.folder / f"worker-{number}.{name}" for name in ("out", "err"))
        command = place.palette.command("worker", *flags, "--temp-dir", place.palette.folder / f"worker-{number}.tmp")
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(command, cwd=place.palette.folder, env=place.environment(env), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err, preexec_fn=die_with_parent)

    def lines(self):
        """Every whole line of stdout, each of which must be JSON."""
        return [json.loads(line, parse_float=decimal.Decimal) for line in self.out.read_text().split("\n")[:-1]]

    def events(self, *names):
        return [line for line in self.lines() if line.get("event") in names]

    def wait_for_event(self, name, timeout_s=30, **members):
        """The first such event whose members are these."""
        def look():
            return next((e for e in self.events(name) if all(e.get(k) == v for k, v in members.items())), None)
        found = until(look, timeout_s, lambda: f"worker {self.number} never said {name} {members}; {self.told()}", lambda: self.process.poll() is not None)
        return found

    def claims(self):
        """Of what waited, and of what had lost its owner."""
        return self.events("claimed", "recovered")

    def parts(self):
        """(job, part) of all that it claimed, exports (part 0) too."""
        return {(e["job_id"], e["part"]) for e in self.claims()}

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=EXIT_S_MAX):
        """Its exit code."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"worker {self.number} did not end in {timeout_s} s; {self.told()}") from None

    def stop(self, number=signal.SIGTERM, timeout_s=EXIT_S_MAX):
        self.send(number)
        return self.wait(timeout_s)

    def end(self):
        """However it is."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def told(self):
        return (f"exit code {self.process.poll()}; stdout ends with\n{self.out.read_text()[-3000:]}\nstderr ends with\n{self.err.read_text()[-2000:]}")


def until(look, timeout_s, complaint, given_up=lambda: False):
    """What `look` gives once it is true; it is asked once more when `given_up` says that nothing new will come."""
    deadline = time.monotonic() + timeout_s
    while True:
        last = given_up() or time.monotonic() > deadline
        if found := look():
            return found
        assert not last, complaint() if callable(complaint) else complaint
        time.sleep(POLL_S)


class Place:
    def __init__(self, folder, dynamodb, moto, sim, dynamodb_proxy=None, s3_proxy=None):
        folder.mkdir(parents=True)
        self.palette = Palette(folder)
        self.sim, self.dynamodb_proxy, self.s3_proxy = sim, dynamodb_proxy, s3_proxy
        self.urls = {"DYNAMODB": (dynamodb_proxy.url if dynamodb_proxy else dynamodb), "S3": (s3_proxy.url if s3_proxy else moto), "ECS": moto}
        self.dynamodb = boto3.client("dynamodb", endpoint_url=dynamodb, **PARAMETERS)
        self.s3 = boto3.client("s3", endpoint_url=moto, **PARAMETERS)
        suffix = uuid.uuid4().hex[:12]
        self.tables = {name: f"{name.title()}-{suffix}" for name in KEYS}
        self.bucket = f"palette-{suffix}"
        self.stand_ins = [stand_in for stand_in in (sim, dynamodb_proxy, s3_proxy) if stand_in is not None]
        self.workers, self.counter = [], itertools.count(1)
        self.lock = threading.Lock()
        self._make()

    def _make(self):
        for name, keys in KEYS.items():
            self.dynamodb.create_table(
                TableName=self.tables[name], BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
                KeySchema=[{"AttributeName": key, "KeyType": role} for key, role in zip(keys, ("HASH", "RANGE"))])
        self.s3.create_bucket(Bucket=self.bucket)

    def environment(self, extra=None):
        """Of commands and workers."""
        env = {**self.sim.environment(), "BUCKET_NAME": self.bucket, "ECS_CLUSTER_NAME": "palette", "PALETTE_STORE": "aws"}
        env |= {f"AWS_ENDPOINT_URL_{service}": url for service, url in self.urls.items()}
        env |= {f"{name}_TABLE_NAME": table for name, table in self.tables.items()}
        return self.palette.environment({**env, **(extra or {})})

    # --- Commands

    def command(self, *arguments, expect=0, env=None, timeout=120):
        return self.palette.run(*arguments, expect=expect, env=self.environment(env), timeout=timeout)

    def submit(self, job, *arguments, env=None):
        """Queues the job file's job and starts nothing; the id of the job."""
        before = set(self.job_ids())
        name = f"job-{next(self.counter)}.json"
        self.palette.write(name, job)
        self.command("submit", name, "--no-start", "--yes", *arguments, env=env)
        new = set(self.job_ids()) - before
        assert len(new) == 1, f"submit made the jobs {new}"
        return new.pop()

    def start_worker(self, *flags, env=None):
        with self.lock:
            self.workers.append(Worker(self, len(self.workers) + 1, flags, env))
            return self.workers[-1]

    def run_worker(self, *flags, env=None, timeout_s=EXIT_S_MAX):
        """One that must end with 0."""
        worker = self.start_worker(*flags, env=env)
        code = worker.wait(timeout_s)
        assert code == 0, worker.told()
        return worker

    def is_over(self):
        """No worker is left to change anything."""
        return all(worker.process.poll() is not None for worker in self.workers)

    def told(self):
        jobs = "\n".join(json.dumps(job, default=str) for job in self.items("JOBS"))
        queue = "\n".join(json.dumps(item, default=str) for item in self.items("QUEUE"))
        workers = "\n".join(f"worker {worker.number}: {worker.told()}" for worker in self.workers[-4:])
        return f"jobs:\n{jobs}\nqueue:\n{queue}\n{workers}"

    def close(self):
        """Ends everything, and forgets tables and objects; all stand-ins must end well. A second time does nothing."""
        for worker in self.workers:
            worker.end()
        stand_ins, self.stand_ins = self.stand_ins, []
        if not stand_ins:
            return
        for table in self.tables.values():
            self.dynamodb.delete_table(TableName=table)
        for key in self.keys():
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        assert [stand_in.stop() for stand_in in stand_ins] == [0] * len(stand_ins)

    # --- Tables

    def items(self, table):
        read = TypeDeserializer()
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.tables[table], ConsistentRead=True)
        return [{name: read.deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def put_item(self, table, item):
        write = TypeSerializer()
        self.dynamodb.put_item(TableName=self.tables[table], Item={name: write.serialize(value) for name, value in item.items()})

    def delete_item(self, table, item):
        write = TypeSerializer()
        self.dynamodb.delete_item(TableName=self.tables[table], Key={key: write.serialize(item[key]) for key in KEYS[table]})

    def job_ids(self):
        return [job["job_id"] for job in self.items("JOBS")]

    def job(self, job_id):
        item = self.dynamodb.get_item(TableName=self.tables["JOBS"], Key={"job_id": {"S": job_id}}, ConsistentRead=True)["Item"]
        return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}

    def queue(self, *statuses):
        """In order of position."""
        return sorted((item for item in self.items("QUEUE") if not statuses or item["status"] in statuses), key=lambda item: item["position"])

    def cost_rows(self, job_id):
        return sorted((row for row in self.items("COST_TRACKING") if row["job_id"] == job_id), key=lambda row: row["timestamp"])

    def wait_for_job(self, job_id, *statuses, timeout_s=90):
        """The job once it has one of these statuses; of all that are terminal when none is named."""
        wanted = set(statuses) or TERMINAL

        def look():
            job = self.job(job_id)
            return job if job["status"] in wanted else None
        return until(look, timeout_s, lambda: f"{job_id} did not become {sorted(wanted)} in {timeout_s} s\n{self.told()}", self.is_over)

    # --- Objects

    def keys(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def read(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def rows(self, prefix):
        """{key: the JSON lines of the object}"""
        return {key: [json.loads(line) for line in self.read(key).decode().split("\n")[:-1]] for key in self.keys(prefix)}

    def download(self, key):
        path = self.palette.folder / "downloads" / pathlib.Path(key).name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self.read(key))
        return path

    def batches(self, job_id):
        return self.rows(f"jobs/{job_id}/outputs/batch-")

    def failures(self, job_id):
        return self.rows(f"jobs/{job_id}/failures/batch-")

    def export(self, job_id, extension="jsonl"):
        return self.download(f"jobs/{job_id}/exports/dataset.{extension}")


@pytest.fixture
def make_place(tmp_path, dynamodb, moto):
    """make_place(name, *flags of the stand-in for models, dynamodb_proxy=[flags], s3_proxy=[flags]); a proxy stands before
    DynamoDB or moto only where its flags are given. For the test's own thread, with which all of it ends."""
    places = []

    def make(name, *sim_flags, dynamodb_proxy=None, s3_proxy=None):
        proxies = [None if flags is None else FaultProxy(upstream, *flags) for upstream, flags in ((dynamodb, dynamodb_proxy), (moto, s3_proxy))]
        places.append(Place(tmp_path / name, dynamodb, moto, Sim.start(*sim_flags), *proxies))
        return places[-1]

    yield make
    for place in places:
        place.close()


# --- What must be true of a job that has ended

def usd(value):
    return decimal.Decimal(str(value))


def rows_by_index(place, job_id):
    """Promise 1: every committed record, none of them twice."""
    rows = {}
    for key, records in place.batches(job_id).items():
        for record in records:
            assert index_of(record) not in rows, f"record {index_of(record)} is in {key} and in another batch"
            rows[index_of(record)] = record
    return rows


def check_whole(place, job_id, records, status="COMPLETED"):
    """Promises 1 and 6: each index once in outputs or failures, the export equal to the batches, nothing left over. How many failed."""
    job = place.job(job_id)
    assert job["status"] == status, place.told()
    rows = rows_by_index(place, job_id)
    failed = {line["index"] for lines in place.failures(job_id).values() for line in lines} - set(rows)
    assert sorted([*rows, *failed]) == list(range(records))
    check_exports(place, job_id, [rows[index] for index in sorted(rows)])
    check_nothing_left(place, job_id)
    assert (job["records_generated"], job["records_failed"]) == (len(rows), len(failed))
    parts = {number: part for number, part in job["parts"].items() if number != "0"}
    assert sum(part["records"] for part in parts.values()) == len(rows)
    assert sum(part["failed"] for part in parts.values()) == len(failed)
    return len(failed)


def check_exports(place, job_id, expected):
    """Every format that is there says the same as the batches."""
    import pandas
    import pyarrow.parquet
    keys = place.keys(f"jobs/{job_id}/exports/")
    names = {pathlib.PurePosixPath(key).name.split(".")[1] for key in keys}
    assert names == {name.lower() for name in place.job(job_id)["config"]["output_format"]}
    ids = [row["id"] for row in expected]
    for key in keys:
        path = place.download(key)
        if path.suffix == ".jsonl":
            assert [json.loads(line) for line in path.read_text().split("\n")[:-1]] == expected
        elif path.suffix == ".csv":
            assert pandas.read_csv(path, dtype=str, usecols=["id"])["id"].tolist() == ids
        else:
            assert pyarrow.parquet.read_table(path, columns=["id"])["id"].to_pylist() == ids


def check_nothing_left(place, job_id):
    assert place.keys(f"journal/{job_id}/") == []
    assert [item for item in place.queue() if item.get("job_id") == job_id] == []
    assert place.keys(f"jobs/{job_id}/exports/tmp") == []


def check_money(place, job_id):
    """Promise 4: the rows of CostTracking, the parts and the job say the same sum. What the job cost, and of that the models."""
    job, rows = place.job(job_id), place.cost_rows(job_id)
    assert sum(usd(row["delta_usd"]) for row in rows) == job["cost_estimate"]
    of_part = {}  # its rows are cumulative; after a kill the next may say less, when what it lost had been told
    for row in sorted(rows, key=lambda row: row["timestamp"]):
        of_part[str(int(row["timestamp"].split("#")[1]))] = row["estimated_cost"]
    assert sum(usd(cost["total"]) for cost in of_part.values()) == job["cost_estimate"]
    assert {part: usd(cost["total"]) for part, cost in of_part.items() if part != "0"} == {
        part: told["cost"] for part, told in job["parts"].items() if part != "0" and told["cost"]}
    return job["cost_estimate"], sum(usd(cost["bedrock"]) for cost in of_part.values())


def check_exact_cost(place, job_id):
    """Promise 4 where no worker was killed: what the stand-in billed, to the pico-dollar, and the rest of the budget is free again."""
    job = place.job(job_id)
    total, models = check_money(place, job_id)
    assert models == place.sim.settled_stats()["cost_usd"]
    assert sum(row["bedrock_tokens_delta"] for row in place.cost_rows(job_id)) == job["tokens_used"]
    assert job["unallocated"] == job["budget_limit"] - total, f"{job['unallocated'] + total} of {job['budget_limit']} are accounted for\n{place.told()}"
    return total


def record_of(identity):
    """Of "<job>-<record>/<step>"."""
    return int(identity.rpartition("/")[0].rpartition("-")[2])
