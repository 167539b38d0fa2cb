#!/usr/bin/env python3
"""Figures of real calls: plot-palette against a bare Boost.Beast loop and a bare aiohttp client, on the same stand-in.

    tools/setup.sh --bench; a release build; ninja -C build/release bare_beast; then
    .venv/bin/python bench/run_calls.py                        # about eleven minutes
    .venv/bin/python bench/run_calls.py --quick                # one minute: do the parts work
    .venv/bin/python bench/run_calls.py --parts calls --concurrency 256 --clients bedrock beast

bench/README.md says what each figure means.
"""
import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from process_figures import cpu_s, rss_max_mib  # noqa: E402
from run_bench import JOB  # noqa: E402
import sim as stand_in  # noqa: E402

BUILD = stand_in.BUILD
LATENCY_MS = 50
STEPS = 2
# The bound of a call must never be what limits the number in flight.
BUDGET_USD = 100_000
NAMES = {"bedrock": "plot-palette, claude-haiku, signed", "openai": "plot-palette, openai/gpt-4o-mini",
         "beast": "bare Boost.Beast", "aiohttp": "bare aiohttp"}
MODELS = {"bedrock": "claude-haiku", "openai": "openai/gpt-4o-mini"}
TARGET_CPU_S, TARGET_THROUGHPUT, TARGET_MIB, TARGET_CORE = 0.10, 0.80, 128, 0.15
SAMPLE_S = 0.1
# Of Python's records a few say enough.
AIOHTTP_RECORDS_MAX = 8_000

WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer sim-key"
wrk.body = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Write question 1 about Switzerland."}],"max_tokens":200}'
"""


def on_core(core):
    """What is started within runs on that core; None: anywhere."""
    @contextlib.contextmanager
    def pinned():
        before = os.sched_getaffinity(0)
        if core is not None:
            os.sched_setaffinity(0, {core})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)
    return pinned()


class Bench:
    """Where everything runs: a folder of its own, the client's core and the stand-in's."""

    def __init__(self, folder, client_core, sim_core):
        self.folder = folder
        self.client_core, self.sim_core = client_core, sim_core
        self.runs = 0

    def start_sim(self, latency_ms):
        with on_core(self.sim_core):
            return stand_in.Sim.start("--latency-ms", latency_ms)

    def command(self, client, sim, concurrency, records):
        port = sim.url.rpartition(":")[2]
        if client == "beast":
            return [str(BUILD / "bare_beast"), port, str(concurrency), str(records)]
        if client == "aiohttp":
            return [sys.executable, str(ROOT / "bench/aiohttp_floor.py"), port, str(concurrency), str(records)]
        self.runs += 1
        return [str(BUILD / "plot-palette"), "run", "job.json", "--quiet", "--model", MODELS[client], "--records", str(records),
                "--concurrency", str(concurrency), "--data-dir", f"data-{self.runs}"]

    def start(self, client, sim, concurrency, records):
        kept = {k: v for k, v in os.environ.items()
                if not k.startswith(("PALETTE_", "AWS_", "OPENAI_")) and k != "CHECKPOINT_INTERVAL" and not k.lower().endswith("_proxy")}
        sim.reset()
        with on_core(self.client_core):
            return subprocess.Popen(self.command(client, sim, concurrency, records), cwd=self.folder, stdout=subprocess.DEVNULL,
                                    env={**kept, **sim.environment()})


def steady_rate(samples, calls):
    """Calls per second between a third and nine tenths of all calls: without the start, the ramp, the last records and the export."""
    middle = [(at, answered) for at, answered in samples if calls / 3 <= answered <= 0.9 * calls]
    if len(middle) < 2:
        return None
    return (middle[-1][1] - middle[0][1]) / (middle[-1][0] - middle[0][0])


def run_calls(bench, client, sim, concurrency, records):
    """One client from its start to its end; its figures."""
    sim_before = cpu_s(sim.process.pid)
    started = time.perf_counter()
    process = bench.start(client, sim, concurrency, records)
    samples, rss = [], 0.0
    try:
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            samples.append((time.perf_counter(), sim.stats()["answered"]))
            rss = max(rss, rss_max_mib(process.pid))
            time.sleep(SAMPLE_S)
        process.returncode = os.waitstatus_to_exitcode(ended[1])
    finally:
        if process.returncode is None:  # the stand-in is gone, or somebody has pressed Ctrl-C
            process.kill()
            process.wait()
    wall = time.perf_counter() - started
    usage = ended[2]
    stats = sim.stats()
    if process.returncode != 0 or stats["answered"] != STEPS * records or stats["calls"] != stats["answered"] or stats["paid_twice"]:
        raise SystemExit(f"{NAMES[client]}: exit code {process.returncode}, {STEPS * records} calls were expected; the stand-in counted {stats}")
    rate = steady_rate(samples, STEPS * records)
    return {"client": client, "concurrency": concurrency, "records": records,
            "cpu_s_per_1000": 1000 * (usage.ru_utime + usage.ru_stime) / records,
            "user_s_per_1000": 1000 * usage.ru_utime / records,
            "records_per_s": records / wall, "steady_records_per_s": rate and rate / STEPS,
            "rss_max_mib": rss, "in_flight_max": stats["in_flight_max"],
            "sim_cpu_s_per_1000": 1000 * (cpu_s(sim.process.pid) - sim_before) / records}


def median_of(runs):
    """Each figure's median over the repeats."""
    figures = dict(runs[0])
    for key, first in runs[0].items():
        values = [run[key] for run in runs if run[key] is not None]
        if isinstance(first, float) and values:
            figures[key] = statistics.median(values)
    return figures


