"""DynamoDB Local, moto and the fault proxy as pytest needs them; the C++ tests have the same in stand_in.h.

A conftest takes the fixtures by `from aws_stand_ins import dynamodb, fault_proxy, moto`:

    def test_x(dynamodb, moto, fault_proxy):
        proxy = fault_proxy(dynamodb, "--fault", "cut_after=0.05")
        table(endpoint_url=proxy.url)
        assert proxy.stats()["by_op"]["PutItem"] == 1

Each is started once in a session and ends with it, however that ends. All but DynamoDB Local, which has no option for it,
listen on 127.0.0.1 only. A test is skipped where what it wants is not installed (tools/setup.sh --tests).
"""
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PALETTE_BUILD", ROOT / "build/release"))
PROXY = BUILD / "plot-palette-fault-proxy"
DYNAMODB_LOCAL = ROOT / ".cache/dynamodb-local"
PYTHON = ROOT / ".venv/bin/python"

READY_S_MAX = 60
STOP_S_MAX = 5
PORT_TRIES_MAX = 3
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class StandIn:
    """A process that serves HTTP on a port of its own, with stdout and stderr in a temporary file."""

    def __init__(self, name, command, port=None):
        self.name = name
        self.output = tempfile.NamedTemporaryFile(prefix="palette-stand-in-", suffix=".log")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=die_with_parent)
        try:
            self.url = f"http://127.0.0.1:{self._wait_for(port)}"
        except BaseException:
            self.stop()
            raise

    def printed(self):
        return pathlib.Path(self.output.name).read_text(errors="replace")

    def _wait_for(self, port):
        """The port, which it prints where it was not chosen for it, once it takes connections."""
        deadline = time.monotonic() + READY_S_MAX
        while self.process.poll() is None and time.monotonic() < deadline:
            said = re.search(r"on http://127\.0\.0\.1:(\d+)\s", self.printed())
            found = port or (said and int(said[1]))
            if found and self._takes_connections(found):
                return found
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} did not start (exit code {self.process.poll()}): {self.printed()[-2000:]}")

    @staticmethod
    def _takes_connections(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self):
        """SIGTERM, and SIGKILL for its group when that does not end it; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(timeout=STOP_S_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        self.output.close()
        return code


class FaultProxy(StandIn):
    """sim/proxy/README.md says what it counts and how it fails."""

    def __init__(self, upstream, *flags):
        super().__init__(PROXY.name, [PROXY, "--port", "0", "--upstream", upstream, *flags])

    def _admin(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{method} {path}: {refused.code} {refused.read()!r}") from None

    def stats(self):
        """{"requests", "by_op": {name: n}, "refused_by_op", "errors", "faults", "transaction_conflicts", "in_flight", …}"""
        return self._admin("GET", "/_proxy/stats")

    def set_faults(self, *scripts):
        """Scripted faults, added to those that wait: {"kind", "count", "after", "op", "key"}."""
        return self._admin("POST", "/_proxy/faults", {"faults": list(scripts)})

    def configure(self, **config):
        """latency_ms, jitter_ms, slow_ms, faults={kind: rate}, outage"""
        return self._admin("POST", "/_proxy/config", config)

    def reset(self):
        return self._admin("POST", "/_proxy/reset", {})


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def start_dynamodb_local():
    """It takes no port 0: one that was free is chosen, and another when somebody else was faster."""
    for tries in range(1, PORT_TRIES_MAX + 1):
        port = free_port()
        try:
            return StandIn("DynamoDB Local", [
                "java", "-Xmx512m", "-XX:+UseSerialGC", f"-Djava.library.path={DYNAMODB_LOCAL}", "-cp", f"{DYNAMODB_LOCAL}/*",
                "software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory", "-sharedDb", "-disableTelemetry",
                "-port", port], port)
        except RuntimeError:
            if tries == PORT_TRIES_MAX:
                raise


@pytest.fixture(scope="session")
def dynamodb():
    """The address of DynamoDB Local, in memory; all keys and regions see the same tables."""
    if not DYNAMODB_LOCAL.is_dir() or shutil.which("java") is None:
        pytest.skip("DynamoDB Local is not installed; run tools/setup.sh --tests")
    stand_in = start_dynamodb_local()
    yield stand_in.url
    stand_in.stop()


@pytest.fixture(scope="session")
def moto():
    """The address of moto: S3 and ECS, one thread a request (sound for S3; transactions of DynamoDB are not)."""
    if not (ROOT / ".venv/bin/moto_server").exists():
        pytest.skip("moto is not installed; run tools/setup.sh --tests")
    stand_in = StandIn("moto", [PYTHON, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
    yield stand_in.url
    stand_in.stop()


@pytest.fixture(scope="session")
def fault_proxy():
    """fault_proxy(upstream's address, *flags): a FaultProxy, which has its address as `url`. A new one each time."""
    started = []

    def start(upstream, *flags):
        started.append(FaultProxy(upstream, *flags))
        return started[-1]

    yield start
    codes = [proxy.stop() for proxy in started]
    assert codes == [0] * len(started)
