"""Broken job files, templates and seed files. Each is answered with exactly the lines that stand here, every error at once, and
nothing is made (promise 8 of DESIGN.md). What is told about a job is told by `template check` too, and by --json as JSON."""
import json
import shlex
import typing

import pytest

ROWS = """\
{"topic": "bread", "level": 1, "author": {"name": "Ada"}}
{"topic": "salt", "level": 2, "author": {"name": "Bob"}}
{"topic": "iron", "level": 3, "author": {"name": "Cy"}}
"""
HEAD = "model: offline\nseed_data: seeds.jsonl\nnum_records: 5\n"
STEPS = 'template:\n  steps:\n    - id: ask\n      prompt: "Ask about {{ topic }}."\n'
RUN = "run job.yaml --out out"
JOB_KEYS = ("id, name, description, model, seed_data, seed_data_path, seed_sampling, seed, num_records, budget_limit, "
            "output_format, partition_strategy, template, template_id, template_version, columns, concurrency, "
            "requests_per_minute, tokens_per_minute, max_failure_ratio, parts, priority, cpu, memory, workers, max_tokens, "
            "temperature, top_p, stop, cache, service_tier, accept_truncated, additional_fields")


class Case(typing.NamedTuple):
    name: str
    files: dict  # by name: text, or bytes; None: not there. seeds.jsonl holds ROWS unless given
    args: str
    env: dict
    code: int
    told: str


CASES = []


def case(name, files=None, args=RUN, env=None, code=2, *, told):
    CASES.append(Case(name, {"seeds.jsonl": ROWS, **(files or {})}, args, env or {}, code, told.replace("<the job keys>", JOB_KEYS)))


def job(name, extra="", head=HEAD, steps=STEPS, files=None, **more):
    """A good job file with something else in it."""
    case(name, {"job.yaml": head + steps + extra, **(files or {})}, **more)


def steps(name, text, **more):
    job(name, steps="template:\n  steps:\n" + text, **more)


def prompt(name, text, **more):
    """One step whose prompt is the text, as a literal block that begins in line 8."""
    steps(name, "    - id: ask\n      prompt: |\n" + "".join("        " + line + "\n" for line in text.split("\n")), **more)


def seeds(name, file, content, **more):
    job(name, head=HEAD.replace("seeds.jsonl", file), files={file: content}, **more)


def model(name, value, **more):
    job(name, head=HEAD.replace("offline", value), **more)



# YAML syntax
case("yaml_unclosed_list", {"job.yaml": "model: [offline\nseed_data: seeds.jsonl\n"}, told="""\
job.yaml:2:10: error: this is not valid YAML: the list that opens with [ is not closed; expected , or ]
1 error; nothing was started
""")
case("yaml_unclosed_quote", {"job.yaml": 'model: "offline\nseed_data: seeds.jsonl\n'}, told="""\
job.yaml:1:8: error: this is not valid YAML: the quote that opens here is not closed
1 error; nothing was started
""")
case("yaml_tab_indent", {"job.yaml": HEAD + "template:\n\tsteps: []\n"}, told="""\
job.yaml:5:7: error: this is not valid YAML: this line is indented by a tab; use blanks
1 error; nothing was started
""")
case("yaml_bad_indent", {"job.yaml": HEAD + "template:\n  steps:\n    - id: a\n     prompt: x\n"}, told="""\
job.yaml:7:6: error: this is not valid YAML: this line is no entry of the list above it; give it the indentation of its neighbours
1 error; nothing was started
""")
case("yaml_colon_in_value", {"job.yaml": HEAD + "name: a: b\n" + STEPS}, told="""\
job.yaml:4:8: error: this is not valid YAML: a ':' cannot stand here; put a text that holds ': ' in quotes, and check the indentation
1 error; nothing was started
""")
case("yaml_unquoted_template", {"job.yaml": HEAD + "template:\n  steps:\n    - id: a\n      prompt: {{ topic }}\n"}, told="""\
job.yaml:7:16: error: a key must be a text, not a list, an object or nothing; put a template such as {{ x }} in quotes
1 error; nothing was started
""")
case("yaml_unquoted_template_text_after", {"job.yaml": HEAD + "template:\n  steps:\n    - id: a\n      prompt: {{ topic }} is good\n"}, told="""\
job.yaml:7:27: error: this is not valid YAML: this is no key of the object above it; give it the indentation of its neighbours, and put a text with { } or : in quotes
1 error; nothing was started
""")
case("yaml_template_at_start", {"job.yaml": HEAD + "template:\n  steps:\n    - id: a\n      prompt: %s\n" % "{% if x %}a{% endif %}"}, told="""\
job.yaml:7:16: error: this is not valid YAML: a text cannot begin with this character; put it in quotes
1 error; nothing was started
""")
case("yaml_starts_at", {"job.yaml": HEAD + "template:\n  steps:\n    - id: a\n      prompt: @you\n"}, told="""\
job.yaml:7:15: error: this is not valid YAML: a text cannot begin with this character; put it in quotes
1 error; nothing was started
""")
case("yaml_unknown_anchor", {"job.yaml": HEAD + "name: *who\n" + STEPS}, told="""\
job.yaml:4:7: error: this is not valid YAML: no anchor (&name) of this name stands above; put a text that begins with * in quotes
1 error; nothing was started
""")
case("yaml_second_document", {"job.yaml": HEAD + STEPS + "---\nnum_records: 7\n"}, told="""\
job.yaml:8:1: error: a second YAML document begins here (after ---); a file holds one: remove the rest, or put it into a file of its own
1 error; nothing was started
""")
case("yaml_second_document_broken", {"job.yaml": HEAD + STEPS + "---\n[a\n"}, told="""\
job.yaml:8:1: error: a second YAML document begins here (after ---); a file holds one: remove the rest, or put it into a file of its own
1 error; nothing was started
""")
case("yaml_list_root", {"job.yaml": "- model: offline\n- num_records: 5\n"}, told="""\
job.yaml:1:1: error: found a list; an object with keys such as id, name, description, model, seed_data, seed_data_path, seed_sampling, seed is expected
1 error; nothing was started
""")
case("yaml_scalar_root", {"job.yaml": "just a text\n"}, told="""\
job.yaml:1:1: error: found "just a text"; an object with keys such as id, name, description, model, seed_data, seed_data_path, seed_sampling, seed is expected
1 error; nothing was started
""")
case("yaml_empty", {"job.yaml": ""}, told="""\
job.yaml: error: the file is empty; an object with keys such as id, name, description, model, seed_data, seed_data_path, seed_sampling, seed is expected
1 error; nothing was started
""")
case("yaml_comment_only", {"job.yaml": "# nothing here\n"}, told="""\
job.yaml: error: the file is empty; an object with keys such as id, name, description, model, seed_data, seed_data_path, seed_sampling, seed is expected
1 error; nothing was started
""")
case("yaml_nul", {"job.yaml": b"model: off\x00line\n"}, told="""\
job.yaml:1:11: error: there is a NUL byte here; save the file as plain text in UTF-8
1 error; nothing was started
""")
case("yaml_utf16", {"job.yaml": HEAD.encode("utf-16-le")}, told="""\
job.yaml:1:2: error: there is a NUL byte here; save the file as plain text in UTF-8
1 error; nothing was started
""")
case("yaml_latin1", {"job.yaml": ("name: k\u00fcche\n" + HEAD + STEPS).encode("latin-1")}, told="""\
job.yaml:1:8: error: this byte is not valid UTF-8; save the file as UTF-8
1 error; nothing was started
""")
case("yaml_deep", {"job.yaml": "additional_fields: " + "[" * 80 + "]" * 80 + "\n" + HEAD + STEPS}, told="""\
job.yaml:1:84: error: this nests deeper than 64 levels, the limit
1 error; nothing was started
""")
case("yaml_very_deep", {"job.yaml": "additional_fields: " + "[" * 50000 + "]" * 50000 + "\n" + HEAD + STEPS}, told="""\
job.yaml:1:100020: error: this is not valid YAML: this nests too deeply
1 error; nothing was started
""")
case("yaml_bomb", {"job.yaml": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join("%s: &%s [%s]\n" % (c, c, ",".join(["*" + p] * 9)) for p, c in zip("abcdefgh", "bcdefghi"))}, told="""\
job.yaml:1:24: error: the file has more than 200000 values, the limit; what an alias (*name) stands for counts each time
1 error; nothing was started
""")
case("yaml_huge", {"job.yaml": HEAD + STEPS + "description: " + "x" * (4 << 20) + "\n"}, told="""\
job.yaml: error: the file is larger than 4 MiB, the most that a job or template file may have
1 error; nothing was started
""")
case("yaml_key_number", {"job.yaml": HEAD + STEPS + "5: x\n"}, told="""\
job.yaml:8:1: error: 5: this key is not known; known are <the job keys>
1 error; nothing was started
""")
case("yaml_key_list", {"job.yaml": HEAD + STEPS + "? [a, b]\n: x\n"}, told="""\
job.yaml:8:3: error: a key must be a text, not a list, an object or nothing; put a template such as {{ x }} in quotes
1 error; nothing was started
""")
case("yaml_key_null", {"job.yaml": HEAD + STEPS + "~: x\n"}, told="""\
job.yaml:8:1: error: a key must be a text, not a list, an object or nothing; put a template such as {{ x }} in quotes
1 error; nothing was started
""")
case("yaml_key_empty", {"job.yaml": HEAD + STEPS + "'': x\n"}, told="""\
job.yaml:8:1: error: '': this key is not known; known are <the job keys>
1 error; nothing was started
""")
case("yaml_merge_key", {"job.yaml": "<<: {model: offline}\n" + HEAD + STEPS}, told="""\
job.yaml:1:1: error: <<: this key is not known; known are <the job keys>
1 error; nothing was started
""")
J = {"model": "offline", "seed_data": "seeds.jsonl", "num_records": 5, "template": {"steps": [{"id": "a", "prompt": "{{ topic }}"}]}}
case("json_trailing_comma", {"job.json": '{"model": "offline",\n "num_records": 5,\n}'}, args="run job.json --out out", told="""\
job.json:3:1: error: this is not valid JSON: found '}' after a comma; remove the comma
1 error; nothing was started
""")
case("json_single_quotes", {"job.json": "{'model': 'offline'}"}, args="run job.json --out out", told="""\
job.json:1:2: error: this is not valid JSON: found '; JSON puts strings and keys in double quotes
1 error; nothing was started
""")
case("json_cut", {"job.json": '{"model": "offline",\n "num_records": 5'}, args="run job.json --out out", told="""\
job.json:2:18: error: this is not valid JSON: it ends too early; a bracket or a quote is not closed
1 error; nothing was started
""")
case("json_two_values", {"job.json": json.dumps(J) + "\n{}\n"}, args="run job.json --out out", told="""\
job.json:2:1: error: this is not valid JSON: it goes on after its value
1 error; nothing was started
""")
case("json_empty", {"job.json": ""}, args="run job.json --out out", told="""\
job.json:1:1: error: this is not valid JSON: there is nothing in it
1 error; nothing was started
""")
case("json_list", {"job.json": "[1]"}, args="run job.json --out out", told="""\
job.json:1:1: error: found a list; an object with keys such as id, name, description, model, seed_data, seed_data_path, seed_sampling, seed is expected
1 error; nothing was started
""")
case("json_comment", {"job.json": '{\n  // a job\n  "model": "offline"}'}, args="run job.json --out out", told="""\
job.json:2:3: error: this is not valid JSON: found '/'; JSON has no comments, YAML does
1 error; nothing was started
""")
case("json_deep", {"job.json": '{"x": ' + "[" * 100 + "]" * 100 + "}"}, args="run job.json --out out", told="""\
job.json:1:70: error: this is not valid JSON: it nests deeper than 64 levels, the limit
1 error; nothing was started
""")
case("json_duplicate", {"job.json": '{"model": "offline",\n "seed_data": "seeds.jsonl",\n "num_records": 5,\n "num_records": 6,\n "template": {"steps": [{"id": "a", "prompt": "x"}]}}'}, args="run job.json --out out", told="""\
job.json:4:2: error: num_records: this key is there twice; the first is in line 3
1 error; nothing was started
""")
case("json_nan", {"job.json": '{"temperature": NaN}'}, args="run job.json --out out", told="""\
job.json:1:17: error: this is not valid JSON: found 'N' after ':', which cannot stand there
1 error; nothing was started
""")
case("json_position_after_escapes", {"job.json": json.dumps({**J, "template": {"steps": [{"id": "a", "prompt": 'Say "hi"\nto \u00e9 {{ topic | uper }}'}]}})}, args="run job.json --out out", told="""\
job.json:1:147: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
to é {{ topic | uper }}
                ^
1 error; nothing was started
""")

