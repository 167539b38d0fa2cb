"""Records that fail: when a job gives up, what is kept of a failure, and `--retry-failed`."""
import json

import pytest

from conftest import COUNTRIES, index_of, read_jsonl, two_step_job
from test_run import STEPS, Calls, counted, events_of, indexes  # noqa: F401 (a fixture)

JOB = two_step_job(COUNTRIES, "name", num_records=120, max_failure_ratio=1.0, model="offline?fail_rate=0.2&fail_kind=refused")
ANSWERS_FAIL = [STEPS[0], {**STEPS[1], "model": "offline?fail_rate=1&fail_kind=denied"}]


def failing(palette, **change):
    palette.write("job.json", {**JOB, **change})


def failed_of(palette):
    """The failed records of the only job, as `show` tells them."""
    return json.loads(palette.run("show", palette.only_job()["job_id"], "--failures", "--json").stdout)["failures"]


# --- when a job gives up

def test_the_first_20_failing_alike_end_the_job_early_with_few_calls_spent(counted):
    failing(counted, num_records=1000, concurrency=10, model="offline", template={"steps": ANSWERS_FAIL})
    done = counted.run("run", "job.json", expect=1)
    job = counted.only_job()
    assert (job["status"], job["records_generated"]) == ("FAILED", 0)
    assert 20 <= job["records_failed"] <= 20 + 10
    assert sum(counted.calls.new().values()) <= 20 + 10  # the questions; no answer was given
    error, = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert error == (f"error: the job {job['job_id']} FAILED: the first 20 records all failed alike: step 'answer': the model failed on purpose, as "
                     f"offline?fail_rate=1&fail_kind=denied says [denied]; plot-palette show {job['job_id']} --failures tells more; mend the "
                     "cause and run the same command again")
    assert job["error_message"].startswith("the first 20 records all failed alike: step 'answer'")
    assert f"{job['job_id']}: 0 records, {job['records_failed']} failed in " in done.stdout
    # What only the journal has is shown too.
    assert len(failed_of(counted)) == job["records_failed"]


def test_more_failures_than_max_failure_ratio_end_the_job(counted):
    failing(counted, max_failure_ratio=0.1, num_records=400, concurrency=5)
    done = counted.run("run", "job.json", expect=1)
    job = counted.only_job()
    assert job["status"] == "FAILED"
    assert 41 <= job["records_failed"] <= 41 + 5
    assert f"{job['error_message'].split()[0]} of 400 records failed, more than max_failure_ratio allows; the first was step" in done.stderr
    # What was paid for is exported.
    exported = indexes(counted.export())
    assert len(exported) == job["records_generated"] > 0
    assert exported == sorted(exported)


def test_as_many_failures_as_the_ratio_allows_do_not(counted):
    failing(counted, max_failure_ratio=0.5)
    told = counted.run("run", "job.json").stdout
    job = counted.only_job()
    assert job["status"] == "COMPLETED" and 0 < job["records_failed"] <= 60
    assert told.endswith(f"Look closer: plot-palette show {job['job_id']} --failures\n"
                         "The same command with --retry-failed makes the failed records again.\n")


@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_promise_6_all_failed_is_failed_with_the_first_cause(counted, ratio):
    failing(counted, num_records=7, max_failure_ratio=ratio, model="offline", template={"steps": ANSWERS_FAIL})
    done = counted.run("run", "job.json", expect=1)
    job = counted.only_job()
    assert (job["status"], job["records_generated"]) == ("FAILED", 0)
    assert "the first was step 'answer': the model failed on purpose" in job["error_message"]
    assert job["error_message"] in done.stderr


