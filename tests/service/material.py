"""Synthetic evidence for the service tests, the bodies that carry it, and reading what comes back."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.formats import base64url
from assay.simulator import Simulated, simulate_open_enclave, simulate_sgx

if TYPE_CHECKING:
    import httpx2

AT = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
VERSION = "2020-10-01"
SGX = f"/attest/SgxEnclave?api-version={VERSION}"
OPEN_ENCLAVE = f"/attest/OpenEnclave?api-version={VERSION}"
HELD = b'{"key":"value"}'

PERMIT = 'version=1.0; authorizationrules{=> permit();}; issuancerules{=> issue(type="drafted", value=true);};'
DENY = 'version=1.0; authorizationrules{[type=="$is-debuggable", value==false] => deny();}; issuancerules{};'
BROKEN = "version=1.0;\n[not a policy"


@dataclass(frozen=True)
class Token:
    """A token taken apart without any of our own code."""

    header: dict[str, Any]
    payload: dict[str, Any]
    payload_text: bytes
    signature: bytes


@cache
def quote(held: bytes | None = HELD) -> Simulated:
    return simulate_sgx(AT, runtime_data=held)


@cache
def report(held: bytes | None = HELD) -> Simulated:
    return simulate_open_enclave(AT, runtime_data=held)


def write_collateral(directory: Path) -> Path:
    """The simulator's documents as an endorsements directory."""
    quote().collateral.write(directory)
    return directory


def sgx_body(held: bytes | None = HELD, **more: object) -> dict[str, Any]:
    return {"quote": base64url.encode(quote(held).evidence), **more}


def open_enclave_body(held: bytes | None = HELD, **more: object) -> dict[str, Any]:
    return {"report": base64url.encode(report(held).evidence), **more}


def held_data(content: bytes, data_type: str) -> dict[str, str]:
    return {"data": base64url.encode(content), "dataType": data_type}


def take_apart(token: str) -> Token:
    header, payload, signature = (_decode(part) for part in token.split("."))
    return Token(json.loads(header), json.loads(payload), payload, signature)


def token_of(response: httpx2.Response) -> Token:
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["token"]
    return take_apart(response.json()["token"])


def claims_of(response: httpx2.Response) -> dict[str, Any]:
    return token_of(response).payload


def refusal_of(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The error object of a refusal, whose form is checked (rest-api 4.1, design section 8)."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    body = response.json()
    assert list(body) == ["error"]
    error = body["error"]
    assert error["code"] == code, error
    assert response.headers["x-ms-error-code"] == code
    assert error["innererror"] == {"code": code, "message": error["message"]}
    assert error["message"]
    assert error["details"], "a refusal without a verdict"
    for detail in error["details"]:
        assert list(detail) == ["code", "message", "target", "observed", "expected", "reference", "outcome"]
        assert all(isinstance(value, str) for value in detail.values()), detail
    # A rule of the policy that failed stands there beside the check that it decided.
    checks = [detail for detail in error["details"] if detail["code"] != "PolicyRule"]
    deciding = [detail for detail in checks if detail["outcome"] in ("failed", "missing")]
    assert len(deciding) == 1, error["details"]
    return {**error, "deciding": deciding[0]}


def _decode(part: str) -> bytes:
    assert "=" not in part
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
