"""The user's side of jobs in AWS: submit, jobs, show, watch, cancel, set, rm and export against DynamoDB Local (tables) and
moto (S3, ECS). boto3 looks at what they leave; workers are test_workers.py's."""
import decimal
import hashlib
import http.server
import json
import pathlib
import re
import threading
import time

import boto3
import pytest

from aws_place import PARAMETERS, KEYS, make_place, until  # noqa: F401
from conftest import COUNTRIES, read_jsonl, two_step_job

CPU_MEMORY = {"cpu": 512, "memory": 1024}


def job_file(name="countries", **more):
    return {**two_step_job(COUNTRIES, "name", num_records=6000), "name": name, **more}


class EcsThatRefuses:
    """Answers as ECS does when it has room for `room` tasks of all that are asked for; keeps the requests."""

    def __init__(self, room, reason, detail=""):
        self.room, self.failure, self.requests = room, {"reason": reason, "detail": detail}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                operation = self.headers["x-amz-target"].partition(".")[2]
                outer.requests.append((operation, body))
                answer = json.dumps(outer.answer(operation, body)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.env = {"AWS_ENDPOINT_URL_ECS": f"http://127.0.0.1:{self.server.server_port}", "ECS_CLUSTER_NAME": "main", "PALETTE_TASK_DEFINITION": "workers:7",
                    "PALETTE_SUBNETS": "subnet-1, subnet-2", "PALETTE_SECURITY_GROUPS": "sg-1,sg-2", "PALETTE_ASSIGN_PUBLIC_IP": "DISABLED", "PALETTE_CONTAINER": "main"}

    def answer(self, operation, body):
        if operation == "ListTasks":
            return {"taskArns": []}
        started = min(self.room, body["count"])
        return {"tasks": [{"taskArn": f"arn/{n}"} for n in range(started)], "failures": [self.failure] * (body["count"] - started)}

    def of(self, operation):
        return [body for name, body in self.requests if name == operation]


@pytest.fixture
def refusing_ecs():
    started = []

    def start(*arguments):
        started.append(EcsThatRefuses(*arguments))
        return started[-1]

    yield start
    for ecs in started:
        ecs.server.shutdown()
        ecs.server.server_close()


class Tasks:
    """A cluster, a task definition and a network in moto; `env` is what `submit` needs to start workers in it."""

    def __init__(self, moto, name):
        self.ecs = boto3.client("ecs", endpoint_url=moto, **PARAMETERS)
        ec2 = boto3.client("ec2", endpoint_url=moto, **PARAMETERS)
        self.cluster = name
        self.ecs.create_cluster(clusterName=name, capacityProviders=["FARGATE_SPOT"])
        self.ecs.register_task_definition(family=name, networkMode="awsvpc", cpu="256", memory="512", requiresCompatibilities=["FARGATE"],
                                          containerDefinitions=[{"name": "worker", "image": "worker", "memory": 512}])
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})  # else moto fails on the interface's name
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        self.env = {"ECS_CLUSTER_NAME": name, "PALETTE_TASK_DEFINITION": name, "PALETTE_SUBNETS": subnet, "PALETTE_SECURITY_GROUPS": group}

    def of(self, job_id):
        arns = self.ecs.list_tasks(cluster=self.cluster, startedBy=f"plot-palette/{job_id}")["taskArns"]
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=arns, include=["TAGS"])["tasks"] if arns else []


@pytest.fixture
def place(make_place):
    return make_place("place", "--latency-ms", "5")


@pytest.fixture
def tasks(place, moto):
    return Tasks(moto, f"palette-{place.bucket[-8:]}")


def submit(place, job, *flags, env=None, expect=0):
    place.palette.write("job.json", job)
    return place.command("submit", "job.json", *flags, env=env, expect=expect)


def submit_json(place, job, *flags, env=None, expect=0):
    return json.loads(submit(place, job, "--json", *flags, env=env, expect=expect).stdout)


def told_error(done):
    lines = done.stderr.splitlines()
    assert len(lines) == 1, lines
    return lines[0].removeprefix("error: ")


def worked_on(place, job_id, part, lease_s=60):
    """Makes it look as if a worker had claimed that part."""
    item = next(item for item in place.queue() if item["job_id"] == job_id and item["part"] == part)
    place.delete_item("QUEUE", item)
    until_ms = int((time.time() + lease_s) * 1000)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(until_ms / 1000)) + f".{until_ms % 1000:03}Z"
    place.put_item("QUEUE", {**item, "status": "RUNNING", "attempt": 1, "task_arn": "task/of-somebody", "lease_expires_at": stamp})


