"""Endorsements of utility machines: each way to forge one is refused by the check that is there for it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from assay.endorsements.anchors import UVM_ISSUERS, UvmIssuer
from assay.errors import LimitExceeded, MalformedEvidence, VerificationFailed
from assay.evidence.sev_snp_vm.uvm_checks import UVM_CHECKS, UvmCase, parse_endorsements
from assay.simulator.microsoft.uvm import (
    AUTHORITY,
    FEED,
    ISSUER,
    LEAF,
    ROOT,
    Generation,
    UvmForm,
    chain_of,
    did_of,
    forged,
    mint_uvm_endorsement,
)
from assay.verdict import Entry, Outcome, run

MEASUREMENT = bytes(range(48))
GOOD = UvmForm(MEASUREMENT)
TRUSTED = (UvmIssuer(ISSUER, FEED, "a test", 100, "azure-compliant-uvm"),)
EXPIRED = replace(LEAF, not_after=datetime(2025, 1, 1, tzinfo=UTC))


def judge(*contents: bytes, issuers: tuple[UvmIssuer, ...] = TRUSTED) -> tuple[list[Entry], UvmCase]:
    case = UvmCase(contents, MEASUREMENT, issuers)
    passed: list[Entry] = []
    run(UVM_CHECKS, case, passed)
    return passed, case


def refusal(*contents: bytes, issuers: tuple[UvmIssuer, ...] = TRUSTED) -> str:
    with pytest.raises(VerificationFailed) as caught:
        judge(*contents, issuers=issuers)
    assert caught.value.check is not None
    return caught.value.check


@pytest.mark.parametrize("generation", list(Generation))
def test_a_good_endorsement_passes_every_check(generation: Generation) -> None:
    """Control of AZ-08, AZ-09 and AZ-12."""
    passed, case = judge(mint_uvm_endorsement(replace(GOOD, generation=generation)))
    assert [entry.outcome for entry in passed] == [Outcome.PASSED] * len(UVM_CHECKS)
    assert case.endorsing == TRUSTED[0]


def test_without_endorsements_no_check_applies_and_nobody_endorses() -> None:
    passed, case = judge()
    assert {entry.outcome for entry in passed} == {Outcome.NOT_APPLICABLE}
    assert case.endorsing is None


def test_one_of_several_is_of_the_measurement() -> None:
    other = mint_uvm_endorsement(replace(GOOD, launch_measurement=bytes(48)))
    _, case = judge(other, mint_uvm_endorsement(GOOD))
    assert case.endorsing == TRUSTED[0]


REFUSED: list[tuple[str, UvmForm, str]] = [
    ("forged keys under the genuine issuer", forged(GOOD), "uvm.issuer"),
    (
        "a self-signed certificate alone",
        replace(GOOD, chain=(replace(LEAF, signed_by=LEAF.key),), issuer=ISSUER),
        "uvm.issuer",
    ),
    ("the leaf as its own authority", replace(GOOD, issuer=did_of(chain_of(GOOD)[0])), "uvm.issuer"),
    ("another purpose", replace(GOOD, chain=(replace(LEAF, purpose="1.2.3"), AUTHORITY, ROOT)), "uvm.issuer"),
    ("an issuer that nobody trusts", replace(forged(GOOD), issuer=None), "uvm.trusted"),
    ("another authority of the trusted chain", replace(GOOD, issuer=did_of(chain_of(GOOD)[1])), "uvm.trusted"),
    ("another feed", replace(GOOD, feed="Another-UVM"), "uvm.trusted"),
    ("a low security version", replace(GOOD, svn=99), "uvm.svn"),
    ("a low version in the claims", replace(GOOD, svn=99, generation=Generation.HASH_ENVELOPE), "uvm.svn"),
    ("another measurement", replace(GOOD, launch_measurement=bytes(48)), "uvm.measurement"),
    ("an edited payload", replace(GOOD, payload=b"{}"), "uvm.signature"),
    ("another key's signature", replace(GOOD, signed_by=AUTHORITY.key), "uvm.signature"),
    ("a leaf signed by another key", replace(GOOD, chain=(replace(LEAF, signed_by="x"), AUTHORITY, ROOT)), "uvm.chain"),
    ("an authority that is none", replace(GOOD, chain=(LEAF, replace(AUTHORITY, ca=False), ROOT)), "uvm.chain"),
    ("a thumbprint of another certificate", replace(GOOD, protected={34: (-16, bytes(32))}), "uvm.issuer"),
    ("a leaf that had ended", replace(GOOD, chain=(EXPIRED, AUTHORITY, ROOT)), "uvm.validity"),
    ("a twin that differs", replace(GOOD, svn_integer=105), "uvm.svn"),
    (
        "the algorithm outside the protected headers",
        replace(GOOD, protected={1: None}, unprotected={1: -7}),
        "uvm.form",
    ),
    ("a critical header that is not understood", replace(GOOD, protected={2: ("x",)}), "uvm.form"),
    ("no chain", replace(GOOD, protected={33: None}), "uvm.form"),
]


@pytest.mark.parametrize(("form", "check"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_forgeries_are_refused_by_the_check_that_is_there_for_them(form: UvmForm, check: str) -> None:
    """Attack cases AZ-08, AZ-09 and AZ-12."""
    assert refusal(mint_uvm_endorsement(form)) == check


def test_every_check_has_its_forgery() -> None:
    assert {check for _, _, check in REFUSED} == {check.name for check in UVM_CHECKS}


def test_one_bad_endorsement_beside_a_good_one_is_refused() -> None:
    assert refusal(mint_uvm_endorsement(GOOD), mint_uvm_endorsement(replace(GOOD, feed="Another-UVM"))) == "uvm.trusted"


def test_the_simulators_endorsement_is_worth_nothing_in_production() -> None:
    assert refusal(mint_uvm_endorsement(GOOD), issuers=UVM_ISSUERS) == "uvm.trusted"


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def member(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_the_member_of_a_request_is_read() -> None:
    one, two = mint_uvm_endorsement(GOOD), b"two"
    assert parse_endorsements(member({"Uvm": [_b64(one), _b64(two)], "Other": 1})) == (one, two)
    assert parse_endorsements(member({"uvm": []})) == parse_endorsements(member({})) == ()


@pytest.mark.parametrize(
    "value", [[], {"Uvm": "text"}, {"Uvm": [1]}, {"Uvm": ["*"]}, {"Uvm": [None]}, {"Uvm": {"a": 1}}, "text"]
)
def test_members_of_another_form_are_refused(value: Any) -> None:
    with pytest.raises(MalformedEvidence, match="Endorsements"):
        parse_endorsements(member(value))


def test_their_number_is_bounded() -> None:
    with pytest.raises(LimitExceeded):
        parse_endorsements(member({"Uvm": ["AA"] * 9}))