# the job file itself
case("job_missing", {}, args="run absent.yaml --out out", told="""\
absent.yaml: error: this file does not exist
1 error; nothing was started
""")
case("job_folder", {"job.yaml/x": ""}, told="""\
job.yaml: error: this is a folder; a YAML or JSON file is expected
1 error; nothing was started
""")
case("job_in_missing_folder", {}, args="run a/b/job.yaml", told="""\
a/b/job.yaml: error: this file does not exist
1 error; nothing was started
""")

# keys
job("unknown_key_near", "num_recrods: 9\n", told="""\
job.yaml:8:1: error: num_recrods: this key is not known; did you mean num_records?
1 error; nothing was started
""")
job("unknown_key_far", "zzzzzz: 9\n", told="""\
job.yaml:8:1: error: zzzzzz: this key is not known; known are <the job keys>
1 error; nothing was started
""")
job("duplicate_key", "num_records: 6\n", told="""\
job.yaml:8:1: error: num_records: this key is there twice; the first is in line 3
1 error; nothing was started
""")
job("unknown_keys_everywhere", "temprature: 1\n", steps='template:\n  verison: 2\n  steps:\n    - id: a\n      promt: x\n      prompt: y\n', told="""\
job.yaml:5:3: error: template.verison: this key is not known; did you mean version?
job.yaml:8:7: error: template.steps[0].promt: this key is not known; did you mean prompt?
job.yaml:10:1: error: temprature: this key is not known; did you mean temperature?
3 errors; nothing was started
""")
case("missing_everything", {"job.yaml": "name: empty\n"}, told="""\
job.yaml:1:1: error: seed_data: missing; a job needs seed data: a JSON, JSONL, CSV or Parquet file, e.g. seed_data: seeds.jsonl
job.yaml:1:1: error: num_records: missing; how many records to make, 1 to 10000000
job.yaml:1:1: error: template: missing; a job needs a template: inline steps, a path to a template file, or template_id
3 errors; nothing was started
""")

