#!/usr/bin/env python3
"""1, 2 and 4 workers on one job in AWS: do records per second grow with them, and what does it cost in requests?

    tools/setup.sh --tests; a release build; then
    .venv/bin/python bench/run_workers.py                      # about six minutes
    .venv/bin/python bench/run_workers.py --quick              # one minute: do the parts work

DynamoDB Local and moto stand behind fault proxies, which count the requests and fail none; the models are
plot-palette-sim. bench/README.md says what each figure means.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/e2e")]

from aws_place import TERMINAL, Place  # noqa: E402
from aws_stand_ins import PYTHON, FaultProxy, StandIn, start_dynamodb_local  # noqa: E402
from conftest import COUNTRIES, two_step_job  # noqa: E402
from process_figures import cpu_s, rss_max_mib  # noqa: E402
from sim import Sim  # noqa: E402

STEPS, BATCH = 2, 50
BUDGET_USD = 10_000  # never what limits the number in flight
SAMPLE_S = 0.25
TARGET_GROWTH, TARGET_CPU = 0.9, 0.8
PER_BATCH, PER_MINUTE, IDLE_PER_MINUTE = 2, 8, 3
# USD a request (us-east-1). A write of DynamoDB counts each KiB of its item, in a transaction twice.
S3_PRICE = {"GET": 0.0000004, "HEAD": 0.0000004, "DELETE": 0, "DELETE_OBJECTS": 0, "ABORT_MULTIPART": 0}
S3_PRICE_OTHER = 0.000005
WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6
TRANSACTION_ACTIONS = 3  # queue item out, queue item in, job: the most of a claim, a requeue, an end


def machine_cpu():
    """(busy, all) ticks of all cores since the machine's start."""
    fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


class Bench:
    """The stand-ins that all runs share."""

    def __init__(self, folder):
        self.folder = folder
        self.dynamodb = start_dynamodb_local()
        self.moto = StandIn("moto", [PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])

    def place(self, name, latency_ms):
        proxies = [FaultProxy(self.dynamodb.url), FaultProxy(self.moto.url)]
        return Place(self.folder / name, self.dynamodb.url, self.moto.url, Sim.start("--latency-ms", latency_ms), *proxies)

    def stop(self):
        self.moto.stop()
        self.dynamodb.stop()


def counted(place):
    """{"dynamodb": {operation: n}, "s3": {operation: n}} so far, and the conflicts of transactions."""
    dynamodb, s3 = place.dynamodb_proxy.stats(), place.s3_proxy.stats()
    return {"dynamodb": dynamodb["by_op"], "s3": s3["by_op"], "conflicts": dynamodb["transaction_conflicts"]}


def less(after, before):
    return {service: {op: n - before[service].get(op, 0) for op, n in after[service].items() if n > before[service].get(op, 0)} for service in ("dynamodb", "s3")}


def total(counts):
    return sum(sum(of_service.values()) for of_service in counts.values())


def cost_usd(counts, job_kib):
    """At most: every write counted as one of the Jobs item, the largest there is."""
    s3 = sum(n * S3_PRICE.get(op, S3_PRICE_OTHER) for op, n in counts["s3"].items())
    units = {"TransactWriteItems": 2 * TRANSACTION_ACTIONS * job_kib, "UpdateItem": job_kib, "PutItem": job_kib, "BatchWriteItem": job_kib}
    dynamodb = sum(n * (units[op] * WRITE_UNIT if op in units else job_kib * READ_UNIT) for op, n in counts["dynamodb"].items())
    return s3 + dynamodb


def steady_rate(samples, calls):
    """Records per second between a third and nine tenths of all calls: without the start, the ramp and the last records."""
    middle = [sample for sample in samples if calls / 3 <= sample["answered"] <= 0.9 * calls]
    return (middle[-1]["answered"] - middle[0]["answered"]) / (middle[-1]["at"] - middle[0]["at"]) / STEPS if len(middle) > 1 else None


def exporting(workers):
    return any(event["kind"] == "export" for worker in workers for event in worker.claims())


