"""`run`: what makes two jobs the same, what goes on, what is made again, and the flags. Calls are counted by the model's log."""
import collections
import csv
import json
import signal

import pytest

from conftest import COUNTRIES, index_of, read_jsonl, two_step_job

JOB = two_step_job(COUNTRIES, "name", num_records=60, max_failure_ratio=1.0)


class Calls:
    """How often the model answered, by (record, step), since it was last asked."""

    def __init__(self, palette):
        self.log = palette.folder / "calls.log"
        self.seen = 0

    def new(self):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        new, self.seen = lines[self.seen:], len(lines)
        return collections.Counter(tuple(line.split()[:2]) for line in new)


@pytest.fixture
def counted(palette):
    """A palette whose `run` counts calls, with JOB in job.json."""
    palette.write("job.json", JOB)
    palette.calls = Calls(palette)
    plain = palette.run
    palette.run = lambda *arguments, env=None, **more: plain(
        *arguments, env={"PALETTE_OFFLINE_CALL_LOG": str(palette.calls.log), **(env or {})}, **more)
    return palette


def indexes(path):
    return [index_of(record) for record in read_jsonl(path)]


def job_ids(palette):
    return [job["job_id"] for job in palette.jobs()]


# --- the same command again

def test_the_same_command_twice_makes_nothing_again_and_exports_again(counted):
    counted.run("run", "job.json")
    assert sum(counted.calls.new().values()) == 120
    before = counted.export().read_bytes()
    counted.export().unlink()
    told = counted.run("run", "job.json").stdout
    assert counted.calls.new() == {}
    assert counted.export().read_bytes() == before
    assert "60 records (made before)" in told
    assert counted.only_job()["status"] == "COMPLETED"


@pytest.mark.parametrize("change", [
    {"columns": {"q": "{{ steps.question.output }}"}}, {"output_format": ["CSV", "PARQUET"]}, {"concurrency": 3},
    {"budget_limit": 12.5}, {"description": "other words"}, {"max_failure_ratio": 0.2}, {"partition_strategy": "timestamp"},
], ids=lambda change: next(iter(change)))
def test_what_does_not_decide_the_records_keeps_the_job(counted, change):
    counted.run("run", "job.json")
    counted.calls.new()
    counted.write("job.json", {**JOB, **change})
    told = counted.run("run", "job.json")
    assert counted.calls.new() == {}
    assert "new job" not in told.stderr
    assert counted.only_job()["status"] == "COMPLETED"


def test_changed_columns_and_formats_are_those_of_the_next_export(counted):
    counted.run("run", "job.json")
    counted.write("job.json", {**JOB, "columns": {"n": "{{ record_index }}"}, "output_format": "CSV"})
    counted.run("run", "job.json")
    assert [row["n"] for row in csv.DictReader(counted.export("csv").open())] == [str(i) for i in range(60)]
    assert not counted.export("jsonl").exists()  # a file that the job no longer asks for would be out of date


STEPS = JOB["template"]["steps"]
DECIDES = {
    "seed": ({"seed": 12}, "seed"),
    "seed_sampling": ({"seed_sampling": "shuffle"}, "seed_sampling"),
    "prompt": ({"template": {"steps": [STEPS[0], {**STEPS[1], "prompt": "Say: {{ steps.question.output }}"}]}}, "the prompt of step 'answer'"),
    "system": ({"template": {"steps": [{**STEPS[0], "system": "Be brief."}, STEPS[1]]}}, "the system text of step 'question'"),
    "model": ({"model": "offline/echo"}, "the model of step 'question', the model of step 'answer'"),
    "model of a step": ({"template": {"steps": [STEPS[0], {**STEPS[1], "model": "offline/echo"}]}}, "the model of step 'answer'"),
    "temperature": ({"temperature": 0.5}, "the sampling parameters of step 'question', the sampling parameters of step 'answer'"),
    "max_tokens of a step": ({"template": {"steps": [STEPS[0], {**STEPS[1], "max_tokens": 61}]}}, "the sampling parameters of step 'answer'"),
}