# types and ranges
job("records_zero", head=HEAD.replace("num_records: 5", 'num_records: 0'), told="""\
job.yaml:3:14: error: num_records: found 0; an integer of 1 to 10000000 is allowed
1 error; nothing was started
""")
job("records_too_many", head=HEAD.replace("num_records: 5", 'num_records: 10000001'), told="""\
job.yaml:3:14: error: num_records: found 10000001; an integer of 1 to 10000000 is allowed
1 error; nothing was started
""")
job("records_in_quotes", head=HEAD.replace("num_records: 5", 'num_records: "200"'), told="""\
job.yaml:3:14: error: num_records: found "200"; an integer of 1 to 10000000 is allowed (write it without quotes)
1 error; nothing was started
""")
job("records_exponent", head=HEAD.replace("num_records: 5", 'num_records: 1e3'), told="""\
job.yaml:3:14: error: num_records: found 1e3; an integer of 1 to 10000000 is allowed
1 error; nothing was started
""")
job("records_word", head=HEAD.replace("num_records: 5", 'num_records: many'), told="""\
job.yaml:3:14: error: num_records: found "many"; an integer of 1 to 10000000 is allowed
1 error; nothing was started
""")
job("records_fraction", head=HEAD.replace("num_records: 5", 'num_records: 2.5'), told="""\
job.yaml:3:14: error: num_records: found 2.5; an integer of 1 to 10000000 is allowed
1 error; nothing was started
""")
job("records_list", head=HEAD.replace("num_records: 5", 'num_records: [5]'), told="""\
job.yaml:3:14: error: num_records: found a list; an integer of 1 to 10000000 is allowed
1 error; nothing was started
""")
job("records_boolean", head=HEAD.replace("num_records: 5", 'num_records: true'), told="""\
job.yaml:3:14: error: num_records: found true; an integer of 1 to 10000000 is allowed
1 error; nothing was started
""")
job("records_nothing", head=HEAD.replace("num_records: 5", 'num_records:'), told="""\
job.yaml:1:1: error: num_records: missing; how many records to make, 1 to 10000000
1 error; nothing was started
""")
job("ranges_amounts", "seed: -1\nbudget_limit: 0\nconcurrency: 10001\nrequests_per_minute: 0\ntokens_per_minute: 0\nmax_failure_ratio: 1.5\nparts: 91\npriority: 10\ncpu: 128\nmemory: 256\nworkers: 0\n", told="""\
job.yaml:8:7: error: seed: found -1; an integer of 0 to 9223372036854775807 is allowed
job.yaml:9:15: error: budget_limit: found 0; US dollars above 0 and up to 1000000 are allowed
job.yaml:10:14: error: concurrency: found 10001; an integer of 1 to 10000 is allowed
job.yaml:11:22: error: requests_per_minute: found 0; an integer of 1 to 1000000000 is allowed
job.yaml:12:20: error: tokens_per_minute: found 0; an integer of 1 to 1000000000000 is allowed
job.yaml:13:20: error: max_failure_ratio: found 1.5; a number of 0 to 1 is allowed
job.yaml:14:8: error: parts: found 91; an integer of 1 to 90 is allowed
job.yaml:15:11: error: priority: found 10; an integer of 0 to 9 is allowed
job.yaml:16:6: error: cpu: found 128; an integer of 256 to 16384 is allowed
job.yaml:17:9: error: memory: found 256; an integer of 512 to 122880 is allowed
job.yaml:18:10: error: workers: found 0; an integer of 1 to 1000 is allowed
11 errors; nothing was started
""")
job("ranges_call_options", "max_tokens: 0\ntemperature: 2.1\ntop_p: -1\nstop: []\ncache: yes\nservice_tier: fast\naccept_truncated: 1\nadditional_fields: [x]\n", told="""\
job.yaml:8:13: error: max_tokens: found 0; an integer of 1 to 1000000 is allowed
job.yaml:9:14: error: temperature: found 2.1; a number of 0 to 2 is allowed
job.yaml:10:8: error: top_p: found -1; a number of 0 to 1 is allowed
job.yaml:11:7: error: stop: found 0 entries; 1 to 16 are allowed
job.yaml:12:8: error: cache: found "yes"; true or false is expected
job.yaml:13:15: error: service_tier: found "fast"; allowed are default, flex and priority
job.yaml:14:19: error: accept_truncated: found 1; true or false is expected
job.yaml:15:20: error: additional_fields: found a list; an object is expected
8 errors; nothing was started
""")
job("types_texts", "id: 12\nname: [x]\ndescription: 5\nseed_sampling: 1\npartition_strategy: true\noutput_format: 5\n", told="""\
job.yaml:8:5: error: id: found 12; a text is expected (put it in quotes)
job.yaml:9:7: error: name: found a list; a text is expected
job.yaml:10:14: error: description: found 5; a text is expected (put it in quotes)
job.yaml:11:16: error: seed_sampling: found 1; a text is expected (put it in quotes)
job.yaml:12:21: error: partition_strategy: found true; a text is expected (put it in quotes)
job.yaml:13:16: error: output_format: found 5; a text of 1 to 20 bytes, or a list of such, is expected
6 errors; nothing was started
""")
job("seed_too_large", "seed: 9223372036854775808\n", told="""\
job.yaml:8:7: error: seed: found 9223372036854775808; an integer of 0 to 9223372036854775807 is allowed
1 error; nothing was started
""")
job("budget_text", "budget_limit: $5\n", told="""\
job.yaml:8:15: error: budget_limit: found "$5"; US dollars above 0 and up to 1000000 are allowed
1 error; nothing was started
""")
job("budget_above", "budget_limit: 1000000.01\n", told="""\
job.yaml:8:15: error: budget_limit: found 1000000.01; US dollars above 0 and up to 1000000 are allowed
1 error; nothing was started
""")
job("budget_too_fine", "budget_limit: 0.0000000000001\n", told="""\
job.yaml:8:15: error: budget_limit: found 0.0000000000001; US dollars above 0 and up to 1000000 are allowed
1 error; nothing was started
""")
job("budget_list", "budget_limit: [5]\n", told="""\
job.yaml:8:15: error: budget_limit: found a list; US dollars above 0 and up to 1000000 are allowed
1 error; nothing was started
""")
job("format_unknown", "output_format: [JSONL, xml]\n", told="""\
job.yaml:8:16: error: output_format: found 'xml'; allowed are JSONL, PARQUET and CSV
1 error; nothing was started
""")
job("format_empty_list", "output_format: []\n", told="""\
job.yaml:8:16: error: output_format: found 0 entries; 1 to 3 are allowed
1 error; nothing was started
""")
job("format_four", "output_format: [CSV, CSV, CSV, CSV]\n", told="""\
job.yaml:8:16: error: output_format: found 4 entries; 1 to 3 are allowed
1 error; nothing was started
""")
job("sampling_unknown", "seed_sampling: suffle\n", told="""\
job.yaml:8:16: error: seed_sampling: found "suffle"; allowed are random, shuffle and sequential
1 error; nothing was started
""")
job("partition_unknown", "partition_strategy: daily\n", told="""\
job.yaml:8:21: error: partition_strategy: found "daily"; allowed are none and timestamp
1 error; nothing was started
""")
job("id_bad", "id: my job\n", told="""\
job.yaml:8:5: error: id: found "my job"; letters, digits, - and _ are allowed, because it is part of file names
1 error; nothing was started
""")
job("name_long", "name: " + "n" * 201 + "\n", told="""\
job.yaml:8:7: error: name: found a text of 201 bytes; at most 200 are allowed
1 error; nothing was started
""")
job("description_long", "description: " + "d" * 10001 + "\n", told="""\
job.yaml:8:14: error: description: found a text of 10001 bytes; at most 10000 are allowed
1 error; nothing was started
""")
job("stop_many", "stop: [" + ",".join("abcdefghijklmnopq") + "]\n", told="""\
job.yaml:8:7: error: stop: found 17 entries; 1 to 16 are allowed
1 error; nothing was started
""")
job("columns_empty", "columns: {}\n", told="""\
job.yaml:8:10: error: columns: found 0 columns; 1 to 1000 names with a template each are expected
1 error; nothing was started
""")
job("columns_list", "columns: [a]\n", told="""\
job.yaml:8:10: error: columns: found a list; 1 to 1000 names with a template each are expected
1 error; nothing was started
""")
job("columns_values", "columns:\n  a: 5\n  b:\n  c: \"{{ topic }}\"\n  c: x\n  '': y\n", told="""\
job.yaml:9:6: error: columns.a: found 5; a text is expected (put it in quotes)
job.yaml:10:3: error: columns.b: found nothing; a template is expected
job.yaml:12:3: error: columns.c: this key is there twice; the first is in line 11
job.yaml:13:3: error: columns: found a name of 0 bytes; a column's name has 1 to 200
4 errors; nothing was started
""")
job("seed_data_number", head="model: offline\nseed_data: 5\nnum_records: 5\n", told="""\
job.yaml:2:12: error: seed_data: found 5; a text is expected (put it in quotes)
1 error; nothing was started
""")
job("template_and_id", "template_id: qa\n", told="""\
job.yaml:8:14: error: template_id: both template and template_id are given; give one of them
1 error; nothing was started
""")
job("template_id_unknown", "template_id: qa\n", steps="", told="""\
job.yaml:4:14: error: template_id: no template with the id 'qa' is stored; a template file is named with template: PATH
1 error; nothing was started
""")

# steps and what they refer to
job("template_scalar_number", steps="template: 5\n", told="""\
job.yaml:4:11: error: template: found 5; an object with keys such as id, name, description, category, version, is_public, schema_requirements, steps is expected
1 error; nothing was started
""")
job("template_list", steps="template: []\n", told="""\
job.yaml:4:11: error: template: found a list; an object with keys such as id, name, description, category, version, is_public, schema_requirements, steps is expected
1 error; nothing was started
""")
job("template_no_steps", steps="template: {id: x}\n", told="""\
job.yaml:4:11: error: template.steps: missing; a template needs a list of 1 to 100 steps
1 error; nothing was started
""")
job("template_steps_empty", steps="template: {steps: []}\n", told="""\
job.yaml:4:19: error: template.steps: found 0 steps; a list of 1 to 100 steps is expected
1 error; nothing was started
""")
job("template_101_steps", steps="template:\n  steps:\n" + "".join("    - {id: s%d, prompt: x}\n" % i for i in range(101)), told="""\
job.yaml:6:5: error: template.steps: found 101 steps; a list of 1 to 100 steps is expected
1 error; nothing was started
""")
steps("step_ids", "    - {prompt: x}\n    - {id: a-b, prompt: x}\n    - {id: 1st, prompt: x}\n    - {id: items, prompt: x}\n    - {id: 5, prompt: x}\n    - {id: '', prompt: x}\n    - {id: ok, prompt: x}\n    - {id: ok, prompt: x}\n", told="""\
job.yaml:6:7: error: template.steps[0].id: missing; every step needs a name that later steps can use, e.g. id: answer
job.yaml:7:12: error: template.steps[1].id: found "a-b"; a name of letters, digits and _ that does not start with a digit is expected, because templates say steps.<id>.output
job.yaml:8:12: error: template.steps[2].id: found "1st"; a name of letters, digits and _ that does not start with a digit is expected, because templates say steps.<id>.output
job.yaml:9:12: error: template.steps[3].id: 'items' is a method of the steps object; choose another name
job.yaml:10:12: error: template.steps[4].id: found 5; a name of letters, digits and _ that does not start with a digit is expected, because templates say steps.<id>.output
job.yaml:11:12: error: template.steps[5].id: found ""; a name of letters, digits and _ that does not start with a digit is expected, because templates say steps.<id>.output
job.yaml:13:7: error: template.steps[7].id: the step id 'ok' is used twice; the first is in line 12
7 errors; nothing was started
""")
steps("step_prompts", "    - {id: a}\n    - {id: b, prompt: ''}\n    - {id: c, prompt: 5}\n    - {id: d, prompt: [x]}\n    - {id: e, prompt:}\n    - text\n", told="""\
job.yaml:6:7: error: template.steps[0].prompt: missing; every step needs a prompt
job.yaml:7:23: error: template.steps[1].prompt: the prompt is empty
job.yaml:8:23: error: template.steps[2].prompt: found 5; a text is expected (put it in quotes)
job.yaml:9:23: error: template.steps[3].prompt: found a list; a text is expected
job.yaml:10:7: error: template.steps[4].prompt: missing; every step needs a prompt
job.yaml:11:7: error: template.steps[5]: found "text"; an object with keys such as id, name, description, model, system, prompt, max_tokens, temperature is expected
6 errors; nothing was started
""")
steps("step_reference_near", "    - id: question\n      prompt: Ask.\n    - id: answer\n      prompt: |\n        Answer this:\n        {{ steps.qestion.output }}\n", told="""\
job.yaml:11:12: error: template.steps[1].prompt: there is no step 'qestion'; did you mean steps.question?
{{ steps.qestion.output }}
   ^
1 error; nothing was started
""")
steps("step_reference_far", "    - id: question\n      prompt: Ask.\n    - id: answer\n      prompt: \"{{ steps.zzz.output }}\"\n", told="""\
job.yaml:9:19: error: template.steps[1].prompt: there is no step 'zzz'; the steps are question, answer
{{ steps.zzz.output }}
   ^
1 error; nothing was started
""")
steps("step_field_unknown", "    - id: question\n      prompt: Ask.\n    - id: answer\n      prompt: \"{{ steps.question.text }}\"\n", told="""\
job.yaml:9:19: error: template.steps[1].prompt: a step has no 'text'; it has output, prompt and model
{{ steps.question.text }}
   ^
1 error; nothing was started
""")
steps("step_self", "    - id: a\n      prompt: \"{{ steps.a.output }}\"\n", told="""\
job.yaml:7:19: error: template.steps[0].prompt: the step 'a' refers to itself; a step can use the outputs of other steps only
{{ steps.a.output }}
   ^
1 error; nothing was started
""")
steps("step_cycle", "    - id: a\n      prompt: \"{{ steps.c.output }}\"\n    - id: b\n      prompt: \"{{ steps.a.output }}\"\n    - id: c\n      prompt: \"{{ steps.b.output }}\"\n", told="""\
job.yaml:6:7: error: template.steps[0]: the steps wait for one another: a -> c -> b -> a; one of them must do without the output of the next
1 error; nothing was started
""")
steps("two_cycles", "".join("    - id: %s\n      prompt: \"{{ steps.%s.output }}\"\n" % tuple(p) for p in ["ab", "ba", "cd", "dc"]), told="""\
job.yaml:6:7: error: template.steps[0]: the steps wait for one another: a -> b -> a; one of them must do without the output of the next
job.yaml:10:7: error: template.steps[2]: the steps wait for one another: c -> d -> c; one of them must do without the output of the next
2 errors; nothing was started
""")
steps("step_fragment", "    - id: style\n      model: none\n      prompt: Be brief.\n    - id: a\n      prompt: \"{{ steps.style.output }}\"\n", told="""\
job.yaml:10:19: error: template.steps[1].prompt: the step 'style' is a fragment (model: none): it is never executed and has no output; use {% include %}, or give it a model
{{ steps.style.output }}
   ^
1 error; nothing was started
""")
steps("all_fragments", "    - id: style\n      model: none\n      prompt: Be brief.\n", told="""\
job.yaml:5:3: error: template.steps: every step has the model none, so nothing would be made
1 error; nothing was started
""")
steps("column_reference", "    - id: question\n      prompt: Ask.\n", extra="columns:\n  q: \"{{ steps.questoin.output }}\"\n", told="""\
job.yaml:9:10: error: columns.q: there is no step 'questoin'; did you mean steps.question?
{{ steps.questoin.output }}
   ^
1 error; nothing was started
""")
steps("step_without_model", "    - id: a\n      prompt: x\n", head=HEAD.replace("model: offline\n", ""), told="""\
job.yaml:5:7: error: template.steps[0].model: missing; neither the step nor the job names a model, e.g. model: offline
1 error; nothing was started
""")