def with_job(place, job_id, **changes):
    place.put_item("JOBS", {**place.job(job_id), **changes})


# --- submit: what it leaves in the bucket and in the tables

def test_submit_puts_seed_data_spec_job_and_parts(place):
    said = submit_json(place, job_file(budget_limit=3, parts=8, output_format=["JSONL", "CSV"]), "--no-start", env={"PALETTE_USER": "ann"})
    job_id = said["job_id"]
    content = COUNTRIES.read_bytes()
    key = f"seed-data/ann/countries-{hashlib.sha256(content).hexdigest()[:8]}.jsonl"
    assert place.keys("seed-data/") == [key] and place.read(key) == content
    spec = json.loads(place.read(f"jobs/{job_id}/spec.json"))
    assert spec["seed_data"]["key"] == key and spec["spec"]["seed_data_path"] == key and "seed_data" not in spec["spec"]

    job = place.job(job_id)
    assert (job["status"], job["name"], job["user_id"], job["num_records"]) == ("QUEUED", "countries", "ann", 6000)
    assert (str(job["budget_limit"]), str(job["unallocated"])) == ("3", "3")
    assert {"seed_data_path": key, "output_format": ["JSONL", "CSV"]}.items() <= job["config"].items()
    assert sorted(job["parts"], key=int) == [str(n) for n in range(1, 9)]
    assert all((part["attempt"], part["records"]) == (0, 0) for part in job["parts"].values())
    queue = place.queue("QUEUED")
    assert [(item["part"], item["kind"], item["attempt"]) for item in queue] == [(n, "generate", 0) for n in range(1, 9)]
    assert (said["status"], said["is_new"], said["parts"], said["note"]) == ("QUEUED", True, 8, "")
    assert said["workers"] == {"running_before": 0, "started": [], "refused": []}
    assert [item["part"] for item in said["queue"]] == list(range(1, 9))


def test_parts_follow_from_the_number_of_records(place):
    sizes = {60: 1, 2500: 1, 2501: 2, 6000: 3}
    for records, parts in sizes.items():
        assert submit_json(place, job_file(f"job-{records}", num_records=records), "--no-start")["parts"] == parts
    assert submit_json(place, job_file("few-batches", num_records=90, parts=9), "--no-start")["parts"] == 2


def test_submit_text_and_again(place):
    job = job_file(num_records=300, budget_limit=1)
    done = submit(place, job, "--no-start")
    job_id = place.job_ids()[0]
    assert done.stdout == f"Submitted {job_id}: 300 records in 1 part.\nFollow it: plot-palette watch {job_id} --aws\n" and done.stderr == ""
    before = place.job(job_id)
    again = submit(place, job, "--no-start")
    assert again.stdout == f"{job_id} is in the queue already.\nFollow it: plot-palette watch {job_id} --aws\n"
    assert place.job(job_id) == before and place.job_ids() == [job_id] and len(place.queue()) == 1


def test_more_records_and_more_money_reach_a_job_that_waits(place):
    job_id = submit_json(place, job_file(num_records=300, budget_limit=1), "--no-start")["job_id"]
    said = submit_json(place, job_file(num_records=300, budget_limit=1), "--no-start", "--records", "500", "--budget", "2")
    assert (said["job_id"], said["is_changed"]) == (job_id, True)
    job = place.job(job_id)
    assert (job["num_records"], str(job["budget_limit"]), str(job["unallocated"])) == (500, "2", "2")
    assert [extent["count"] for extent in job["extents"]] == [300, 200]
    assert len(place.queue("QUEUED")) == 1


def test_a_job_that_is_worked_on_keeps_its_size(place):
    job_id = submit_json(place, job_file(num_records=300), "--no-start")["job_id"]
    worked_on(place, job_id, 1)
    before = place.job(job_id)
    error = told_error(submit(place, job_file(num_records=400), "--no-start", expect=1))
    assert error == (f"the job {job_id} is being worked on with 300 records, and its size cannot be changed meanwhile; wait until it has ended "
                     f"(plot-palette watch {job_id} --aws), then give the same command again")
    assert place.job(job_id) == before


