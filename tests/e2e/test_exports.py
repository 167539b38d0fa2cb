"""Every export is read back with pandas, duckdb and pyarrow and compared value by value with the JSONL."""
import csv
import datetime
import io
import json
import math

import duckdb
import numpy
import pandas
import pyarrow.parquet
import pytest

from conftest import COUNTRIES, read_jsonl, two_step_job

FORMATS = ["JSONL", "PARQUET", "CSV"]


def as_csv_text(value):
    """How CSV writes a JSON value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def check_csv(path, rows, columns):
    text = path.read_bytes().decode()
    with_csv = list(csv.reader(io.StringIO(text, newline="")))
    assert with_csv[0] == columns
    expected = [[as_csv_text(row[column]) for column in columns] for row in rows]
    assert with_csv[1:] == expected
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    assert frame.columns.tolist() == columns
    assert frame.values.tolist() == expected
    relation = duckdb.sql(f"select * from read_csv('{path}', all_varchar=true, header=true, delim=',', quote='\"', escape='\"', "
                          "nullstr='\x01', max_line_size=16000000)")
    assert relation.columns == columns
    assert [list(row) for row in relation.fetchall()] == expected


def check_parquet(path, rows, columns):
    expected = [{column: row[column] for column in columns} for row in rows]
    table = pyarrow.parquet.read_table(path)
    assert table.column_names == columns
    assert [plain(row) for row in table.to_pylist()] == expected
    with_duckdb = duckdb.sql(f"select * from '{path}'")
    assert with_duckdb.columns == columns
    assert [dict(zip(columns, map(plain, row))) for row in with_duckdb.fetchall()] == expected
    frame = pandas.read_parquet(path, dtype_backend="pyarrow")
    assert [plain(row) for row in frame.to_dict("records")] == expected


def plain(value):
    """What a reader gives, back to what JSON has."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, numpy.ndarray)):
        return [plain(inner) for inner in value]
    if value is None or value is pandas.NA or value is pandas.NaT:
        return None
    if isinstance(value, datetime.datetime):  # pandas.Timestamp is one
        utc = value.astimezone(datetime.timezone.utc)
        return utc.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (utc.microsecond // 1000)
    return value.item() if isinstance(value, numpy.generic) else value


def test_records_of_real_seed_data_in_all_formats(palette, real_seeds):
    name, seed_file = real_seeds
    palette.write("job.json", two_step_job(seed_file, {"countries": "name", "self-instruct": "instruction", "gsm8k": "question"}[name],
                                           output_format=FORMATS))
    palette.run("run", "job.json")
    rows = read_jsonl(palette.export("jsonl"))
    assert len(rows) == 2000
    assert [row["id"].rsplit("-", 1)[1] for row in rows] == [str(i) for i in range(2000)]
    columns = ["id", "job_id", "timestamp", "seed_data_keys", "generation_result"]
    assert list(rows[0]) == columns
    # The two nested members are JSON text in Parquet and CSV.
    as_text = [{**row, "seed_data_keys": json.dumps(row["seed_data_keys"], ensure_ascii=False),
                "generation_result": json.dumps(row["generation_result"], ensure_ascii=False, separators=(",", ":"))} for row in rows]
    check_csv(palette.export("csv"), as_text, columns)
    check_parquet(palette.export("parquet"), as_text, columns)


AWKWARD = [
    {"text": "plain", "number": 1, "share": 0.5, "flag": True, "when": "2026-11-23T10:00:00.123Z", "tags": ["a", "b"],
     "place": {"city": "Zürich", "zip": 8001}, "mixed": 1},
    {"text": "", "number": -5, "share": 2.0, "flag": False, "when": "1999-01-01T00:00:00.000Z", "tags": [],
     "place": {"city": "東京", "zip": None}, "mixed": "one"},
    {"text": "two\nlines, \"quoted\" and = + - @", "number": 9007199254740993, "share": 1e-9, "flag": True, "when": "2030-12-31T23:59:59.999Z",
     "tags": ["ü", ""], "place": {"city": "", "zip": 1}, "mixed": [1, {"a": None}]},
    {"text": "=1+1", "number": None, "share": None, "flag": None, "when": None, "tags": None, "place": None, "mixed": None},
    {"text": "😀 \t tab\r\nCRLF", "number": 0, "share": -0.0, "flag": False, "when": "2026-02-28T12:30:00.000Z", "tags": ["x\ny"],
     "place": {"city": "Nowhere", "zip": 0}, "mixed": True},
]


@pytest.fixture
def awkward_job(palette):
    palette.write("seeds.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in AWKWARD))
    palette.write("job.json", {
        "name": "awkward", "model": "offline/echo", "seed_data": "seeds.jsonl", "seed_sampling": "sequential", "num_records": 5,
        "output_format": FORMATS,
        "template": {"steps": [{"id": "step", "prompt": "{{ text }}"}]},
        "columns": {name: "{{ %s }}" % name for name in AWKWARD[0]} | {"said": "said: {{ steps.step.output }}"},
    })
    return palette


def test_typed_columns_keep_their_values_in_all_formats(awkward_job):
    done = awkward_job.run("run", "job.json")
    assert "column 'mixed' has values of several types; in Parquet it is JSON text" in done.stderr
    rows = read_jsonl(awkward_job.export("jsonl"))
    assert rows == [{**row, "said": "said: " + row["text"]} for row in AWKWARD]
    columns = list(AWKWARD[0]) + ["said"]
    check_csv(awkward_job.export("csv"), rows, columns)
    as_parquet = [{**row, "mixed": None if row["mixed"] is None else json.dumps(row["mixed"], separators=(",", ":"))} for row in rows]
    check_parquet(awkward_job.export("parquet"), as_parquet, columns)
    schema = pyarrow.parquet.read_schema(awkward_job.export("parquet"))
    assert [str(field.type) for field in schema] == [
        "string", "int64", "double", "bool", "timestamp[ms, tz=UTC]", "list<element: string>", "struct<city: string, zip: int64>",
        "string", "string"]
    assert math.copysign(1, rows[4]["share"]) == -1


def test_null_and_empty_text_are_told_apart_in_csv(awkward_job):
    awkward_job.run("run", "job.json")
    table = duckdb.sql(f"select text, \"when\" from read_csv('{awkward_job.export('csv')}', all_varchar=true, header=true, "
                       "delim=',', quote='\"', escape='\"', allow_quoted_nulls=false)").fetchall()
    assert table[1][0] == ""
    assert table[3][1] is None


@pytest.mark.parametrize("columns", [None, {"name": "{{ name }}", "said": "{{ steps.question.output }}"}])
def test_partitions_by_timestamp_in_all_formats(palette, columns):
    job = two_step_job(COUNTRIES, "name", num_records=120, output_format=FORMATS, partition_strategy="timestamp")
    if columns:
        job["columns"] = columns
    palette.write("job.json", job)
    palette.run("run", "job.json", "--out", "out")
    job_id = palette.only_job()["job_id"]
    folder = palette.objects() / "jobs" / job_id / "exports/partitioned"
    dates = sorted(path.name for path in folder.iterdir())
    assert dates and all(date.startswith("date=2") and len(date) == 15 for date in dates)
    count = sum(len(read_jsonl(folder / date / "records.jsonl")) for date in dates)
    assert count == 120
    assert duckdb.sql(f"select count(*) from read_parquet('{folder}/*/records.parquet', hive_partitioning=true)").fetchall() == [(120,)]
    assert duckdb.sql(f"select count(*) from read_csv('{folder}/*/records.csv', header=true, all_varchar=true)").fetchall() == [(120,)]
    assert sorted(path.name for path in (palette.folder / "out").iterdir()) == dates


def test_export_writes_other_formats_of_what_was_made(palette):
    palette.write("job.json", two_step_job(COUNTRIES, "name", num_records=60))
    palette.run("run", "job.json")
    job_id = palette.only_job()["job_id"]
    assert not palette.export("csv").exists()
    done = palette.run("export", job_id, "--format", "csv,parquet", "--out", "elsewhere")
    assert "Exported 60 records" in done.stdout
    assert len(pandas.read_csv(palette.folder / "elsewhere/dataset.csv")) == 60
    assert len(pandas.read_parquet(palette.folder / "elsewhere/dataset.parquet")) == 60
    assert palette.export("jsonl").exists()


def test_export_with_columns_wants_the_seed_data_of_then(palette):
    palette.write("seeds.jsonl", '{"name": "Ada"}\n')
    job = two_step_job("seeds.jsonl", "name", num_records=3, columns={"who": "{{ name }}"})
    palette.write("job.json", job)
    palette.run("run", "job.json")
    palette.write("seeds.jsonl", '{"name": "Grace"}\n')
    done = palette.run("export", palette.only_job()["job_id"], "--format", "csv", expect=2)
    assert "the seed data has changed since the job was made" in done.stderr


def test_a_dataset_without_records_is_an_empty_file_not_a_missing_one(palette):
    palette.write("seeds.jsonl", '{"name": "Ada"}\n')
    palette.write("job.json", two_step_job("seeds.jsonl", "name", num_records=5, output_format=FORMATS,
                                           model="offline/echo?fail_rate=1&fail_kind=refused"))
    palette.run("run", "job.json", expect=1)
    assert palette.only_job()["status"] == "FAILED"
    assert palette.export("jsonl").read_text() == ""
    assert pyarrow.parquet.read_table(palette.export("parquet")).num_rows == 0
    assert palette.export("csv").read_text() == "id,job_id,timestamp,seed_data_keys,generation_result\n"