# variables of the seed rows
steps("variable_nowhere_near", "    - id: a\n      prompt: \"About {{ topics }}.\"\n", told="""\
job.yaml:7:25: error: template.steps[0].prompt: no seed row has 'topics'; did you mean topic?
About {{ topics }}.
         ^
1 error; nothing was started
""")
steps("variable_nowhere_far", "    - id: a\n      prompt: \"About {{ zzz }}.\"\n", told="""\
job.yaml:7:25: error: template.steps[0].prompt: no seed row has 'zzz'; the rows have author, level, topic
About {{ zzz }}.
         ^
1 error; nothing was started
""")
steps("variable_nested", "    - id: a\n      prompt: \"About {{ authr.name }}, {{ author.nme.first }}, {{ seed_row.topci }}.\"\n", told="""\
job.yaml:7:25: error: template.steps[0].prompt: no seed row has 'authr.name'; did you mean author?
About {{ authr.name }}, {{ author.nme.first }}, {{ seed_row.topci }}.
         ^
job.yaml:7:43: error: template.steps[0].prompt: no seed row has 'author.nme.first'; the rows have 'author', but not all of this path
About {{ authr.name }}, {{ author.nme.first }}, {{ seed_row.topci }}.
                           ^
job.yaml:7:67: error: template.steps[0].prompt: no seed row has 'topci'; did you mean topic?
About {{ authr.name }}, {{ author.nme.first }}, {{ seed_row.topci }}.
                                                   ^
3 errors; nothing was started
""")
steps("variable_some", "    - id: a\n      prompt: \"About {{ topic }} {{ mood }}.\"\n", files={"seeds.jsonl": ROWS + '{"topic": "x", "mood": "y"}\n'}, code=0, told="""\
job.yaml:7:37: warning: template.steps[0].prompt: 3 of 4 seed rows lack 'mood' (the first is row 1); it is empty there
""")
job("schema_requirements", steps="template:\n  schema_requirements: [topic, author.name, author.born, mood]\n  steps:\n    - {id: a, prompt: x}\n", files={"seeds.jsonl": ROWS + '{"topic": "x", "mood": "y"}\n'}, told="""\
job.yaml:5:32: error: template.schema_requirements[1]: 1 of 4 seed rows lack 'author.name', which the template requires (the first is row 4)
job.yaml:5:45: error: template.schema_requirements[2]: 4 of 4 seed rows lack 'author.born', which the template requires (the first is row 1)
job.yaml:5:58: error: template.schema_requirements[3]: 3 of 4 seed rows lack 'mood', which the template requires (the first is row 1)
3 errors; nothing was started
""")
job("schema_requirements_shape", steps="template:\n  schema_requirements: [a..b, 5, '', x.]\n  steps:\n    - {id: a, prompt: x}\n", told="""\
job.yaml:5:25: error: template.schema_requirements[0]: found "a..b"; a dotted path into a seed row such as author.name is expected
job.yaml:5:31: error: template.schema_requirements[1]: found 5; a dotted path into a seed row such as author.name is expected
job.yaml:5:34: error: template.schema_requirements[2]: found ""; a dotted path into a seed row such as author.name is expected
job.yaml:5:38: error: template.schema_requirements[3]: found "x."; a dotted path into a seed row such as author.name is expected
4 errors; nothing was started
""")
job("schema_requirements_text", steps="template:\n  schema_requirements: topic\n  steps:\n    - {id: a, prompt: x}\n", told="""\
job.yaml:5:24: error: template.schema_requirements: found "topic"; a list of dotted paths is expected
1 error; nothing was started
""")
job("seed_columns_hidden", files={"seeds.jsonl": '{"topic": "x", "steps": 1, "record_index": 4}\n'}, code=0, told="""\
seeds.jsonl: warning: the seed rows have 'steps', which templates cannot see under that name; say seed_row.steps
seeds.jsonl: warning: the seed rows have 'record_index', which templates cannot see under that name; say seed_row.record_index
""")

