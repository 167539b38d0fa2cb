"""kill -9 and SIGTERM at random moments: the dataset is the one that was asked for, and what was paid for is used."""
import collections
import random
import signal
import time

import pytest

from conftest import COUNTRIES, Palette, index_of, read_jsonl, two_step_job

RECORDS = 2000
# 100 in flight, 15 ms a call, two calls a record: about 0.6 s of work, so that a kill hits it anywhere.
JOB = two_step_job(COUNTRIES, "name", num_records=RECORDS, concurrency=100, model="offline?latency_ms=15",
                   output_format=["JSONL", "CSV", "PARQUET"])


def texts(rows):
    return [{step: (made["prompt"], made["output"]) for step, made in row["generation_result"].items()} for row in rows]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The texts of a run that nobody stopped, and how long it took."""
    palette = Palette(tmp_path_factory.mktemp("undisturbed"))
    palette.write("job.json", JOB)
    started = time.monotonic()
    palette.run("run", "job.json")
    return texts(read_jsonl(palette.export())), time.monotonic() - started


def check_whole(palette, expected):
    """Exactly N indexes, none twice, in outputs; all exports agree; the text is the undisturbed run's."""
    import pandas
    import pyarrow.parquet
    indexes = collections.Counter(index_of(record) for records in palette.batches().values() for record in records)
    assert sorted(indexes) == list(range(RECORDS))
    assert set(indexes.values()) == {1}
    rows = read_jsonl(palette.export("jsonl"))
    assert texts(rows) == expected
    ids = [row["id"] for row in rows]
    assert pandas.read_csv(palette.export("csv"), dtype=str, usecols=["id"])["id"].tolist() == ids
    assert pyarrow.parquet.read_table(palette.export("parquet"), columns=["id"])["id"].to_pylist() == ids
    assert palette.only_job()["status"] == "COMPLETED"
    assert palette.journals() == []


def test_promise_1_kill_9_at_50_random_moments(make_palette, undisturbed):
    expected, duration = undisturbed
    moments = random.Random(20261124)
    committed_at_kill = set()
    killed = trial = 0
    while killed < 50:
        trial += 1
        assert trial <= 200, "most runs ended before they were killed"
        palette = make_palette(f"trial-{trial}")
        palette.write("job.json", JOB)
        process = palette.start("run", "job.json")
        time.sleep(moments.uniform(0.02, duration))
        process.kill()
        process.communicate(timeout=30)
        if process.returncode == 0:
            continue  # done before its moment came
        assert process.returncode == -signal.SIGKILL
        killed += 1
        outputs = palette.objects() / "jobs"
        committed_at_kill.add(len(list(outputs.rglob("outputs/batch-*.jsonl"))) if outputs.exists() else 0)
        palette.run("run", "job.json")
        check_whole(palette, expected)
    print(f"{killed} kills, {len(committed_at_kill)} different numbers of committed batches")
    assert len(committed_at_kill) >= 20


