"""Every command but `run`: what it does, what it says, its exit codes; and what is said about a wrong command line."""
import json
import re
import time

import pytest

from conftest import COUNTRIES, ROOT, index_of, read_jsonl, two_step_job

RECORDS_JOB = two_step_job(COUNTRIES, "name", num_records=60)
JOB = {**RECORDS_JOB, "columns": {"country": "{{ name }}", "answer": "{{ steps.answer.output }}"}}
COMMANDS = ["init", "run", "preview", "estimate", "jobs", "show", "submit", "worker", "watch", "cancel", "set", "rm", "export", "template", "template check",
            "template render", "models", "doctor"]


@pytest.fixture
def made(palette):
    """A finished job; its id is palette.id."""
    palette.write("job.json", JOB)
    palette.run("run", "job.json", "--quiet")
    palette.id = palette.only_job()["job_id"]
    return palette


def only_error(done):
    """The one line on stderr; nothing on stdout."""
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


# --- --help, --version, a wrong command line

@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_an_example_that_names_it(palette, command):
    done = palette.run(*command.split(), "--help")
    assert f"Usage: plot-palette {command} " in done.stdout
    assert f"Example:\n  plot-palette {command} " in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in ("template", "worker")])
def test_every_command_has_json(palette, command):
    assert "--json" in palette.run(*command.split(), "--help").stdout


def test_help_lists_every_command(palette):
    told = palette.run("--help").stdout
    assert re.findall(r"^  (\w+) {5,}\w", told, re.MULTILINE) == ["init", "run", "preview", "estimate", "jobs", "show", "submit", "worker", "watch", "cancel",
                                                                     "set", "rm", "export", "template", "models", "doctor"]
    assert told.rstrip().endswith("plot-palette init && plot-palette run job.yaml")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_version(palette, command):
    done = palette.run(*command.split(), "--version")
    assert re.fullmatch(r"plot-palette \d+\.\d+\.\d+\n", done.stdout)