# seed files
job("seeds_missing", files={"seeds.jsonl": None}, told="""\
job.yaml:2:12: error: seed_data: seeds.jsonl does not exist
1 error; nothing was started
""")
job("seeds_missing_and_more", "seed: x\n", files={"seeds.jsonl": None}, told="""\
job.yaml:2:12: error: seed_data: seeds.jsonl does not exist
job.yaml:8:7: error: seed: found "x"; an integer of 0 to 9223372036854775807 is allowed
2 errors; nothing was started
""")
seeds("seeds_extension", "seeds.txt", "x", told="""\
seeds.txt: error: the extension '.txt' does not tell a format of seed data; name the file .json, .jsonl, .ndjson, .csv or .parquet
1 error; nothing was started
""")
seeds("seeds_no_extension", "seeds", "x", told="""\
seeds: error: the file has no extension, which would tell its format; name the file .json, .jsonl, .ndjson, .csv or .parquet
1 error; nothing was started
""")
case("seeds_folder_named_as_file", {"job.yaml": HEAD + STEPS, "seeds.jsonl": None, "seeds.jsonl/x": ""}, told="""\
job.yaml:2:12: error: seed_data: seeds.jsonl is a folder; a JSON, JSONL, CSV or Parquet file is expected
1 error; nothing was started
""")
case("seeds_folder_without_extension", {"job.yaml": HEAD.replace("seeds.jsonl", "data") + STEPS, "data/x": ""}, told="""\
job.yaml:2:12: error: seed_data: data is a folder; a JSON, JSONL, CSV or Parquet file is expected
1 error; nothing was started
""")
case("seeds_missing_without_extension", {"job.yaml": HEAD.replace("seeds.jsonl", "data") + STEPS}, told="""\
job.yaml:2:12: error: seed_data: data does not exist
1 error; nothing was started
""")
seeds("seeds_empty_jsonl", "rows.jsonl", "", told="""\
rows.jsonl: error: this file is empty; it must hold one JSON object a line
1 error; nothing was started
""")
seeds("seeds_empty_json", "rows.json", "", told="""\
rows.json: error: this file is empty; it must hold an object or an array of objects
1 error; nothing was started
""")
seeds("seeds_empty_csv", "rows.csv", "", told="""\
rows.csv: error: this file is empty; it must hold a header and at least one row
1 error; nothing was started
""")
seeds("seeds_empty_parquet", "rows.parquet", "", told="""\
rows.parquet: error: this file is empty; it must be a Parquet file of at least one row
1 error; nothing was started
""")
seeds("seeds_blank_jsonl", "rows.jsonl", "\n  \n", told="""\
rows.jsonl: error: this file has no rows: every line is blank; add one JSON object a line
1 error; nothing was started
""")
seeds("seeds_empty_array", "rows.json", "[]\n", told="""\
rows.json: error: this file has no rows: the array is empty; add at least one object
1 error; nothing was started
""")
seeds("seeds_header_only", "rows.csv", "topic,level\n", told="""\
rows.csv: error: this file has no rows: there is only a header; add at least one row below it
1 error; nothing was started
""")
seeds("seeds_jsonl_broken", "rows.jsonl", '{"topic": "a"}\n{"topic": "b"\n{"topic": "c"}\n', told="""\
rows.jsonl:2:14: error: this is not valid JSON: it ends too early; a bracket or a quote is not closed; in JSONL each line is one whole JSON object
1 error; nothing was started
""")
seeds("seeds_jsonl_pretty", "rows.jsonl", '{\n  "topic": "a"\n}\n', told="""\
rows.jsonl:1:2: error: this is not valid JSON: it ends too early; a bracket or a quote is not closed; in JSONL each line is one whole JSON object
1 error; nothing was started
""")
seeds("seeds_jsonl_list", "rows.jsonl", '{"topic": "a"}\n["b"]\n"c"\n', told="""\
rows.jsonl:2:1: error: row 2 is a list; a row must be an object
1 error; nothing was started
""")
seeds("seeds_jsonl_latin1", "rows.jsonl", '{"topic": "a"}\n{"topic": "küche"}\n'.encode("latin-1"), told="""\
rows.jsonl:2:13: error: the byte 0xFC is not valid UTF-8 here; save the file as UTF-8
1 error; nothing was started
""")
seeds("seeds_jsonl_nul", "rows.jsonl", b'{"topic": "a\x00"}\n', told="""\
rows.jsonl:1:13: error: this is not valid JSON: found a control character inside a string; write it as \\n, \\t or \\u00XX; in JSONL each line is one whole JSON object
1 error; nothing was started
""")
seeds("seeds_json_unclosed", "rows.json", '[{"topic": "a"},\n {"topic": "b"}\n', told="""\
rows.json:3:1: error: the array that opens the file is not closed; expected ',' or ']'
1 error; nothing was started
""")
seeds("seeds_json_missing_comma", "rows.json", '[{"topic": "a"}\n {"topic": "b"}]\n', told="""\
rows.json:2:2: error: expected ',' or ']' after a row, found '{'
1 error; nothing was started
""")
seeds("seeds_json_no_comma_in_row", "rows.json", '[{"topic": "a"\n  "level": 1}]\n', told="""\
rows.json:2:3: error: this is not valid JSON: found '"' where a comma is expected
1 error; nothing was started
""")
seeds("seeds_json_trailing_comma", "rows.json", '[{"topic": "a"},\n {"topic": "b"},\n]\n', told="""\
rows.json:3:1: error: found ']' after a comma; remove the comma
1 error; nothing was started
""")
seeds("seeds_jsonl_array_of_rows", "rows.jsonl", '[{"topic": "a"},\n {"topic": "b"}]\n', told="""\
rows.jsonl:1:17: error: this is not valid JSON: it ends too early; a bracket or a quote is not closed; in JSONL each line is one whole JSON object
1 error; nothing was started
""")
seeds("seeds_json_number", "rows.json", '[{"topic": "a"},\n 5]\n', told="""\
rows.json:2:2: error: row 2 is an integer; a row must be an object
1 error; nothing was started
""")
seeds("seeds_json_text", "rows.json", 'hello\n', told="""\
rows.json:1:1: error: expected an object or an array of objects, found 'h'
1 error; nothing was started
""")
seeds("seeds_json_after", "rows.json", '{"topic": "a"}\n{"topic": "b"}\n', told="""\
rows.json:2:1: error: the file goes on after its JSON value; rows belong into one array, or, one object a line, into a file named .jsonl
1 error; nothing was started
""")
seeds("seeds_json_unicode", "rows.json", 'é\n', told="""\
rows.json:1:1: error: expected an object or an array of objects, found another character
1 error; nothing was started
""")
seeds("seeds_csv_fields", "rows.csv", "topic,level\na,1\nb,2,3\nc\n", told="""\
rows.csv:3:1: error: this record has 3 fields, but the header has 2; a field with a comma or a line break needs quotes
1 error; nothing was started
""")
seeds("seeds_csv_quote", "rows.csv", 'topic,level\na,1\n"b,2\nc,3\n', told="""\
rows.csv:3:1: error: the quote that opens here is not closed; a quote inside a quoted field is written twice
1 error; nothing was started
""")
seeds("seeds_csv_quote_text", "rows.csv", 'topic,level\n"a" b,1\n', told="""\
rows.csv:2:4: error: expected ',' or the end of the line after a quoted field; a quote inside it is written twice
1 error; nothing was started
""")
seeds("seeds_csv_duplicate", "rows.csv", "topic,level,topic\na,1,b\n", told="""\
rows.csv:1:1: error: the header has 'topic' twice, in columns 1 and 3; names must differ
1 error; nothing was started
""")
seeds("seeds_csv_noname", "rows.csv", "topic,,level\na,1,b\n", told="""\
rows.csv:1:1: error: column 2 of the header has no name; give it one
1 error; nothing was started
""")
seeds("seeds_csv_utf16", "rows.csv", "topic,level\na,1\n".encode("utf-16"), told="""\
rows.csv:1:1: error: the byte 0xFF is not valid UTF-8 here; save the file as UTF-8
1 error; nothing was started
""")
seeds("seeds_row_large", "rows.jsonl", '{"topic": "a"}\n{"topic": "' + "x" * (1 << 20) + '"}\n', told="""\
rows.jsonl:2:1: error: row 2 is larger than 1048576 bytes, the limit of a seed row; make it smaller or split it
1 error; nothing was started
""")
seeds("seeds_row_large_csv", "rows.csv", "topic\na\n" + "x" * ((1 << 20) + 5) + "\n", told="""\
rows.csv:3:1: error: row 2 is larger than 1048576 bytes, the limit of a seed row; make it smaller or split it
1 error; nothing was started
""")
seeds("seeds_row_large_json", "rows.json", '[{"topic": "a"},\n{"topic": "' + "x" * (1 << 20) + '"}]\n', told="""\
rows.json:2:1: error: row 2 is larger than 1048576 bytes, the limit of a seed row; make it smaller or split it
1 error; nothing was started
""")
seeds("seeds_csv_quote_endless", "rows.csv", 'topic\na\n"' + "x\n" * (1 << 19) + "\n", told="""\
rows.csv:3:1: error: the quote that opens here is not closed within 1048576 bytes, the limit of a seed row; a quote inside a quoted field is written twice
1 error; nothing was started
""")
seeds("seeds_parquet_text", "rows.parquet", "topic,level\na,1\n", told="""\
rows.parquet: error: this file cannot be read as Parquet: Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file.
1 error; nothing was started
""")
seeds("seeds_parquet_cut", "rows.parquet", b"PAR1" + b"\x00" * 40, told="""\
rows.parquet: error: this file cannot be read as Parquet: Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file.
1 error; nothing was started
""")
seeds("seeds_parquet_magic", "rows.parquet", b"PAR1" + b"\x07" * 40 + b"\x10\x00\x00\x00PAR1", told="""\
rows.parquet: error: this file cannot be read as Parquet: Couldn't deserialize thrift: No more data to read.
1 error; nothing was started
""")

# models
model("model_near", 'ofline', told="""\
job.yaml:1:8: error: model: the model 'ofline' is not known; did you mean offline?
1 error; nothing was started
""")
model("model_far", 'wxyzzy', told="""\
job.yaml:1:8: error: model: the model 'wxyzzy' is not known; plot-palette models lists the known ones, and bedrock/<id> or openai/<name> takes any other
1 error; nothing was started
""")
model("model_variant_near", 'offline/echos', told="""\
job.yaml:1:8: error: model: the model 'offline/echos' is not known; did you mean offline/echo?
1 error; nothing was started
""")
model("model_openai_without_key", 'openai/gpt-4o', told="""\
environment: error: the model 'openai/gpt-4o' needs a key, and OPENAI_API_KEY is not set; export it, or name another server with OPENAI_BASE_URL
1 error; nothing was started
""")
model("model_bedrock_without_region", 'bedrock/x', told="""\
environment: error: the model 'bedrock/x' is in an AWS region, and none is set; set AWS_REGION, e.g. AWS_REGION=us-east-1, or region in the profile
1 error; nothing was started
""")
model("model_alias_near", 'claude-haik', told="""\
job.yaml:1:8: error: model: the model 'claude-haik' is not known; did you mean claude-haiku?
1 error; nothing was started
""")
model("model_parameter_unknown", 'offline?latency=20', told="""\
job.yaml:1:8: error: model: the model's parameter 'latency' is not known; known are latency_ms, fail_rate and fail_kind
1 error; nothing was started
""")
model("model_latency", 'offline?latency_ms=-1', told="""\
job.yaml:1:8: error: model: the model's parameter latency_ms is '-1'; allowed is an integer of 0 to 600000
1 error; nothing was started
""")
model("model_fail_rate", 'offline?fail_rate=2', told="""\
job.yaml:1:8: error: model: the model's parameter fail_rate is '2'; allowed is a number of 0 to 1
1 error; nothing was started
""")
model("model_fail_kind", 'offline?fail_kind=slow', told="""\
job.yaml:1:8: error: model: the model's parameter fail_kind is 'slow'; allowed is throttled, unavailable, timeout, refused, truncated, bad_input or denied
1 error; nothing was started
""")
model("model_parameter_far", 'offline?zzzz=1', told="""\
job.yaml:1:8: error: model: the model's parameter 'zzzz' is not known; known are latency_ms, fail_rate and fail_kind
1 error; nothing was started
""")
model("model_parameter_without_value", 'offline?latency_ms', told="""\
job.yaml:1:8: error: model: the model's parameter latency_ms is ''; allowed is an integer of 0 to 600000
1 error; nothing was started
""")
model("model_none_with_parameter", 'none?x=1', told="""\
job.yaml:1:8: error: model: the model 'none' takes no parameters
1 error; nothing was started
""")
model("model_number", '5', told="""\
job.yaml:1:8: error: model: found 5; a text of 1 to 200 bytes, or a list of such, is expected
1 error; nothing was started
""")
model("model_empty", "''", told="""\
job.yaml:1:8: error: model: found ""; a text of 1 to 200 bytes, or a list of such, is expected
1 error; nothing was started
""")
model("model_empty_list", '[]', told="""\
job.yaml:1:8: error: model: found 0 entries; 1 to 10 are allowed
1 error; nothing was started
""")
model("model_none_in_list", '[offline, none]', told="""\
job.yaml:1:18: error: model: none cannot stand in a list of fallbacks
1 error; nothing was started
""")
model("model_several_in_list", '[offline, ofline, offline/eko]', told="""\
job.yaml:1:18: error: model: the model 'ofline' is not known; did you mean offline?
job.yaml:1:26: error: model: the model 'offline/eko' is not known; did you mean offline/echo?
2 errors; nothing was started
""")
model("model_object", '{a: b}', told="""\
job.yaml:1:8: error: model: found an object; a text of 1 to 200 bytes, or a list of such, is expected
1 error; nothing was started
""")
model("model_none_of_job", 'none', told="""\
job.yaml:1:8: error: model: none is for a single step that is only included; name the model that the job calls
1 error; nothing was started
""")
model("model_parameter_number", 'offline?latency_ms=1&fail_rate=0.5x', told="""\
job.yaml:1:8: error: model: the model's parameter fail_rate is '0.5x'; allowed is a number of 0 to 1
1 error; nothing was started
""")
steps("step_models", "    - id: a\n      model: ofline\n      prompt: x\n    - id: b\n      prompt: y\n      model: [offline, offline/eco]\n    - id: c\n      prompt: y\n      model: []\n", told="""\
job.yaml:7:14: error: template.steps[0].model: the model 'ofline' is not known; did you mean offline?
job.yaml:11:24: error: template.steps[1].model: the model 'offline/eco' is not known; did you mean offline/echo?
job.yaml:14:14: error: template.steps[2].model: found 0 entries; 1 to 10 are allowed
3 errors; nothing was started
""")
job("models_eleven", head=HEAD.replace("model: offline", "model: [" + ", ".join(["offline"] * 11) + "]"), told="""\
job.yaml:1:8: error: model: found 11 entries; 1 to 10 are allowed
1 error; nothing was started
""")
job("model_override", args="run job.yaml --model ofline", told="""\
--model: error: the model 'ofline' is not known; did you mean offline?
1 error; nothing was started
""")

