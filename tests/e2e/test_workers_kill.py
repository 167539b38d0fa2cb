"""Four workers on one job, of which every few hundred ms one is killed (-9, or TERM) and another started, until it is done;
DynamoDB and S3 fail behind fault proxies meanwhile. Whatever happens: every index once, the budget uncrossed, the job done.

    PALETTE_KILL_SEEDS=200     how many such jobs (3)
    PALETTE_KILL_SEED=1        the first of their seeds: who is killed when
    PALETTE_KILL_AT_ONCE=3     how many of them side by side
"""
import collections
import concurrent.futures
import datetime
import decimal
import os
import random
import signal
import threading
import time

import pytest

from aws_place import TERMINAL, check_exact_cost, check_money, check_whole, make_place, record_of, rows_by_index, until, usd  # noqa: F401
from conftest import COUNTRIES, two_step_job

SEEDS = int(os.environ.get("PALETTE_KILL_SEEDS", "3"))
FIRST_SEED = int(os.environ.get("PALETTE_KILL_SEED", "1"))
AT_ONCE = int(os.environ.get("PALETTE_KILL_AT_ONCE", "3"))
RECORDS, PARTS, WORKERS = 5000, 8, 4
CONCURRENCY, LATENCY_MS = 24, 50
LEASE_S, FLUSH_S = 3, 0.5
# A flush may be late by an interval before calls stop; and what it takes to be written through a proxy that fails.
REPEATED_S = 2 * FLUSH_S + 0.5
LATE_S = 0.5  # how much later than it was given an answer may be noted here
BUDGET = 20
RUN_S_MAX = 240
ENV = {"PALETTE_LEASE_S": str(LEASE_S), "PALETTE_FLUSH_S": str(FLUSH_S)}
FAULTS = {"500": 0.01, "503": 0.01, "500_after": 0.005, "cut_before": 0.005, "cut_after": 0.01, "half": 0.005, "slow": 0.01}
OF_DYNAMODB = {"throttle": 0.01, "conflict": 0.02, "in_progress": 0.01}
OF_S3 = {"conflict": 0.02}


def flags(faults, seed):
    return ["--seed", seed, "--slow-ms", 200, *[word for kind, rate in faults.items() for word in ("--fault", f"{kind}={rate}")]]


def job_file(**more):
    return two_step_job(COUNTRIES, "name", **{"num_records": RECORDS, "parts": PARTS, "model": "claude-haiku", "budget_limit": BUDGET,
                                              "concurrency": CONCURRENCY, "output_format": ["JSONL", "CSV", "PARQUET"], **more})


class Watch(threading.Thread):
    """Notes when each call was answered."""

    def __init__(self, sim):
        super().__init__(daemon=True)
        self.sim, self.calls, self.done = sim, [], threading.Event()
        self.start()

    def look(self):
        new = self.sim.calls(self.calls[-1][1]["number"] if self.calls else 0)
        now = time.time()
        self.calls += [(now, call) for call in new]

    def run(self):
        while not self.done.wait(0.02):
            self.look()

    def end(self):
        """[(seconds since 1970, call), …] of all answers."""
        self.done.set()
        self.join()
        self.sim.settled_stats()
        self.look()
        return [(at, call) for at, call in self.calls if call["outcome"] == "answered"]


