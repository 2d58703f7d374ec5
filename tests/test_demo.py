"""The demonstration: it runs as `make demo` does, and it notices when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from demo.samples import types_without_samples
from demo.steps import Accepted, Refused, Relying, Row, Step, take
from demo.table import line

from assay.client import Client, KeySet
from assay.client.shells import submission
from assay.evidence import EVIDENCE_TYPES

PROJECT = Path(__file__).resolve().parents[1]
URL = "http://localhost:1"


def test_every_supported_type_is_demonstrated():
    assert types_without_samples() == ()


def test_the_demonstration_ends_with_every_row_as_it_had_to_be():
    done = run_demo({})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WRONG" not in done.stdout
    assert "\x1b" not in done.stdout
    for kind in EVIDENCE_TYPES:
        rows = [text for text in done.stdout.splitlines() if text.startswith(f"{kind.name} ")]
        assert any("token, verified" in row for row in rows)
        assert any(" 400 " in row for row in rows)


def test_without_the_shared_vectors_it_says_that_genuine_evidence_is_left_out(tmp_path):
    done = run_demo({"ASSAY_SHARED": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left out" in done.stdout
    assert "verify-at" not in done.stdout


def test_a_token_for_evidence_that_had_to_be_refused_is_wrong():
    row = answered(200, {"token": "a.b.c"}, Refused(400, "quote.signature"))
    assert not row.is_right
    assert "WRONG" in line(row)


def test_a_token_that_the_relying_party_refuses_is_wrong():
    assert not answered(200, {"token": "a.b.c"}, Accepted(("simulator",))).is_right


@pytest.mark.parametrize(
    ("status", "check", "outcome"),
    [
        (400, "qe_report.signature", "failed"),
        (503, "quote.signature", "failed"),
        (400, "quote.signature", "passed"),
    ],
)
def test_a_refusal_by_another_check_or_status_is_wrong(status, check, outcome):
    assert not answered(status, refusal(check, outcome), Refused(400, "quote.signature")).is_right


def test_a_refusal_by_the_expected_check_is_right():
    assert answered(400, refusal("quote.signature", "failed"), Refused(400, "quote.signature")).is_right


def test_a_refusal_that_does_not_name_the_missing_document_is_wrong():
    expected = Refused(503, "endorsements.available", "TCB info of another platform")
    assert not answered(503, refusal("endorsements.available", "missing"), expected).is_right


def test_a_refusal_of_good_evidence_is_wrong():
    assert not answered(400, refusal("quote.signature", "failed"), Accepted(("simulator",))).is_right


def run_demo(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(check: str, outcome: str) -> dict[str, object]:
    detail = {"target": check, "outcome": outcome, "observed": "one thing", "expected": "another", "code": "X"}
    return {"error": {"code": "InvalidParameter", "message": "no", "details": [detail]}}


def answered(status: int, body: dict[str, object], expected: Accepted | Refused) -> Row:
    """The row of a step to which a service gave this answer."""
    answer: Callable[[httpx2.Request], httpx2.Response] = lambda _request: httpx2.Response(  # noqa: E731
        status, stream=httpx2.ByteStream(json.dumps(body).encode())
    )
    step = Step("SgxEnclave", "a quote", "as made", submission(b"quote"), expected)
    with Client(URL, transport=httpx2.MockTransport(answer)) as client:
        return take(step, client, Relying(URL, KeySet(())))
