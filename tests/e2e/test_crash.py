"""The process is stopped at each durable write in turn (an injected fault point), reopened, and every promise checked."""
import collections
import signal

import pytest

from conftest import COUNTRIES, index_of, read_jsonl, two_step_job

RECORDS = 130
JOB = two_step_job(COUNTRIES, "name", num_records=RECORDS, concurrency=20, model="offline?latency_ms=1&fail_rate=0.02&fail_kind=refused",
                   output_format=["JSONL", "CSV", "PARQUET"], columns={"q": "{{ steps.question.output }}", "n": "{{ record_index }}"})


def write_points(palette, *arguments):
    """How many durable writes a command makes."""
    trace = palette.folder / "trace"
    palette.run(*arguments, env={"PALETTE_CRASH_TRACE": str(trace)})
    return len(trace.read_text().splitlines())


def whole_state(palette):
    """What a user would see of the finished job."""
    job = palette.only_job()
    succeeded = collections.Counter(index_of(record) for records in palette.batches().values() for record in records)
    failed = {line["index"] for lines in palette.failures().values() for line in lines} - set(succeeded)
    return {
        "status": job["status"], "records": job["records_generated"], "failed": job["records_failed"], "tokens": job["tokens_used"],
        "succeeded": succeeded, "failed_indexes": failed, "rows": read_jsonl(palette.export()), "csv": palette.export("csv").read_text(),
    }


def crash_points(make_palette, prepare, command):
    reference = make_palette("reference")
    prepare(reference)
    points = write_points(reference, *command)
    return points, whole_state(reference)


def check(make_palette, prepare, command):
    points, expected = crash_points(make_palette, prepare, command)
    assert points >= 10
    assert sorted(list(expected["succeeded"]) + list(expected["failed_indexes"])) == list(range(len(expected["succeeded"]) + len(expected["failed_indexes"])))
    for point in range(1, points + 1):
        palette = make_palette(f"point-{point}")
        prepare(palette)
        died = palette.run(*command, env={"PALETTE_CRASH_AT_WRITE": str(point)}, expect=None)
        assert died.returncode in (-signal.SIGKILL, 0)  # the number of points varies a little with time
        for job in palette.jobs():  # promise 6: nothing is COMPLETED before its export is whole
            if job["status"] == "COMPLETED" and died.returncode != 0:
                assert palette.export().exists()
        palette.run(*command)
        assert whole_state(palette) == expected, f"after a crash at write {point}"
        assert palette.journals() == []
    return points


def test_promises_1_2_6_a_crash_at_each_durable_write_of_a_job(make_palette):
    points = check(make_palette, lambda palette: palette.write("job.json", JOB), ["run", "job.json", "--out", "out"])
    print(f"{points} durable writes, a crash at each")


def test_promises_1_2_6_a_crash_at_each_durable_write_of_an_extension(make_palette):
    def prepare(palette):
        palette.write("job.json", JOB)
        palette.run("run", "job.json", "--records", "70")
    check(make_palette, prepare, ["run", "job.json"])


def test_promises_1_2_6_a_crash_at_each_durable_write_of_a_retry(make_palette):
    """With another try of each record's refusal: the retried ones fail again (they are drawn by record), none is lost."""
    def prepare(palette):
        palette.write("job.json", JOB)
        palette.run("run", "job.json", "--records", "70")
    check(make_palette, prepare, ["run", "job.json", "--records", "70", "--retry-failed"])