class Chaos:
    """One job, and what was done to its workers: (when, worker, signal)."""

    def __init__(self, place, seed, job):
        self.place, self.seed, self.draw = place, seed, random.Random(seed)
        self.deeds = []
        self.watch = Watch(place.sim)
        self.job_id = place.submit(job)

    def run(self):
        started = time.monotonic()
        living = [self.place.start_worker("--drain", env=ENV) for _ in range(WORKERS)]
        while True:
            time.sleep(self.draw.uniform(0.2, 0.7))
            if self.place.job(self.job_id)["status"] in TERMINAL:
                break
            assert time.monotonic() - started < RUN_S_MAX, f"not done in {RUN_S_MAX} s"
            victim = living.pop(self.draw.randrange(len(living)))
            deed = self.draw.choice([signal.SIGKILL, signal.SIGTERM])
            victim.send(deed)
            self.deeds.append((time.time(), victim, deed))
            living.append(self.place.start_worker("--drain", env=ENV))
        killed = {worker for _, worker, deed in self.deeds if deed == signal.SIGKILL}
        for worker in self.place.workers:
            code = worker.wait()
            assert code == 0 or (worker in killed and code == -signal.SIGKILL), worker.told()
        self.answers = self.watch.end()
        self.seconds = time.monotonic() - started

    def kills(self):
        """When a worker went while it held parts, without a word: killed, or fenced off. [(when, {part: since})]"""
        gone = [(at, worker, None) for at, worker, deed in self.deeds if deed == signal.SIGKILL]
        gone += [(moment(event), worker, event["part"]) for worker in self.place.workers for event in worker.events("fenced")]
        return [(at, {event["part"]: moment(event) for event in worker.claims() if part in (None, event["part"])}) for at, worker, part in gone]

    def check_repeats(self):
        """Promise 2: an answer that was paid for twice came within a flush of a kill, to a part of whom was killed. Repeats by kill."""
        kills = self.kills()
        by_kill, lost = collections.Counter(), []
        last = {}
        for at, call in self.answers:
            identity = call["identity"]
            if identity in last:
                part, before = part_of(record_of(identity)), last[identity]
                found = next((k for k, (when, parts) in enumerate(kills) if part in parts and when - REPEATED_S <= before <= when + LATE_S), None)
                if found is None:
                    lost.append(f"{identity} of part {part}, answered {before:.3f} and {at:.3f}")
                else:
                    by_kill[found] += 1
            last[identity] = at
        assert lost == [], f"{len(lost)} answers were paid for again though nobody was killed: {lost[:5]}; kills {kills}"
        bound = REPEATED_S * 1000 / LATENCY_MS * CONCURRENCY
        assert all(repeats <= bound for repeats in by_kill.values()), by_kill
        return by_kill

    def check_budget(self, budget):
        stats, job = self.place.sim.settled_stats(), self.place.job(self.job_id)
        total, models = check_money(self.place, self.job_id)
        assert models <= stats["cost_usd"] <= budget
        # What is neither known nor free may have been spent.
        assert stats["cost_usd"] <= usd(budget) - job["unallocated"] - (total - models)
        return stats["cost_usd"]

    def figures(self, by_kill):
        deeds = collections.Counter(deed.name for _, _, deed in self.deeds)
        proxies = [proxy.stats() for proxy in (self.place.dynamodb_proxy, self.place.s3_proxy)]
        faults = sum((collections.Counter(stats["faults"]) for stats in proxies), collections.Counter())
        fenced = sum(len(worker.events("fenced")) for worker in self.place.workers)
        return {"seed": self.seed, "seconds": round(self.seconds, 1), "kill9": deeds["SIGKILL"], "term": deeds["SIGTERM"], "fenced": fenced,
                "faults": sum(faults.values()), "repeated": sum(by_kill.values()), "repeated_of_one_kill_max": max(by_kill.values(), default=0),
                "attempts_max": int(max(part["attempt"] for part in self.place.job(self.job_id)["parts"].values()))}


def moment(event):
    return datetime.datetime.fromisoformat(event["time"]).timestamp()


