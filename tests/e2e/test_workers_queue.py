"""The queue in AWS as workers see it: whose turn it is, what others wrote, what is malformed, and when a worker ends."""
import datetime
import json
import os
import time

import pytest

from aws_place import check_exact_cost, check_whole, make_place, until  # noqa: F401
from conftest import COUNTRIES, two_step_job

NAMES = ["AWS_REGION", "JOBS_TABLE_NAME", "QUEUE_TABLE_NAME", "TEMPLATES_TABLE_NAME", "COST_TRACKING_TABLE_NAME", "BUCKET_NAME", "ECS_CLUSTER_NAME"]
HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"


def job_file(name, **more):
    return {**two_step_job(COUNTRIES, "name", model="claude-haiku", budget_limit=5, num_records=20), "name": name, **more}


def order_of_jobs(worker):
    return list(dict.fromkeys(event["job_id"] for event in worker.claims()))


WAITING = {"part": 1, "kind": "generate", "attempt": 0}  # what DESIGN.md has in a queue item beside its key and its job


def minutes_ago(minutes):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)).isoformat()


def written_by_others(place, job_id, queued, **config):
    """A job, its template and its seed data as another program writes them: few attributes, numbers as numbers. `queued`: what
    else stands in its queue item; None: it has none."""
    now = minutes_ago(0 if queued is not None else 2)
    place.s3.put_object(Bucket=place.bucket, Key="seed-data/user-1/countries.jsonl", Body=COUNTRIES.read_bytes())
    steps = [{"id": "question", "model": HAIKU, "prompt": "Ask about: {{ name }}", "max_tokens": 40},
             {"id": "answer", "model": HAIKU, "prompt": "Answer: {{ steps.question.output }}", "max_tokens": 60}]
    place.put_item("TEMPLATES", {"template_id": "quiz", "version": 1, "name": "Quiz", "user_id": "user-1",
                                 "template_definition": {"steps": steps}})
    place.put_item("JOBS", {"job_id": job_id, "user_id": "user-1", "status": "QUEUED", "created_at": now, "updated_at": now,
                            "budget_limit": 5, "records_generated": 0, "tokens_used": 0, "cost_estimate": 0,
                            "config": {"template_id": "quiz", "seed_data_path": "seed-data/user-1/countries.jsonl", "num_records": 45,
                                       "output_format": "JSONL", "partition_strategy": "none", **config}})
    if queued is not None:
        place.put_item("QUEUE", {"status": "QUEUED", "position": f"0005#{now}#{job_id}#0001", "job_id": job_id, **queued})


@pytest.mark.parametrize("queued", [WAITING, {}])
def test_a_job_that_others_wrote_is_understood(make_place, queued):
    place = make_place("place", "--latency-ms", "5")
    written_by_others(place, "job-of-others", queued)
    place.run_worker("--drain", env={"CHECKPOINT_INTERVAL": "20"})
    job = place.job("job-of-others")
    assert (job["status"], job["records_generated"], job["user_id"]) == ("COMPLETED", 45, "user-1")
    assert [len(rows) for rows in place.batches("job-of-others").values()] == [20, 20, 5]
    rows = [json.loads(line) for line in place.export("job-of-others").read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"job-of-others-{index}" for index in range(45)]
    check_exact_cost(place, "job-of-others")
    assert place.queue() == []


def test_jobs_that_are_in_no_queue_are_adopted(make_place):
    """Once they are older than half a minute: whoever wrote them may be about to queue them."""
    place = make_place("place", "--latency-ms", "5")
    written_by_others(place, "not-queued", None)
    lost = place.submit(job_file("lost-its-place", parts=2))
    for item in place.queue():
        place.delete_item("QUEUE", item)
    place.put_item("JOBS", {**place.job(lost), "created_at": minutes_ago(2)})
    worker = place.start_worker()
    for job_id in ("not-queued", lost):
        assert place.wait_for_job(job_id, timeout_s=30)["status"] == "COMPLETED"
    assert worker.stop() == 0, worker.told()
    assert check_whole(place, lost, 20) == 0