WRONG = {
    "": "a command is missing; known are init, run, preview, estimate, jobs, show, submit, worker, watch, cancel, set, rm, export, template, models, doctor; see plot-palette --help",
    "rnu": "there is no command 'rnu'; did you mean run? See plot-palette --help",
    "frobnicate": "there is no command 'frobnicate'; known are init, run, preview, estimate, jobs, show, submit, worker, watch, cancel, set, rm, export, template, models, doctor; see plot-palette --help",
    "template rendr": "there is no command 'template rendr'; did you mean render? See plot-palette template --help",
    "template": "a command is missing; known are check, render; see plot-palette template --help",
    "run": "JOB is required; see plot-palette run --help",
    "run job.json --recods 5": "plot-palette run has no flag '--recods'; did you mean --records? See plot-palette run --help",
    "run job.json --zzz=1": "plot-palette run has no flag '--zzz'; see plot-palette run --help",
    "run job.json more.json": "'more.json' is one argument too many; see plot-palette run --help",
    "run job.json --records": "--records: 1 required N missing; see plot-palette run --help",
    "run job.json --records 0": "--records: Value 0 not in range 1 to 10000000; see plot-palette run --help",
    "run job.json --concurrency many": "--concurrency: Value many not in range 1 to 10000; see plot-palette run --help",
    "preview job.json -n 101": "--count: Value 101 not in range 1 to 100; see plot-palette preview --help",
    "show": "JOB_ID is required; see plot-palette show --help",
    "jobs --quiet": "plot-palette jobs has no flag '--quiet'; see plot-palette jobs --help",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_line_is_one_line_that_says_what_to_do(palette, line):
    palette.write("job.json", JOB)
    assert only_error(palette.run(*line.split(), expect=2)) == "error: " + WRONG[line]
    assert not (palette.folder / ".plot-palette").exists()


@pytest.mark.parametrize("flags, told", [
    (["--budget", "much"], "--budget: error: found 'much'; US dollars above 0 and up to 1000000 are allowed"),
    (["--format", "xls"], "--format: error: found 'xls'; allowed are jsonl, parquet and csv"),
    (["--model", "ofline"], "--model: error: the model 'ofline' is not known; did you mean offline?"),
    (["--data-dir", "job.json"], "job.json: error: "), (["--out", "job.json/x"], "job.json/x: error: "),
])
def test_flags_that_cannot_be_are_bad_input(palette, flags, told):
    palette.write("job.json", JOB)
    done = palette.run("run", "job.json", *flags, expect=2)
    assert told in done.stderr and done.stderr.endswith("1 error; nothing was started\n")
    assert not (palette.folder / ".plot-palette").exists()


# --- init

def test_init_makes_a_job_that_runs_as_it_is(palette):
    assert palette.run("init").stdout == "Wrote job.yaml and seeds.jsonl. Now: plot-palette run job.yaml\n"
    assert palette.run("run", "job.yaml").stderr == ""
    rows = read_jsonl(palette.export())
    assert len(rows) == 20 and list(rows[0]) == ["topic", "question", "answer"]
    assert palette.export("csv").exists()
    palette.run("template", "check", "job.yaml")


def test_init_into_a_new_folder_as_json(palette):
    files = json.loads(palette.run("init", "some/where", "--json").stdout)["files"]
    assert files == ["some/where/job.yaml", "some/where/seeds.jsonl"]
    palette.run("run", files[0], "--quiet")


@pytest.mark.parametrize("name", ["job.yaml", "seeds.jsonl"])
def test_init_refuses_to_overwrite(palette, name):
    palette.write(name, "mine")
    error = only_error(palette.run("init", expect=2))
    assert error == f"error: {name}: this file is there already; nothing was written. Name another folder: plot-palette init DIR"
    assert [path.name for path in palette.folder.iterdir()] == [name] and (palette.folder / name).read_text() == "mine"


# --- preview

def test_preview_shows_prompts_answers_and_the_row_and_keeps_nothing(palette):
    palette.write("job.json", JOB)
    before = sorted(palette.folder.iterdir())
    told = palette.run("preview", "job.json", "-n", "2").stdout
    assert sorted(palette.folder.iterdir()) == before
    assert re.findall(r"^Record (\d+) \(seed row \"[A-Z]{2}\"\)$", told, re.MULTILINE) == ["0", "1"]
    assert "    prompt: Ask about: " in told and "    prompt: Answer: " in told and "    output: " in told and '{"country":"' in told
    assert re.search(r"^  answer \(offline, \d+ \+ \d+ tokens\)$", told, re.MULTILINE)


def test_preview_makes_the_first_records_of_the_run(palette):
    palette.write("job.json", JOB)
    shown = [json.loads(line) for line in palette.run("preview", "job.json", "--json").stdout.splitlines()]
    palette.run("run", "job.json")
    assert shown == read_jsonl(palette.export())[:3]


def test_preview_takes_flags_and_tells_failures(palette):
    palette.write("job.json", JOB)
    done = palette.run("preview", "job.json", "--model", "offline?fail_rate=1&fail_kind=refused", "-n", "1", expect=1)
    assert "  failed: step 'question': the model failed on purpose" in done.stdout


# --- jobs and show

def test_jobs_of_nothing(palette):
    assert palette.jobs() == []
    assert palette.run("jobs").stdout == ("There are no jobs in .plot-palette yet. Make one: plot-palette init, then plot-palette run job.yaml\n")
    assert not (palette.folder / ".plot-palette").exists()


def test_jobs_lists_them_oldest_first(made):
    made.write("other.json", {**JOB, "name": "another", "num_records": 1})
    made.run("run", "other.json", "--quiet", "--budget", "2")
    first, second = made.jobs()
    assert (first["job_id"], first["name"], first["status"], first["records_generated"]) == (made.id, "two-steps", "COMPLETED", 60)
    assert (second["name"], second["num_records"], second["budget_limit"], first["budget_limit"]) == ("another", 1, "2", None)
    assert first["created_at"] < second["created_at"]
    lines = made.run("jobs").stdout.splitlines()
    assert lines[0].split() == ["JOB", "STATUS", "RECORDS", "FAILED", "COST", "CREATED"]
    assert lines[1].split()[:5] == [made.id, "COMPLETED", "60/60", "0", "$0.00"]
    assert len({line.index(word) for line, word in zip(lines, ["CREATED", first["created_at"], second["created_at"]])}) == 1  # aligned


def test_show_tells_status_records_cost_and_files(made):
    shown = dict(line.split(None, 1) for line in made.run("show", made.id).stdout.splitlines() if line != "costs")
    assert {name: shown[name] for name in ("job", "name", "status", "records", "cost")} == {
        "job": made.id, "name": "two-steps", "status": "COMPLETED", "records": "60 of 60", "cost": "$0.00"}
    assert shown["offline"].startswith("$0.00  (120 calls, ")
    assert (made.folder / shown["dataset"]).exists()
    as_json = json.loads(made.run("show", made.id, "--json").stdout)
    assert as_json["models"]["offline"]["calls"] == 120
    assert as_json["files"] == [shown["dataset"]]
    assert "failures" not in as_json


def test_jobs_and_show_while_it_runs(palette):
    palette.write("job.json", {**JOB, "model": "offline?latency_ms=60000"})
    process = palette.start("run", "job.json", "--json")
    try:
        process.stdout.readline()  # started
        job = palette.only_job()
        assert job["status"] == "RUNNING"
        assert re.search(r"^status +RUNNING$", palette.run("show", job["job_id"]).stdout, re.MULTILINE)
    finally:
        process.kill()
        process.communicate()


# --- export

def test_export_writes_other_formats_elsewhere_and_makes_nothing(made):
    told = made.run("export", made.id, "--format", "csv,parquet", "--out", "there").stdout
    assert told == f"Exported 60 records of {made.id}.\n  there/dataset.parquet\n  there/dataset.csv\n"
    assert sorted(path.name for path in (made.folder / "there").iterdir()) == ["dataset.csv", "dataset.parquet"]
    assert made.export("jsonl").exists()  # what was there stays
    assert (made.folder / "there/dataset.csv").read_text().count("\n") >= 61


def test_export_as_json_in_the_jobs_own_format(made):
    made.export().unlink()
    done = json.loads(made.run("export", made.id, "--json").stdout)
    assert done == {"job_id": made.id, "records": 60, "files": [str(made.export().relative_to(made.folder))]}
    assert len(read_jsonl(made.export())) == 60


def test_export_of_an_unfinished_job_has_what_was_finished(palette):
    palette.write("job.json", {**RECORDS_JOB, "model": "offline?latency_ms=100", "concurrency": 12})
    process = palette.start("run", "job.json", "--json")
    while json.loads(process.stdout.readline())["event"] != "started":
        pass
    time.sleep(0.5)
    process.terminate()
    process.communicate(timeout=20)
    job = palette.only_job()["job_id"]
    palette.run("export", job, "--out", "out")
    exported = [index_of(record) for record in read_jsonl(palette.folder / "out/dataset.jsonl")]
    assert 12 <= len(exported) < 60 and exported == sorted(set(exported))


def test_export_of_a_format_that_is_none(made):
    assert only_error(made.run("export", made.id, "--format", "xls", expect=2)) == "error: --format: found 'xls'; allowed are jsonl, parquet and csv"


# --- rm

def test_rm_removes_objects_journal_and_rows(made):
    made.write("other.json", {**JOB, "name": "another"})
    made.run("run", "other.json", "--quiet")
    (made.objects() / "journal" / made.id).mkdir(parents=True)
    (made.objects() / "journal" / made.id / "attempt-0001-0001.jsonl").write_text("")
    assert made.run("rm", made.id, "--yes").stdout == f"Removed {made.id}.\n"
    assert [job["name"] for job in made.jobs()] == ["another"]
    left = [path for path in (made.folder / ".plot-palette").rglob("*") if made.id in str(path)]
    assert left == []
    assert made.id.encode() not in (made.folder / ".plot-palette/jobs.db").read_bytes() or made.run("show", made.id, expect=2)
    made.run("run", "job.json", "--quiet")  # and it can be made anew
    assert len(made.jobs()) == 2


def test_rm_as_json(made):
    assert json.loads(made.run("rm", made.id, "--json").stdout) == {"job_id": made.id, "removed": True}


def test_rm_is_refused_while_a_run_holds_the_job(palette):
    palette.write("job.json", {**JOB, "model": "offline?latency_ms=60000"})
    process = palette.start("run", "job.json", "--json")
    try:
        job = json.loads(process.stdout.readline())["job_id"]
        error = only_error(palette.run("rm", job, "--yes", expect=1))
        assert "a run works on this job (held by host " in error and f"process {process.pid}" in error and error.endswith("stop it first")
        assert palette.only_job()["status"] == "RUNNING"
    finally:
        process.kill()
        process.communicate()
    palette.run("rm", job, "--yes")
    assert palette.jobs() == []


@pytest.mark.parametrize("command", ["show", "rm", "export"])
def test_an_unknown_job(made, command):
    assert only_error(made.run(command, "no-such-job", expect=2)) == "error: there is no job 'no-such-job'; plot-palette jobs lists them"


@pytest.mark.parametrize("command", ["show", "rm", "export"])
def test_a_folder_without_jobs(palette, command):
    assert only_error(palette.run(command, "job", "--data-dir", "nowhere", expect=2)) == (
        "error: nowhere: there are no jobs here; name the folder with --data-dir, or make a job with plot-palette run")
    assert not (palette.folder / "nowhere").exists()


# --- template

def test_template_check_of_the_examples(palette):
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        palette.run("template", "check", path)
    palette.write("job.json", JOB)
    assert palette.run("template", "check", "job.json").stdout == "job.json: 2 steps, no errors\n"


def test_template_check_tells_every_error_and_makes_nothing(palette):
    palette.write("t.yaml", 'template:\n  id: t\n  steps:\n    - id: a\n      prompt: "{{ nmae }} {{ x | uper }}"\n    - id: b\n      prompt: "{{ steps.c.output }}"\n')
    done = palette.run("template", "check", "t.yaml", "--seed-data", COUNTRIES, expect=2)
    assert done.stderr.count("error:") >= 2 and "uper" in done.stderr and "'c'" in done.stderr
    findings = json.loads(palette.run("template", "check", "t.yaml", "--json", expect=2).stdout)
    assert {finding["line"] for finding in findings} == {5, 7}
    assert [path.name for path in palette.folder.iterdir()] == ["t.yaml"]


def test_template_check_says_when_variables_were_not_checked(palette):
    palette.write("t.yaml", 'template: {id: t, steps: [{id: a, prompt: "{{ anything }}"}]}')
    assert palette.run("template", "check", "t.yaml").stdout == "t.yaml: 1 step, no errors (variables were not checked: name seed rows with --seed-data)\n"


def test_template_render_shows_the_prompt_of_a_row(palette):
    palette.write("seeds.csv", "name\nFirst\nSecond\n")
    palette.write("job.json", {**RECORDS_JOB, "seed_data": "seeds.csv"})
    done = palette.run("template", "render", "job.json", "--row", "2", "--step", "question")
    assert (done.stdout, done.stderr) == ("Ask about: Second\n", "")
    done = palette.run("template", "render", "job.json", "--with", "question=Why?")
    assert done.stdout == "--- question\nAsk about: First\n--- answer\nAnswer: Why?\n"
    done = palette.run("template", "render", "job.json", "--with", "question=Why?", "--json")
    assert json.loads(done.stdout) == {"question": {"prompt": "Ask about: First"}, "answer": {"prompt": "Answer: Why?"}}


def test_template_render_says_what_it_lacks(palette):
    palette.write("job.json", JOB)
    done = palette.run("template", "render", "job.json")
    assert done.stdout.startswith("--- question\nAsk about: ")
    lacks = "the step 'answer' uses what earlier steps answer; give it: --with question=TEXT"
    assert done.stderr == f"left out: {lacks}\n"
    assert only_error(palette.run("template", "render", "job.json", "--step", "answer", expect=2)) == f"error: job.json: {lacks}"
    assert only_error(palette.run("template", "render", "job.json", "--step", "nope", expect=2)) == (
        "error: --step: there is no step 'nope'; known are question, answer")
    rows = len(COUNTRIES.read_text().splitlines())
    assert only_error(palette.run("template", "render", "job.json", "--row", rows + 1, expect=2)) == (
        f"error: --row: found {rows + 1}; the seed data has rows 1 to {rows}")
    assert only_error(palette.run("template", "render", "job.json", "--with", "x=1", expect=2)) == (
        "error: --with: found 'x=1'; STEP=TEXT with the id of a step is expected")
