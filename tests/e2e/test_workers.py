"""Workers on one job in AWS, the built program against DynamoDB Local, moto and plot-palette-sim; every item and object is
looked at by boto3. Workers are drained, frozen, starved and cut off here; test_workers_kill.py and test_workers_crash.py kill them."""
import collections
import datetime
import signal
import time

import duckdb
import pandas
import pytest

from aws_place import check_exact_cost, check_exports, check_money, check_nothing_left, check_whole, make_place, record_of, rows_by_index, until, usd  # noqa: F401
from conftest import COUNTRIES, index_of, read_jsonl, two_step_job

FORMATS = ["JSONL", "PARQUET", "CSV"]
QUICK = {"PALETTE_LEASE_S": "3", "PALETTE_FLUSH_S": "0.5"}


def job_file(**more):
    return two_step_job(COUNTRIES, "name", **{"model": "claude-haiku", "budget_limit": 50, **more})


def whole_records(sim):
    """The records of which both steps were answered."""
    steps = collections.Counter(record_of(call["identity"]) for call in sim.calls() if call["outcome"] == "answered")
    return {record for record, answers in steps.items() if answers >= 2}


def wait_for_calls(place, answered, timeout_s=30):
    until(lambda: place.sim.stats()["answered"] >= answered, timeout_s, lambda: f"no {answered} answers in {timeout_s} s\n{place.told()}", place.is_over)


def ended(*workers):
    assert [worker.wait() for worker in workers] == [0] * len(workers), "\n".join(worker.told() for worker in workers)


def check_parts(place, job_id, parts):
    """The Jobs item of a job that was made by so many parts, each claimed once."""
    job = place.job(job_id)
    assert job["parts_ended"] == parts
    assert sorted(job["parts"], key=int) == [str(number) for number in range(parts + 1)]  # 0 is the export
    assert {part["attempt"] for part in job["parts"].values()} == {1}
    assert job["started_at"] <= job["completed_at"]


def test_three_workers_make_5000_records_in_8_parts_in_all_formats(make_place):
    place = make_place("place", "--latency-ms", "20")
    job_id = place.submit(job_file(num_records=5000, parts=8, output_format=FORMATS, concurrency=64))
    queued = place.queue()
    assert [(item["status"], item["kind"], item["part"], item["attempt"]) for item in queued] == [("QUEUED", "generate", n, 0) for n in range(1, 9)]
    assert place.job(job_id)["status"] == "QUEUED" and place.job(job_id)["unallocated"] == 50
    assert place.sim.stats()["calls"] == 0

    workers = [place.start_worker("--drain") for _ in range(3)]
    ended(*workers)
    assert check_whole(place, job_id, 5000) == 0
    check_parts(place, job_id, 8)
    check_exact_cost(place, job_id)
    stats = place.sim.stats()
    assert (stats["calls"], stats["answered"], stats["paid_twice"]) == (10000, 10000, 0)
    assert len(place.batches(job_id)) == 100
    rows = place.cost_rows(job_id)
    assert sorted(row["batch"] for row in rows if row["reason"] == "batch") == list(range(1, 101))
    assert all(abs(int(row["ttl"]) - time.time() - 90 * 86400) < 600 for row in rows)

    parts = collections.Counter(part for worker in workers for part in worker.parts())
    assert parts == {(job_id, part): 1 for part in range(9)}
    assert all(worker.parts() for worker in workers), "one of the three had nothing to do"
    assert sum(len(worker.events("job_finished")) for worker in workers) == 1
    owners = {item["task_arn"] for item in [place.job(job_id)]}
    assert len(owners) == 1 and owners != {""}
    read_by_others(place, job_id, 5000)


def read_by_others(place, job_id, records):
    rows = read_jsonl(place.export(job_id, "jsonl"))
    expected = [(row["id"], row["timestamp"]) for row in rows]
    assert len(expected) == records
    parquet, csv = place.export(job_id, "parquet"), place.export(job_id, "csv")
    by_pandas = pandas.read_parquet(parquet, dtype_backend="pyarrow")
    assert by_pandas["id"].tolist() == [row["id"] for row in rows]
    assert pandas.read_csv(csv, dtype=str)["generation_result"].tolist() == by_pandas["generation_result"].tolist()
    assert duckdb.sql(f"select count(*), count(distinct id) from '{parquet}'").fetchall() == [(records, records)]
    assert duckdb.sql(f"select count(distinct id) from read_csv('{csv}', all_varchar=true, max_line_size=16000000)").fetchall() == [(records,)]