# where to write to
job("data_dir_is_file", files={"data": "x"}, args="run job.yaml --data-dir data", told="""\
data: error: this is a file, so no folder can be made there; name another folder with --data-dir or --out
1 error; nothing was started
""")
job("out_is_file", files={"out": "x"}, told="""\
out: error: this is a file, so no folder can be made there; name another folder with --data-dir or --out
1 error; nothing was started
""")
job("out_below_file", files={"here": "x"}, args="run job.yaml --out here/out --data-dir here/data", told="""\
here/data: error: here is a file, so no folder can be made there; name another folder with --data-dir or --out
here/out: error: here is a file, so no folder can be made there; name another folder with --data-dir or --out
2 errors; nothing was started
""")
job("out_file_is_folder", files={"out/dataset.jsonl/x": "x"}, told="""\
out/dataset.jsonl: error: this is a folder, where the dataset is to be written; remove it, or name another folder with --out
1 error; nothing was started
""")
steps("prompt_with_anchor", "    - id: ask\n      prompt: &p \"Ask {{ topic | uper }}.\"\n", told="""\
job.yaml:7:34: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
Ask {{ topic | uper }}.
               ^
1 error; nothing was started
""")
steps("prompt_and_system_not_texts", "    - id: ask\n      prompt: [a, b]\n      system: {a: b}\n", told="""\
job.yaml:7:15: error: template.steps[0].prompt: found a list; a text is expected
job.yaml:8:15: error: template.steps[0].system: found an object; a text is expected
2 errors; nothing was started
""")
prompt("prompt_unclosed_var", "Hello\n{{ topic", told="""\
job.yaml:9:9: error: template.steps[0].prompt: this tag is not closed: expected '}}'
{{ topic
^
1 error; nothing was started
""")
prompt("prompt_unclosed_block", "Hello\n{% if topic %}yes\n", told="""\
job.yaml:9:26: error: template.steps[0].prompt: the template ends where 'elif' or 'else' or 'endif' is expected for the open 'if'
{% if topic %}yes
                 ^
1 error; nothing was started
""")
prompt("prompt_unknown_tag", "Hello {% fi topic %}", told="""\
job.yaml:8:18: error: template.steps[0].prompt: unknown tag 'fi'
Hello {% fi topic %}
         ^
1 error; nothing was started
""")
prompt("prompt_end_mismatch", "{% if topic %}a{% endfor %}", told="""\
job.yaml:8:27: error: template.steps[0].prompt: unknown tag 'endfor'; expected 'elif' or 'else' or 'endif' for the open 'if'
{% if topic %}a{% endfor %}
                  ^
1 error; nothing was started
""")
prompt("prompt_unknown_filter", "Hello\n  {{ topic | uper }}", told="""\
job.yaml:9:22: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
  {{ topic | uper }}
             ^
1 error; nothing was started
""")
prompt("prompt_unknown_filter_far", "Hello\n  {{ topic | zzzzzz }}", told="""\
job.yaml:9:22: error: template.steps[0].prompt: unknown filter 'zzzzzz'
  {{ topic | zzzzzz }}
             ^
1 error; nothing was started
""")
prompt("prompt_unknown_test", "{% if topic is defned %}x{% endif %}", told="""\
job.yaml:8:24: error: template.steps[0].prompt: unknown test 'defned'; did you mean 'defined'?
{% if topic is defned %}x{% endif %}
               ^
1 error; nothing was started
""")
prompt("prompt_unknown_function", "{{ writing_stil() }}", told="""\
job.yaml:8:12: error: template.steps[0].prompt: no seed row has 'writing_stil'; the rows have author, level, topic
{{ writing_stil() }}
   ^
1 error; nothing was started
""")
prompt("prompt_expression", "{{ topic + }}", told="""\
job.yaml:8:20: error: template.steps[0].prompt: expected an expression, found end of print statement
{{ topic + }}
           ^
1 error; nothing was started
""")
prompt("prompt_empty_expression", "{{ }}", told="""\
job.yaml:8:12: error: template.steps[0].prompt: expected an expression, found end of print statement
{{ }}
   ^
1 error; nothing was started
""")
prompt("prompt_string_unclosed", "{{ 'abc }}", told="""\
job.yaml:8:12: error: template.steps[0].prompt: this string is not closed: expected '
{{ 'abc }}
   ^
1 error; nothing was started
""")
prompt("prompt_several", "{{ topic | uper }}\n{{ topic | lowr }}", told="""\
job.yaml:8:20: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
{{ topic | uper }}
           ^
1 error; nothing was started
""")
prompt("prompt_non_ascii_before", "Küche für {{ topic | uper }}", told="""\
job.yaml:8:32: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
Küche für {{ topic | uper }}
                     ^
1 error; nothing was started
""")
steps("prompt_quoted", "    - id: ask\n      prompt: \"Ask about {{ topic | uper }}.\"\n", told="""\
job.yaml:7:37: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
Ask about {{ topic | uper }}.
                     ^
1 error; nothing was started
""")
steps("prompt_single_quoted_escape", "    - id: ask\n      prompt: 'It''s about {{ topic | uper }}.'\n", told="""\
job.yaml:7:39: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
It's about {{ topic | uper }}.
                      ^
1 error; nothing was started
""")
steps("prompt_double_quoted_escapes", "    - id: ask\n      prompt: \"Say \\\"hi\\\"\\n\\u00e9 {{ topic | uper }}.\"\n", told="""\
job.yaml:7:46: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
é {{ topic | uper }}.
             ^
1 error; nothing was started
""")
steps("prompt_plain", "    - id: ask\n      prompt: Ask about {{ topic | uper }}.\n", told="""\
job.yaml:7:36: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
Ask about {{ topic | uper }}.
                     ^
1 error; nothing was started
""")
steps("prompt_plain_two_lines", "    - id: ask\n      prompt: Ask about\n        this {{ topic | uper }}.\n", told="""\
job.yaml:8:25: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
Ask about this {{ topic | uper }}.
                          ^
1 error; nothing was started
""")
steps("prompt_quoted_two_lines", "    - id: ask\n      prompt: \"Ask about\n\n        this {{ topic | uper }}.\"\n", told="""\
job.yaml:9:25: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
this {{ topic | uper }}.
                ^
1 error; nothing was started
""")
steps("prompt_folded", "    - id: ask\n      prompt: >\n        Ask about\n        this {{ topic | uper }}.\n", told="""\
job.yaml:7:15: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
Ask about this {{ topic | uper }}.
                          ^
1 error; nothing was started
""")
steps("prompt_block_indicator", "    - id: ask\n      prompt: |2-\n          {{ topic | uper }}.\n", told="""\
job.yaml:8:22: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
  {{ topic | uper }}.
             ^
1 error; nothing was started
""")
steps("prompt_crlf", "    - id: ask\r\n      prompt: |\r\n        Hello\r\n        {{ topic | uper }}.\r\n", told="""\
job.yaml:9:20: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
{{ topic | uper }}.
           ^
1 error; nothing was started
""")
steps("prompt_system", "    - id: ask\n      system: \"{{ topic | uper }}\"\n      prompt: \"{{ topic | lowr }}\"\n", told="""\
job.yaml:7:27: error: template.steps[0].system: unknown filter 'uper'; did you mean 'upper'?
{{ topic | uper }}
           ^
job.yaml:8:27: error: template.steps[0].prompt: unknown filter 'lowr'; did you mean 'lower'?
{{ topic | lowr }}
           ^
2 errors; nothing was started
""")
job("prompt_column", "columns:\n  a: \"{{ steps.ask.output | uper }}\"\n  b: \"{{ steps.ask.outptu }}\"\n", told="""\
job.yaml:9:29: error: columns.a: unknown filter 'uper'; did you mean 'upper'?
{{ steps.ask.output | uper }}
                      ^
job.yaml:10:10: error: columns.b: a step has no 'outptu'; it has output, prompt and model
{{ steps.ask.outptu }}
   ^
2 errors; nothing was started
""")

