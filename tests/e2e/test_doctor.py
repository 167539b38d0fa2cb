"""`plot-palette doctor`: one line a check, good or what to do; exit code 1 when one failed; no secret shown."""
import http.server
import json
import re
import subprocess
import threading
import time
from email.utils import formatdate

import pytest

from conftest import COUNTRIES

HAIKU = "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0"
GPT = "openai/gpt-4o-mini"
JOB = {"name": "checked", "model": "claude-haiku", "seed_data": str(COUNTRIES), "num_records": 10, "template": {"steps": [
    {"id": "question", "prompt": "Ask about {{ name }}.", "max_tokens": 50},
    {"id": "answer", "model": "gpt-4o-mini", "prompt": "Answer {{ steps.question.output }}", "max_tokens": 50}]}}
SECRETS = ["simulated-secret", "sim-key", "AKIASIMULATED0000001"]


class Doctor:
    def __init__(self, palette, sim):
        self.palette, self.sim = palette, sim
        palette.write("job.json", JOB)

    def __call__(self, *arguments, expect=0, env=None, without=(), stdin=subprocess.DEVNULL):
        """{check: [(level, found), …]}"""
        environment = {"HOME": str(self.palette.folder), **self.sim.environment(), **(env or {})}
        for name in without:
            del environment[name]
        done = self.palette.run("doctor", "--json", *arguments, expect=expect, env=environment, stdin=stdin)
        for secret in SECRETS:
            assert secret not in done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["ok"] is (expect == 0)
        found = {}
        for check in told["checks"]:
            found.setdefault(check["check"], []).append((check["level"], check["found"]))
        return found


@pytest.fixture
def doctor(palette, sim):
    return Doctor(palette, sim)


def test_all_is_well(doctor):
    env = {"HOME": str(doctor.palette.folder), **doctor.sim.environment()}
    done = doctor.palette.run("doctor", "job.json", "--yes", env=env)
    url = doctor.sim.url
    told = re.sub(r"answered in \d+ ms", "answered in N ms", done.stdout)
    told = re.sub(r"[\d,]+ GiB free", "N GiB free", re.sub(r"plot-palette \d+\.\d+\.\d+", "plot-palette X", told))
    told = re.sub(r"[\d,]+ at once: [\d,]+ calls", "N at once: M calls", told)
    assert told == f"""\
ok       program          plot-palette X
ok       data folder      .plot-palette can be made, N GiB free
ok       job              job.json: 2 steps, 10 records
ok       open files       N at once: M calls in flight
ok       AWS region       us-east-1 (AWS_REGION)
ok       endpoint         AWS_ENDPOINT_URL_BEDROCK_RUNTIME sends calls to {url}
ok       endpoint         OPENAI_BASE_URL sends calls to {url}
ok       AWS credentials  environment, key …0001, they do not expire
ok       clock            as that of {url}
ok       server           {url} (OPENAI_API_KEY set): 15 models, gpt-4o-mini is listed
ok       price            {HAIKU}: $1.10 in, $5.50 out per million tokens (as of 2026-08-20)
ok       price            {GPT}: $0.15 in, $0.60 out per million tokens (as of 2026-07-02)
ok       access           {HAIKU} answered in N ms
ok       access           {GPT} answered in N ms
All is well.
"""
    assert done.stderr == "" and not (doctor.palette.folder / ".plot-palette").exists()
    stats = doctor.sim.stats()
    assert (stats["calls"], sum(model["output_tokens"] for model in stats["models"].values())) == (2, 2)


def test_without_yes_nothing_is_called(doctor):
    found = doctor("job.json")
    assert found["access"] == [("skipped", f"{HAIKU} (--yes makes a one-token call)"), ("skipped", f"{GPT} (--yes makes a one-token call)")]
    assert doctor.sim.stats()["calls"] == 0


def test_without_a_job_what_is_set_up_is_checked(doctor):
    found = doctor()
    assert "price" not in found and "access" not in found and "job" not in found
    assert found["server"] == [("ok", f"{doctor.sim.url} (OPENAI_API_KEY set): 15 models")]
    assert found["clock"] == [("ok", f"as that of {doctor.sim.url}")]
    bare = doctor(without=list(doctor.sim.environment()))
    assert bare["AWS region"] == [("ok", "none is set; only Bedrock needs one")]
    assert bare["AWS credentials"] == [("ok", "none are set up; only Bedrock needs them")]
    assert "server" not in bare and "clock" not in bare and "endpoint" not in bare


