"""Promises 3 and 4 by simulation: random jobs with random prices and budgets, against a server whose tokens are counted by
a tokenizer of its own (tests/support/token_server.py) and which throttles, loses, cuts and spoils answers; many jobs are
killed, stopped and run again. Whatever happens, the server never bills more than the budget, and the books add up.

    PALETTE_SIMULATION_JOBS=1000         how many jobs
    PALETTE_SIMULATION_SEED=1            another seed: other jobs
    PALETTE_SIMULATION_ONLY=1/317        that job alone, as a failure names it; its folder is kept
"""
import collections
import concurrent.futures
import contextlib
import dataclasses
import decimal
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import Palette, index_of
from token_server import (FAULTS, KINDS, TOKENS_AROUND_MESSAGE_MAX, TOKENS_AROUND_REQUEST_MAX, Prices, ServerPlan, Tokens,
                          TokenServer, random_text)

JOBS = int(os.environ.get("PALETTE_SIMULATION_JOBS", "1000"))
SEED = os.environ.get("PALETTE_SIMULATION_SEED", "1")
ONLY = os.environ.get("PALETTE_SIMULATION_ONLY")
AT_ONCE = 6  # they wait more than they work
RUN_S_MAX = 90
PICO = 10 ** 12
BUDGET_MAX_PICO = 10 ** 6 * PICO
PRICE_MAX = 10 ** 11  # pico-dollars a token
SHAPES = {  # step -> the steps whose answers it reads
    "one": {"a": []}, "chain": {"a": [], "b": ["a"]}, "long chain": {"a": [], "b": ["a"], "c": ["b", "a"]},
    "fan": {"a": [], "b": ["a"], "c": ["a"]}, "join": {"a": [], "b": [], "c": ["a", "b"]}, "apart": {"a": [], "b": []},
}


def usd(pico):
    """Exact decimal dollars."""
    return f"{decimal.Decimal(pico) / PICO:f}"


def pico(text):
    amount = decimal.Decimal(text) * PICO
    assert amount == int(amount), f"{text} is finer than a pico-dollar"
    return int(amount)


@dataclasses.dataclass
class Step:
    id: str
    models: list
    system: str   # or ""
    prompt: str
    reads: list
    max_tokens: int

    def template(self):
        return self.prompt + "{{ text }}" + "".join("\n{{ steps.%s.output }}" % step for step in self.reads)


@dataclasses.dataclass
class Stop:
    how: str           # "kill", "term", "write": killed at a durable write
    calls: int = 0     # once the server has had so many calls of this run
    delay_ms: float = 0
    write: int = 0


@dataclasses.dataclass
class Command:
    """`run` until it ends, interrupted so many times before."""
    num_records: int
    budget_pico: int
    stops: list


@dataclasses.dataclass
class Plan:
    name: str
    job: dict
    steps: list
    rows: list
    server: ServerPlan
    commands: list
    killed: bool

    def bound_pico(self, answer_bytes, of_rows=max):
        """The most that a record may cost: bytes as tokens, and all of max_tokens. `answer_bytes`: step -> of its longest answer."""
        total = 0
        for step in self.steps:
            sizes = of_rows(len(text.encode()) for text in self.rows) + len(step.prompt.encode()) + len(step.system.encode())
            sizes += sum(answer_bytes[read] + 1 for read in step.reads)
            sizes += TOKENS_AROUND_REQUEST_MAX + TOKENS_AROUND_MESSAGE_MAX * (2 if step.system else 1)
            total += max(sizes * max(p.input, p.cached) + step.max_tokens * p.output
                         for p in (self.server.prices[model] for model in step.models))
        return total


def random_price(draw):
    """Pico-dollars a token: USD per million tokens with up to 6 decimals, from nothing to 100,000."""
    low, high = draw.choice([(0, 0), (1, 100), (100, 10 ** 5), (10 ** 5, 10 ** 7), (10 ** 5, 10 ** 7), (10 ** 5, 10 ** 7), (10 ** 7, 10 ** 10),
                             (10 ** 10, PRICE_MAX)])
    return draw.randint(low, high) // (places := 10 ** draw.randint(0, 4)) * places or low