# includes
prompt("include_missing", "In a good style.\n{% include 'style' %}", told="""\
job.yaml:9:21: error: template.steps[0].prompt: {% include %}: no template file beside this one has the template.id 'style'
{% include 'style' %}
            ^
1 error; nothing was started
""")
prompt("include_missing_broken_file", "{% include 'style' %}", files={"style.yaml": "template:\n  id: style\n  stepz: []\n"}, told="""\
job.yaml:8:21: error: template.steps[0].prompt: {% include %}: no template file beside this one has the template.id 'style'; style.yaml cannot be read as a template (style.yaml:2:3: template.steps: missing; a template needs a list of 1 to 100 steps)
{% include 'style' %}
            ^
1 error; nothing was started
""")
prompt("include_missing_ignored", "{% include 'style' ignore missing %}{{ topic }}", code=0, told="")
prompt("include_list", "{% include ['style', 'tone'] %}{{ topic }}", files={"tone.yaml": "template: {id: tone, steps: [{id: a, prompt: Be kind.}]}\n"}, code=0, told="")
prompt("include_list_missing", "{% include ['style', 'tone'] %}{{ topic }}", told="""\
job.yaml:8:22: error: template.steps[0].prompt: {% include %}: no template file beside this one has the template.id 'style' or 'tone'
{% include ['style', 'tone'] %}{{ topic }}
             ^
1 error; nothing was started
""")
prompt("include_comment", "{# {% include 'style' %} #}{% raw %}{% include 'style' %}{% endraw %}", code=0, told="")
steps("include_missing_twice", "    - id: a\n      prompt: \"{% include 'style' %}\"\n    - id: b\n      prompt: \"{% include 'style' %}\"\n", told="""\
job.yaml:7:28: error: template.steps[0].prompt: {% include %}: no template file beside this one has the template.id 'style'
{% include 'style' %}
            ^
job.yaml:9:28: error: template.steps[1].prompt: {% include %}: no template file beside this one has the template.id 'style'
{% include 'style' %}
            ^
2 errors; nothing was started
""")
prompt("include_near", "{% include 'stile' %}", files={"style.yaml": "template: {id: style, steps: [{id: a, prompt: Be brief.}]}\n"}, told="""\
job.yaml:8:21: error: template.steps[0].prompt: {% include %}: no template file beside this one has the template.id 'stile'; did you mean 'style'?
{% include 'stile' %}
            ^
1 error; nothing was started
""")
prompt("include_broken", "{% include 'style' %}", files={"style.yaml": "template:\n  id: style\n  steps:\n    - id: a\n      prompt: Be brief.\n    - id: b\n      prompt: |\n        One\n        {{ topic | uper }}\n"}, told="""\
style.yaml:9:20: error: template.steps[1].prompt: unknown filter 'uper'; did you mean 'upper'?
{{ topic | uper }}
           ^
1 error; nothing was started
""")
prompt("include_variable", "{% include 'style' %}", files={"style.yaml": "template:\n  id: style\n  steps:\n    - id: a\n      prompt: |\n        Be {{ mood }}.\n"}, told="""\
style.yaml:6:15: error: template.steps[0].prompt: no seed row has 'mood'; the rows have author, level, topic
Be {{ mood }}.
      ^
1 error; nothing was started
""")
prompt("include_nested_missing", "{% include 'style' %}", files={"style.yaml": "template:\n  id: style\n  steps:\n    - id: a\n      prompt: |\n        Be {% include 'tone' %}.\n"}, told="""\
style.yaml:6:24: error: template.steps[0].prompt: {% include %}: no template file beside this one has the template.id 'tone'
Be {% include 'tone' %}.
               ^
1 error; nothing was started
""")
TF = HEAD + "template: qa.yaml\n"
case("template_file_missing", {"job.yaml": TF}, told="""\
job.yaml:4:11: error: template: qa.yaml: this file does not exist
1 error; nothing was started
""")
case("template_file_folder", {"job.yaml": TF, "qa.yaml/x": ""}, told="""\
job.yaml:4:11: error: template: qa.yaml: this is a folder; a YAML or JSON file is expected
1 error; nothing was started
""")
case("template_file_syntax", {"job.yaml": TF, "qa.yaml": "template:\n  steps: [\n"}, told="""\
qa.yaml:3:1: error: this is not valid YAML: the list that opens with [ is not closed; expected , or ]
1 error; nothing was started
""")
case("template_file_errors", {"job.yaml": TF + "sead: 1\n", "qa.yaml": "template:\n  id: qa\n  version: 0\n  is_public: maybe\n  steps:\n    - id: ask\n      prompt: |\n        Ask about\n        {{ topic | uper }}\n    - id: answer\n      model: ofline\n      prompt: \"{{ steps.aks.output }} {{ nothing_here }}\"\n"}, told="""\
job.yaml:5:1: error: sead: this key is not known; did you mean seed?
qa.yaml:3:12: error: template.version: found 0; an integer of 1 to 1000000000 is allowed
qa.yaml:4:14: error: template.is_public: found "maybe"; true or false is expected
qa.yaml:9:20: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
{{ topic | uper }}
           ^
qa.yaml:11:14: error: template.steps[1].model: the model 'ofline' is not known; did you mean offline?
qa.yaml:12:19: error: template.steps[1].prompt: there is no step 'aks'; did you mean steps.ask?
{{ steps.aks.output }} {{ nothing_here }}
   ^
qa.yaml:12:42: error: template.steps[1].prompt: no seed row has 'nothing_here'; the rows have author, level, topic
{{ steps.aks.output }} {{ nothing_here }}
                          ^
7 errors; nothing was started
""")
case("template_file_other", {"job.yaml": TF, "qa.yaml": "name: x\n"}, told="""\
qa.yaml:1:1: error: name: this key is not known; the only one is template
qa.yaml:1:1: error: template: missing; a template file is `template: {id, steps: [...]}`
2 errors; nothing was started
""")
case("template_file_is_job", {"job.yaml": TF, "qa.yaml": HEAD + STEPS}, told="""\
qa.yaml:1:1: error: this is a job file; a template file is expected: `template: {id, steps: [...]}`
1 error; nothing was started
""")
case("template_file_extra", {"job.yaml": TF, "qa.yaml": "template: {id: x, steps: [{id: a, prompt: x}]}\nversion: 2\n"}, told="""\
qa.yaml:2:1: error: version: this key is not known; the only one is template
1 error; nothing was started
""")

# flags and the environment
job("flag_budget", args="run job.yaml --budget -1", told="""\
--budget: error: found '-1'; US dollars above 0 and up to 1000000 are allowed
1 error; nothing was started
""")
job("flag_budget_text", args="run job.yaml --budget five", told="""\
--budget: error: found 'five'; US dollars above 0 and up to 1000000 are allowed
1 error; nothing was started
""")
job("flag_budget_zero", args="run job.yaml --budget 0", told="""\
--budget: error: found '0'; US dollars above 0 and up to 1000000 are allowed
1 error; nothing was started
""")
job("flag_format", args="run job.yaml --format jsonl,xml", told="""\
--format: error: found 'xml'; allowed are jsonl, parquet and csv
1 error; nothing was started
""")
job("interval_zero", env={"CHECKPOINT_INTERVAL": "0"}, told="""\
error: CHECKPOINT_INTERVAL: found '0'; an integer of 1 to 10000 is allowed (records of a batch)
""")
job("interval_word", env={"CHECKPOINT_INTERVAL": "abc"}, told="""\
error: CHECKPOINT_INTERVAL: found 'abc'; an integer of 1 to 10000 is allowed (records of a batch)
""")
job("interval_too_large", env={"CHECKPOINT_INTERVAL": "10001"}, told="""\
error: CHECKPOINT_INTERVAL: found '10001'; an integer of 1 to 10000 is allowed (records of a batch)
""")
job("interval_text_after", env={"CHECKPOINT_INTERVAL": "5x"}, told="""\
error: CHECKPOINT_INTERVAL: found '5x'; an integer of 1 to 10000 is allowed (records of a batch)
""")
job("interval_negative", env={"CHECKPOINT_INTERVAL": "-1"}, told="""\
error: CHECKPOINT_INTERVAL: found '-1'; an integer of 1 to 10000 is allowed (records of a batch)
""")
job("flag_concurrency", args="run job.yaml --concurrency 10001", told="""\
error: --concurrency: Value 10001 not in range 1 to 10000; see plot-palette run --help
""")
job("flag_records", args="run job.yaml --records 0", told="""\
error: --records: Value 0 not in range 1 to 10000000; see plot-palette run --help
""")

