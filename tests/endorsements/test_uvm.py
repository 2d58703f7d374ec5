"""Endorsements of utility machines: both generations, genuine ones, and what their parser refuses."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.endorsements.anchors import SIMULATOR_UVM_ISSUER, UVM_ISSUERS
from assay.endorsements.microsoft.uvm import chain_problem, parse_uvm_endorsement, read_release, thumbprint_problem
from assay.errors import AssayError, LimitExceeded, MalformedEvidence
from assay.formats.cbor import Tagged
from assay.formats.cose import verify_cose_sign1
from assay.pki.did_x509 import require_named
from assay.simulator.microsoft.uvm import (
    AUTHORITY,
    FEED,
    ISSUER,
    LEAF,
    ROOT,
    Generation,
    UvmForm,
    chain_of,
    mint_uvm_endorsement,
)
from tests.shared_vectors import SHARED, shared_path

MEASUREMENT = bytes(range(48))
GOOD = UvmForm(MEASUREMENT)
GENUINE = [path.relative_to(SHARED) for path in sorted((SHARED / "evidence/aci").glob("*/uvm*.cose"))]


@pytest.mark.parametrize("generation", list(Generation))
@pytest.mark.parametrize("is_tagged", [True, False])
def test_both_generations_say_the_same(generation: Generation, is_tagged: bool) -> None:
    endorsement = parse_uvm_endorsement(mint_uvm_endorsement(replace(GOOD, generation=generation, is_tagged=is_tagged)))
    assert read_release(endorsement.message) == (MEASUREMENT, 104)
    assert (endorsement.issuer.text, endorsement.feed) == (ISSUER, FEED)
    assert endorsement.signed_at == datetime(2025, 10, 1, tzinfo=UTC)
    assert chain_problem(endorsement.chain) is thumbprint_problem(endorsement) is None
    assert verify_cose_sign1(endorsement.message, endorsement.chain[0].public_key) == "ES256"
    require_named(endorsement.issuer, endorsement.chain)


def test_the_simulators_issuer_is_the_pinned_one() -> None:
    assert SIMULATOR_UVM_ISSUER.issuer == ISSUER
    assert SIMULATOR_UVM_ISSUER.simulated
    assert not any(issuer.simulated for issuer in UVM_ISSUERS)


@pytest.mark.parametrize("path", GENUINE, ids=lambda path: path.parent.name)
def test_genuine_endorsements_hold(path: Any) -> None:
    endorsement = parse_uvm_endorsement(shared_path(str(path)).read_bytes())
    assert chain_problem(endorsement.chain) is thumbprint_problem(endorsement) is None
    assert verify_cose_sign1(endorsement.message, endorsement.chain[0].public_key) == "PS384"
    require_named(endorsement.issuer, endorsement.chain)
    assert (endorsement.issuer.text, endorsement.feed) in {(each.issuer, each.feed) for each in UVM_ISSUERS}
    assert endorsement.signed_at in endorsement.window
    assert read_release(endorsement.message).svn >= 22


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"iss": None}, "no issuer and feed"),
        ({"feed": 5}, "no issuer and feed"),
        ({"iss": "did:web:example.org"}, "no did:x509"),
        ({"signingtime": None}, "no signing time"),
        ({"signingtime": Tagged(1, -5)}, "no signing time"),
        ({"signingtime": Tagged(0, "yesterday")}, "signing time"),
        ({"signingtime": Tagged(1, 1 << 60)}, "no signing time"),
        ({33: None}, "x5chain that is no list"),
        ({33: ()}, "x5chain of 0"),
        ({33: ("text",)}, "no list of byte strings"),
        ({33: (b"\x30\x00",)}, "certificate"),
        ({33: (b"x",) * 11}, "x5chain of 11"),
    ],
)
def test_headers_of_another_form_are_refused(headers: dict[Any, Any], problem: str) -> None:
    with pytest.raises(AssayError, match=problem):
        parse_uvm_endorsement(mint_uvm_endorsement(replace(GOOD, protected=headers)))


def test_a_time_as_text_is_read() -> None:
    form = replace(GOOD, protected={"signingtime": Tagged(0, "2025-01-02T03:04:05Z")})
    assert parse_uvm_endorsement(mint_uvm_endorsement(form)).signed_at == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


ENVELOPE = replace(GOOD, generation=Generation.HASH_ENVELOPE)


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (replace(GOOD, payload=b"[]"), "payload"),
        (replace(GOOD, payload=b"{}"), "96 hexadecimal digits"),
        (replace(GOOD, launch_measurement=bytes(47)), "96 hexadecimal digits"),
        (replace(GOOD, svn=-1), "not a number as text"),
        (replace(GOOD, svn_integer=105), "differs"),
        (replace(ENVELOPE, launch_measurement=bytes(47)), "SHA-384"),
        (replace(ENVELOPE, protected={258: -16}), "SHA-384"),
        (replace(ENVELOPE, svn=-1), "number svn"),
    ],
)
def test_payloads_of_another_form_are_refused(form: UvmForm, problem: str) -> None:
    endorsement = parse_uvm_endorsement(mint_uvm_endorsement(form))
    with pytest.raises(MalformedEvidence, match=problem):
        read_release(endorsement.message)


@pytest.mark.parametrize(
    ("chain", "problem"),
    [
        ((replace(LEAF, signed_by="another"), AUTHORITY, ROOT), "verif"),
        ((LEAF, replace(AUTHORITY, ca=False), ROOT), "not a certificate authority"),
        ((LEAF, AUTHORITY, replace(ROOT, signed_by="another")), "verif"),
    ],
)
def test_chains_that_do_not_hold_are_refused(chain: Any, problem: str) -> None:
    endorsement = parse_uvm_endorsement(mint_uvm_endorsement(replace(GOOD, chain=chain)))
    assert problem in (chain_problem(endorsement.chain) or "")


def test_a_chain_that_does_not_end_at_its_root_is_refused() -> None:
    der = chain_of(GOOD)[:2]
    endorsement = parse_uvm_endorsement(mint_uvm_endorsement(replace(GOOD, protected={33: der})))
    assert "another issuer" in (chain_problem(endorsement.chain) or "")


def test_a_thumbprint_of_another_certificate_is_refused() -> None:
    endorsement = parse_uvm_endorsement(mint_uvm_endorsement(replace(GOOD, protected={34: (-16, bytes(32))})))
    assert thumbprint_problem(endorsement) is not None


def test_the_size_is_bounded() -> None:
    with pytest.raises(LimitExceeded):
        parse_uvm_endorsement(bytes(300_000))


@given(st.integers(0, len(mint_uvm_endorsement(GOOD)) - 1), st.binary(min_size=1, max_size=3))
def test_mutated_endorsements_are_parsed_or_refused(place: int, octets: bytes) -> None:
    content = mint_uvm_endorsement(GOOD)
    with suppress(AssayError):
        endorsement = parse_uvm_endorsement(content[:place] + octets + content[place + len(octets) :])
        read_release(endorsement.message)