@pytest.mark.parametrize("change, differs", DECIDES.values(), ids=DECIDES.keys())
def test_what_decides_the_records_starts_a_new_job_that_says_so(counted, change, differs):
    counted.run("run", "job.json")
    old = counted.only_job()["job_id"]
    counted.calls.new()
    counted.write("job.json", {**JOB, **change})
    told = counted.run("run", "job.json").stderr
    assert f"This is a new job: it differs from {old} in {differs} (that one has 60 records and cost $0.00)." in told
    assert sum(counted.calls.new().values()) == 120
    assert len(job_ids(counted)) == 2
    # The old command goes on with the old job.
    counted.write("job.json", JOB)
    counted.run("run", "job.json")
    assert counted.calls.new() == {}


def test_other_content_of_the_seed_data_starts_a_new_job_and_another_name_of_the_file_does_not(counted):
    counted.write("seeds.jsonl", COUNTRIES.read_text())
    counted.write("job.json", {**JOB, "seed_data": "seeds.jsonl"})
    counted.run("run", "job.json")
    counted.write("renamed.jsonl", COUNTRIES.read_text())
    counted.write("job.json", {**JOB, "seed_data": "renamed.jsonl"})
    counted.run("run", "job.json")
    assert len(job_ids(counted)) == 1
    counted.write("renamed.jsonl", COUNTRIES.read_text().replace("\"A", "\"Ä", 1))
    assert "in the seed data (that one" in counted.run("run", "job.json").stderr
    assert len(job_ids(counted)) == 2


def test_another_included_text_starts_a_new_job(counted):
    style = "template: {id: style, steps: [{id: s, model: none, prompt: %s}]}"
    counted.write("style.yaml", style % "Be brief.")
    counted.write("job.json", {**JOB, "template": {"steps": [{"id": "question", "prompt": "{% include 'style' %} Ask about {{ name }}"}]}})
    counted.run("run", "job.json")
    counted.run("run", "job.json")
    assert len(job_ids(counted)) == 1
    counted.write("style.yaml", style % "Be long.")
    assert "in the included template 'style'" in counted.run("run", "job.json").stderr
    assert len(job_ids(counted)) == 2


def test_two_jobs_of_one_name_each_go_on(counted):
    counted.run("run", "job.json", "--records", "10")
    counted.write("other.json", {**JOB, "seed": 99})
    counted.run("run", "other.json", "--records", "10")
    first, second = job_ids(counted)
    counted.calls.new()
    counted.run("run", "job.json", "--records", "20")
    counted.run("run", "other.json", "--records", "30")
    assert {job["job_id"]: job["records_generated"] for job in counted.jobs()} == {first: 20, second: 30}
    assert sum(counted.calls.new().values()) == 2 * (10 + 20)


# --- more records, and fewer

def test_120_records_extended_to_200_keep_their_batches_byte_for_byte(counted):
    counted.run("run", "job.json", "--records", "120")
    folder = counted.objects() / "jobs" / counted.only_job()["job_id"] / "outputs"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == ["batch-0001.jsonl", "batch-0002.jsonl", "batch-0003.jsonl"]
    counted.calls.new()
    told = counted.run("run", "job.json", "--records", "200").stderr
    assert f"Extending {counted.only_job()['job_id']} to 200 records." in told
    assert {name: (folder / name).read_bytes() for name in before} == before
    batches = {name: [index_of(record) for record in records] for name, records in counted.batches().items()}
    assert batches["batch-0003.jsonl"] == list(range(100, 120))
    assert batches["batch-0004.jsonl"] == list(range(120, 170))
    assert batches["batch-0005.jsonl"] == list(range(170, 200))
    assert {int(record) for record, _ in counted.calls.new()} == set(range(120, 200))
    assert indexes(counted.export()) == list(range(200))