def test_after_a_failed_job_the_same_command_goes_on(counted):
    """The cause is mended by allowing more failures; what succeeded is not asked for again."""
    failing(counted, max_failure_ratio=0.05)
    counted.run("run", "job.json", expect=1)
    job = counted.only_job()["job_id"]
    failing(counted, max_failure_ratio=1.0)
    told = counted.run("run", "job.json").stderr
    assert told.startswith(f"Going on with {job}.\n")
    assert counted.only_job()["status"] == "COMPLETED"
    assert counted.only_job()["error_message"] == ""
    assert set(counted.calls.new().values()) == {1}
    assert len(read_jsonl(counted.export())) + counted.only_job()["records_failed"] == 120


def test_quiet_tells_a_failure_and_nothing_else(counted):
    failing(counted, model="offline", template={"steps": ANSWERS_FAIL})
    done = counted.run("run", "job.json", "--quiet", expect=1)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("error: the job two-steps-")


def test_json_tells_a_failed_job(counted):
    failing(counted, model="offline", template={"steps": ANSWERS_FAIL})
    finished = events_of(counted.run("run", "job.json", "--json", expect=1))[-1]
    assert (finished["event"], finished["status"]) == ("finished", "FAILED")
    assert finished["error"].startswith("the first 20 records all failed alike")


# --- what is kept of a failure

def test_failures_objects_have_cause_tries_cost_and_the_finished_steps(counted):
    failing(counted, num_records=50)
    counted.run("run", "job.json")
    (name, lines), = counted.failures().items()
    assert name == "batch-0001-0001.jsonl"
    succeeded = set(indexes(counted.export()))
    assert {line["index"] for line in lines} == set(range(50)) - succeeded
    for line in lines:
        assert line["error"] == {"kind": "refused", "message": "the model failed on purpose, as offline?fail_rate=0.2&fail_kind=refused says"}
        assert (line["tries"], line["cost_usd"]) == (1, 0)
        assert list(line["steps"]) == ([] if line["step"] == "question" else ["question"])
    assert {line["step"] for line in lines} == {"question", "answer"}


def test_show_failures_tells_them(counted):
    failing(counted, num_records=50)
    counted.run("run", "job.json")
    job = counted.only_job()
    shown = counted.run("show", job["job_id"], "--failures").stdout
    assert f"{job['records_generated']} of 50, {job['records_failed']} failed\n" in shown
    assert f"\n{job['records_failed']} failed records\n" in shown
    first = failed_of(counted)[0]
    assert (f"  record {first['record']} (seed row {first['seed_data_keys']}), step '{first['step']}', 1 try, $0.00: the model failed on purpose, "
            "as offline?fail_rate=0.2&fail_kind=refused says [refused]\n") in shown
    assert set(first) == {"record", "seed_data_keys", "step", "kind", "message", "tries", "cost_usd"}
    assert f"Why records failed: plot-palette show {job['job_id']} --failures" in counted.run("show", job["job_id"]).stdout


def test_what_is_throttled_is_tried_again_after_a_pause_and_succeeds(counted):
    failing(counted, model="offline?fail_rate=0.2&fail_kind=throttled", num_records=60, max_failure_ratio=0.0)
    counted.run("run", "job.json")
    assert indexes(counted.export()) == list(range(60))
    tries = [int(line.split()[2]) for line in counted.calls.log.read_text().splitlines()]
    assert len(tries) == 120 and set(tries) >= {1, 2}


def test_a_failure_that_stays_says_how_often_it_was_tried(counted):
    failing(counted, model="offline?fail_rate=0.95&fail_kind=throttled", num_records=4)
    counted.run("run", "job.json", expect=None)
    tries = {failure["tries"] for failure in failed_of(counted)}
    assert tries == {5}
    assert all(failure["message"].endswith("(tried 5 times)") for failure in failed_of(counted))


# --- --retry-failed

