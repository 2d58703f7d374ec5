"""Real evidence from a public registry: the source distribution of Microsoft's own client carries it, its wheel does not.

So a checkout without the shared vectors tries real bytes too: every check before the endorsements passes, then the
missing collateral is named.
"""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.errors import EndorsementUnavailable
from assay.evidence.base import Submission
from assay.formats import base64url
from assay.verdict import Outcome
from tests.appraisals import PRODUCTION, Case, binary, evidence_type, refusal

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".assay" / "registry"
ARCHIVE = "azure-security-attestation-1.0.0.zip"
# The digest of requirements.lock.
SHA256 = "0bf814db4225d418b3332f2226537142849c0a45a638a5da380fd3f7c241a2da"
SOURCES = ("tests/test_attestation.py", "tests/test_attestation_async.py")
# Within the validity of the PCK certificate (2021 to 2028) and of its authorities.
AT = datetime(2024, 1, 1, tzinfo=UTC)


def download() -> None:
    """pip asks the package for its metadata, which needs its build requirement; only the archive is read here."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--retries", "1", "--timeout", "15", "--no-deps", "--no-binary", "azure-security-attestation"]
    try:
        done = subprocess.run(
            [*command, "--dest", str(CACHE), "azure-security-attestation==1.0.0"],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the package registry did not answer in time")
    if done.returncode != 0:
        pytest.skip("the package registry is not reachable, so its real evidence is not tried")


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    path = CACHE / ARCHIVE
    if not path.is_file():
        download()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    return zipfile.ZipFile(path)


def constants(source: bytes) -> dict[str, str]:
    """The string constants of a module, those joined by `+` among them; nothing is executed."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _joined(node.value)
            if text is not None:
                found[node.targets[0].id] = text
    return found


def _joined(root: ast.expr) -> str | None:
    # Long sums lean to the left, deeper than recursion goes.
    parts: list[str] = []
    node = root
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        if not isinstance(node.right, ast.Constant) or not isinstance(node.right.value, str):
            return None
        parts.append(node.right.value)
        node = node.left
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return None
    return node.value + "".join(reversed(parts))


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", ["SgxEnclave", "OpenEnclave"])
def test_real_evidence_passes_every_check_before_the_endorsements(
    kind: str, name: str, archive: zipfile.ZipFile
) -> None:
    found = constants(archive.read(f"azure-security-attestation-1.0.0/{name}"))
    report = base64url.decode_lenient(found["_open_enclave_report"])
    runtime = base64url.decode_lenient(found["_runtime_data"])
    # A report is a header of sixteen octets before the quote.
    evidence = report if kind == "OpenEnclave" else report[16:]
    case = Case(evidence_type(kind), Submission(evidence, runtime_data=binary(runtime)), {}, AT, PRODUCTION)
    error, decisive = refusal(case)
    assert isinstance(error, EndorsementUnavailable)
    assert decisive.check.name == "endorsements.available"
    assert "TCB info of FMSPC 00906ed50000" in error.message
    assert error.verdict is not None
    before = error.verdict.entries[: error.verdict.entries.index(decisive)]
    assert {entry.check.name for entry in before} >= {"pck_chain.root", "qe_report.signature", "quote.signature"}
    assert {entry.outcome for entry in before} <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}


def test_one_changed_octet_of_real_evidence_is_refused_before_anything_is_asked_for(archive: zipfile.ZipFile) -> None:
    found = constants(archive.read(f"azure-security-attestation-1.0.0/{SOURCES[0]}"))
    quote = bytearray(base64url.decode_lenient(found["_open_enclave_report"])[16:])
    quote[112] ^= 1
    case = Case(evidence_type("SgxEnclave"), Submission(bytes(quote)), {}, AT, PRODUCTION)
    assert refusal(case)[1].check.name == "quote.signature"