def test_the_records_of_an_extended_job_are_those_of_a_job_of_that_size(make_palette):
    """Promise 9: the same plan."""
    texts = []
    for name, sizes in {"extended": (70, 130), "whole": (130,)}.items():
        palette = make_palette(name)
        palette.write("job.json", JOB)
        for size in sizes:
            palette.run("run", "job.json", "--records", str(size))
        texts.append([{step: made["output"] for step, made in row["generation_result"].items()} for row in read_jsonl(palette.export())])
    assert texts[0] == texts[1]


def test_a_smaller_number_exports_the_first_and_a_later_larger_one_goes_on(counted):
    counted.run("run", "job.json")
    counted.calls.new()
    assert "25 records" in counted.run("run", "job.json", "--records", "25").stdout
    assert indexes(counted.export()) == list(range(25))
    job = counted.only_job()
    assert (job["status"], job["num_records"], job["records_generated"]) == ("COMPLETED", 25, 25)
    counted.run("run", "job.json")
    assert counted.calls.new() == {}
    assert indexes(counted.export()) == list(range(60))
    counted.run("run", "job.json", "--records", "75")
    assert {int(record) for record, _ in counted.calls.new()} == set(range(60, 75))
    assert indexes(counted.export()) == list(range(75))


def test_a_smaller_number_does_not_fail_a_job_by_the_failures_of_the_rest(counted):
    counted.write("job.json", {**JOB, "model": "offline?fail_rate=0.15&fail_kind=refused", "max_failure_ratio": 0.5, "num_records": 100})
    counted.run("run", "job.json")
    failed = counted.only_job()["records_failed"]
    assert failed > 10
    counted.run("run", "job.json", "--records", "20")
    job = counted.only_job()
    assert (job["status"], job["records_generated"] + job["records_failed"]) == ("COMPLETED", 20)


def test_checkpoint_interval_is_frozen_per_extent(counted):
    counted.run("run", "job.json", "--records", "25", env={"CHECKPOINT_INTERVAL": "10"})
    counted.run("run", "job.json", "--records", "25", env={"CHECKPOINT_INTERVAL": "7"})
    counted.run("run", "job.json", "--records", "40", env={"CHECKPOINT_INTERVAL": "8"})
    assert [[index_of(record) for record in records] for records in counted.batches().values()] == [
        list(range(10)), list(range(10, 20)), list(range(20, 25)), list(range(25, 33)), list(range(33, 40))]


def test_a_checkpoint_interval_that_is_no_number_is_refused(counted):
    told = counted.run("run", "job.json", env={"CHECKPOINT_INTERVAL": "many"}, expect=2).stderr
    assert told == "error: CHECKPOINT_INTERVAL: found 'many'; an integer of 1 to 10000 is allowed (records of a batch)\n"


# --- ids

def test_fresh_starts_over_and_later_plain_runs_go_on_with_the_newest(counted):
    counted.run("run", "job.json", "--records", "10")
    first = counted.only_job()["job_id"]
    counted.run("run", "job.json", "--records", "10", "--fresh")
    assert job_ids(counted) == [first, first + "-2"]
    counted.calls.new()
    counted.run("run", "job.json", "--records", "30")
    assert {int(record) for record, _ in counted.calls.new()} == set(range(10, 30))
    assert {job["job_id"]: job["records_generated"] for job in counted.jobs()} == {first: 10, first + "-2": 30}
    counted.run("run", "job.json", "--fresh", "--records", "5")
    assert job_ids(counted)[2] == first + "-3"


def test_an_explicit_id_is_the_id(counted):
    counted.write("job.json", {**JOB, "id": "my-own_id"})
    counted.run("run", "job.json")
    assert job_ids(counted) == ["my-own_id"]
    assert read_jsonl(counted.export(job_id="my-own_id"))[3]["id"] == "my-own_id-3"
    counted.write("job.json", {**JOB, "id": "my-own_id", "seed": 5})
    assert "This is a new job: it differs from my-own_id in seed" in counted.run("run", "job.json").stderr
    assert job_ids(counted) == ["my-own_id", "my-own_id-2"]


