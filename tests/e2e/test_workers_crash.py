"""A worker is stopped (kill -9) before and after each durable write in turn, of objects and of tables, by an injected fault
point; then another goes on. What there is in the end is what an undisturbed worker leaves."""
import concurrent.futures
import os
import signal

from aws_place import check_money, check_nothing_left, make_place, rows_by_index  # noqa: F401
from conftest import COUNTRIES, read_jsonl, two_step_job

RECORDS = 120
LATENCY_MS = 40  # with 10 in flight a part takes three flushes
AT_ONCE = int(os.environ.get("PALETTE_CRASH_AT_ONCE", "8"))
ENV = {"PALETTE_LEASE_S": "1", "PALETTE_FLUSH_S": "0.2", "CHECKPOINT_INTERVAL": "30"}
OFFLINE = "offline?latency_ms=1&fail_rate=0.04&fail_kind=refused"
# Of each of them there must be a write: claims, ends of parts and the job's end are transactions.
KINDS = ["outputs/batch-", "failures/batch-", "checkpoint", "journal/", "exports/dataset.", "dynamodb.before TransactWriteItems",
         "dynamodb.after TransactWriteItems", "dynamodb.before UpdateItem", "dynamodb.after UpdateItem"]


def job_file():
    """The first step fails now and then, the second costs money."""
    job = two_step_job(COUNTRIES, "name", num_records=RECORDS, parts=2, concurrency=10, model="claude-haiku", budget_limit=5,
                       output_format=["JSONL", "CSV", "PARQUET"], columns={"id": "{{ record_index }}", "q": "{{ steps.answer.output }}"})
    job["template"]["steps"][0]["model"] = OFFLINE
    return job


def whole_state(place, job_id):
    """What a user would see of the job at its end."""
    job, rows = place.job(job_id), rows_by_index(place, job_id)
    failed = {line["index"] for lines in place.failures(job_id).values() for line in lines} - set(rows)
    check_nothing_left(place, job_id)
    total, models = check_money(place, job_id)
    assert models <= place.sim.settled_stats()["cost_usd"] <= 5 - job["unallocated"] - (total - models)
    return {
        "status": job["status"], "records": job["records_generated"], "failed": job["records_failed"], "tokens": job["tokens_used"],
        "cost of models": models, "succeeded": sorted(rows), "failed_indexes": sorted(failed), "parts_ended": job["parts_ended"],
        "rows": read_jsonl(place.export(job_id)), "csv": place.export(job_id, "csv").read_text(),
        "parquet": len(place.export(job_id, "parquet").read_bytes()) > 0,
    }


def undisturbed(make_place):
    """(the fault points, the state) of a run without a crash."""
    place = make_place("undisturbed", "--latency-ms", LATENCY_MS)
    job_id = place.submit(job_file(), env=ENV)
    trace = place.palette.folder / "trace"
    place.run_worker("--drain", env={**ENV, "PALETTE_CRASH_TRACE": str(trace)})
    return [line.split(" ", 1)[1] for line in trace.read_text().splitlines()], whole_state(place, job_id)


def crash(place, point, expected):
    """None, or what is not as it should be after a crash at this point."""
    try:
        job_id = place.submit(job_file(), env=ENV)
        worker = place.start_worker("--drain", env={**ENV, "PALETTE_CRASH_AT_WRITE": str(point)})
        assert worker.wait() in (0, -signal.SIGKILL), worker.told()  # how many points there are varies a little with time
        if place.job(job_id)["status"] == "COMPLETED":  # promise 6
            assert len(place.keys(f"jobs/{job_id}/exports/")) == 3
        place.run_worker("--drain", env=ENV)
        found = whole_state(place, job_id)
        wrong = [f"{name}: {found[name]!r:.300} is not {expected[name]!r:.300}" for name in expected if found[name] != expected[name]]
        return "; ".join(wrong) or None
    except (AssertionError, KeyError) as broken:
        return f"{type(broken).__name__}: {str(broken)[:3000]}\n{place.told()}"


def test_promises_1_to_6_a_crash_at_each_durable_write(make_place, capsys):
    points, expected = undisturbed(make_place)
    assert [kind for kind in KINDS if not any(kind in point for point in points)] == [], f"these have no fault point: {points}"
    assert expected["status"] == "COMPLETED" and expected["failed"] > 0
    assert sorted(expected["succeeded"] + expected["failed_indexes"]) == list(range(RECORDS))
    broken = {}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for first in range(1, len(points) + 1, AT_ONCE):
            now = range(first, min(first + AT_ONCE, len(points) + 1))
            places = [make_place(f"point-{point}", "--latency-ms", LATENCY_MS) for point in now]  # by the thread that ends them
            ends = pool.map(crash, places, now, [expected] * len(now))
            broken |= {f"{point} {points[point - 1]}": end for point, end in zip(now, ends) if end}
            for place in places:
                place.close()
    with capsys.disabled():
        print(f"\n{len(points)} crashes, {len(broken)} of them left something else than an undisturbed run")
    text = "\n\n".join(f"after a crash at {name}: {end}" for name, end in list(broken.items())[:4])
    assert broken == {}, f"{list(broken)}\n{text}"