def test_what_the_environment_lacks(doctor):
    found = doctor("job.json", "--yes", expect=1, without=["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "OPENAI_BASE_URL", "OPENAI_API_KEY"])
    assert [level for level, _ in found["job"]] == ["fail", "fail"]
    assert found["AWS region"] == [("fail", "none is set; set AWS_REGION, e.g. AWS_REGION=us-east-1")]
    assert found["AWS credentials"][0][0] == "fail" and "no AWS credentials were found" in found["AWS credentials"][0][1]
    assert found["access"] == [("skipped", f"{HAIKU} (see what failed above)"), ("skipped", f"{GPT} (see what failed above)")]
    assert found["price"][0][0] == "ok" and "server" not in found


def test_findings_of_the_job_are_lines(doctor):
    doctor.palette.write("job.json", {**JOB, "num_records": 0})
    found = doctor("job.json", expect=1)
    assert found["job"][0][0] == "fail" and "num_records" in found["job"][0][1]
    assert doctor("absent.json", expect=1)["job"] == [("fail", "absent.json: this file does not exist")]


def test_region_credentials_and_their_end_from_a_profile(doctor):
    doctor.palette.write(".aws/config", "[profile lab]\nregion = eu-west-1\ncredential_process = /bin/cat creds.json\n")
    doctor.palette.write("creds.json", {"Version": 1, "AccessKeyId": "ASIAEXAMPLE00004242", "SecretAccessKey": "process-secret",
                                        "SessionToken": "process-token", "Expiration": "2099-01-01T00:00:00Z"})
    found = doctor(env={"AWS_PROFILE": "lab", "AWS_CONFIG_FILE": str(doctor.palette.folder / ".aws/config")}, without=["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    assert found["AWS region"] == [("ok", "eu-west-1 (profile lab)")]
    level, text = found["AWS credentials"][0]
    assert level == "ok" and "profile lab" in text and "key …4242, until 2099-01-01T00:00:00.000Z" in text
    assert "process-" not in text


def test_a_bearer_token_is_used_instead(doctor):
    found = doctor("job.json", env={"AWS_BEARER_TOKEN_BEDROCK": "bearer-secret"}, without=["AWS_ACCESS_KEY_ID"])
    assert found["Bedrock key"] == [("ok", "AWS_BEARER_TOKEN_BEDROCK is set: Bedrock is called with it, not with credentials")]
    assert found["AWS credentials"][0][0] == "warn"  # nothing needs them
    assert "bearer-secret" not in json.dumps(found)


def test_a_server_that_is_not_there_and_an_address_that_is_none(doctor):
    found = doctor("job.json", "--yes", expect=1, env={"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:1", "OPENAI_BASE_URL": "http://user:simulated-pass@127.0.0.1/v1"})
    assert found["clock"] == [("fail", "http://127.0.0.1:1 cannot be reached: cannot connect to 127.0.0.1:1 (127.0.0.1: Connection refused); "
                                       "check the network, proxies and endpoint")]
    assert found["access"][0][0] == "fail" and found["access"][0][1].startswith(f"{HAIKU}: cannot connect to 127.0.0.1:1 ")
    assert ("fail", "OPENAI_BASE_URL is no http or https URL (without user name and password), such as http://127.0.0.1:8080") in found["endpoint"]
    assert "simulated-pass" not in json.dumps(found)


def test_refusals_say_what_to_do(palette, start_sim):
    doctor = Doctor(palette, start_sim("--verify-signatures", "--credentials", "AKIASIMULATED0000001:another-secret"))
    level, text = doctor("job.json", "--yes", expect=1)["access"][0]
    assert level == "fail" and text.startswith(f"{HAIKU}: Bedrock Runtime answered InvalidSignatureException (HTTP 403): ")
    assert text.endswith("; check the secret key (environment) and this machine's clock")


def test_throttled_is_reachable_and_a_price_may_be_unknown(doctor):
    doctor.sim.set_faults({"kind": "throttle", "count": 1})
    level, text = doctor("job.json", "--yes")["access"][0]
    assert level == "warn" and text.endswith("; it can be reached, but its quota is used up just now")
    doctor.palette.write("job.json", {**JOB, "model": "bedrock/anthropic.no-such-model-v1:0"})
    found = doctor("job.json")
    assert found["price"][0] == ("warn", "none is known for bedrock/anthropic.no-such-model-v1:0; a budget_limit needs one: give it in a file (--models FILE)")


def test_a_model_that_the_server_does_not_list(doctor):
    doctor.palette.write("job.json", {**JOB, "model": "openai/another"})
    level, text = doctor("job.json")["server"][0]
    assert level == "warn" and ": 15 models, another is not listed; there are " in text


@pytest.fixture
def odd_server():
    """A server with a clock of its own: `odd_server.off_s` seconds from ours; with `hangs` it never answers."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.server.hangs:
                self.server.over.wait(60)
                return
            body = b'{"data": [{"id": "tiny"}]}'
            self.send_response_only(self.server.status)
            self.send_header("Date", formatdate(time.time() + self.server.off_s, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.off_s, server.status, server.hangs, server.over = 0, 200, False, threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()


@pytest.mark.parametrize("off_s, level, found", [
    (-30, "ok", r"(29|30)\.\d s ahead of URL"),
    (30, "ok", r"(29|30)\.\d s behind URL"),
    (100, "warn", r"1 min (39|40) s behind URL; set this machine's clock \(NTP\)"),
    (-400, "fail", r"6 min (39|40) s ahead of URL; set this machine's clock \(NTP\): AWS refuses what is signed at a wrong time"),
])
def test_clocks(doctor, odd_server, off_s, level, found):
    odd_server.off_s = off_s
    doctor.palette.write("job.json", {**JOB, "model": "openai/tiny", "template": {"steps": [JOB["template"]["steps"][0]]}})
    told = doctor("job.json", expect=1 if level == "fail" else 0, env={"OPENAI_BASE_URL": odd_server.url + "/v1"})
    assert told["clock"][0][0] == level
    assert re.fullmatch(found, told["clock"][0][1].replace(odd_server.url, "URL"))
    assert told["server"] == [("ok", f"{odd_server.url} (OPENAI_API_KEY set): 1 model, tiny is listed")]


def test_a_key_that_is_refused_and_a_server_without_a_list(doctor, odd_server):
    env = {"OPENAI_BASE_URL": odd_server.url + "/v1"}
    odd_server.status = 401
    assert doctor(expect=1, env=env)["server"] == [("fail", f"{odd_server.url} (OPENAI_API_KEY set) refuses the key (HTTP 401); check OPENAI_API_KEY")]
    odd_server.status = 404
    assert doctor(env=env)["server"] == [("warn", f"{odd_server.url} (OPENAI_API_KEY set) does not list its models (HTTP 404); "
                                                  "check that the URL ends as the server wants it, mostly with /v1")]


def test_every_wait_ends(doctor, odd_server):
    odd_server.hangs = True
    began = time.monotonic()
    found = doctor(expect=1, env={"OPENAI_BASE_URL": odd_server.url + "/v1"})
    assert 19 < time.monotonic() - began < 26  # the clock and the list, 10 s each
    assert [found for level, found in found["clock"] if level == "fail" and odd_server.url in found] and found["server"][0][0] == "fail"


def test_a_folder_that_cannot_be(doctor):
    assert doctor("--data-dir", "job.json", expect=1)["data folder"] == [("fail", "job.json is a file; name another folder with --data-dir")]


def test_few_open_files(doctor):
    env = {"HOME": str(doctor.palette.folder)}
    done = subprocess.run(["bash", "-c", 'ulimit -Sn 100 && ulimit -Hn 200 && exec setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource "$@"', "-",
                           *doctor.palette.command("doctor")], cwd=doctor.palette.folder, env=doctor.palette.environment(env), text=True, capture_output=True)
    assert "warn     open files       200 at once: 136 calls in flight, a job asks for 256 by default; raise the limit (ulimit -n), or lower concurrency\n" in done.stdout


def test_a_models_file_that_is_wrong(doctor):
    doctor.palette.write("models.yaml", "modles: []\n")
    level, text = doctor("--models", "models.yaml", expect=1)["models file"][0]
    assert level == "fail" and text.startswith("models.yaml:1:1")
