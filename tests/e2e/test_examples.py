"""The example jobs run as they are."""
import re

import pytest
import yaml

from conftest import ROOT, read_jsonl

JOBS = sorted(path for path in (ROOT / "examples").glob("*.yaml") if "num_records" in yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("job", JOBS, ids=lambda path: path.stem)
def test_an_example_makes_what_it_asks_for(palette, job):
    asked = yaml.safe_load(job.read_text())
    palette.run("run", job, "--out", "out", "--format", "jsonl,csv,parquet")
    rows = read_jsonl(palette.folder / "out/dataset.jsonl")
    assert len(rows) == asked["num_records"]
    assert list(rows[0]) == list(asked.get("columns") or ["id", "job_id", "timestamp", "seed_data_keys", "generation_result"])
    status = palette.only_job()
    assert (status["status"], status["records_failed"]) == ("COMPLETED", 0)
    assert all(value not in ("", None) for row in rows for value in row.values())


def test_a_label_drawn_in_a_prompt_is_the_label_of_the_column(palette):
    palette.run("run", ROOT / "examples/classification.yaml", "--format", "jsonl", "--out", "out")
    rows = read_jsonl(palette.folder / "out/dataset.jsonl")
    prompts = [next(iter(record["generation_result"].values()))["prompt"] for records in palette.batches().values() for record in records]
    labels = {row["label"] for row in rows}
    assert len(labels) > 1
    for row, prompt in zip(rows, prompts, strict=True):
        assert re.search(rf"\b{re.escape(row['label'])}\b", prompt), (row["label"], prompt)
