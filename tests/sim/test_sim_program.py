"""The program itself: flags, its one line, its end, what it refuses to start with."""
import json
import socket
import ssl
import subprocess
import time

import pytest

from clients import ask, bedrock, text_of
from sim import BINARY


def run(*flags):
    return subprocess.run([str(BINARY), *map(str, flags)], capture_output=True, text=True, timeout=20)


def test_it_says_one_line_and_ends_on_either_signal(start_sim):
    for signal in (2, 15):
        sim = start_sim("--port", "0")
        assert sim.url.startswith("http://127.0.0.1:") and int(sim.url.rsplit(":", 1)[1]) > 0
        sim.process.send_signal(signal)
        assert sim.process.wait(timeout=10) == 0
        assert sim.process.stdout.read() == ""


def test_it_ends_at_once_while_calls_hang(start_sim):
    sim = start_sim("--fault", "hang=1")
    host, port = sim.url.removeprefix("http://").split(":")
    body = b'{"messages":[{"role":"user","content":[{"text":"a"}]}]}'
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST /model/m/converse HTTP/1.1\r\nHost: sim\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        while sim.stats()["in_flight"] == 0:
            time.sleep(0.01)
        started = time.monotonic()
        assert sim.stop() == 0 and time.monotonic() - started < 5


def test_a_given_port_is_used(start_sim):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert start_sim("--port", port).url == f"http://127.0.0.1:{port}"
    taken = run("--port", port)
    assert taken.returncode == 2 and f"127.0.0.1:{port}" in taken.stderr and taken.stdout == ""


@pytest.mark.parametrize("flags, says", [
    (["--fault", "earthquake=0.1"], "known are throttle, 500"), (["--fault", "throttle"], "KIND=RATE"),
    (["--fault", "throttle=2"], "between 0 and 1"), (["--fault", "cut=0.6", "--fault", "half=0.6"], "together"),
    (["--fault", "throttle=often"], "KIND=RATE"), (["--credentials", "onlykey"], "KEY:SECRET"),
    (["--latency-tail", "2:10"], "SHARE:MS"), (["--latency-ms", "-1"], "--latency-ms"), (["--unknown"], "--unknown"),
    (["--prices", "/nonexistent/prices.yaml"], "prices.yaml"), (["--tls-cert", "/nonexistent/c.pem"], "key"),
    (["--tls-cert", "/nonexistent/c.pem", "--tls-key", "/nonexistent/k.pem"], "c.pem")])
def test_wrong_flags_are_told_in_one_line(flags, says):
    done = run("--port", "0", *flags)
    assert done.returncode == 2 and says in done.stderr and done.stdout == ""
    assert done.stderr.startswith("plot-palette-sim: ") and done.stderr.count("\n") == 1


def test_a_wrong_price_file_is_told_with_its_place(tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text("models:\n  - id: m\n    prices: 3\n")
    done = run("--port", "0", "--prices", prices)
    assert done.returncode == 2 and "prices.yaml:" in done.stderr


def test_help_and_version():
    helped = run("--help")
    assert helped.returncode == 0 and "Example: plot-palette-sim" in helped.stdout
    for flag in ("--port", "--latency-ms", "--jitter-ms", "--fault", "--rpm", "--tpm", "--verify-signatures",
                 "--credentials", "--prices", "--tls-cert", "--tls-key", "--seed"):
        assert flag in helped.stdout
    assert run("--version").stdout.startswith("plot-palette-sim ")


def test_tls(start_sim, certificate):
    authority, flags = certificate
    sim = start_sim(*flags, ca_file=authority)
    assert sim.url.startswith("https://127.0.0.1:")
    assert text_of(ask(bedrock(sim, verify=str(authority))))
    assert sim.settled_stats()["answered"] == 1
    sim.context = ssl.create_default_context()
    with pytest.raises(OSError, match="self-signed|CERTIFICATE_VERIFY_FAILED"):
        sim.request("GET", "/_sim/stats")


BODY = {"messages": [{"role": "user", "content": [{"text": "a"}]}]}


def latencies_ms(sim, count=1):
    """What the sim says its calls took; each took at least that long."""
    said = []
    for _ in range(count):
        started = time.monotonic()
        said.append(json.loads(sim.request("POST", "/model/m/converse", BODY)[2])["metrics"]["latencyMs"])
        assert (time.monotonic() - started) * 1000 >= said[-1]
    return said


def test_latency_jitter_tail_and_slow_start(start_sim):
    assert latencies_ms(start_sim("--latency-ms", "300")) == [300]
    jittered = latencies_ms(start_sim("--latency-ms", "10", "--jitter-ms", "50"), 20)
    assert all(10 <= latency <= 60 for latency in jittered) and len(set(jittered)) > 5
    tailed = latencies_ms(start_sim("--latency-tail", "0.5:100"), 30)
    assert set(tailed) == {0, 100} and 5 <= tailed.count(100) <= 25
    assert latencies_ms(start_sim("--slow-start-ms", "200", "--slow-start-calls", "2"), 4) == [200, 200, 0, 0]


def test_configuration_while_it_runs(sim):
    shown = sim.configure(latency_ms=7, jitter_ms=1, rpm=100, tpm=5, answer_words=9, faults={"cut": 0.25})
    assert shown == json.loads(sim.request("GET", "/_sim/config")[2], parse_float=type(shown["faults"]["cut"]))
    assert shown["latency_ms"] == 7 and float(shown["faults"]["cut"]) == 0.25
    assert sim.configure(faults={})["faults"] == {}
    sim.reset()
    assert json.loads(sim.request("GET", "/_sim/config")[2])["latency_ms"] == 0


@pytest.mark.parametrize("config, says", [
    ({"latency": 5}, "known are latency_ms"), ({"latency_ms": -1}, "whole number"), ({"latency_ms": "5"}, "whole number"),
    ({"faults": {"cut": 2}}, "between 0 and 1"), ({"faults": {"x": 0.1}}, "known are"), ({"outage": 1}, "true or false"),
    ({"jitter_ms": 5, "rpm": 1.5}, "'rpm'")])
def test_a_wrong_configuration_changes_nothing(sim, config, says):
    before = sim.request("GET", "/_sim/config")[2]
    status, _, text = sim.request("POST", "/_sim/config", config)
    assert status == 400 and says in json.loads(text)["message"]
    assert sim.request("GET", "/_sim/config")[2] == before


def test_unknown_paths(sim):
    status, headers, _ = sim.request("GET", "/nothing")
    assert status == 404 and headers["x-amzn-ErrorType"] == "UnknownOperationException"
    assert sim.request("POST", "/model/m/converse-stream", {})[0] == 404
    status, _, text = sim.request("GET", "/_sim/nothing")
    assert status == 404 and "/_sim/stats" in json.loads(text)["message"]
    assert sim.request("GET", "/_sim/calls?since=x")[0] == 400
