"""What a job will cost: `estimate`, the question before `run`, how good it was, and the commands of docs/budget.md."""
import decimal
import json
import os
import pty
import re
import shlex
import subprocess

import pytest

from conftest import COUNTRIES, ROOT

HAIKU = "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0"
STEPS = [{"id": "question", "prompt": "Ask one question about {{ name }}.", "max_tokens": 100},
         {"id": "answer", "model": "nova-lite", "prompt": "Answer: {{ steps.question.output }}", "max_tokens": 300}]
JOB = {"name": "kitchen", "model": "claude-haiku", "seed_data": str(COUNTRIES), "seed": 7, "num_records": 100, "template": {"steps": STEPS}}
COSTS = "about $0.0326, at most $0.0801"


@pytest.fixture
def kitchen(palette, sim):
    palette.write("job.json", JOB)
    palette.sim = sim
    return palette


def run(palette, *arguments, expect=0, env=None, **more):
    return palette.run(*arguments, expect=expect, env={**palette.sim.environment(), **(env or {})}, stdin=subprocess.DEVNULL, **more)


def answered(palette, answer, *arguments):
    """(exit code, what the terminal showed) of a command that is answered so."""
    master, slave = pty.openpty()
    process = subprocess.Popen(palette.command(*arguments), cwd=palette.folder, env=palette.environment(palette.sim.environment()),
                               stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
        if answer is not None and shown.endswith(b"[y/N] "):
            os.write(master, answer.encode())
            answer = None
    os.close(master)
    return process.wait(timeout=30), shown.decode().replace("\r\n", "\n")


def money(text):
    return decimal.Decimal(text)


# --- estimate

def test_the_table_says_what_is_a_guess_and_what_is_a_bound(kitchen):
    done = run(kitchen, "estimate", "job.json")
    assert done.stderr == "" and kitchen.sim.stats()["calls"] == 0
    assert not (kitchen.folder / ".plot-palette").exists()
    assert done.stdout == f"""\
STEP      PROMPT TOKENS  ANSWER TOKENS  MOST  COST OF A RECORD    AT MOST  MODEL
question              8             50   100         $0.000284    $0.0007  {HAIKU}
answer              102            150   300        $0.0000421  $0.000102  bedrock/us.amazon.nova-lite-v1:0

records  100
calls    200
cost     {COSTS}
tokens   about 31,000
time     about 5 s

Prompts: 100 records of the job, rendered; four bytes are taken as a token.
A guess: how long answers are (half of the most, at most 512 tokens); --calibrate 5 measures it.
A bound: "at most" takes every byte of a prompt as a token and every answer at its longest; retries come on top.
"""


def test_json_has_the_same(kitchen):
    told = json.loads(run(kitchen, "estimate", "job.json", "--json", "--records", "1000", "--concurrency", "10").stdout)
    assert (told["records"], told["calls"], told["priced"], told["calibrated"]) == (1000, 2000, True, None)
    assert [step["step"] for step in told["steps"]] == ["question", "answer"]
    assert told["steps"][0]["answer_tokens_max"] == 100
    assert money(told["at_most_usd"]) > money(told["expected_usd"]) > 0
    # Two calls of 0.5 s and 20 ms for each of 50 + 150 tokens; 10 records at once.
    assert told["duration_ms"] == (2 * 500 + 200 * 20) * 1000 // 10


def test_rates_stretch_the_time(kitchen):
    kitchen.write("job.json", {**JOB, "requests_per_minute": 50})
    assert json.loads(run(kitchen, "estimate", "job.json", "--json").stdout)["duration_ms"] == 120_000  # 100 calls of each model
    kitchen.write("job.json", {**JOB, "tokens_per_minute": 252})
    assert "time     about 1 h 40 min\n" in run(kitchen, "estimate", "job.json").stdout  # (102 + 150) x 100 tokens of the slower


def test_offline_jobs_are_free(kitchen):
    told = run(kitchen, "estimate", "job.json", "--model", "offline").stdout
    assert "cost     nothing: its models are offline stand-ins\n" in told and "guess" not in told
    assert re.search(r"^question .* free +free +offline$", told, re.MULTILINE)


def test_a_model_without_a_price_is_said_to_have_none(kitchen):
    told = run(kitchen, "estimate", "job.json", "--model", "openai/some-model")
    assert "cost     not known (no price is known for openai/some-model)\n" in told.stdout
    assert "A bound" not in told.stdout
    told = json.loads(run(kitchen, "estimate", "job.json", "--model", "openai/some-model", "--json").stdout)
    assert (told["priced"], told["expected_usd"], told["at_most_usd"], told["steps"][0]["record_expected_usd"]) == (False, None, None, None)


# --- --calibrate

def test_calibrate_pays_for_the_first_records_and_keeps_them(kitchen):
    told = run(kitchen, "estimate", "job.json", "--calibrate", "5", "--yes")
    stats = kitchen.sim.stats()
    job = kitchen.only_job()
    assert stats["calls"] == 10 and job["records_generated"] == 5
    assert told.stderr == ""
    assert re.search(r"^cost     about \$0\.\d+ \(\$0\.\d+ to \$0\.\d+, 95 %\), at most \$0\.0801$", told.stdout, re.MULTILINE)
    assert f"Measured: 5 records, $0.002" in told.stdout and f"made now. The job {job['job_id']} keeps them; run goes on with it.\n" in told.stdout
    kept = job["estimate"]
    assert kept["calibrated"] is True and kept["records"] == 100
    assert money(kept["low_usd"]) < money(kept["expected_usd"]) < money(kept["high_usd"])
    assert money(kept["expected_usd"]) == money(job["cost_usd"]) * 20

    done = run(kitchen, "run", "job.json", "--yes")
    stats, after = kitchen.sim.stats(), kitchen.only_job()
    assert after["job_id"] == job["job_id"] and (stats["calls"], stats["paid_twice"]) == (200, 0)
    off = round((money(after["cost_usd"]) / money(kept["expected_usd"]) - 1) * 100)
    how = f"{abs(off)} % {'more' if off > 0 else 'less'}" if off else "as much"
    assert re.search(rf"^  Estimated \$0\.\d+ \(\$0\.\d+ to \$0\.\d+\) before: it cost {how}\.$", done.stdout, re.MULTILINE)
    assert after["estimate"] == kept


def test_calibrate_json_counts_what_failed_too(kitchen):
    flaky = [{**STEPS[0]}, {**STEPS[1], "model": "offline?fail_rate=0.4&fail_kind=refused"}]
    kitchen.write("job.json", {**JOB, "max_failure_ratio": 1.0, "template": {"steps": flaky}})
    told = json.loads(run(kitchen, "estimate", "job.json", "--calibrate", "20", "--yes", "--json").stdout)["calibrated"]
    job, stats = kitchen.only_job(), kitchen.sim.stats()
    assert 0 < told["failed"] == job["records_failed"] < 20 == told["records"] == told["made_now"] == stats["calls"]
    assert money(told["paid_usd"]) == stats["models"][HAIKU.removeprefix("bedrock/")]["cost_usd"] == money(job["cost_usd"])


def test_calibrate_passes_on_why_the_run_failed(kitchen):
    kitchen.write("job.json", {**JOB, "model": "offline?fail_rate=1&fail_kind=refused"})
    told = run(kitchen, "estimate", "job.json", "--calibrate", "3", "--yes", expect=1)
    assert told.stdout == "" and "FAILED" in told.stderr


def test_records_that_are_there_already_are_measured_without_a_call(kitchen):
    run(kitchen, "run", "job.json", "--yes")
    calls = kitchen.sim.stats()["calls"]
    told = run(kitchen, "estimate", "job.json", "--records", "300", "--calibrate", "5").stdout
    assert "Measured: 100 records, " in told and "made before." in told
    assert "every record is made" in run(kitchen, "estimate", "job.json", "--calibrate", "5").stdout
    assert kitchen.sim.stats()["calls"] == calls


def test_calibrate_does_not_cut_a_job_that_was_stopped(kitchen):
    run(kitchen, "run", "job.json", "--budget", "0.005", expect=3)
    made = kitchen.only_job()["records_generated"]
    told = run(kitchen, "estimate", "job.json", "--calibrate", "90", "--yes", expect=2)
    assert told.stderr == (f"error: the job {kitchen.only_job()['job_id']} stands at {made} of 100 records; measure those: "
                           f"--calibrate {made}, or go on with it: plot-palette run job.json\n")
    assert kitchen.only_job()["num_records"] == 100
    assert f"Measured: {made} records" in run(kitchen, "estimate", "job.json", "--calibrate", str(made)).stdout


def test_calibrate_asks(kitchen):
    told = run(kitchen, "estimate", "job.json", "--calibrate", "5", expect=2)
    assert told.stderr == "error: --calibrate 5 makes 5 records for real: about $0.00163, at most $0.00401; give --yes to do it\n"
    code, shown = answered(kitchen, "n\n", "estimate", "job.json", "--calibrate", "5")
    assert (code, kitchen.sim.stats()["calls"]) == (2, 0)
    assert "Go on? [y/N] n\nNothing was started.\n" in shown
    code, shown = answered(kitchen, "yes\n", "estimate", "job.json", "--calibrate", "5")
    assert (code, kitchen.sim.stats()["calls"]) == (0, 10)


# --- the question before run

def test_run_without_a_budget_wants_yes_off_a_terminal(kitchen):
    done = run(kitchen, "run", "job.json", expect=2)
    assert done.stderr == (f"error: this job may cost {COSTS} (100 records, 200 calls), and it has no budget_limit; "
                           "set budget_limit (or --budget USD), or give --yes\n")
    assert done.stdout == "" and not (kitchen.folder / ".plot-palette").exists()
    done = run(kitchen, "run", "job.json", "--model", "bedrock/some.model-v1:0", expect=2)
    assert done.stderr.startswith("error: what this job costs is not known (100 records, 200 calls): the catalogue has no price of "
                                  "bedrock/some.model-v1:0, and it has no budget_limit; ")
    assert kitchen.sim.stats()["calls"] == 0


def test_run_asks_on_a_terminal(kitchen):
    code, shown = answered(kitchen, "\n", "run", "job.json")
    assert code == 2 and not (kitchen.folder / ".plot-palette").exists()
    assert shown == (f"This job may cost {COSTS} (100 records, 200 calls); how long answers are is a guess. It has no budget_limit "
                     "(--budget USD sets one).\nGo on? [y/N] \nNothing was started.\n")
    code, shown = answered(kitchen, "y\n", "run", "job.json", "--no-progress")
    assert code == 0 and re.search(r"^  Estimated \$0\.0326 \(at most \$0\.0801\) before: it cost \d+ % \w+\.$", shown, re.MULTILINE)
    kept = kitchen.only_job()["estimate"]
    assert (kept["calibrated"], kept["records"], kept["low_usd"]) == (False, 100, "0")


def test_what_is_made_already_is_exported_without_a_question(kitchen):
    run(kitchen, "run", "job.json", "--yes")
    run(kitchen, "run", "job.json", "--out", "again")
    run(kitchen, "run", "job.json", "--records", "40")
    run(kitchen, "run", "job.json", "--fresh", expect=2)
    run(kitchen, "run", "job.json", "--records", "101", expect=2)


def test_a_budget_is_enough(kitchen):
    done = run(kitchen, "run", "job.json", "--budget", "1", "--json")
    end = json.loads(done.stdout.splitlines()[-1])
    assert end["estimate"]["expected_usd"] == kitchen.only_job()["estimate"]["expected_usd"]
    off = (money(end["cost_usd"]) / money(end["estimate"]["expected_usd"]) - 1) * 100
    assert abs(off - end["estimate"]["off_percent"]) <= decimal.Decimal("0.5")


def test_a_server_of_ones_own_is_noted_and_not_asked_about(kitchen):
    done = run(kitchen, "run", "job.json", "--model", "openai/some-model", "--records", "1")
    assert done.stderr == "note: no price is known for openai/some-model: its cost is not counted\n"
    assert "Estimated" not in done.stdout
    assert run(kitchen, "run", "job.json", "--model", "openai/some-model", "--records", "1", "--quiet").stderr == ""


def test_offline_jobs_are_never_asked_about(kitchen):
    assert "Estimated" not in run(kitchen, "run", "job.json", "--model", "offline").stdout


def test_preview_says_what_it_cost(kitchen):
    told = run(kitchen, "preview", "job.json", "-n", "2").stdout
    cost = sum(model["cost_usd"] for model in kitchen.sim.stats()["models"].values())
    assert told.splitlines()[-1] == f"This preview cost ${cost.normalize():f}."
    assert "This preview" not in run(kitchen, "preview", "job.json", "-n", "1", "--json").stdout
    assert "This preview" not in run(kitchen, "preview", "job.json", "--model", "offline").stdout


# --- docs/budget.md

def test_the_commands_of_docs_budget_work_in_their_order(kitchen):
    text = (ROOT / "docs/budget.md").read_text()
    job = re.search(r"```yaml\n# job\.yaml\n(.*?)```", text, re.DOTALL)[1]
    kitchen.write("job.yaml", job)
    kitchen.write("countries.jsonl", COUNTRIES.read_text())
    blocks = [body for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE) if kind == ""]
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) == 8
    for line in lines:
        command, _, comment = line.partition("#")
        code = int(re.search(r"exit code (\d+)", comment)[1]) if comment else 0
        words = shlex.split(command)
        assert words[0] == "plot-palette"
        run(kitchen, *words[1:], expect=code)
    assert kitchen.only_job()["records_generated"] == 400 and kitchen.sim.stats()["paid_twice"] == 0