def test_a_changed_prompt_is_a_new_job_and_fresh_starts_over(place):
    first = submit_json(place, job_file(num_records=300), "--no-start")["job_id"]
    other = submit_json(place, job_file(num_records=300, seed=99), "--no-start")
    assert other["job_id"] != first and other["note"] == f"This is a new job: it differs from {first} in seed (that one has 0 records and cost $0.00)."
    fresh = submit_json(place, job_file(num_records=300), "--no-start", "--fresh")
    assert fresh["job_id"] == f"{first}-2"


def test_seed_data_of_the_bucket_and_a_stored_template(place):
    place.s3.put_object(Bucket=place.bucket, Key="seed-data/ann/rows.csv", Body=b"topic\nrivers\nlakes\n")
    definition = {"id": "stored", "name": "Stored", "steps": [{"id": "q", "prompt": "Ask about {{ topic }}."}]}
    place.put_item("TEMPLATES", {"template_id": "stored", "version": 3, "name": "Stored", "template_definition": definition})
    job = {"name": "by-key", "model": "offline", "num_records": 10, "seed_data_path": "seed-data/ann/rows.csv", "template_id": "stored"}
    job_id = submit_json(place, job, "--no-start")["job_id"]
    spec = json.loads(place.read(f"jobs/{job_id}/spec.json"))
    assert spec["seed_data"]["key"] == "seed-data/ann/rows.csv" and spec["seed_data"]["rows"] == 2
    assert spec["spec"]["template"]["id"] == "stored"
    assert place.job(job_id)["config"]["template_id"] == "stored"
    refused = submit(place, {**job, "seed_data_path": "seed-data/ann/none.csv", "template_id": "gone"}, "--no-start", expect=2)
    assert "no template with the id 'gone' is stored" in refused.stderr and "none.csv" in refused.stderr
    assert refused.stderr.endswith("nothing was started\n")


def test_what_is_wrong_is_told_before_anything_is_uploaded(place):
    refused = submit(place, job_file(num_records=0, output_format="XLS"), "--no-start", expect=2)
    assert "num_records" in refused.stderr and "output_format" in refused.stderr and "2 errors; nothing was started" in refused.stderr
    for job, told in [({"cpu": 512}, "cpu is given without memory"), ({"cpu": 512, "memory": 8192}, "Fargate has no tasks of cpu 512 with memory 8192")]:
        assert told in told_error(submit(place, job_file(**job), "--no-start", expect=2))
    assert "PALETTE_USER: found 'a/b'" in told_error(submit(place, job_file(), "--no-start", env={"PALETTE_USER": "a/b"}, expect=2))
    assert place.keys() == [] and place.job_ids() == []


def test_everything_missing_in_the_environment_is_named_at_once(place):
    error = told_error(submit(place, job_file(), env={"BUCKET_NAME": "", "JOBS_TABLE_NAME": "", "ECS_CLUSTER_NAME": ""}, expect=2))
    assert "not set: JOBS_TABLE_NAME, BUCKET_NAME, ECS_CLUSTER_NAME, PALETTE_TASK_DEFINITION, PALETTE_SUBNETS." in error
    network = {"PALETTE_TASK_DEFINITION": "worker", "PALETTE_SUBNETS": "subnet-1"}
    assert "PALETTE_ASSIGN_PUBLIC_IP: found 'YES'" in told_error(submit(place, job_file(), env={**network, "PALETTE_ASSIGN_PUBLIC_IP": "YES"}, expect=2))
    assert place.keys() == [] and place.job_ids() == []


def test_submit_needs_aws_to_be_meant(place):
    error = told_error(submit(place, job_file(), env={"PALETTE_STORE": ""}, expect=2))
    assert error == "submit puts a job into the queue in AWS: give --aws (or set PALETTE_STORE=aws); on this machine it is plot-palette run"
    wrong = told_error(place.command("jobs", env={"PALETTE_STORE": "amazon"}, expect=2))
    assert wrong == "PALETTE_STORE: found 'amazon'; allowed are local (the data directory) and aws"
    submit(place, job_file(), "--aws", "--no-start", env={"PALETTE_STORE": "local"})
    assert len(place.job_ids()) == 1


# --- submit: the workers it starts

