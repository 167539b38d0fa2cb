"""Holds plot-palette-sim and plot-palette-fault-proxy to the truth by clients that others wrote."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from aws_stand_ins import dynamodb, fault_proxy, moto  # noqa: E402, F401
from sim import Sim  # noqa: E402


@pytest.fixture(autouse=True)
def no_outside(monkeypatch):
    """Nothing of the machine's own settings reaches a client."""
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy",
                 "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.fixture(scope="session")
def shared_sim():
    with Sim.start() as started:
        yield started


@pytest.fixture
def sim(shared_sim):
    """One without flags, as it is after a start."""
    shared_sim.reset()
    return shared_sim


@pytest.fixture
def start_sim():
    """Starts one with flags, and stops it when the test ends: it must end with 0."""
    started = []

    def start(*flags, **more):
        started.append(Sim.start(*flags, **more))
        return started[-1]

    yield start
    for each in started:
        assert each.stop() == 0


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(the authority's file, the flags): a certificate of localhost and 127.0.0.1, made by openssl."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out",
                    str(certificate)], check=True, capture_output=True)
    return certificate, ("--tls-cert", certificate, "--tls-key", key)
