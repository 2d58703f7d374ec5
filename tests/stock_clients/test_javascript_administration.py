"""`@azure/attestation` 1.0.0 administers an AAD and an isolated provider (rest-api 8, 9, 15.2), its own checks on."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from assay.evidence import POLICY_TYPES
from tests.administrators import PERMIT_ALL, PolicySigningKey, make_signer, signer, token_hash_of, unsecured
from tests.service.material import BROKEN, PERMIT
from tests.stock_clients.providers import bearer, create_provider
from tests.stock_clients.test_javascript import FOLDER, installed

if TYPE_CHECKING:
    from tests.service.running import Running

pytestmark = pytest.mark.optional("node")
__all__ = ["installed"]  # a fixture

ALICE, BOB = signer("alice"), signer("bob")
TYPES = ("SgxEnclave", "OpenEnclave", "Tpm")


@pytest.fixture
def administer(installed, service: Running):
    def call(url: str, *jobs: dict[str, Any], role: str = "contributor") -> list[dict[str, Any]]:
        done = subprocess.run(
            ["node", "administer.mjs"],
            cwd=FOLDER,
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ.get("HOME", "/"),
                "NODE_EXTRA_CA_CERTS": str(service.ca),
            },
            input=json.dumps({"url": url, "bearer": bearer(service, role), "jobs": jobs}),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        results = json.loads(done.stdout)
        assert len(results) == len(jobs)
        return results

    return call


def signed_by(who: PolicySigningKey) -> dict[str, str]:
    return {"key": who.key_pem, "certificate": who.certificate_pem}


def hash_of(jws: str) -> str:
    text = token_hash_of(jws)
    return base64.b64encode(base64.urlsafe_b64decode(text + "=")).decode()


def pem_matches(text: str, who: PolicySigningKey) -> bool:
    return "".join(text.split("\n")[1:-2]) == who.x5c[0]


def test_an_aad_provider_is_administered(administer, service: Running) -> None:
    url = create_provider(service, "javascript-aad")
    for policy_type in TYPES:
        updated, found, signed, read, removed = administer(
            url,
            {"operation": "set", "type": policy_type, "policy": PERMIT_ALL},
            {"operation": "get", "type": policy_type},
            {"operation": "set", "type": policy_type, "policy": PERMIT, **signed_by(BOB)},
            {"operation": "get", "type": policy_type},
            {"operation": "reset", "type": policy_type},
        )
        assert updated["ok"] == {"resolution": "Updated", "tokenHash": hash_of(unsecured(PERMIT_ALL)), "signer": None}
        assert found == {"ok": PERMIT_ALL}
        assert signed["ok"]["resolution"] == "Updated"
        assert pem_matches(signed["ok"]["signer"], BOB)
        assert read == {"ok": PERMIT}
        assert removed["ok"] == {"resolution": "Removed", "tokenHash": None, "signer": None}
    default, listed, refused = administer(
        url,
        {"operation": "get", "type": "SgxEnclave"},
        {"operation": "list"},
        {"operation": "add", "subject": BOB.certificate_pem, **signed_by(ALICE)},
    )
    assert default == {"ok": POLICY_TYPES["SgxEnclave"].default_policy}
    assert listed == {"ok": []}
    assert (refused["error"]["status"], refused["error"]["code"]) == (400, "InvalidOperation")


def test_an_isolated_provider_is_administered(administer, service: Running) -> None:
    url = create_provider(service, "javascript-isolated", ALICE)
    subject = {"subject": BOB.certificate_pem}
    results = administer(
        url,
        {"operation": "list"},
        {"operation": "set", "type": "SgxEnclave", "policy": PERMIT, **signed_by(ALICE)},
        {"operation": "get", "type": "SgxEnclave"},
        *({"operation": "add", **subject, **signed_by(ALICE)},) * 2,
        {"operation": "list"},
        {"operation": "set", "type": "SgxEnclave", "policy": PERMIT_ALL, **signed_by(BOB)},
        *({"operation": "remove", **subject, **signed_by(ALICE)},) * 2,
        {"operation": "list"},
        {"operation": "reset", "type": "SgxEnclave", **signed_by(ALICE)},
    )
    assert [list(result) for result in results] == [["ok"]] * len(results), results
    first, updated, found, added, again, both, by_bob, removed, once_more, last, reset = (
        result["ok"] for result in results
    )
    assert [pem_matches(chain[0], ALICE) for chain in first] == [True]
    assert updated["resolution"] == by_bob["resolution"] == "Updated"
    assert pem_matches(updated["signer"], ALICE)
    assert pem_matches(by_bob["signer"], BOB)
    assert found == PERMIT
    assert added == again == {"thumbprint": BOB.thumbprint, "resolution": "IsPresent"}
    assert [pem_matches(chain[0], who) for chain, who in zip(both, (ALICE, BOB), strict=True)] == [True, True]
    assert removed == once_more == {"thumbprint": BOB.thumbprint, "resolution": "IsAbsent"}
    assert len(last) == 1
    assert reset["resolution"] == "Removed"


def test_an_elliptic_curve_signs_policies(administer, service: Running) -> None:
    """ES256, R || S (rest-api 15.2)."""
    who = make_signer("Elliptic", "P256")
    url = create_provider(service, "javascript-ec", who)
    updated, found = administer(
        url,
        {"operation": "set", "type": "SgxEnclave", "policy": PERMIT, **signed_by(who)},
        {"operation": "get", "type": "SgxEnclave"},
    )
    assert updated["ok"]["resolution"] == "Updated"
    assert found == {"ok": PERMIT}


def test_refusals_arrive_as_the_client_reads_them(administer, service: Running) -> None:
    url = create_provider(service, "javascript-refuse", ALICE)
    cases = (
        ({"operation": "set", "type": "SgxEnclave", "policy": PERMIT}, "InvalidOperation"),
        ({"operation": "set", "type": "SgxEnclave", "policy": PERMIT, **signed_by(BOB)}, "InvalidOperation"),
        ({"operation": "set", "type": "SgxEnclave", "policy": BROKEN, **signed_by(ALICE)}, "PolicyParsingError"),
        ({"operation": "remove", "subject": ALICE.certificate_pem, **signed_by(ALICE)}, "InvalidOperation"),
        ({"operation": "add", "subject": BOB.certificate_pem, **signed_by(BOB)}, "InvalidOperation"),
    )
    for answer, (_, code) in zip(administer(url, *(job for job, _ in cases)), cases, strict=True):
        assert (answer["error"]["status"], answer["error"]["code"]) == (400, code)
    job = {"operation": "set", "type": "SgxEnclave", "policy": PERMIT, **signed_by(ALICE)}
    (answer,) = administer(url, job, role="reader")
    assert (answer["error"]["status"], answer["error"]["code"]) == (401, "Unauthorized")
    # The control, and that the client's own checks are on.
    allowed, mistrusted = administer(url, job, {**job, "issuer": f"{url}/"})
    assert allowed["ok"]["resolution"] == "Updated"
    assert mistrusted["error"]["status"] is None