def test_submit_starts_workers_on_fargate_spot(place, tasks):
    said = submit_json(place, job_file(parts=8, **CPU_MEMORY), env=tasks.env)
    job_id = said["job_id"]
    started = tasks.of(job_id)
    assert sorted(task["taskArn"] for task in started) == sorted(said["workers"]["started"]) and len(started) == 4
    for task in started:
        assert task["capacityProviderName"] == "FARGATE_SPOT"  # that no launchType is sent is ecs_test.cc's
        assert {tag["key"]: tag["value"] for tag in task["tags"]} == {"application": "plot-palette", "job-id": job_id}
        overrides = task["overrides"]
        assert (overrides["cpu"], overrides["memory"]) == ("512", "1024")
        assert overrides["containerOverrides"] == [{"name": "worker", "command": ["worker", "--job", job_id]}]


def test_workers_that_run_are_not_started_again(place, tasks):
    job = job_file(parts=8, workers=3)
    done = submit(place, job, env=tasks.env)
    job_id = place.job_ids()[0]
    assert "Started 3 workers.\n" in done.stdout
    again = submit(place, job, env=tasks.env)
    assert again.stdout.startswith(f"{job_id} is in the queue already.\n3 workers of it run already.\n") and "Started" not in again.stdout
    assert len(tasks.of(job_id)) == 3
    tasks.ecs.stop_task(cluster=tasks.cluster, task=tasks.of(job_id)[0]["taskArn"])
    assert "2 workers of it run already.\nStarted 1 worker.\n" in submit(place, job, env=tasks.env).stdout
    assert "Started 2 workers.\n" in submit(place, job, "--workers", "5", env=tasks.env).stdout


def test_no_more_workers_than_parts(place, tasks):
    said = submit_json(place, job_file(parts=2, workers=9), env=tasks.env)
    assert len(said["workers"]["started"]) == 2


def test_workers_that_cannot_be_started_leave_a_job_in_the_queue(place, tasks):
    done = submit(place, job_file(num_records=300), env={**tasks.env, "PALETTE_TASK_DEFINITION": "none"}, expect=1)
    job_id = place.job_ids()[0]
    assert told_error(done).endswith(f"; the job {job_id} is in the queue, and waits for workers")
    assert [item["job_id"] for item in place.queue("QUEUED")] == [job_id]
    assert len(submit_json(place, job_file(num_records=300), env=tasks.env)["workers"]["started"]) == 1


def test_what_is_asked_of_ecs_and_what_is_said_when_it_has_no_room(place, refusing_ecs):
    ecs = refusing_ecs(1, "Capacity is unavailable at this time. Please try again later or in a different availability zone")
    done = submit(place, job_file(parts=3, **CPU_MEMORY), env=ecs.env)
    job_id = place.job_ids()[0]
    request, = ecs.of("RunTask")
    token = request.pop("clientToken")
    assert re.fullmatch(r"[\w-]{1,64}", token)
    assert request == {
        "cluster": "main", "taskDefinition": "workers:7", "count": 3, "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1", "sg-2"], "assignPublicIp": "DISABLED"}},
        "overrides": {"cpu": "512", "memory": "1024", "containerOverrides": [{"name": "main", "command": ["worker", "--job", job_id]}]},
        "tags": [{"key": "application", "value": "plot-palette"}, {"key": "job-id", "value": job_id}], "startedBy": f"plot-palette/{job_id}",
        **{key: value for key, value in request.items() if key in ("enableECSManagedTags", "propagateTags", "platformVersion")}}
    assert "Started 1 worker.\n" in done.stdout
    warning = "warning: a worker could not be started: Capacity is unavailable at this time. Please try again later or in a different availability zone"
    assert done.stderr == f"{warning}; wait a while and give the same command again, or name subnets of more zones in PALETTE_SUBNETS\n" * 2


def test_no_worker_at_all_is_an_error_and_the_job_stays_in_the_queue(place, refusing_ecs):
    ecs = refusing_ecs(0, "AGENT", "it is gone")
    done = submit(place, job_file(num_records=300), "--json", env=ecs.env, expect=1)
    said = json.loads(done.stdout)
    assert said["workers"] == {"running_before": 0, "started": [], "refused": ["AGENT (it is gone)"]}
    assert done.stderr.splitlines()[-1] == f"error: no worker could be started; the job {said['job_id']} is in the queue, and waits for workers"
    assert len(place.queue("QUEUED")) == 1