# --- flags

def test_model_replaces_every_steps_model(counted):
    counted.write("job.json", {**JOB, "template": {"steps": [STEPS[0], {**STEPS[1], "model": "offline?latency_ms=1"}]}})
    counted.run("run", "job.json", "--model", "offline/echo")
    assert {made["model"] for row in read_jsonl(counted.export()) for made in row["generation_result"].values()} == {"offline/echo"}


def test_budget_replaces_the_budget(counted):
    counted.run("run", "job.json", "--budget", "3.25")
    assert counted.only_job()["budget_limit"] == "3.25"
    counted.run("run", "job.json", "--budget", "4")
    assert counted.only_job()["budget_limit"] == "4"


def test_formats_separated_by_commas_and_out_with_several_formats_also_when_done(counted):
    counted.run("run", "job.json", "--format", "csv,parquet", "--out", "first")
    assert sorted(path.name for path in (counted.folder / "first").iterdir()) == ["dataset.csv", "dataset.parquet"]
    told = counted.run("run", "job.json", "--format", "jsonl,csv,parquet", "--out", "some/where").stdout
    out = counted.folder / "some/where"
    assert sorted(path.name for path in out.iterdir()) == ["dataset.csv", "dataset.jsonl", "dataset.parquet"]
    for path in out.iterdir():
        assert path.read_bytes() == counted.export(path.suffix[1:]).read_bytes()
        assert f"some/where/{path.name}\n" in told
    assert (out / "dataset.csv").read_bytes() == (counted.folder / "first/dataset.csv").read_bytes()


def test_concurrency_bounds_the_records_in_flight(counted):
    counted.write("job.json", {**JOB, "template": {"steps": STEPS[:1]}, "num_records": 5, "model": "offline?latency_ms=1300", "concurrency": 2})
    events = events_of(counted.run("run", "job.json", "--concurrency", "4", "--json"))
    in_flight = [event["calls_in_flight"] for event in events if event["event"] == "progress"]  # after one second, and after two
    assert in_flight[0] == max(in_flight) == 4


def test_data_dir_is_where_everything_is_kept(counted):
    told = counted.run("run", "job.json", "--data-dir", "elsewhere/data").stdout
    assert not (counted.folder / ".plot-palette").exists()
    jobs = json.loads(counted.run("jobs", "--json", "--data-dir", "elsewhere/data").stdout)
    assert "elsewhere/data/objects/jobs/" in told and f"show {jobs[0]['job_id']} --data-dir elsewhere/data" in told
    assert (counted.folder / "elsewhere/data/jobs.db").exists()
    assert counted.jobs() == []


