#!/usr/bin/env python3
"""Figures of a local run: CPU per record, memory, start, export against duckdb. Prints the tables of bench/README.md.

    build/release first (./test.sh or ninja -C build/release), then:
    .venv/bin/python bench/run_bench.py                 # about five minutes
    .venv/bin/python bench/run_bench.py --records 10000 100000
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARY = ROOT / "build/release/plot-palette"
SEEDS = ROOT / "examples/countries.jsonl"

# Two steps, as in a question-and-answer job; the filler brings a record to about 1.5 kB.
JOB = {
    "name": "bench",
    "model": "offline/echo",
    "seed_data": str(SEEDS),
    "template": {"steps": [
        {"id": "question", "prompt": "Write question {{ record_index }} about {{ name }}, whose capital is {{ capital }}, for somebody who knows "
                                     "{{ languages | join(', ') }}.{% for i in range(4) %} Be precise, be brief, and do not repeat the text.{% endfor %}"},
        {"id": "answer", "prompt": "Answer in two sentences: {{ steps.question.output }}"},
    ]},
}


def measured(command, cwd):
    """Runs it; gives wall seconds, CPU seconds and peak MiB of that process alone."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command} ended with status {status}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def run_job(folder, records, output_format):
    return measured([str(BINARY), "run", str(folder / "job.json"), "--quiet", "--records", str(records), "--format", output_format,
                     "--data-dir", str(folder / f"data-{records}-{output_format}")], folder)


def records_table(folder, sizes):
    print("| records | format | CPU-s per 1,000 records | records/s (wall) | peak MiB |")
    print("|---|---|---|---|---|")
    for records in sizes:
        for output_format in ("jsonl", "parquet"):
            wall, cpu, peak = run_job(folder, records, output_format)
            print(f"| {records:,} | {output_format} | {1000 * cpu / records:.4f} | {records / wall:,.0f} | {peak:.1f} |", flush=True)


def first_record_ms(folder):
    """From the start of the process to the first batch event: 50 records, committed."""
    times = []
    for trial in range(15):
        started = time.perf_counter()
        process = subprocess.Popen([str(BINARY), "run", "job.json", "--json", "--records", "50", "--data-dir", f"start-{trial}"], cwd=folder,
                                   stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            if json.loads(line)["event"] == "batch_committed":
                times.append(1000 * (time.perf_counter() - started))
                break
        process.communicate()
    return statistics.median(times), max(times)


DUCKDB = """
import duckdb, sys
connection = duckdb.connect()
connection.sql("set threads = 2")
connection.sql(f"copy (select * from read_json('{sys.argv[1]}', format='newline_delimited', columns={{'id': 'varchar', 'job_id': 'varchar', "
               f"'timestamp': 'timestamp', 'seed_data_keys': 'json', 'generation_result': 'json'}})) to '{sys.argv[2]}' (format parquet, compression zstd)")
"""


def export_table(folder, records):
    """Our export of what is already made against duckdb's COPY of the same JSONL, one after the other, three times."""
    data = folder / f"data-{records}-jsonl"
    job_id = json.loads(subprocess.run([str(BINARY), "jobs", "--json", "--data-dir", str(data)], capture_output=True, text=True, check=True).stdout)[0]["job_id"]
    jsonl = data / f"objects/jobs/{job_id}/exports/dataset.jsonl"
    print(f"\n| {records:,} records to Parquet (zstd) | wall s | CPU-s | peak MiB |")
    print("|---|---|---|---|")
    for _ in range(3):
        ours = measured([str(BINARY), "export", job_id, "--format", "parquet", "--data-dir", str(data)], folder)
        theirs = measured([sys.executable, "-c", DUCKDB, str(jsonl), str(folder / "duckdb.parquet")], folder)
        print(f"| plot-palette export | {ours[0]:.1f} | {ours[1]:.1f} | {ours[2]:.0f} |")
        print(f"| duckdb COPY | {theirs[0]:.1f} | {theirs[1]:.1f} | {theirs[2]:.0f} |", flush=True)
    ours_bytes = (data / f"objects/jobs/{job_id}/exports/dataset.parquet").stat().st_size
    print(f"\nFile: {ours_bytes / 1e6:.0f} MB of ours, {(folder / 'duckdb.parquet').stat().st_size / 1e6:.0f} MB of duckdb's, "
          f"from {jsonl.stat().st_size / 1e6:.0f} MB of JSONL.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    sizes = parser.parse_args().records
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as name:
        folder = pathlib.Path(name)
        (folder / "job.json").write_text(json.dumps({**JOB, "num_records": 100}))
        records_table(folder, sizes)
        median, worst = first_record_ms(folder)
        print(f"\nStart to the first committed batch of 50 records: {median:.0f} ms (median of 15), {worst:.0f} ms at worst.")
        export_table(folder, sizes[-1])


if __name__ == "__main__":
    main()
