"""What dcap-qvl says of the simulator's products."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assay.simulator import (
    KNOBS,
    VARIANTS,
    Knob,
    Machine,
    Platform,
    Recipe,
    simulate,
    simulate_open_enclave,
    simulate_sgx,
)

from .peer import judge

AT = datetime(2026, 3, 1, tzinfo=UTC)
HELD = b'{"key":"value"}'
PROCESSOR = Recipe(AT, HELD)
PLATFORM = replace(PROCESSOR, machine=Machine(Platform(ca="platform")))

# Negatives that the peer accepts, each with the reason.
ACCEPTED_BY_PEER = {
    "runtime-data-other": "held data is not the peer's business",
    "runtime-data-31-bytes": "held data is not the peer's business",
    "chain-duplicate-leaf": "builds a path from whatever it finds",
    "chain-with-stranger": "builds a path from whatever it finds",
    "pck-wrong-key-usage": "does not read the key usage of end entities",
    "pck-name-other": "does not read common names",
    "root-path-length-zero": "takes nothing but name and key from its anchor",
    "root-expired": "takes nothing but name and key from its anchor",
    "qe-binding-tail": "compares the first 32 bytes only, as Intel does",
    "qe-misc-select-mask-ignored": "masks both sides of the comparison",
    "qe-attributes-mask-ignored": "masks both sides of the comparison",
    "tcb-info-duplicate-by-case": "member names differ by case",
    "tcb-info-of-another-pce": "compares the FMSPC only",
    "tcb-info-signed-by-pck": "takes any end entity under the root for TCB signing",
    "tcb-signing-wrong-key-usage": "does not read the key usage of end entities",
    "pck-crl-authority-key-id-other": "does not read the authority key identifier of a list",
    "root-crl-authority-key-id-other": "does not read the authority key identifier of a list",
    "pck-crl-not-yet-valid": "does not look at thisUpdate",
    "root-crl-not-yet-valid": "does not look at thisUpdate",
}
# Knobs under a named rule, which the peer has by default.
REFUSED_BY_PEER_RULE = {"debug", "chain-shuffled"}
# Statuses that the peer turns into a refusal.
REFUSED_STATUS = "Revoked"
# Good evidence that the peer refuses, each with the reason.
REFUSED_BY_PEER = {
    "authentication-data-empty": "wants 32 bytes of authentication data",
    "tcb-info-version-2": "reads version 3 only",
    "version-4": "wants version 3 of an enclave's quote; Intel's format has both TEE types from version 4 on",
    "version-5": "wants version 3 of an enclave's quote; Intel's format has both TEE types from version 4 on",
    "last-instant": "nextUpdate of a revocation list is exclusive there",
}


def ids(knob: Knob) -> str:
    return knob.name


bases = pytest.mark.parametrize("base", [PROCESSOR, PLATFORM], ids=["processor", "platform"])


@bases
def test_the_default_quote_is_up_to_date(base: Recipe) -> None:
    assert judge(simulate(base)) == "UpToDate"


def test_the_one_call_forms_are_up_to_date() -> None:
    assert judge(simulate_sgx(AT)) == "UpToDate"
    assert judge(simulate_open_enclave(AT, runtime_data=HELD)) == "UpToDate"


@bases
@pytest.mark.parametrize(
    "knob",
    [k for k in KNOBS if not (k.enveloped or k.rule or k.status or k.name in ACCEPTED_BY_PEER)],
    ids=ids,
)
def test_a_negative_is_refused(knob: Knob, base: Recipe) -> None:
    with pytest.raises(ValueError, match=r".+"):
        judge(knob.apply(base))


@bases
@pytest.mark.parametrize("knob", [k for k in KNOBS if k.status], ids=ids)
def test_a_status_is_what_the_knob_says(knob: Knob, base: Recipe) -> None:
    if knob.status == REFUSED_STATUS:
        with pytest.raises(ValueError, match=REFUSED_STATUS):
            judge(knob.apply(base))
        return
    assert judge(knob.apply(base)) == knob.status


@bases
@pytest.mark.parametrize("knob", [k for k in KNOBS if k.rule], ids=ids)
def test_a_negative_under_a_rule_is_good_evidence_without_it(knob: Knob, base: Recipe) -> None:
    if knob.name in REFUSED_BY_PEER_RULE:
        with pytest.raises(ValueError, match=r".+"):
            judge(knob.apply(base))
        return
    assert judge(knob.apply(base)) == "UpToDate"


@pytest.mark.parametrize("name", sorted(ACCEPTED_BY_PEER))
def test_the_list_of_what_the_peer_accepts_is_true(name: str) -> None:
    knob = next(k for k in KNOBS if k.name == name)
    assert judge(knob.apply(PROCESSOR)) == "UpToDate"


@bases
@pytest.mark.parametrize("knob", [k for k in VARIANTS if k.name not in REFUSED_BY_PEER], ids=ids)
def test_a_variant_is_accepted(knob: Knob, base: Recipe) -> None:
    assert judge(knob.apply(base)) == knob.status


@pytest.mark.parametrize("name", sorted(REFUSED_BY_PEER))
def test_the_list_of_variants_that_the_peer_refuses_is_true(name: str) -> None:
    knob = next(k for k in VARIANTS if k.name == name)
    with pytest.raises(ValueError, match=r".+"):
        judge(knob.apply(PROCESSOR))