def test_what_cannot_be_work_is_set_aside_with_a_reason(make_place):
    place = make_place("place", "--latency-ms", "5")
    done = place.submit(job_file("done"))
    place.run_worker("--drain")
    place.put_item("QUEUE", {"status": "QUEUED", "position": "0000#nonsense"})
    place.put_item("QUEUE", {"status": "QUEUED", "position": "0000#2026-01-01T00:00:00.000Z#nobody#0001", "job_id": "nobody", "part": 1})
    place.put_item("QUEUE", {"status": "QUEUED", "position": f"0000#2026-01-01T00:00:00.000Z#{done}#0001", "job_id": done, "part": 1})
    good = place.submit(job_file("good"))
    calls = place.sim.stats()["calls"]
    worker = place.run_worker("--drain")
    assert check_whole(place, good, 20) == 0
    assert place.sim.stats()["calls"] == calls + 40
    assert place.queue("QUEUED", "RUNNING", "PARKED") == []
    aside = place.queue()
    assert "0000#nonsense" in [item["position"] for item in aside]
    assert all(item["reason"] for item in aside)
    said = worker.out.read_text()
    assert "nonsense" in said and "nobody" in said


def test_priority_first_then_the_time_of_submission(make_place):
    place = make_place("place", "--latency-ms", "5")
    first = place.submit(job_file("zebra", parts=2))
    second = place.submit(job_file("aardvark"))
    urgent = place.submit(job_file("urgent", priority=1))
    patient = place.submit(job_file("patient", priority=9))
    third = place.submit(job_file("middle"))
    worker = place.run_worker("--drain")
    assert order_of_jobs(worker) == [urgent, first, second, third, patient]
    assert {place.job(job_id)["status"] for job_id in place.job_ids()} == {"COMPLETED"}


def test_once_is_one_job(make_place):
    place = make_place("place", "--latency-ms", "5")
    first = place.submit(job_file("first", parts=3, num_records=200))
    second = place.submit(job_file("second"))
    worker = place.run_worker("--once")
    assert worker.parts() == {(first, part) for part in range(4)}
    assert check_whole(place, first, 200) == 0
    assert place.job(second)["status"] == "QUEUED" and place.queue("QUEUED")[0]["attempt"] == 0
    place.run_worker("--once")
    assert check_whole(place, second, 20) == 0
    started = time.monotonic()
    assert place.run_worker("--once").parts() == set()
    assert time.monotonic() - started < 5


def test_idle_exit_ends_a_worker_that_has_nothing_to_do(make_place):
    place = make_place("place", "--latency-ms", "5")
    job_id = place.submit(job_file("only"))
    started = time.monotonic()
    worker = place.run_worker("--idle-exit", "2")
    assert 2 <= time.monotonic() - started < 20
    assert place.job(job_id)["status"] == "COMPLETED"
    assert [line["event"] for line in worker.lines() if "event" in line][-1] == "worker_ended"


def test_a_worker_that_waits_takes_a_job_that_comes_and_ends_by_sigterm(make_place):
    place = make_place("place", "--latency-ms", "5")
    worker = place.start_worker()
    worker.wait_for_event("idle")
    job_id = place.submit(job_file("late"))
    assert place.wait_for_job(job_id, timeout_s=60)["status"] == "COMPLETED"
    assert worker.stop() == 0
    for line in worker.lines():
        assert "_aws" in line or {"time", "level", "event"} <= set(line)
    assert any("_aws" in line for line in worker.lines())


def test_a_running_worker_is_healthy_and_one_that_was_killed_is_not(make_place):
    place = make_place("place")
    worker = place.start_worker()
    worker.wait_for_event("idle")
    look = ["worker", "--health", "--temp-dir", place.palette.folder / "worker-1.tmp"]
    place.command(*look)
    worker.end()
    two_minutes_ago = time.time() - 120
    for path in (place.palette.folder / "worker-1.tmp").iterdir():  # as if the kill was then
        os.utime(path, (two_minutes_ago, two_minutes_ago))
    place.command(*look, expect=1)