# --- jobs, show

def test_jobs_lists_what_is_in_the_tables(place):
    assert place.command("jobs").stdout == "There are no jobs in AWS yet. Make one: plot-palette submit job.yaml --aws\n"
    assert json.loads(place.command("jobs", "--json").stdout) == []
    first, second = (submit_json(place, job_file(name), "--no-start")["job_id"] for name in ("zebra", "aardvark"))
    listed = json.loads(place.command("jobs", "--json").stdout)
    assert [(job["job_id"], job["status"], job["num_records"]) for job in listed] == [(first, "QUEUED", 6000), (second, "QUEUED", 6000)]
    assert re.findall(r"^(\S+) +QUEUED +0/6,000", place.command("jobs").stdout, re.MULTILINE) == [first, second]


def test_a_job_that_others_wrote_is_shown(place):
    config = {"template_id": "t", "seed_data_path": "seed-data/u/s.json", "num_records": 40, "output_format": "JSONL"}
    place.put_item("JOBS", {"job_id": "theirs", "status": "QUEUED", "user_id": "u", "config": config, "budget_limit": 5, "created_at": "2026-11-20T10:00:00Z"})
    shown = json.loads(place.command("show", "theirs", "--json").stdout)
    assert (shown["job_id"], shown["status"], shown["num_records"], shown["budget_limit"], shown["queue"]) == ("theirs", "QUEUED", 40, "5", [])


def test_show_says_why_nothing_moves(place):
    job_id = submit_json(place, job_file(parts=5), "--no-start")["job_id"]
    worked_on(place, job_id, 2)
    worked_on(place, job_id, 3, lease_s=-30)
    starved, later = (next(item for item in place.queue() if item["part"] == part) for part in (4, 5))
    for item, more in ((starved, {}), (later, {"not_before": "2030-01-01T00:00:00.000Z"})):
        place.delete_item("QUEUE", item)
        place.put_item("QUEUE", {**item, "status": "PARKED", **more})
    job = place.job(job_id)
    job["parts"]["1"] |= {"fruitless": 2, "last_cause": "denied: no such model"}
    with_job(place, job_id, parts=job["parts"], status="RUNNING")

    queue = {item["part"]: item for item in json.loads(place.command("show", job_id, "--json").stdout)["queue"]}
    assert {part: (item["status"], item["starved"]) for part, item in queue.items()} == {
        1: ("QUEUED", False), 2: ("RUNNING", False), 3: ("RUNNING", False), 4: ("PARKED", True), 5: ("PARKED", False)}
    assert (queue[1]["fruitless"], queue[1]["last_cause"]) == (2, "denied: no such model")
    assert queue[2]["owner"] == "task/of-somebody" and queue[2]["lease_expires_at"] > queue[3]["lease_expires_at"]
    assert queue[5]["not_before"] == "2030-01-01T00:00:00.000Z" and queue[4]["not_before"] is None

    told = place.command("show", job_id).stdout
    assert "queue      5 parts: 1 worked on, 1 waiting for a worker, 1 left by a worker that is gone, 1 waiting for a time, 1 waiting for money\n" in told
    assert "  part 1: waits for a worker; 2 attempts in a row came to nothing, the last: denied: no such model\n" in told
    assert re.search(r"^  part 2: worked on by task/of-somebody, whose lease is good until \S+Z$", told, re.MULTILINE)
    assert re.search(r"^  part 3: was worked on by task/of-somebody, whose lease ended at \S+Z; the next worker goes on$", told, re.MULTILINE)
    assert "  part 4: waits for money: " in told and "  part 5: waits until 2030-01-01T00:00:00.000Z\n" in told


# --- cancel, set, rm

def test_cancel_of_a_job_that_nobody_has_begun(place):
    job_id = submit_json(place, job_file(parts=3), "--no-start")["job_id"]
    assert place.command("cancel", job_id).stdout == f"{job_id} is cancelled. Nothing of it had been made.\n"
    job = place.job(job_id)
    assert (job["status"], job["stop_reason"]) == ("CANCELLED", "cancelled") and place.queue() == []
    assert f"'{job_id}' has ended already: it is CANCELLED" in told_error(place.command("cancel", job_id, expect=2))
    assert told_error(place.command("cancel", "none", expect=2)) == "there is no job 'none'; plot-palette jobs --aws lists them"
    # The same command goes on.
    said = submit_json(place, job_file(parts=3), "--no-start")
    assert (said["job_id"], said["status"], said["note"]) == (job_id, "QUEUED", f"Going on with {job_id}.")
    assert len(place.queue("QUEUED")) == 3