# several at once
job("several_flags_and_file", "seed: -1\n", args="run job.yaml --budget 0 --format xml --model ofline", told="""\
--budget: error: found '0'; US dollars above 0 and up to 1000000 are allowed
--format: error: found 'xml'; allowed are jsonl, parquet and csv
--model: error: the model 'ofline' is not known; did you mean offline?
job.yaml:8:7: error: seed: found -1; an integer of 0 to 9223372036854775807 is allowed
4 errors; nothing was started
""")
case("several_in_order", {"job.yaml": 'name: [x]\nmodel: ofline\nseed_data: rows.csv\nnum_records: -5\nseed_sampling: once\ntemplate:\n  steps:\n    - id: ask\n      prompt: |\n        About\n        {{ topic | uper }} and {{ steps.b.output }}\n      temprature: 1\n    - id: ask\n      prompt: "{{ steps.aks.output }}"\ncolumns: {}\n', "rows.csv": "topic\na,b\n"}, told="""\
job.yaml:1:7: error: name: found a list; a text is expected
job.yaml:2:8: error: model: the model 'ofline' is not known; did you mean offline?
job.yaml:4:14: error: num_records: found -5; an integer of 1 to 10000000 is allowed
job.yaml:5:16: error: seed_sampling: found "once"; allowed are random, shuffle and sequential
job.yaml:11:20: error: template.steps[0].prompt: unknown filter 'uper'; did you mean 'upper'?
{{ topic | uper }} and {{ steps.b.output }}
           ^
job.yaml:12:7: error: template.steps[0].temprature: this key is not known; did you mean temperature?
job.yaml:13:7: error: template.steps[1].id: the step id 'ask' is used twice; the first is in line 8
job.yaml:14:19: error: template.steps[1].prompt: there is no step 'aks'; did you mean steps.ask?
{{ steps.aks.output }}
   ^
job.yaml:15:10: error: columns: found 0 columns; 1 to 1000 names with a template each are expected
rows.csv:2:1: error: this record has 2 fields, but the header has 1; a field with a comma or a line break needs quotes
10 errors; nothing was started
""")
case("too_many_errors", {"job.yaml": "".join("bad%d: 1\n" % i for i in range(600))}, told="".join(f"job.yaml:{i + 1}:1: error: bad{i}: this key is not known; known are <the job keys>\n" for i in range(500)) +
     """job.yaml: warning: 3 more were found that are not told; mend these first
at least 500 errors; nothing was started
""")

# the other command that makes records
case("preview", {"job.yaml": HEAD + STEPS + "seed: -1\n"}, args="preview job.yaml", told="""\
job.yaml:8:7: error: seed: found -1; an integer of 0 to 9223372036854775807 is allowed
1 error; nothing was started
""")


def write(folder, files):
    for name, content in files.items():
        if content is None:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def everything_in(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def test_every_case_has_a_name_of_its_own():
    assert len({c.name for c in CASES}) == len(CASES) >= 70


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_promise_8_bad_input_is_told_and_nothing_is_made(palette, case):
    write(palette.folder, case.files)
    before = everything_in(palette.folder)
    done = palette.run(*shlex.split(case.args), env=case.env, expect=case.code)
    assert done.stderr == case.told
    if case.code == 0:
        return
    assert done.stdout == ""
    assert everything_in(palette.folder) == before
    errors = [line for line in case.told.splitlines() if ": error: " in line]
    if errors:
        assert case.told.splitlines()[-1] == f"{'at least ' * (len(errors) == 500)}{len(errors)} error{'s'[:len(errors) != 1]}; nothing was started"


def as_lines(findings):
    """The findings of --json as the text that stderr would have."""
    out = ""
    for f in findings:
        place = f["file"] + (f":{f['line']}:{f['column']}" if f["line"] else "")
        out += f"{place}: {f['severity']}: " + (f["field"] + ": " if f["field"] else "") + f["message"] + "\n"
        out += f["excerpt"] + "\n" if f["excerpt"] else ""
    errors = sum(f["severity"] == "error" for f in findings)
    return out + (f"{errors} error{'s'[:errors != 1]}; nothing was started\n" if errors else "")


# A file without one of a job's own keys is taken for a template file; where to write to matters to run alone.
ONLY_RUN = {"yaml_list_root", "yaml_scalar_root", "yaml_empty", "yaml_comment_only", "yaml_bomb", "json_list", "missing_everything", "too_many_errors",
            "model_openai_without_key", "model_bedrock_without_region", "data_dir_is_file", "out_is_file", "out_below_file", "out_file_is_folder"}
CHECKED = [c for c in CASES if c.name not in ONLY_RUN and c.args.startswith("run ") and "--out" in c.args and not c.env]


@pytest.mark.parametrize("case", CHECKED[::2], ids=lambda c: c.name)
def test_template_check_tells_the_same_as_json(palette, case):
    write(palette.folder, case.files)
    before = everything_in(palette.folder)
    done = palette.run("template", "check", case.args.split()[1], "--json", expect=case.code)
    assert as_lines(json.loads(done.stdout)) == case.told
    assert done.stderr == ""
    assert everything_in(palette.folder) == before


@pytest.mark.parametrize("case", CHECKED[1::10], ids=lambda c: c.name)
def test_template_check_tells_the_same_lines(palette, case):
    write(palette.folder, case.files)
    done = palette.run("template", "check", case.args.split()[1], expect=case.code)
    assert done.stderr == case.told
    assert ("no errors" in done.stdout) == (case.code == 0)


@pytest.mark.parametrize("case", CHECKED[1::10], ids=lambda c: c.name)
def test_run_json_tells_the_same_as_one_event(palette, case):
    if case.code == 0:
        pytest.skip("this job runs")
    write(palette.folder, case.files)
    done = palette.run("run", case.args.split()[1], "--json", expect=2)
    event = json.loads(done.stdout)
    assert event["event"] == "invalid"
    assert as_lines(event["findings"]) == case.told == done.stderr


TEMPLATE = """\
template:
  id: qa
  steps:
    - id: ask
      model: ofline
      prompt: "{{ topics }}"
    - id: answer
      prompt: "{{ steps.aks.output | uper }}"
    - id: judge
      prompt: "{{ steps.answr.output }}"
"""
UPER = """\
qa.yaml:8:38: error: template.steps[1].prompt: unknown filter 'uper'; did you mean 'upper'?
{{ steps.aks.output | uper }}
                      ^
"""
ANSWR = """\
qa.yaml:10:19: error: template.steps[2].prompt: there is no step 'answr'; did you mean steps.answer?
{{ steps.answr.output }}
   ^
"""
OFLINE = "qa.yaml:5:14: error: template.steps[0].model: the model 'ofline' is not known; did you mean offline?\n"
TOPICS = """\
qa.yaml:6:19: error: template.steps[0].prompt: no seed row has 'topics'; did you mean topic?
{{ topics }}
   ^
"""
CHECKS = [
    ("qa.yaml", OFLINE + UPER + ANSWR + "3 errors; nothing was started\n"),
    ("qa.yaml --seed-data seeds.jsonl", OFLINE + TOPICS + UPER + ANSWR + "4 errors; nothing was started\n"),
    ("qa.yaml --seed-data rows.jsonl",
     "--seed-data: error: rows.jsonl does not exist\n" + OFLINE + UPER + ANSWR + "4 errors; nothing was started\n"),
    ("qa.yaml --seed-data .",
     "--seed-data: error: . is a folder; a JSON, JSONL, CSV or Parquet file is expected\n" + OFLINE + UPER + ANSWR + "4 errors; nothing was started\n"),
    ("qa.yaml --seed-data empty.csv",
     "empty.csv: error: this file is empty; it must hold a header and at least one row\n" + OFLINE + UPER + ANSWR + "4 errors; nothing was started\n"),
    ("absent.yaml", "absent.yaml: error: this file does not exist\n1 error; nothing was started\n"),
    (".", ".: error: this is a folder; a YAML or JSON file is expected\n1 error; nothing was started\n"),
    ("other.yaml", "other.yaml:1:1: error: name: this key is not known; the only one is template\n"
                   "other.yaml:1:1: error: template: missing; a template file is `template: {id, steps: [...]}`\n2 errors; nothing was started\n"),
]


@pytest.mark.parametrize("args,told", CHECKS, ids=[args for args, _ in CHECKS])
def test_template_check_of_template_files(palette, args, told):
    write(palette.folder, {"qa.yaml": TEMPLATE, "seeds.jsonl": ROWS, "empty.csv": "", "other.yaml": "name: x\n"})
    done = palette.run("template", "check", *args.split(), expect=2)
    assert (done.stdout, done.stderr) == ("", told)
    done = palette.run("template", "check", *args.split(), "--json", expect=2)
    assert (as_lines(json.loads(done.stdout)), done.stderr) == (told, "")


def test_preview_tells_the_same(palette):
    write(palette.folder, {"job.yaml": HEAD + STEPS + "seed: -1\n", "seeds.jsonl": ROWS})
    done = palette.run("preview", "job.yaml", expect=2)
    assert done.stderr == ("job.yaml:8:7: error: seed: found -1; an integer of 0 to 9223372036854775807 is allowed\n"
                           "1 error; nothing was started\n")
    assert done.stdout == ""
    assert not (palette.folder / ".plot-palette").exists()


def test_quiet_leaves_warnings_out(palette):
    write(palette.folder, {"job.yaml": HEAD + STEPS.replace("topic", "mood"), "seeds.jsonl": ROWS + '{"mood": "good"}\n'})
    warning = "job.yaml:7:29: warning: template.steps[0].prompt: 3 of 4 seed rows lack 'mood' (the first is row 1); it is empty there\n"
    assert palette.run("preview", "job.yaml").stderr == warning
    assert palette.run("run", "job.yaml", "--no-progress").stderr == warning
    assert palette.run("run", "job.yaml", "--quiet").stderr == ""