def ratio_to(floors, runs, key):
    """Median of the ratios of runs of the same turn; None when none of them has the figure."""
    ratios = [run[key] / floor[key] for run, floor in zip(runs, floors) if run[key] and floor[key]]
    return statistics.median(ratios) if ratios else None


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def calls_part(bench, options, say):
    """Every client at every concurrency, taking turns, so that each ratio is of runs that stood side by side."""
    say(f"\n{LATENCY_MS} ms latency, {STEPS} calls a record, median of {options.repeats}:\n")
    say("| in flight | client | CPU-s per 1,000 records | records/s, whole run | records/s, steady | of bare Beast: whole | steady | peak MiB | sim's CPU-s per 1,000 |")
    say("|---|---|---|---|---|---|---|---|---|")
    results = []
    with bench.start_sim(LATENCY_MS) as sim:
        for concurrency in options.concurrency:
            records = int(options.seconds * concurrency * 1000 / (STEPS * LATENCY_MS))
            runs = {client: [] for client in options.clients}
            for turn in range(options.repeats):
                for client in options.clients[turn % len(options.clients):] + options.clients[:turn % len(options.clients)]:
                    asked = min(records, AIOHTTP_RECORDS_MAX) if client == "aiohttp" else records
                    runs[client].append(run_calls(bench, client, sim, concurrency, asked))
            for client in options.clients:
                figures = median_of(runs[client])
                if "beast" in runs:
                    figures["of_beast"] = ratio_to(runs["beast"], runs[client], "records_per_s")
                    figures["steady_of_beast"] = ratio_to(runs["beast"], runs[client], "steady_records_per_s")
                results.append(figures)
                say(f"| {concurrency:,} | {NAMES[client]} | {figures['cpu_s_per_1000']:.3f} | {number(figures['records_per_s'])} | "
                    f"{number(figures['steady_records_per_s'])} | {number(figures.get('of_beast'), 2)} | {number(figures.get('steady_of_beast'), 2)} | "
                    f"{number(figures['rss_max_mib'], 1)} | {figures['sim_cpu_s_per_1000']:.3f} |")
    return results


def wait_for_flight(process, sim, wanted, deadline_s):
    """Until 99 of 100 of the calls wanted are in flight at once. Seconds that it took."""
    started = time.monotonic()
    while (stats := sim.stats())["in_flight_max"] < 0.99 * wanted:
        if process.poll() is not None or time.monotonic() - started > deadline_s:
            raise SystemExit(f"{wanted} calls in flight were not reached in {time.monotonic() - started:.0f} s (exit code {process.poll()}); "
                             f"the stand-in counted {stats}")
        time.sleep(SAMPLE_S)
    return time.monotonic() - started