def begin(place, job_id):
    job = place.job(job_id)
    job["parts"]["1"]["attempt"] = 1
    with_job(place, job_id, parts=job["parts"], status="RUNNING")


def test_cancel_of_a_job_that_is_begun(place):
    job_id = submit_json(place, job_file(parts=3), "--no-start")["job_id"]
    begin(place, job_id)
    worked_on(place, job_id, 1)
    said = json.loads(place.command("cancel", job_id, "--json").stdout)
    assert (said["job_id"], said["status"], said["stop_reason"]) == (job_id, "RUNNING", "cancelled")
    assert said["note"] == "Its workers let calls in flight finish; then what was made is exported."
    assert place.job(job_id)["stop_reason"] == "cancelled"
    error = told_error(submit(place, job_file(parts=3), "--no-start", expect=1))
    assert error.startswith(f"the job {job_id} is being ended (cancelled); wait until it has ended")
    assert "stopping   cancelled\n" in place.command("show", job_id).stdout


def test_a_cancelled_job_that_waits_goes_on_when_it_is_submitted_again(place):
    job_id = submit_json(place, job_file(parts=3), "--no-start")["job_id"]
    begin(place, job_id)
    assert "No worker has it: the next one exports what was made" in place.command("cancel", job_id).stdout
    said = submit_json(place, job_file(parts=3), "--no-start")
    assert said["is_changed"] and "stop_reason" not in place.job(job_id)


def test_set_moves_the_budget_and_wakes_starved_parts(place):
    job_id = submit_json(place, job_file(parts=2, budget_limit=2), "--no-start")["job_id"]
    with_job(place, job_id, unallocated=decimal.Decimal("0.5"))
    starved = place.queue()[0]
    place.delete_item("QUEUE", starved)
    place.put_item("QUEUE", {**starved, "status": "PARKED"})
    done = place.command("set", job_id, "--budget", "4.25")
    assert done.stdout == f"The budget of {job_id} is $4.25 now: $2.75 of it free.\n"
    job = place.job(job_id)
    assert (str(job["budget_limit"]), str(job["unallocated"])) == ("4.25", "2.75")
    assert [item["part"] for item in place.queue("QUEUED")] == [1, 2] and place.queue("PARKED") == []
    error = told_error(place.command("set", job_id, "--budget", "1.25", expect=2))
    assert error == f"--budget: found $1.25, but $1.50 of the budget of {job_id} is spent already, or in the hands of workers; give at least as much"
    for wrong in ("0", "-1", "much", "1000001"):
        assert f"--budget: found '{wrong}'" in told_error(place.command("set", job_id, f"--budget={wrong}", expect=2))
    assert json.loads(place.command("set", job_id, "--budget", "1.5", "--json").stdout) == {
        "job_id": job_id, "status": "QUEUED", "budget_limit": "1.5", "left_usd": "0", "goes_on": False}


def end(place, job_id, status, **more):
    for item in place.queue():
        place.delete_item("QUEUE", item)
    job = place.job(job_id)
    job.pop("positions", None)
    place.put_item("JOBS", {**job, "status": status, "completed_at": "2026-11-24T10:00:00.000Z", "parts_ended": len(job["parts"]) or 1, **more})


def test_a_job_that_stopped_at_its_budget_goes_on_with_more(place):
    job = job_file(parts=2, budget_limit=2)
    job_id = submit_json(place, job, "--no-start")["job_id"]
    end(place, job_id, "BUDGET_EXCEEDED", stop_reason="budget_exceeded")
    refused = submit(place, job, "--no-start", expect=3)
    assert told_error(refused) == f"the job {job_id} stopped at its budget of $2.00; raise budget_limit (or --budget) and give the same command again"
    done = place.command("set", job_id, "--budget", "5")
    assert "It had stopped at its budget, and is in the queue again: the next worker goes on." in done.stdout
    now = place.job(job_id)
    assert (now["status"], now["parts_ended"], "stop_reason" in now) == ("QUEUED", 0, False) and len(place.queue("QUEUED")) == 2
    end(place, job_id, "BUDGET_EXCEEDED", stop_reason="budget_exceeded")
    assert submit_json(place, job, "--no-start", "--budget", "6")["status"] == "QUEUED"