def part_of(record, records=RECORDS, parts=PARTS, interval=50):
    batches = (records + interval - 1) // interval
    return 1 + ((record // interval + 1) * parts - 1) // batches


def side_by_side(make_place, name, job, check):
    """`check(chaos)` of a job for each seed, so many at once; the figures, or what broke."""
    def story(place, seed):
        try:
            chaos = Chaos(place, seed, job)
            chaos.run()
            return check(chaos)
        except (AssertionError, OSError) as broken:
            return f"seed {seed}: {str(broken)[:6000]}\n{place.told()}"

    ends, seeds = [], list(range(FIRST_SEED, FIRST_SEED + SEEDS))
    for first in range(0, len(seeds), AT_ONCE):
        now = seeds[first:first + AT_ONCE]
        places = [make_place(f"{name}-{seed}", "--latency-ms", LATENCY_MS, dynamodb_proxy=flags({**FAULTS, **OF_DYNAMODB}, seed),
                             s3_proxy=flags({**FAULTS, **OF_S3}, seed)) for seed in now]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            ends += pool.map(story, places, now)
        for place in places:
            place.close()
    return ends


def tell(ends, capsys):
    with capsys.disabled():
        print("\n" + "\n".join(str(end) for end in ends if isinstance(end, dict)))
    broken = [end for end in ends if isinstance(end, str)]
    if broken:
        pytest.fail(f"{len(broken)} of {len(ends)} broke a promise:\n\n" + "\n\n".join(broken[:3]), pytrace=False)


def test_promises_1_to_6_workers_are_killed_until_the_job_is_done(make_place, capsys):
    def check(chaos):
        assert check_whole(chaos.place, chaos.job_id, RECORDS) == 0
        by_kill = chaos.check_repeats()
        chaos.check_budget(BUDGET)
        return chaos.figures(by_kill)

    tell(side_by_side(make_place, "seed", job_file(), check), capsys)


def test_promise_3_a_budget_that_is_too_small_is_not_crossed_by_workers_that_are_killed(make_place, capsys):
    """Each kill may strand a slice, so nobody knows how far it gets; what was made is exported."""
    budget = decimal.Decimal("0.8")

    def check(chaos):
        job = chaos.place.job(chaos.job_id)
        assert job["status"] == "BUDGET_EXCEEDED", chaos.place.told()
        spent = chaos.check_budget(budget)
        rows = rows_by_index(chaos.place, chaos.job_id)
        exported = chaos.place.export(chaos.job_id).read_text().splitlines()
        assert len(rows) <= len(exported) == job["records_generated"]
        return {**chaos.figures(collections.Counter()), "billed": str(spent), "records": len(exported)}

    tell(side_by_side(make_place, "small", job_file(budget_limit=float(budget)), check), capsys)


def test_promise_2_one_kill_9_repeats_no_more_than_a_flush_interval(make_place):
    """Nothing else fails here, so the bound is the interval and the writing of the journal."""
    place = make_place("place", "--latency-ms", 40)
    watch = Watch(place.sim)
    job_id = place.submit(job_file(num_records=1200, parts=1, output_format="JSONL"))
    first = place.start_worker("--drain", env={**ENV, "PALETTE_FLUSH_S": "1"})
    until(lambda: place.sim.stats()["answered"] > 900, 30, place.told)
    first.stop(signal.SIGKILL)
    killed = time.time()
    second = place.start_worker("--drain", env=ENV)
    assert second.wait() == 0, second.told()
    assert second.events("recovered")
    assert moment(second.claims()[0]) - killed < LEASE_S + 6
    answers = watch.end()
    flushed = sum(at < killed - 1.3 for at, _ in answers)
    at_kill = sum(at < killed + 0.1 for at, _ in answers)
    assert place.sim.stats()["paid_twice"] <= at_kill - flushed
    assert check_whole(place, job_id, 1200) == 0


def test_promise_2_workers_that_are_told_to_go_repeat_nothing_through_all_faults(make_place):
    """Only TERM, again and again, while the services fail: not one answer is paid for twice."""
    place = make_place("place", "--latency-ms", LATENCY_MS, dynamodb_proxy=flags({**FAULTS, **OF_DYNAMODB}, 7), s3_proxy=flags({**FAULTS, **OF_S3}, 7))
    job_id = place.submit(job_file(num_records=2000, parts=4, output_format="JSONL"))
    draw = random.Random(7)
    told = 0
    while place.job(job_id)["status"] not in TERMINAL:
        workers = [place.start_worker("--drain", env={"PALETTE_LEASE_S": "20"}) for _ in range(2)]
        time.sleep(draw.uniform(0.5, 1.5))
        assert [worker.stop() for worker in workers] == [0, 0], place.told()
        told += 2
        assert told < 100
    assert told >= 6
    assert check_whole(place, job_id, 2000) == 0
    assert (place.sim.stats()["answered"], place.sim.stats()["paid_twice"]) == (4000, 0)
    check_exact_cost(place, job_id)