def test_quiet_prints_nothing_on_success(counted):
    counted.write("job.json", {**JOB, "output_format": ["PARQUET"], "columns": {"mixed": "{{ record_index if record_index else 'none' }}"}})
    done = counted.run("run", "job.json", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")
    counted.write("job.json", {**JOB, "seed": 3})
    done = counted.run("run", "job.json", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_no_progress_still_says_how_it_begins_and_ends(counted):
    counted.run("run", "job.json")
    done = counted.run("run", "job.json", "--no-progress", "--records", "70")
    assert done.stderr == f"Extending {counted.only_job()['job_id']} to 70 records.\n"
    assert "70 records" in done.stdout


def test_the_end_says_what_was_made_where_how_long_and_what_it_cost(counted):
    done = counted.run("run", "job.json", "--format", "jsonl,csv")
    job = counted.only_job()["job_id"]
    lines = done.stdout.splitlines()
    tokens = f"{counted.only_job()['tokens_used']:,}"
    assert lines[0].startswith(f"{job}: 60 records in ") and lines[0].endswith(f"s: {tokens} tokens, $0.00.")
    assert lines[1:] == [f"  .plot-palette/objects/jobs/{job}/exports/dataset.jsonl", f"  .plot-palette/objects/jobs/{job}/exports/dataset.csv",
                         f"Look closer: plot-palette show {job}"]
    assert done.stderr == ""
    for line in lines[1:3]:
        assert (counted.folder / line.strip()).exists()


# --- --json

def events_of(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_json_is_one_event_a_line(counted):
    counted.write("job.json", {**JOB, "model": "offline?fail_rate=0.1&fail_kind=refused&latency_ms=600", "template": {"steps": STEPS}})
    done = counted.run("run", "job.json", "--json")
    events = events_of(done)
    assert done.stderr == ""
    names = collections.Counter(event["event"] for event in events)
    job = counted.only_job()
    assert set(names) == {"started", "batch_committed", "record_failed", "progress", "finished"}
    assert names["batch_committed"] == 2 and names["record_failed"] == job["records_failed"] > 0
    assert all(event["time"].endswith("Z") for event in events)
    started, finished = events[0], events[-1]
    assert (started["event"], started["job_id"], started["num_records"]) == ("started", job["job_id"], 60)
    assert (finished["event"], finished["status"]) == ("finished", "COMPLETED")
    assert finished["records"] + finished["records_failed"] == 60
    assert finished["files"] == [str(counted.export().relative_to(counted.folder))]
    committed = [event for event in events if event["event"] == "batch_committed"]
    assert sorted(event["batch"] for event in committed) == [1, 2]
    assert sum(event["records"] + event["failed"] for event in committed) == 60
    failed = next(event for event in events if event["event"] == "record_failed")
    assert failed["kind"] == "refused" and failed["step"] in ("question", "answer")
    progress = next(event for event in events if event["event"] == "progress")
    assert {"records_done", "records_failed", "records_total", "records_per_s", "calls_in_flight", "cost_usd"} <= set(progress)


def test_json_tells_an_interruption(counted):
    counted.write("job.json", {**JOB, "model": "offline?latency_ms=300"})
    process = counted.start("run", "job.json", "--json")
    assert json.loads(process.stdout.readline())["event"] == "started"
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["records_total"]) == ("interrupted", 60)


def test_json_tells_an_error(counted):
    counted.run("run", "job.json")
    batch = counted.objects() / "jobs" / counted.only_job()["job_id"] / "outputs/batch-0001.jsonl"
    batch.write_text("no record\n")
    (batch.parent.parent / "checkpoint.json").unlink()
    done = counted.run("run", "job.json", "--json", expect=1)
    error = events_of(done)[-1]
    assert (error["event"], error["kind"]) == ("error", "corrupt")
    assert "batch-0001.jsonl" in error["message"]
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("error: ")
    assert counted.only_job()["status"] == "QUEUED"  # promise 6


def test_json_tells_what_is_wrong_with_the_input(counted):
    counted.write("job.json", {**JOB, "num_record": 5})
    event, = events_of(counted.run("run", "job.json", "--json", expect=2))
    assert event["event"] == "invalid"
    assert [finding["severity"] for finding in event["findings"]] == ["error"]
    assert not (counted.folder / ".plot-palette").exists()


# --- interruptions

@pytest.mark.parametrize("stop, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_its_code_and_the_same_command_goes_on(counted, stop, code):
    counted.write("job.json", {**JOB, "model": "offline?latency_ms=150", "concurrency": 10})
    process = counted.start("run", "job.json", "--json", env={"PALETTE_OFFLINE_CALL_LOG": str(counted.calls.log)})
    process.stdout.readline()
    process.send_signal(stop)
    process.communicate(timeout=20)
    assert process.returncode == code
    assert counted.only_job()["status"] == "QUEUED"
    told = counted.run("run", "job.json").stderr
    assert f"Going on with {counted.only_job()['job_id']}." in told
    assert set(counted.calls.new().values()) == {1}
    assert indexes(counted.export()) == list(range(60))