def answers(log):
    return collections.Counter(tuple(line.split()[:2]) for line in log.read_text().splitlines()) if log.exists() else collections.Counter()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_promise_2_after_a_polite_stop_nothing_that_was_answered_is_asked_again(make_palette, undisturbed, stop):
    expected, duration = undisturbed
    moments = random.Random(7)
    for trial in range(6):
        palette = make_palette(f"trial-{stop}-{trial}")
        palette.write("job.json", JOB)
        log = palette.folder / "calls.log"
        stopped = 0
        for _ in range(4):  # stopped several times, then to the end
            process = palette.start("run", "job.json", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
            time.sleep(moments.uniform(0.05, duration / 2))
            process.send_signal(stop)
            _, told = process.communicate(timeout=30)
            if process.returncode == -stop:  # it came before the run had begun
                assert told == ""
                continue
            assert process.returncode in (0, 128 + stop), told
            stopped += process.returncode == 128 + stop
            if process.returncode == 0:
                break
            assert "the same command goes on" in told
            assert palette.only_job()["status"] == "QUEUED"
        palette.run("run", "job.json", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
        check_whole(palette, expected)
        assert stopped >= 1
        asked = answers(log)
        assert len(asked) == 2 * RECORDS
        assert set(asked.values()) == {1}, [call for call, times in asked.items() if times > 1][:5]


def test_promise_2_kill_9_repeats_at_most_one_flush_interval(make_palette):
    """Slow calls, so that a kill finds many finished steps in the journal: lost are at most those of the last second."""
    palette = make_palette("slow")
    job = {**JOB, "num_records": 400, "concurrency": 40, "model": "offline?latency_ms=300"}
    palette.write("job.json", job)
    log = palette.folder / "calls.log"
    process = palette.start("run", "job.json", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
    time.sleep(3.2)
    process.kill()
    process.communicate(timeout=30)
    palette.run("run", "job.json", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
    again = sum(times - 1 for times in answers(log).values())
    answered_in_an_interval = 40 / 0.3 * 1.5  # one second's calls, and half a second for the flush itself
    assert again <= answered_in_an_interval
    assert len(read_jsonl(palette.export())) == 400


def test_promise_2_finished_steps_of_records_in_flight_survive_kill_9(palette):
    """The first step is answered at once, the second takes far longer than a flush interval: the first is not paid for twice."""
    job = two_step_job(COUNTRIES, "name", num_records=40, concurrency=40)
    job["template"]["steps"][1]["model"] = "offline?latency_ms=4000"
    palette.write("job.json", job)
    log = palette.folder / "calls.log"
    process = palette.start("run", "job.json", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
    time.sleep(2.5)
    process.kill()
    process.communicate(timeout=30)
    assert len(answers(log)) == 40  # no second step was answered
    palette.run("run", "job.json", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
    assert len(answers(log)) == 80
    assert set(answers(log).values()) == {1}


def test_promise_2_a_retry_survives_kill_9_too(palette):
    """Half of the first steps fail; a retry makes them at once and is killed while the second, slow, steps are asked for."""
    job = two_step_job(COUNTRIES, "name", num_records=40, concurrency=40, max_failure_ratio=1)
    job["template"]["steps"][0]["model"] = "offline?fail_rate=0.5&fail_kind=refused"
    job["template"]["steps"][1]["model"] = "offline?latency_ms=3000"
    palette.write("job.json", job)
    log = palette.folder / "calls.log"
    palette.run("run", "job.json", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
    failed = palette.only_job()["records_failed"]
    assert 5 < failed < 35
    before = len(answers(log))
    process = palette.start("run", "job.json", "--retry-failed", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
    time.sleep(2)
    process.kill()
    process.communicate(timeout=30)
    assert len(answers(log)) > before
    palette.run("run", "job.json", "--retry-failed", env={"PALETTE_OFFLINE_CALL_LOG": str(log)})
    assert set(answers(log).values()) == {1}
    assert palette.only_job()["records_failed"] < failed
    assert palette.journals() == []


def test_a_second_signal_stops_at_once(palette):
    palette.write("job.json", {**JOB, "num_records": 50, "model": "offline?latency_ms=60000"})
    process = palette.start("run", "job.json")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None  # calls in flight may finish
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    assert process.returncode == 130


def test_two_runs_of_one_job_the_second_says_who_holds_it(palette):
    palette.write("job.json", {**JOB, "num_records": 50, "model": "offline?latency_ms=60000"})
    first = palette.start("run", "job.json")
    try:
        time.sleep(0.5)
        second = palette.run("run", "job.json", expect=1)
        assert "another run works on the job" in second.stderr
        assert f"process {first.pid}" in second.stderr
        assert palette.only_job()["status"] == "RUNNING"
    finally:
        first.kill()
        first.communicate(timeout=10)
    assert palette.only_job()["status"] == "QUEUED"
    # The kernel freed the lease with the process: the next one goes on at once.
    third = palette.start("run", "job.json")
    time.sleep(0.5)
    assert third.poll() is None
    third.kill()
    third.communicate(timeout=10)