def run_flight(bench, client, sim, options):
    """Starts a client that would go on for long, measures two round trips of its steady part, and kills it."""
    round_trip_s = options.flight_latency_ms / 1000
    process = bench.start(client, sim, options.flight, 40 * options.flight)
    try:
        ramp_s = wait_for_flight(process, sim, options.flight, 25 * round_trip_s + 60)
        before = time.perf_counter(), cpu_s(process.pid), cpu_s(sim.process.pid), sim.stats()
        in_flight = []
        while time.perf_counter() - before[0] < 2 * round_trip_s:
            time.sleep(5 * SAMPLE_S)
            in_flight.append(sim.stats()["in_flight"])
        if process.poll() is not None:
            raise SystemExit(f"{NAMES[client]} ended with {process.returncode} while it was measured")
        after = time.perf_counter(), cpu_s(process.pid), cpu_s(sim.process.pid), sim.stats()
        wall = after[0] - before[0]
        return {"client": client, "ramp_s": ramp_s, "in_flight_median": statistics.median(in_flight),
                "in_flight_max": after[3]["in_flight_max"], "calls_per_s": (after[3]["answered"] - before[3]["answered"]) / wall,
                "core_share": (after[1] - before[1]) / wall, "rss_max_mib": rss_max_mib(process.pid),
                "sim_core_share": (after[2] - before[2]) / wall}
    finally:
        process.kill()
        process.wait()


def flight_part(bench, options, say):
    say(f"\n{options.flight:,} calls in flight at {options.flight_latency_ms / 1000:g} s latency, over two round trips of the steady part:\n")
    say("| client | in flight, median | calls/s | share of one core | peak MiB | ramp s | sim's share of a core |")
    say("|---|---|---|---|---|---|---|")
    results = []
    for client in options.clients:
        if client == "aiohttp":
            continue
        with bench.start_sim(options.flight_latency_ms) as sim:
            figures = run_flight(bench, client, sim, options)
        results.append(figures)
        say(f"| {NAMES[client]} | {number(figures['in_flight_median'])} | {number(figures['calls_per_s'])} | {figures['core_share']:.3f} | "
            f"{figures['rss_max_mib']:.1f} | {figures['ramp_s']:.0f} | {figures['sim_core_share']:.3f} |")
    return results


def sim_part(bench, options, say):
    """What the stand-in itself can serve, so that it is seen not to be what is measured."""
    script = bench.folder / "chat.lua"
    script.write_text(WRK_SCRIPT)
    with bench.start_sim(0) as sim:
        before = cpu_s(sim.process.pid)
        with on_core(bench.client_core):
            done = subprocess.run(["wrk", "-t1", "-c256", f"-d{max(2, int(options.seconds))}s", "-s", str(script), sim.openai_url + "/chat/completions"],
                                  capture_output=True, text=True, check=True)
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            raise SystemExit(f"wrk had errors:\n{done.stdout}")
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
        cpu = (cpu_s(sim.process.pid) - before) / sim.stats()["answered"]
    say(f"\nThe stand-in under wrk, no latency, 256 connections: {rate:,.0f} calls/s, {1e6 * cpu:.0f} µs of CPU a call.")
    return {"calls_per_s": rate, "cpu_us_per_call": 1e6 * cpu}


def verdicts(results):
    """(what, value, target, met) of what was measured."""
    for run in results.get("calls", []):
        if run["client"] not in MODELS:
            continue
        where = f"{NAMES[run['client']]}, {run['concurrency']:,} in flight"
        yield f"CPU-s per 1,000 records: {where}", run["cpu_s_per_1000"], f"<= {TARGET_CPU_S:.2f}", run["cpu_s_per_1000"] <= TARGET_CPU_S
        if run["concurrency"] == 1024 and "of_beast" in run:
            yield f"records/s of bare Beast's: {where}", run["of_beast"], f">= {TARGET_THROUGHPUT:.2f}", run["of_beast"] >= TARGET_THROUGHPUT
    for run in results.get("flight", []):
        if run["client"] in MODELS:
            yield f"peak MiB: {NAMES[run['client']]}", run["rss_max_mib"], f"<= {TARGET_MIB}", run["rss_max_mib"] <= TARGET_MIB
            yield f"share of one core: {NAMES[run['client']]}", run["core_share"], f"< {TARGET_CORE}", run["core_share"] < TARGET_CORE