def test_an_export_by_date(make_place):
    place = make_place("place", "--latency-ms", "5")
    job_id = place.submit(job_file(num_records=300, parts=3, output_format=FORMATS, partition_strategy="timestamp"))
    ended(*[place.start_worker("--drain") for _ in range(2)])
    rows = rows_by_index(place, job_id)
    assert sorted(rows) == list(range(300))
    days = sorted({row["timestamp"][:10] for row in rows.values()})
    keys = place.keys(f"jobs/{job_id}/exports/")
    assert keys == sorted(f"jobs/{job_id}/exports/partitioned/date={day}/records.{name.lower()}" for day in days for name in FORMATS)
    if len(days) == 1:  # not just at midnight
        check_exports(place, job_id, [rows[index] for index in range(300)])
        datetime.date.fromisoformat(days[0])
    check_nothing_left(place, job_id)
    check_exact_cost(place, job_id)


def test_an_extension_is_shared_by_all_parts_and_keeps_what_stands(make_place):
    place = make_place("place", "--latency-ms", "5")
    job = job_file(num_records=120, parts=3, concurrency=20)
    job_id = place.submit(job)
    place.run_worker("--drain")
    before = rows_by_index(place, job_id)
    place.palette.write("more.json", {**job, "num_records": 400})
    place.command("submit", "more.json", "--no-start", "--yes")
    assert place.job_ids() == [job_id]
    assert [item["part"] for item in place.queue("QUEUED")] == [1, 2, 3]
    place.run_worker("--drain")
    assert check_whole(place, job_id, 400) == 0
    after = rows_by_index(place, job_id)
    assert {index: after[index] for index in before} == before
    check_exact_cost(place, job_id)
    assert (place.sim.stats()["answered"], place.sim.stats()["paid_twice"]) == (800, 0)


def test_what_was_made_before_a_cancel_is_exported(make_place):
    place = make_place("place", "--latency-ms", "100")
    job_id = place.submit(job_file(num_records=4000, parts=4, concurrency=30))
    workers = [place.start_worker("--drain", env=QUICK) for _ in range(2)]
    wait_for_calls(place, 500)
    place.command("cancel", job_id)
    asked = time.monotonic()
    job = place.wait_for_job(job_id, timeout_s=20)
    assert time.monotonic() - asked < 10  # a heartbeat is 1 s, the calls in flight 0.1 s
    ended(*workers)
    assert (job["status"], job["stop_reason"]) == ("CANCELLED", "cancelled")
    exported = read_jsonl(place.export(job_id))
    assert {index_of(row) for row in exported} == whole_records(place.sim)
    assert len(exported) == job["records_generated"] > 100
    assert place.queue() == []
    check_exact_cost(place, job_id)


def test_promise_3_the_budget_ends_the_job_and_more_of_it_goes_on(make_place):
    place = make_place("place", "--latency-ms", "20")
    job_id = place.submit(job_file(num_records=2000, parts=4, budget_limit=0.4, concurrency=40))
    ended(*[place.start_worker("--drain") for _ in range(3)])
    job = place.job(job_id)
    assert (job["status"], job["stop_reason"]) == ("BUDGET_EXCEEDED", "budget_exceeded")
    spent = check_exact_cost(place, job_id)
    assert usd("0.39") < spent <= usd("0.4")
    exported = read_jsonl(place.export(job_id))
    assert {index_of(row) for row in exported} == whole_records(place.sim)
    assert 500 < len(exported) < 1000

    place.command("set", job_id, "--budget", "5")
    assert place.job(job_id)["status"] == "QUEUED"
    ended(*[place.start_worker("--drain") for _ in range(3)])
    assert check_whole(place, job_id, 2000) == 0
    assert spent < check_exact_cost(place, job_id) <= 5
    assert (place.sim.stats()["answered"], place.sim.stats()["paid_twice"]) == (4000, 0)


def test_promise_3_starved_parts_wait_while_another_lives_and_go_on_when_money_comes(make_place):
    place = make_place("place", "--latency-ms", "50")
    job_id = place.submit(job_file(num_records=2000, parts=4, budget_limit=0.4, concurrency=20))
    holder = place.start_worker("--drain")
    wait_for_calls(place, 50)
    holder.send(signal.SIGSTOP)  # it holds a part, and its lease is good for a minute
    other = place.start_worker("--drain")
    until(lambda: place.queue("PARKED") and not place.queue("QUEUED") and len(place.queue("RUNNING")) == 1, 30, place.told)
    assert [item["kind"] for item in place.queue("PARKED") if "not_before" in item] == []
    assert place.job(job_id)["status"] == "RUNNING"
    assert place.sim.stats()["cost_usd"] <= usd("0.4")
    place.command("set", job_id, "--budget", "5")
    assert place.queue("PARKED") == []
    wait_for_calls(place, place.sim.stats()["answered"] + 50)
    holder.send(signal.SIGCONT)
    ended(holder, other)
    assert check_whole(place, job_id, 2000) == 0
    assert check_exact_cost(place, job_id) <= 5
    assert place.sim.stats()["paid_twice"] == 0