def random_prices(draw):
    given, said = random_price(draw), random_price(draw)
    if given == said == 0:
        said = draw.randint(1, 10 ** 7)
    return Prices(given, said, draw.choice([given, given // 10, given // 2, min(given * 2, PRICE_MAX)]))


def random_faults(draw, calls):
    """Shares such that a job sees a few of them, seldom many."""
    if draw.random() < 0.4:
        return {}
    kinds = draw.sample(list(FAULTS), draw.randint(1, 5))
    total = min(draw.choice([0.1, 0.25, 0.25, 0.6]), draw.choice([2, 5, 12]) / calls)
    return {kind: total / len(kinds) for kind in kinds}


def random_stops(draw, calls):
    """One or several, at a call of the run (or before any; early ones more often: the budget may end it), or at a durable write."""
    stops = []
    for _ in range(draw.choice([1, 1, 2, 3])):
        how = draw.choice(["kill", "kill", "term", "write"])
        stops.append(Stop(how, int(calls * draw.random() ** 2), draw.choice([0, draw.uniform(0, 5), draw.uniform(0, 60)]), draw.randint(1, 12)))
    return stops


def random_steps(draw, models):
    shape = SHAPES[draw.choice(list(SHAPES))]
    steps = []
    for name, reads in shape.items():
        chosen = draw.sample(models, len(models)) if draw.random() < 0.2 else [draw.choice(models)]
        system = random_text(draw.choice(["english", "cjk", "emoji"]), draw, draw.randint(5, 120)) if draw.random() < 0.4 else ""
        steps.append(Step(name, chosen, system, draw.choice(["", "Answer: ", "请回答：", "🤔 "]), reads, draw.choice([1, draw.randint(1, 300), draw.randint(1, 40)])))
    return steps


def random_plan(seed, number):
    draw = random.Random(f"{seed}/{number}")
    models = ["m1", "m2"] if draw.random() < 0.3 else ["m1"]
    steps = random_steps(draw, models)
    rows = [random_text(draw.choice(KINDS), draw, draw.choice([1, draw.randint(1, 60), draw.randint(1, 400)])) for _ in range(draw.randint(1, 12))]
    records = draw.choice([1, draw.randint(1, 80), draw.randint(20, 80)])
    calls = records * len(steps)
    caches = draw.random() < 0.3
    server = ServerPlan(
        prices={model: random_prices(draw) for model in models}, seed=f"{seed}/{number}", faults=random_faults(draw, calls),
        latency_ms=draw.choice([0, 0, 0, 1, 5, 20]), slow_ms=draw.choice([50, 300, 1300]), around_message=draw.choice([3, 4, 16]),
        around_request=draw.choice([0, 3, 64]), full_share=draw.choice([0, 0.2, 1]), cached_share=draw.random() if caches else 0,
        reasoning=draw.choice(["none", "included", "beside"]), hang_up_share=0.1 if draw.random() < 0.1 else 0)
    plan = Plan(f"simulated-{number}", {}, steps, rows, server, [], False)
    bound = plan.bound_pico(collections.Counter({s.id: 4 * s.max_tokens for s in steps}))
    factor = draw.choices([draw.uniform(0.5, 1.1), draw.uniform(1, 3), draw.uniform(1, records * 0.5 + 1), records * 1.5], [1, 3, 4, 2])[0]
    budget = min(BUDGET_MAX_PICO, max(1, int(bound * factor)))
    interrupted = draw.random() < 0.45
    plan.commands.append(Command(records, budget, random_stops(draw, calls) if interrupted else []))
    if draw.random() < 0.25:
        records += draw.randint(1, 60)
    if draw.random() < 0.35:
        budget = min(BUDGET_MAX_PICO, int(budget * draw.uniform(1, 3)) + draw.randint(0, 2) * bound)
    if (records, budget) != (plan.commands[0].num_records, plan.commands[0].budget_pico):
        plan.commands.append(Command(records, budget, random_stops(draw, calls) if interrupted and draw.random() < 0.5 else []))
    plan.killed = any(stop.how != "term" for command in plan.commands for stop in command.stops)
    plan.job = {
        "name": plan.name, "model": "sim/m1", "seed_data": "seeds.jsonl", "seed": draw.randint(0, 10 ** 9), "num_records": plan.commands[0].num_records,
        "concurrency": draw.choice([1, draw.randint(1, 8), draw.randint(1, 64), 64]), "max_failure_ratio": draw.choice([1, 1, 0.5]),
        "accept_truncated": draw.random() < 0.85,
        "template": {"steps": [{"id": s.id, "model": ["sim/" + m for m in s.models], "prompt": s.template(), "max_tokens": s.max_tokens,
                                **({"system": s.system} if s.system else {})} for s in steps]}}
    return plan


class Simulation:
    """One job, from its first run to its last."""

    def __init__(self, plan, folder, server):
        self.plan, self.palette, self.server, self.ledger = plan, Palette(folder), server, server.ledger
        self.figures = []  # of jobs that the budget stopped: left / bound of a record
        self.outcomes = collections.Counter()
        self.write_files()

    def write_files(self):
        self.palette.write("seeds.jsonl", "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in self.plan.rows))
        self.palette.write("job.json", self.plan.job)
        million = 10 ** 6  # pico-dollars a token are millionths of a dollar a million tokens
        models = ",\n".join('{"id": "sim/%s", "prices": {"input": %s, "output": %s, "cache_read": %s}}' % (
            model, *(f"{decimal.Decimal(each) / million:f}" for each in (p.input, p.output, p.cached))) for model, p in self.plan.server.prices.items())
        self.palette.write("models.json", '{"endpoints": [{"name": "sim", "url": "%s"}],\n"models": [%s]}\n' % (self.server.url, models))

    def run(self):
        for number, command in enumerate(self.plan.commands):
            for stop in command.stops:
                self.interrupt(command, stop)
            if not self.run_to_the_end(command, is_first=number == 0):
                return

    def command_line(self, command):
        return self.palette.command("run", "job.json", "--json", "--models", "models.json", "--records", command.num_records,
                                    "--budget", usd(command.budget_pico))

    def start(self, command, env=None):
        with open(self.palette.folder / "stdout", "w") as out, open(self.palette.folder / "stderr", "a") as err:
            return subprocess.Popen(self.command_line(command), cwd=self.palette.folder, env=self.palette.environment(env), stdout=out, stderr=err)

    def interrupt(self, command, stop):
        before = self.ledger.calls
        process = self.start(command, {"PALETTE_CRASH_AT_WRITE": str(stop.write)} if stop.how == "write" else None)
        try:
            if stop.how != "write":
                while process.poll() is None and self.ledger.calls < before + stop.calls:
                    time.sleep(0.002)
                time.sleep(stop.delay_ms / 1000)
                process.send_signal(signal.SIGKILL if stop.how == "kill" else signal.SIGTERM)
            process.wait(RUN_S_MAX)
        finally:
            process.kill()
            process.wait()
        self.outcomes[f"{stop.how}: {process.returncode}"] += 1
        # A polite stop before the program listens to signals is a plain end, before it has begun anything.
        assert process.returncode in (0, 1, 2, 3, 143, -signal.SIGKILL, -signal.SIGTERM), process.returncode
        assert process.returncode != -signal.SIGTERM or self.ledger.calls == before
        self.check_bill(command)

    def run_to_the_end(self, command, is_first):
        """False when it was refused."""
        calls = self.ledger.calls
        process = self.start(command)
        try:
            process.wait(RUN_S_MAX)
        finally:
            process.kill()
            process.wait()
        self.check_bill(command)
        if process.returncode == 2:
            self.check_refusal(command, calls)
            return False
        finished = [e for e in self.events() if e["event"] == "finished"]
        assert len(finished) == 1, f"exit code {process.returncode} without a finished event"
        self.check_books(command, finished[0]["costs"])
        self.check_end(command, process.returncode, finished[0])
        return True

    def events(self):
        return [json.loads(line) for line in (self.palette.folder / "stdout").read_text().splitlines()]

    def table(self, query):
        with contextlib.closing(sqlite3.connect(self.palette.folder / ".plot-palette/jobs.db")) as tables:
            return tables.execute(query).fetchall()

    def check_bill(self, command):
        self.server.settle()
        assert self.ledger.billed_pico <= command.budget_pico, f"billed {self.ledger.billed_pico} of {command.budget_pico}: OVERSHOOT"

    def check_refusal(self, command, calls):
        """Only a budget that may not cover a record is refused (more records may have a dearer one), and nothing is started."""
        assert self.ledger.calls == calls
        assert "is less than one record may cost" in (self.palette.folder / "stderr").read_text()
        assert command.budget_pico < self.plan.bound_pico(collections.Counter({s.id: 4 * s.max_tokens for s in self.plan.steps}))
        self.outcomes["refused"] += 1

    def check_books(self, command, costs):
        total, possibly, left = (pico(costs[f"{name}_usd"]) for name in ("total", "possibly_spent", "left"))
        assert total + possibly + left == command.budget_pico == pico(costs["budget_usd"])
        assert min(total, possibly, left) >= 0
        for parts in ("models", "steps"):
            assert sum(pico(part["cost_usd"]) for p in (parts, "waste") for part in costs[p].values()) == total
        rows = self.table("select fields from CostTracking")
        assert sum(pico(json.loads(fields)["delta_usd"]) for (fields,) in rows) == total
        ledger = self.ledger
        assert ledger.billed_pico <= total + possibly
        if not self.plan.killed:
            assert possibly == 0
            # To the pico-dollar: what was told is booked as told, the rest at its bound. A request on a connection that the
            # server has closed may be assumed to have arrived.
            assert total >= ledger.known_pico + ledger.assumed_pico
            assert total == ledger.known_pico + ledger.assumed_pico or ledger.hung_up > 0

    def check_end(self, command, code, finished):
        status = finished["status"]
        self.outcomes[status] += 1
        assert (code, status) in ((0, "COMPLETED"), (1, "FAILED"), (3, "BUDGET_EXCEEDED"))
        assert self.table("select status from Jobs") == [(status,)]
        assert (status == "COMPLETED") == ("error" not in finished)
        succeeded = collections.Counter(index_of(record) for batch in self.palette.batches(finished["job_id"]).values() for record in batch)
        failed = {line["index"] for batch in self.palette.failures(finished["job_id"]).values() for line in batch} - set(succeeded)
        assert set(succeeded.values()) <= {1}
        indexes = set(succeeded) | failed
        assert indexes <= set(range(max(c.num_records for c in self.plan.commands)))
        if status == "COMPLETED":
            assert set(range(command.num_records)) <= indexes
        if not self.plan.killed and self.outcomes["FAILED"] == 0:
            assert all(times == 1 for times in self.ledger.answered.values()), "an answer was paid for twice"
        if status == "BUDGET_EXCEEDED":
            self.check_left(pico(finished["costs"]["left_usd"]))

    def check_left(self, left):
        longest = collections.Counter({s.id: max(4 * s.max_tokens, self.ledger.answer_bytes_max[s.id]) for s in self.plan.steps})
        bound = self.plan.bound_pico(longest)
        if not self.plan.killed:
            self.figures.append(left / bound)
            # The issue allows a bound for each record in progress; their number shrinks to one towards the end, and the last
            # one has ended.
            assert left < bound

    def story(self):
        ledger = {name: dict(value) if isinstance(value, dict) else value for name, value in vars(self.ledger).items() if name != "lines"}
        lines = self.ledger.lines
        return "\n".join([
            f"again: PALETTE_SIMULATION_ONLY={self.plan.server.seed}", f"folder: {self.palette.folder}",
            f"job.json: {json.dumps(self.plan.job, ensure_ascii=False)[:4000]}", f"models.json: {(self.palette.folder / 'models.json').read_text()}",
            f"commands: {self.plan.commands}", f"server: {self.plan.server}", f"ledger: {ledger}"[:4000],
            *([f"… {len(lines) - 40} calls before"] if len(lines) > 40 else []), *lines[-40:],
            "stdout: " + (self.palette.folder / "stdout").read_text()[-4000:], "stderr: " + (self.palette.folder / "stderr").read_text()[-4000:]])


def simulate(seed, number, folder, server):
    """(figures, outcomes, ledger), or the text of what broke."""
    plan = random_plan(seed, number)
    folder.mkdir()
    job_server = server.open(plan.server)
    simulation = Simulation(plan, folder, job_server)
    try:
        simulation.run()
    except (AssertionError, subprocess.TimeoutExpired) as error:
        place = error.__traceback__
        while place.tb_next is not None:
            place = place.tb_next
        what = str(error).split("\n", 1)[0]
        text = f"job {seed}/{number}, {place.tb_frame.f_code.co_name}, line {place.tb_lineno}: {type(error).__name__} {what}\n{simulation.story()}"
        (folder / "story.txt").write_text(text)
        return text
    finally:
        job_server.close()
    if not ONLY:
        shutil.rmtree(folder)
    return simulation


def told(done, seconds):
    """The figures of a simulation, for people."""
    outcomes, kinds = collections.Counter(), collections.Counter()
    for simulation in done:
        outcomes += simulation.outcomes
        kinds += simulation.ledger.kinds
    left = sorted(figure for simulation in done for figure in simulation.figures)
    lines = [f"{len(done)} jobs in {seconds:.0f} s, {sum(kinds.values())} calls, overshoot 0", f"ends: {dict(outcomes)}", f"calls: {dict(kinds)}"]
    if left:
        shares = ", ".join(f"{share:.0%} {left[int(share * (len(left) - 1))]:.3f}" for share in (0.1, 0.5, 0.9, 0.99, 1))
        lines.append(f"left of the budget / one record's bound, {len(left)} jobs: {shares}; {sum(f >= 1 for f in left)} of 1 or more")
    return "\n".join(lines)


def test_promises_3_and_4_no_budget_is_crossed_and_the_books_add_up(tmp_path, capsys):
    seed, numbers = (ONLY.split("/")[0], [int(ONLY.split("/")[1])]) if ONLY else (SEED, range(JOBS))
    started = time.monotonic()
    with TokenServer(Tokens(seed)) as server, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda number: simulate(seed, number, tmp_path / f"job-{number}", server), numbers))
    broken = [end for end in ends if isinstance(end, str)]
    done = [end for end in ends if not isinstance(end, str)]
    with capsys.disabled():
        print("\n" + told(done, time.monotonic() - started))
    if broken:
        heads = "\n".join(text.split("\n", 1)[0] for text in broken)
        pytest.fail(f"{len(broken)} of {len(ends)} jobs broke a promise:\n{heads}\n\nthe first of them:\n\n" + "\n\n".join(broken[:3]), pytrace=False)