def say_verdicts(results, say):
    judged = list(verdicts(results))
    if judged:
        say("\n| target | measured | wanted | |\n|---|---|---|---|")
    for what, value, wanted, met in judged:
        say(f"| {what} | {value:.3g} | {wanted} | {'met' if met else 'missed'} |")


def check_parts(options):
    """Everything that is missing, in one message."""
    missing = []
    for name, remedy in (("plot-palette", "a release build"), ("plot-palette-sim", "a release build"), ("bare_beast", "ninja -C build/release bare_beast")):
        if not (BUILD / name).exists() and (name != "bare_beast" or "beast" in options.clients):
            missing.append(f"{BUILD / name} is not there: {remedy}")
    if "sim" in options.parts and not shutil.which("wrk"):
        missing.append("wrk is not installed: tools/setup.sh --bench")
    if "aiohttp" in options.clients and subprocess.run([sys.executable, "-c", "import aiohttp"], capture_output=True).returncode:
        missing.append(f"{sys.executable} has no aiohttp: tools/setup.sh --bench, and run with .venv/bin/python")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if "flight" in options.parts and files != resource.RLIM_INFINITY and files < options.flight + 100:
        missing.append(f"{options.flight} calls in flight need as many open files, and the limit is {files}: raise it (ulimit -Hn), or --flight lower")
    if missing:
        raise SystemExit("run_calls.py: " + "\n              ".join(missing))


def read_options():
    parser = argparse.ArgumentParser(description="Real calls against plot-palette-sim, beside a bare Boost.Beast loop and a bare aiohttp client.")
    parser.add_argument("--parts", nargs="+", choices=["sim", "calls", "flight"], default=["sim", "calls", "flight"])
    parser.add_argument("--clients", nargs="+", choices=list(NAMES), default=list(NAMES))
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--seconds", type=float, default=8, help="how long a run would take if calls cost nothing (8)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--flight", type=int, default=10_000, help="calls in flight of the part `flight` (10000)")
    parser.add_argument("--flight-latency-ms", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="one short run of each, 1,000 calls in flight at 1 s")
    parser.add_argument("--no-pin", action="store_true", help="leave the placing of client and stand-in to the kernel")
    parser.add_argument("--json", action="store_true", help="JSON on stdout, the tables on stderr")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.repeats, options.flight, options.flight_latency_ms = 1.5, 1, 1000, 1000
    return options


def main():
    options = read_options()
    check_parts(options)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cores = sorted(os.sched_getaffinity(0))
    client_core, sim_core = (cores[0], cores[1]) if len(cores) > 1 and not options.no_pin else (None, None)

    def say(line):
        print(line, file=sys.stderr if options.json else sys.stdout, flush=True)

    load = os.getloadavg()[0]
    pinned = "kernel's choice of cores" if client_core is None else f"client on core {client_core}, stand-in on core {sim_core}"
    say(f"{platform.machine()}, {len(cores)} cores, {pinned}, load {load:.1f} at the start")
    parts = {"sim": sim_part, "calls": calls_part, "flight": flight_part}
    results = {"cores": len(cores), "pinned": client_core is not None, "load_at_start": load}
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as name:
        bench = Bench(pathlib.Path(name), client_core, sim_core)
        steps = [{**step, "max_tokens": 200} for step in JOB["template"]["steps"]]
        job = {**JOB, "template": {"steps": steps}, "num_records": 100, "budget_limit": BUDGET_USD}
        (bench.folder / "job.json").write_text(json.dumps(job))
        for part in parts:
            if part in options.parts:
                results[part] = parts[part](bench, options, say)
    say_verdicts(results, say)
    if options.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