def watch(place, job_id, workers):
    """Samples until the job has ended; each has what was counted, and the last before the export is marked."""
    samples = []
    while True:
        samples.append({"at": time.monotonic(), "answered": place.sim.stats()["answered"], "counted": counted(place), "machine": machine_cpu(),
                        "cpu": [cpu_s(worker.process.pid) for worker in workers if worker.process.poll() is None],
                        "rss": max((rss_max_mib(worker.process.pid) for worker in workers if worker.process.poll() is None), default=0.0),
                        "exporting": exporting(workers)})
        if place.job(job_id)["status"] in TERMINAL:
            return samples
        if all(worker.process.poll() is not None for worker in workers):
            raise SystemExit(f"all workers have ended, and the job has not:\n{place.told()}")
        time.sleep(SAMPLE_S)


def run_job(bench, number, options):
    """So many workers on one job from its start to its end; its figures."""
    place = bench.place(f"workers-{number}", options.latency_ms)
    try:
        records = int(number * options.seconds * options.in_flight * 1000 / (STEPS * options.latency_ms))
        job_id = place.submit(two_step_job(COUNTRIES, "name", num_records=records, parts=options.parts_each * number, model="claude-haiku", budget_limit=BUDGET_USD,
                                           concurrency=options.in_flight, output_format=["JSONL", "PARQUET"]), env={"CHECKPOINT_INTERVAL": str(BATCH)})
        before = counted(place)
        workers = [place.start_worker("--drain") for _ in range(number)]
        samples = watch(place, job_id, workers)
        if any(worker.wait() for worker in workers) or place.sim.stats()["answered"] != STEPS * records or place.sim.stats()["paid_twice"]:
            raise SystemExit(f"{number} workers: {STEPS * records} answers were expected, none twice; {place.sim.stats()}\n{place.told()}")
        made = next(sample for sample in samples if sample["answered"] == STEPS * records)
        parted = next((before_export for before_export, after in zip(samples, samples[1:]) if after["exporting"]), samples[-1])
        whole_s, minutes = made["at"] - samples[0]["at"], number * (parted["at"] - samples[0]["at"]) / 60
        making, exported = less(parted["counted"], before), less(counted(place), parted["counted"])
        batches = -(-records // BATCH)
        busy, ticks = (made["machine"][i] - samples[0]["machine"][i] for i in (0, 1))
        job_kib = -(-len(json.dumps(place.job(job_id), default=str)) // 1024)
        return {"workers": number, "records": records, "seconds": whole_s, "records_per_s": records / whole_s, "steady_records_per_s": steady_rate(samples, STEPS * records),
                "machine_busy": busy / ticks, "worker_cpu_s_per_1000": 1000 * sum(made["cpu"]) / records, "rss_max_mib": max(sample["rss"] for sample in samples),
                "batches": batches, "worker_minutes": minutes, "operations": making, "operations_total": total(making),
                "operations_allowed": PER_BATCH * batches + PER_MINUTE * minutes, "conflicts": parted["counted"]["conflicts"],
                "cost_usd": cost_usd(making, job_kib), "export_operations": exported, "export_total": total(exported), "export_cost_usd": cost_usd(exported, job_kib)}
    finally:
        place.close()


class Idle(threading.Thread):
    """A worker without work beside all else; what it asked for a minute, without its start."""

    def __init__(self, bench, seconds):
        super().__init__()
        self.place, self.seconds = bench.place("idle", 0), seconds
        self.worker = self.place.start_worker()
        self.figures = None

    def run(self):
        started = time.monotonic()
        self.worker.wait_for_event("idle", timeout_s=60)
        first = counted(self.place)
        looked = time.monotonic()
        time.sleep(max(0.0, self.seconds - (looked - started)))
        asked, minutes = less(counted(self.place), first), (time.monotonic() - looked) / 60
        if self.worker.process.poll() is None:
            self.figures = {"minutes": minutes, "operations": asked, "per_minute": total(asked) / minutes}

    def end(self):
        self.join()
        self.place.close()
        if self.figures is None:
            raise SystemExit("the idle worker ended while it was watched")
        return self.figures


def verdicts(results):
    """(what, value, target, met) of what was measured."""
    runs = results["runs"]
    for run in runs[1:]:
        growth = run["steady_records_per_s"] / runs[0]["steady_records_per_s"] / (run["workers"] / runs[0]["workers"])
        yield f"records/s of {run['workers']} workers over linear, steady", growth, f">= {TARGET_GROWTH}", growth >= TARGET_GROWTH
    for run in runs:
        share = run["operations_total"] / run["operations_allowed"]
        yield f"requests of {run['workers']} over {PER_BATCH} a batch and {PER_MINUTE} a minute and worker", share, "<= 1", share <= 1
        yield f"the machine's load with {run['workers']}", run["machine_busy"], f"< {TARGET_CPU}", run["machine_busy"] < TARGET_CPU
    if idle := results.get("idle"):
        yield "requests a minute of an idle worker", idle["per_minute"], f"<= {IDLE_PER_MINUTE}", idle["per_minute"] <= IDLE_PER_MINUTE


def say_runs(results, options, say):
    say(f"\n{options.in_flight} calls in flight a worker, {options.latency_ms} ms each, {STEPS} calls a record, {options.parts_each} parts for each worker, batches of {BATCH}:\n")
    say("| workers | records | seconds | records/s, whole | steady | of linear | conflicts | requests a batch | a minute and worker beside one put a batch | "
        "of allowed | USD | export: requests | USD | worker CPU-s per 1,000 | peak MiB | machine busy |")
    say("|" + "---|" * 16)
    first = results["runs"][0]
    for run in results["runs"]:
        linear = run["steady_records_per_s"] / first["steady_records_per_s"] * first["workers"] / run["workers"]
        beside = (run["operations_total"] - run["batches"]) / run["worker_minutes"]
        say(f"| {run['workers']} | {run['records']:,} | {run['seconds']:.0f} | {run['records_per_s']:.0f} | {run['steady_records_per_s']:.0f} | {linear:.2f} | "
            f"{run['conflicts']} | {run['operations_total'] / run['batches']:.2f} | {beside:.1f} | {run['operations_total'] / run['operations_allowed']:.2f} | "
            f"{run['cost_usd']:.4f} | {run['export_total']} | {run['export_cost_usd']:.4f} | {run['worker_cpu_s_per_1000']:.3f} | {run['rss_max_mib']:.0f} | "
            f"{run['machine_busy']:.0%} |")
    for run in results["runs"]:
        say(f"\n{run['workers']} workers: {json.dumps(run['operations'])}; export: {json.dumps(run['export_operations'])}")
    if idle := results.get("idle"):
        say(f"\nIdle for {idle['minutes']:.1f} minutes: {idle['per_minute']:.1f} requests a minute, {json.dumps(idle['operations'])}")
    say("\n| target | measured | wanted | |\n|---|---|---|---|")
    for what, value, wanted, met in verdicts(results):
        say(f"| {what} | {value:.3g} | {wanted} | {'met' if met else 'missed'} |")


def read_options():
    parser = argparse.ArgumentParser(description="1, 2 and 4 workers on one job, with DynamoDB Local, moto and plot-palette-sim.")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--in-flight", type=int, default=32, help="calls in flight of each worker (32)")
    parser.add_argument("--latency-ms", type=int, default=200, help="of each call (200)")
    parser.add_argument("--parts-each", type=int, default=2, help="parts of the job for each worker (2)")
    parser.add_argument("--seconds", type=float, default=70, help="how long a run would take if calls cost nothing (70)")
    parser.add_argument("--idle-seconds", type=float, default=330, help="how long a worker without work is watched; 0: not at all (330)")
    parser.add_argument("--quick", action="store_true", help="runs of 10 s, and 20 s of an idle worker")
    parser.add_argument("--json", action="store_true", help="JSON on stdout, the tables on stderr")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.idle_seconds = 10, 20
    return options


def main():
    options = read_options()

    def say(line):
        print(line, file=sys.stderr if options.json else sys.stdout, flush=True)

    results = {"cores": os.cpu_count(), "load_at_start": os.getloadavg()[0]}
    say(f"{results['cores']} cores, load {results['load_at_start']:.1f} at the start")
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as name:
        bench = Bench(pathlib.Path(name))
        idle = None
        try:
            if options.idle_seconds > 0:
                idle = Idle(bench, options.idle_seconds)
                idle.start()
            results["runs"] = [run_job(bench, number, options) for number in options.workers]
        finally:
            if idle is not None:
                results["idle"] = idle.end()
            bench.stop()
    say_runs(results, options, say)
    if options.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
