"""plot-palette-sim as a test needs it: started on a free port, asked for its counts, told to fail, stopped.

    with Sim.start("--latency-ms", "20") as sim:
        sim.set_faults({"kind": "throttle", "count": 3})
        ...
        assert sim.stats()["paid_twice"] == 0

From a test outside tests/sim: sys.path.insert(0, str(ROOT / "tests/support")) and `from sim import Sim`.
"""
import decimal
import json
import os
import pathlib
import queue
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PALETTE_BUILD", ROOT / "build/release"))
BINARY = BUILD / "plot-palette-sim"
READY_S_MAX = 20
STOP_S_MAX = 20


class Sim:
    def __init__(self, process, url, context=None):
        self.process = process
        self.url = url  # "http://127.0.0.1:40123"
        self.context = context

    @classmethod
    def start(cls, *flags, ca_file=None, env=None):
        """Starts it on a free port with these flags (--port among them wins). `ca_file`: to trust with --tls-cert."""
        chosen = [] if "--port" in flags else ["--port", "0"]
        process = subprocess.Popen([str(BINARY), *chosen, *map(str, flags)], stdout=subprocess.PIPE, text=True,
                                   env={**os.environ, **(env or {})})
        lines = queue.Queue()
        threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
        try:
            line = lines.get(timeout=READY_S_MAX)
            assert line.startswith("listening on "), f"plot-palette-sim said {line!r} (exit code {process.poll()})"
        except BaseException:
            process.kill()
            process.wait()
            raise
        return cls(process, line.removeprefix("listening on ").strip(),
                   ssl.create_default_context(cafile=str(ca_file)) if ca_file else None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    @property
    def openai_url(self):
        return self.url + "/v1"

    def environment(self):
        """What makes Plot Palette, boto3 and the openai package call this stand-in."""
        return {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.url, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "AKIASIMULATED0000001", "AWS_SECRET_ACCESS_KEY": "simulated-secret",
                "AWS_EC2_METADATA_DISABLED": "true", "OPENAI_BASE_URL": self.openai_url, "OPENAI_API_KEY": "sim-key"}

    def request(self, method, path, body=None, headers=None, timeout=30):
        """(status, headers, bytes) of any request; an error status is an answer too."""
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers or {})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=self.context))
        try:
            with opener.open(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read()

    def _admin(self, method, path, body=None):
        status, _, text = self.request(method, path, body)
        assert status == 200, f"{method} {path}: {status} {text!r}"
        return json.loads(text, parse_float=decimal.Decimal)

    def stats(self):
        """GET /_sim/stats; numbers with a point (cost_usd) as exact decimal.Decimal."""
        return self._admin("GET", "/_sim/stats")

    def calls(self, since=0):
        """The ended calls after number `since`: [{"number", "identity", "model", "outcome"}, …]."""
        return self._admin("GET", f"/_sim/calls?since={since}")["calls"]

    def set_faults(self, *scripts):
        """Scripted faults, added to those that wait: {"kind", "count", "after", "model", "identity"}."""
        return self._admin("POST", "/_sim/faults", {"faults": list(scripts)})

    def configure(self, **config):
        """latency_ms, jitter_ms, faults={kind: rate}, rpm, tpm, outage, …"""
        return self._admin("POST", "/_sim/config", config)

    def reset(self):
        return self._admin("POST", "/_sim/reset")

    def settled_stats(self, timeout_s=20):
        """stats() once no call is in flight any more."""
        deadline = time.monotonic() + timeout_s
        while (stats := self.stats())["in_flight"] > 0:
            assert time.monotonic() < deadline, f"calls are still in flight: {stats}"
            time.sleep(0.02)
        return stats

    def stop(self):
        """SIGTERM; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        return code
