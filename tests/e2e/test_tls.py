"""Real models over https: a private authority is trusted when it is named; a wrong host and an expired certificate are refused."""
import subprocess

import pytest

from conftest import COUNTRIES, read_jsonl, two_step_job


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-days", "2", "-subj", "/CN=Private CA", "-addext", "basicConstraints=critical,CA:TRUE")
    return folder


def certificate(authority, name, host, days="2"):
    """<name>.pem and <name>.key for that host name, signed by the authority."""
    (authority / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
    openssl(authority, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.csr", "-subj", f"/CN={host}")
    openssl(authority, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.pem", "-days", days, "-extfile", f"{name}.ext")
    return ["--tls-cert", authority / f"{name}.pem", "--tls-key", authority / f"{name}.key"]


def run(palette, sim, ca_file, expect):
    address = sim.url.replace("127.0.0.1", "localhost")
    palette.write("job.json", two_step_job(COUNTRIES, "name", num_records=40, model="claude-haiku", budget_limit=1))
    extra = {"AWS_CA_BUNDLE": str(ca_file)} if ca_file else {}
    return palette.run("run", "job.json", expect=expect, timeout=180,
                       env={**sim.environment(), "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": address, **extra})


def test_a_job_over_https_with_a_private_authority(palette, start_sim, authority):
    sim = start_sim(*certificate(authority, "good", "localhost"), ca_file=authority / "ca.pem")
    run(palette, sim, authority / "ca.pem", expect=0)
    assert len(read_jsonl(palette.export())) == 40


@pytest.mark.parametrize("name, host, days, trusted, words", [
    ("other-host", "elsewhere.example", "2", True, "host"),
    ("expired", "localhost", "-1", True, "expired"),
    ("unknown-authority", "localhost", "2", False, "certificate"),
])
def test_a_certificate_that_does_not_hold_is_refused(palette, start_sim, authority, name, host, days, trusted, words):
    sim = start_sim(*certificate(authority, name, host, days), ca_file=authority / "ca.pem")
    done = run(palette, sim, authority / "ca.pem" if trusted else None, expect=1)
    assert "FAILED" in done.stderr and words in done.stderr
    assert palette.only_job()["status"] == "FAILED"