def test_promise_2_after_sigterm_the_next_worker_goes_on_at_once_and_repeats_nothing(make_place):
    """The journal is flushed every 15 s here: what the next worker finds there was written because of the signal."""
    place = make_place("place", "--latency-ms", "60")
    job_id = place.submit(job_file(num_records=1500, parts=2, concurrency=60))
    for answered in (300, 900, 1800):
        worker = place.start_worker("--drain")
        wait_for_calls(place, answered)
        assert worker.stop() == 0, worker.told()
        assert worker.events("requeued"), worker.told()
        assert place.queue("RUNNING") == [] and place.job(job_id)["status"] == "QUEUED"
    started = time.monotonic()
    last = place.start_worker("--drain")
    last.wait_for_event("claimed", timeout_s=10)
    assert time.monotonic() - started < 3
    ended(last)
    assert check_whole(place, job_id, 1500) == 0
    check_exact_cost(place, job_id)
    assert (place.sim.stats()["answered"], place.sim.stats()["paid_twice"]) == (3000, 0)


def test_promise_5_a_worker_frozen_past_its_lease_is_fenced_off(make_place):
    place = make_place("place", "--latency-ms", "60")
    job_id = place.submit(job_file(num_records=900, parts=2, concurrency=20))
    frozen = place.start_worker("--drain", env=QUICK)
    part = frozen.wait_for_event("claimed")["part"]
    wait_for_calls(place, 300)
    frozen.send(signal.SIGSTOP)
    other = place.start_worker("--drain", env=QUICK)
    taken = other.wait_for_event("recovered", timeout_s=40)
    assert (taken["job_id"], taken["part"]) == (job_id, part)
    frozen.send(signal.SIGCONT)
    fenced = frozen.wait_for_event("fenced", timeout_s=20)
    assert (fenced["job_id"], fenced["part"]) == (job_id, part)
    ended(frozen, other)
    assert check_whole(place, job_id, 900) == 0
    assert place.job(job_id)["parts"][str(part)]["attempt"] == 2
    billed, (total, models) = place.sim.settled_stats()["cost_usd"], check_money(place, job_id)
    assert models <= billed <= 50 - place.job(job_id)["unallocated"]
    assert place.sim.stats()["paid_twice"] <= 20 * (1.5 / 0.06)  # a flush interval and a renewal that came to nothing


@pytest.mark.parametrize("service", ["dynamodb", "s3"])
def test_a_service_that_is_away_for_some_seconds_costs_nothing(make_place, service):
    place = make_place("place", "--latency-ms", "40", dynamodb_proxy=[], s3_proxy=[])
    job_id = place.submit(job_file(num_records=1500, parts=3, concurrency=30))
    workers = [place.start_worker("--drain", env={"PALETTE_LEASE_S": "20", "PALETTE_FLUSH_S": "1"}) for _ in range(2)]
    wait_for_calls(place, 500)
    proxy = getattr(place, f"{service}_proxy")
    proxy.configure(outage=True)
    time.sleep(4)
    proxy.configure(outage=False)
    ended(*workers)
    assert check_whole(place, job_id, 1500) == 0
    check_exact_cost(place, job_id)
    assert {part["attempt"] for part in place.job(job_id)["parts"].values()} == {1}
    assert (place.sim.stats()["answered"], place.sim.stats()["paid_twice"]) == (3000, 0)


def test_on_fargate_a_job_pays_for_its_task_too(make_place):
    place = make_place("place", "--latency-ms", "50")
    job_id = place.submit(job_file(num_records=600, parts=2, concurrency=50))
    worker = place.run_worker("--drain", env={"ECS_CONTAINER_METADATA_URI_V4": place.sim.url + "/v4/container"})
    assert check_whole(place, job_id, 600) == 0
    total, models = check_money(place, job_id)
    assert models == place.sim.stats()["cost_usd"] < total
    assert place.job(job_id)["unallocated"] == 50 - total
    hours = sum(row["fargate_hours"] for row in place.cost_rows(job_id))
    assert hours > 0
    assert place.job(job_id)["task_arn"].startswith("arn:aws:ecs:")
    assert worker.events("worker_started")