def test_a_finished_job_is_left_alone_exported_again_or_extended(place):
    job = job_file(parts=2, num_records=200)
    job_id = submit_json(place, job, "--no-start")["job_id"]
    end(place, job_id, "COMPLETED", records_generated=200)
    done = submit(place, job, "--no-start")
    assert done.stdout == f"{job_id} is COMPLETED: there is nothing to do.\n" and place.queue() == []
    assert submit_json(place, job, "--no-start", "--format", "csv")["note"] == f"Exporting {job_id} again."
    assert [(item["part"], item["kind"]) for item in place.queue("QUEUED")] == [(0, "export")]
    assert place.job(job_id)["config"]["output_format"] == ["CSV"]
    end(place, job_id, "COMPLETED", records_generated=200)
    assert submit_json(place, job, "--no-start", "--records", "400")["note"] == f"Extending {job_id} to 400 records."
    assert [item["part"] for item in place.queue("QUEUED")] == [1, 2] and place.job(job_id)["parts_ended"] == 0


def test_rm_refuses_while_a_worker_has_a_part(place):
    job_id = submit_json(place, job_file(parts=2), "--no-start")["job_id"]
    other = submit_json(place, job_file("other"), "--no-start")["job_id"]
    worked_on(place, job_id, 1)
    error = told_error(place.command("rm", job_id, "--yes", expect=1))
    assert error.startswith("a worker has part 1 of this job (task/of-somebody, until ") and error.endswith(f"plot-palette cancel {job_id} --aws stops it")
    item = place.queue("RUNNING")[0]
    place.put_item("QUEUE", {**item, "lease_expires_at": "2026-01-01T00:00:00.000Z"})
    assert place.command("rm", job_id, "--yes").stdout == f"Removed {job_id}.\n"
    assert place.job_ids() == [other] and {item["job_id"] for item in place.queue()} == {other}
    assert place.keys(f"jobs/{job_id}/") == [] and len(place.keys("seed-data/")) == 1
    assert told_error(place.command("rm", job_id, expect=2)) == f"there is no job '{job_id}'; plot-palette jobs --aws lists them"


# --- a job from submit to the dataset

def test_watch_show_and_export_of_a_job_that_workers_make(place):
    job = job_file(num_records=300, parts=3, output_format=["JSONL", "CSV"], columns={"country": "{{ name }}", "answer": "{{ steps.answer.output }}"})
    job_id = submit_json(place, job, "--no-start")["job_id"]
    follower = place.palette.start("watch", job_id, env=place.environment())
    machine = place.palette.start("watch", job_id, "--json", env=place.environment())
    place.run_worker("--drain")
    out, err = follower.communicate(timeout=60)
    assert follower.returncode == 0, err
    assert out.startswith(f"{job_id}: 300 records, $") and f"  s3://{place.bucket}/jobs/{job_id}/exports/dataset.csv\n" in out
    assert err.startswith(f"{job_id} is QUEUED: 3 parts: 3 waiting for a worker.\n") and "300 records" in err
    events = [json.loads(line) for line in machine.communicate(timeout=60)[0].splitlines()]
    assert machine.returncode == 0 and [events[0]["event"], events[-1]["event"]] == ["started", "finished"]
    assert {event["event"] for event in events} == {"started", "state", "progress", "finished"}
    assert (events[-1]["status"], events[-1]["records"]) == ("COMPLETED", 300) and len(events[-1]["files"]) == 2

    shown = json.loads(place.command("show", job_id, "--json").stdout)
    assert (shown["status"], shown["records_generated"], shown["queue"]) == ("COMPLETED", 300, [])
    assert {name: step["calls"] for name, step in shown["costs"]["steps"].items()} == {"question": 300, "answer": 300}
    assert shown["costs"]["total_usd"] == shown["cost_usd"] and shown["costs"]["possibly_spent_usd"] == "0"

    folder = place.palette.folder / "got"
    done = place.command("export", job_id, "--download", "got")
    assert done.stdout == f"Downloaded 300 records of {job_id}.\n  got/dataset.csv\n  got/dataset.jsonl\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: place.read(f"jobs/{job_id}/exports/{name}") for name in ("dataset.csv", "dataset.jsonl")}
    rows = read_jsonl(folder / "dataset.jsonl")
    assert len(rows) == 300 and list(rows[0]) == ["country", "answer"]
    place.command("export", job_id, "--format", "parquet", "--out", "again")
    import pyarrow.parquet
    assert pyarrow.parquet.read_table(place.palette.folder / "again/dataset.parquet").to_pylist() == rows
    assert f"jobs/{job_id}/exports/dataset.parquet" in place.keys(f"jobs/{job_id}/exports/")
    assert "--download copies the files that are there" in told_error(place.command("export", job_id, "--download", "x", "--out", "y", expect=2))