def test_retry_failed_makes_only_failed_records_again_and_reuses_finished_steps(counted):
    failing(counted)
    counted.run("run", "job.json")
    before, failed = counted.batches(), failed_of(counted)
    first_calls = counted.calls.new()
    told = counted.run("run", "job.json", "--retry-failed").stderr
    assert told.startswith(f"Making the {len(failed)} failed records of {counted.only_job()['job_id']} again.\n")
    calls = counted.calls.new()
    assert {int(record) for record, _ in calls} <= {failure["record"] for failure in failed}
    assert set((first_calls + calls).values()) == {1}  # no answered step is asked again
    after = counted.batches()
    assert {name: after[name] for name in before} == before
    assert sorted(set(after) - set(before)) == ["batch-0001-r1.jsonl", "batch-0002-r1.jsonl", "batch-0003-r1.jsonl"]
    good = {index_of(record) for name in set(after) - set(before) for record in after[name]}
    assert good and good < {failure["record"] for failure in failed}
    assert indexes(counted.export()) == sorted({index_of(record) for records in before.values() for record in records} | good)
    job = counted.only_job()
    assert (job["status"], job["records_generated"], job["records_failed"]) == ("COMPLETED", 120 - len(failed) + len(good), len(failed) - len(good))
    assert {failure["record"] for failure in failed_of(counted)} == {failure["record"] for failure in failed} - good


def test_retry_failed_twice_is_a_second_round(counted):
    failing(counted)
    counted.run("run", "job.json", "--format", "csv")
    counted.run("run", "job.json", "--retry-failed")
    left = {failure["record"] for failure in failed_of(counted)}
    assert left
    counted.run("run", "job.json", "--retry-failed")
    rounds = {name: [index_of(record) for record in records] for name, records in counted.batches().items() if "-r2" in name}
    assert rounds and {index for records in rounds.values() for index in records} <= left
    assert indexes(counted.export()) == sorted(index_of(record) for records in counted.batches().values() for record in records)
    assert set(counted.calls.new().values()) == {1}
    # A plain run afterwards, and an export, hold them too.
    before = counted.export().read_bytes()
    counted.run("run", "job.json")
    assert counted.export().read_bytes() == before
    counted.run("export", counted.only_job()["job_id"], "--out", "again")
    assert (counted.folder / "again/dataset.jsonl").read_bytes() == before


def test_retry_failed_until_all_are_good(counted):
    failing(counted, num_records=60)
    counted.run("run", "job.json")
    for _ in range(8):
        if counted.only_job()["records_failed"] == 0:
            break
        counted.run("run", "job.json", "--retry-failed")
    assert indexes(counted.export()) == list(range(60))
    assert failed_of(counted) == []
    counted.calls.new()
    counted.run("run", "job.json", "--retry-failed")  # nothing is left to do
    assert counted.calls.new() == {}


def test_promise_6_retry_failed_also_makes_what_is_missing(counted):
    failing(counted)
    counted.run("run", "job.json", "--records", "60")
    failed = counted.only_job()["records_failed"]
    counted.run("run", "job.json", "--retry-failed")
    job = counted.only_job()
    assert (job["status"], job["records_generated"] + job["records_failed"]) == ("COMPLETED", 120)
    assert job["records_failed"] < 2 * failed
    assert {"batch-0001-r1.jsonl", "batch-0003.jsonl", "batch-0003-r1.jsonl"} <= set(counted.batches())


def test_a_retry_that_fails_alike_leaves_the_job_as_it_was(counted):
    """Here every retry is cut at max_tokens, as the first time; more tries would only cost."""
    steps = [{**STEPS[0], "prompt": "{{ 1 // (0 if record_index % 4 == 0 else 1) }} {{ name }}"}]
    failing(counted, model="offline", template={"steps": steps}, max_failure_ratio=0.5)
    counted.run("run", "job.json")
    assert counted.only_job()["records_failed"] == 30
    done = counted.run("run", "job.json", "--retry-failed")
    assert "warning: the retry was given up: the first 20 records all failed alike" in done.stderr
    job = counted.only_job()
    assert (job["status"], job["records_generated"], job["records_failed"]) == ("COMPLETED", 90, 30)