def test_all_names_that_are_missing_are_told_at_once(make_place):
    place = make_place("place")
    nothing = {name: "" for name in NAMES} | {"AWS_DEFAULT_REGION": ""}
    told = place.command("worker", "--drain", env=nothing, expect=2).stderr
    assert [name for name in NAMES if name not in told] == []
    told = place.command("worker", "--drain", env={"BUCKET_NAME": ""}, expect=2).stderr
    assert "BUCKET_NAME" in told and "JOBS_TABLE_NAME" not in told


def test_a_worker_without_tables_or_credentials_says_so_and_ends_with_1(make_place):
    place = make_place("place")
    told = place.command("worker", "--drain", env={"QUEUE_TABLE_NAME": "no-such-table"}, expect=1)
    assert "no-such-table" in told.stdout + told.stderr
    told = place.command("worker", "--drain", env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, expect=1)
    assert "credentials" in told.stdout + told.stderr


def test_promise_6_a_job_whose_seed_data_is_gone_fails_with_the_cause(make_place):
    place = make_place("place", "--latency-ms", "5")
    job_id = place.submit(job_file("gone"))
    for key in place.keys("seed-data/"):
        place.s3.delete_object(Bucket=place.bucket, Key=key)
    place.run_worker("--drain")
    job = place.job(job_id)
    assert job["status"] == "FAILED" and "seed-data/" in job["error_message"]
    assert place.sim.stats()["calls"] == 0 and place.queue() == []


def test_promise_6_after_ten_attempts_that_made_nothing_the_job_fails_with_the_last_cause(make_place):
    """A checkpoint that cannot be read is never taken for an empty one. The pauses between the attempts are cut short."""
    place = make_place("place", "--latency-ms", "5")
    job_id = place.submit(job_file("spoilt"))
    place.s3.put_object(Bucket=place.bucket, Key=f"jobs/{job_id}/checkpoint.json", Body=b"{")
    worker = place.start_worker("--drain")

    def hurry():
        for item in place.queue("PARKED"):
            if item["not_before"] > "2026":
                place.put_item("QUEUE", {**item, "not_before": "2020-01-01T00:00:00.000Z"})
        return place.job(job_id)["status"] == "FAILED"
    until(hurry, 60, place.told, place.is_over)
    assert worker.wait() == 0
    assert "checkpoint.json" in place.job(job_id)["error_message"]
    assert [event["part"] for event in worker.events("attempt_failed")] == [1] * 10 + [0] * 10  # 0: the export can read it no better
    assert place.sim.stats()["calls"] == 0 and place.queue() == []


BIG_ROWS = 45_000


@pytest.fixture
def big_seeds(tmp_path):
    """About 21 MB: more than is kept in memory."""
    path = tmp_path / "big.jsonl"
    with open(path, "w") as out:
        for row in range(BIG_ROWS):
            out.write(json.dumps({"_id": f"row-{row}", "name": f"Place {row}", "filler": f"{row:06d}" * 70}) + "\n")
    return path


def test_promise_7_seed_data_that_does_not_fit_into_memory_is_read_in_ranges(make_place, big_seeds):
    place = make_place("place", "--latency-ms", "5", s3_proxy=[])
    job = {**two_step_job(big_seeds, "name", model="claude-haiku", budget_limit=5, num_records=120), "parts": 2}
    first = place.submit(job)
    place.run_worker("--drain")
    assert check_whole(place, first, 120) == 0
    rows = [row for batch in place.batches(first).values() for row in batch]
    assert all(row["generation_result"]["question"]["prompt"] == f"Ask about: Place {row['seed_data_keys'].removeprefix('row-')}" for row in rows)
    before = place.s3_proxy.stats()
    second = place.submit({**job, "name": "again", "seed": 12})
    place.run_worker("--drain")
    assert check_whole(place, second, 120) == 0
    after = place.s3_proxy.stats()
    assert sum(after["bytes_out"].values()) - sum(before["bytes_out"].values()) < big_seeds.stat().st_size / 2  # the offsets were kept beside the file
    # One file, uploaded once, and what belongs to it.
    uploaded = [key for key in place.keys("seed-data/") if key.endswith(".jsonl")]
    assert len(uploaded) == 1 and len(place.keys("seed-data/")) == 2
