"""Runs the built program as a user would. Real seed data is used where ../shared is present, examples/ always.

Tests import from this file at their top, never inside of a function: tests/sim has a conftest too, and by then the name
may stand for that one.
"""
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("PALETTE_BINARY", ROOT / "build/release/plot-palette"))
sys.path.insert(0, str(ROOT / "tests/support"))

pytest.register_assert_rewrite("aws_place")  # what its checks compare is told when they fail

from aws_stand_ins import dynamodb, fault_proxy, moto  # noqa: E402, F401
from sim import Sim  # noqa: E402

SHARED_SEEDS = ROOT.parent / "shared/testdata/seeds"
COUNTRIES = ROOT / "examples/countries.jsonl"


class Palette:
    """The program in a folder of its own: its data directory is <folder>/.plot-palette."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def command(self, *arguments):
        return [str(BINARY), *map(str, arguments)]

    def environment(self, extra=None):
        kept = {k: v for k, v in os.environ.items() if k != "CHECKPOINT_INTERVAL"
                and not k.startswith(("PALETTE_", "AWS_", "OPENAI_")) and not k.lower().endswith("_proxy")}
        own = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "NO_COLOR": "1"}
        return {**kept, **own, **(extra or {})}

    def run(self, *arguments, expect=0, env=None, timeout=120, **more):
        done = subprocess.run(self.command(*arguments), cwd=self.folder, env=self.environment(env), text=True,
                              capture_output=True, timeout=timeout, **more)
        if expect is not None:
            assert done.returncode == expect, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *arguments, env=None):
        return subprocess.Popen(self.command(*arguments), cwd=self.folder, env=self.environment(env), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text, ensure_ascii=False))
        return path

    def jobs(self):
        return json.loads(self.run("jobs", "--json").stdout)

    def only_job(self):
        jobs = self.jobs()
        assert len(jobs) == 1, jobs
        return jobs[0]

    def objects(self):
        return self.folder / ".plot-palette/objects"

    def export(self, extension="jsonl", job_id=None):
        return self.objects() / "jobs" / (job_id or self.only_job()["job_id"]) / f"exports/dataset.{extension}"

    def batches(self, job_id=None):
        """Every committed record line, by object."""
        job_id = job_id or self.only_job()["job_id"]
        folder = self.objects() / "jobs" / job_id / "outputs"
        return {path.name: [json.loads(line) for line in path.read_text().splitlines()] for path in sorted(folder.glob("batch-*.jsonl"))}

    def failures(self, job_id=None):
        job_id = job_id or self.only_job()["job_id"]
        folder = self.objects() / "jobs" / job_id / "failures"
        return {path.name: [json.loads(line) for line in path.read_text().splitlines()] for path in sorted(folder.glob("batch-*.jsonl"))}

    def journals(self):
        return sorted((self.objects() / "journal").rglob("*.jsonl"))


@pytest.fixture
def palette(tmp_path):
    return Palette(tmp_path)


@pytest.fixture
def make_palette(tmp_path):
    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        return Palette(folder)
    return make


def read_jsonl(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def index_of(record):
    return int(record["id"].rsplit("-", 1)[1])


SEED_FILES = {
    "countries": COUNTRIES,
    "self-instruct": SHARED_SEEDS / "self-instruct-seed-tasks.jsonl",
    "gsm8k": SHARED_SEEDS / "gsm8k-test.jsonl",
}

# Which text of each file the jobs ask about.
SUBJECT = {"countries": "name", "self-instruct": "instruction", "gsm8k": "question"}


@pytest.fixture(params=list(SEED_FILES))
def real_seeds(request):
    path = SEED_FILES[request.param]
    if not path.exists():
        pytest.skip(f"{path.name} is not here: the shared test data is absent")
    return request.param, path


def two_step_job(seed_file, subject, **more):
    """A question and an answer about each row, as a dict that json.dumps makes a job file of."""
    return {
        "name": "two-steps",
        "model": "offline",
        "seed_data": str(seed_file),
        "seed": 11,
        "num_records": 2000,
        "template": {"steps": [
            {"id": "question", "prompt": "Ask about: {{ %s | truncate_tokens(120) }}" % subject, "max_tokens": 40},
            {"id": "answer", "prompt": "Answer: {{ steps.question.output }}", "max_tokens": 60},
        ]},
        **more,
    }


@pytest.fixture
def start_sim():
    """Starts a stand-in with flags; each must end with 0 when the test is over."""
    started = []

    def start(*flags, **more):
        started.append(Sim.start(*flags, **more))
        return started[-1]

    yield start
    assert [sim.stop() for sim in started] == [0] * len(started)


@pytest.fixture
def sim(start_sim):
    return start_sim("--latency-ms", "20")
