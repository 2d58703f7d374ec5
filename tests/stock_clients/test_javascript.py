"""`@azure/attestation` 1.0.0 in Node.js over TLS with a private authority, its own checks on (rest-api 15.2)."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.service.material import BROKEN, DENY, PERMIT

if TYPE_CHECKING:
    from tests.service.running import Running
    from tests.stock_clients.samples import Sample

pytestmark = pytest.mark.optional("node")
FOLDER = Path(__file__).parent / "javascript"


@pytest.fixture(scope="session")
def installed() -> None:
    """The packages of the lock file, which `.ci/run` installs: a test run reaches no registry."""
    if shutil.which("node") is None:
        pytest.skip("node is not here")
    if (FOLDER / "node_modules" / "@azure" / "attestation").is_dir():
        return
    pytest.skip("the JavaScript client is not installed: npm ci --prefix tests/stock_clients/javascript")


@pytest.fixture
def ask(installed):
    def call(service: Running, *jobs: dict[str, Any], trusted: bool = True) -> list[dict[str, Any]]:
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        if trusted:
            environment["NODE_EXTRA_CA_CERTS"] = str(service.ca)
        done = subprocess.run(
            ["node", "attest.mjs"],
            cwd=FOLDER,
            env=environment,
            input=json.dumps({"url": service.url, "jobs": jobs}),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        results = json.loads(done.stdout)
        assert len(results) == len(jobs)
        return results

    return call


def encode(content: bytes) -> str:
    return base64.b64encode(content).decode()


def job(sample: Sample, **more: Any) -> dict[str, Any]:
    return {"operation": "attest", "kind": sample.kind, "evidence": encode(sample.evidence), **more}


def check(answer: dict[str, Any], sample: Sample, service: Running) -> dict[str, Any]:
    assert "ok" in answer, answer
    result = answer["ok"]
    assert result["issuer"] == service.url
    assert result["mrEnclave"] == sample.mr_enclave
    assert result["mrSigner"] == sample.mr_signer
    assert result["productId"] == sample.product_id
    assert result["svn"] == sample.svn
    assert result["isDebuggable"] is sample.is_debuggable
    assert len(result["uniqueId"]) == 64
    return result


def check_all(ask, service: Running, samples: list[Sample]) -> None:
    plain = [job(sample) for sample in samples]
    binary = [job(sample, runTimeData=encode(sample.runtime)) for sample in samples]
    parsed = [sample for sample in samples if sample.runtime_json]
    answers = ask(service, *plain, *binary, *(job(sample, runTimeJson=encode(sample.runtime)) for sample in parsed))
    for answer, sample in zip(answers, [*samples, *samples, *parsed], strict=True):
        assert check(answer, sample, service)["algorithm"] == "RS256"
    for answer, sample in zip(answers[len(samples) :], samples, strict=False):
        assert answer["ok"]["held"] == encode(sample.runtime)
        assert answer["ok"]["runTimeClaims"] is None
    for answer, sample in zip(answers[2 * len(samples) :], parsed, strict=True):
        assert answer["ok"]["runTimeClaims"] == json.loads(sample.runtime)


def test_synthetic_evidence_is_attested(ask, service: Running, samples: list[Sample]) -> None:
    check_all(ask, service, samples)


@pytest.mark.optional("shared")
def test_genuine_evidence_is_attested(ask, genuine_service: Running, genuine: list[Sample]) -> None:
    check_all(ask, genuine_service, genuine)


def test_draft_policies(ask, service: Running, samples: list[Sample]) -> None:
    for sample in samples:
        permitted, denied, broken = ask(service, *(job(sample, draft=text) for text in (PERMIT, DENY, BROKEN)))
        assert check(permitted, sample, service)["algorithm"] == "none"
        assert (denied["error"]["status"], denied["error"]["code"]) == (400, "PolicyEvaluationError")
        assert (broken["error"]["status"], broken["error"]["code"]) == (400, "PolicyParsingError")


def test_the_clients_checks_are_on(ask, service: Running, samples: list[Sample]) -> None:
    """The control: with another issuer expected, the same token is refused."""
    (answer,) = ask(service, job(samples[0], issuer=service.url + "/"))
    assert "error" in answer
    assert answer["error"]["status"] is None


def test_refusals_arrive_as_the_client_reads_them(ask, service: Running, samples: list[Sample]) -> None:
    (answer,) = ask(service, job(samples[0], runTimeData=encode(b"something else")))
    assert (answer["error"]["status"], answer["error"]["code"]) == (400, "InvalidParameter")
    assert "runtime_data.binding" in answer["error"]["message"]


def test_certificates_and_metadata(ask, service: Running) -> None:
    signers, metadata = ask(service, {"operation": "signers"}, {"operation": "metadata"})
    # One key under two identities: of tokens, and of reports (rest-api 5.1).
    assert len({signer["keyId"] for signer in signers["ok"]}) == len(signers["ok"]) == 2
    assert any(re.fullmatch(r"[A-Za-z0-9+/]+=*", signer["keyId"]) for signer in signers["ok"])
    assert all("CERTIFICATE" in signer["certificate"] for signer in signers["ok"])
    assert metadata["ok"]["issuer"] == service.url
    assert metadata["ok"]["jwks_uri"] == f"{service.url}/certs"


def test_without_the_authority_nothing_is_sent(ask, service: Running) -> None:
    (answer,) = ask(service, {"operation": "signers"}, trusted=False)
    assert answer["error"]["status"] is None