def test_failures_and_costs_of_all_parts_are_shown(make_place):
    place = make_place("failing", "--latency-ms", "5")
    job = job_file(num_records=400, parts=3, max_failure_ratio=1.0, model="offline?fail_rate=0.1&fail_kind=refused")
    job_id = submit_json(place, job, "--no-start")["job_id"]
    place.run_worker("--drain")
    failed = int(place.job(job_id)["records_failed"])
    shown = json.loads(place.command("show", job_id, "--failures", "--json").stdout)
    assert failed > 0 and len(shown["failures"]) == failed == shown["records_failed"]
    indexes = [failure["record"] for failure in shown["failures"]]
    assert indexes == sorted(set(indexes))


def test_watch_ends_with_the_code_of_a_run(place):
    job_id = submit_json(place, job_file(num_records=200), "--no-start")["job_id"]
    for status, code, words in (("FAILED", 1, "FAILED: no model; plot-palette show"), ("BUDGET_EXCEEDED", 3, "stopped at its budget: no model; raise it"),
                                ("CANCELLED", 1, "was cancelled")):
        end(place, job_id, status, error_message="no model")
        done = place.command("watch", job_id, expect=code)
        assert f"error: the job {job_id} {words}" in done.stderr
    assert told_error(place.command("watch", "none", expect=2)) == "there is no job 'none'; plot-palette jobs --aws lists them"


def test_export_before_there_is_anything(place):
    job_id = submit_json(place, job_file(num_records=200), "--no-start")["job_id"]
    error = told_error(place.command("export", job_id, "--download", "got", expect=2))
    assert error.startswith(f"the job {job_id} has no dataset yet; it is QUEUED")
    assert not (place.palette.folder / "got").exists()


# --- the same words on one machine

def local(palette):
    palette.write("job.json", job_file(num_records=120))
    palette.run("run", "job.json", "--quiet")
    return palette.only_job()["job_id"]


def test_watch_set_and_download_work_locally(palette):
    job_id = local(palette)
    assert palette.run("watch", job_id).stdout.startswith(f"{job_id}: 120 records, $0.00.\n  ")
    assert json.loads(palette.run("set", job_id, "--budget", "2", "--json").stdout)["budget_limit"] == "2"
    assert palette.run("export", job_id, "--download", "got").stdout == f"Downloaded 120 records of {job_id}.\n  got/dataset.jsonl\n"
    assert pathlib.Path(palette.folder / "got/dataset.jsonl").read_bytes() == palette.export().read_bytes()
    assert "has ended already: it is COMPLETED" in told_error(palette.run("cancel", job_id, expect=2))


def test_cancel_of_an_interrupted_local_job_exports_what_was_made(palette):
    palette.write("job.json", job_file(num_records=4000, model="offline?latency_ms=50", concurrency=10))
    run = palette.start("run", "job.json", "--no-progress")
    until(lambda: palette.jobs() and palette.jobs()[0]["records_generated"] > 100 or None, 30, "nothing was made")
    job_id = palette.only_job()["job_id"]
    held = told_error(palette.run("cancel", job_id, expect=1))
    assert "a run works on this job and would not hear of it" in held and "stop it with Ctrl-C there" in held
    run.send_signal(2)
    run.communicate(timeout=60)
    done = palette.run("cancel", job_id)
    rows = read_jsonl(palette.export())
    assert done.stdout == f"{job_id} is cancelled. Exported {len(rows)} records.\n" and 100 < len(rows) < 4000
    assert (palette.only_job()["status"], palette.only_job()["records_generated"]) == ("CANCELLED", len(rows))
    assert palette.run("watch", job_id, expect=1).stderr == f"error: the job {job_id} was cancelled\n"
