"""Attack cases of quotes and requests that no single knob shows, each beside its control."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assay.endorsements.anchors import TrustAnchors, trust_anchors
from assay.errors import AssayError, ConfigurationError, LimitExceeded, Malformed
from assay.evidence.base import PlatformRules, Submission
from assay.formats import base64url
from assay.pki.certificate import parse_certificate
from assay.simulator import (
    HIERARCHY,
    Enclave,
    Machine,
    Recipe,
    bind,
    find_knob,
    simulate,
)
from assay.simulator.intel.certificates import NOT_AFTER
from assay.simulator.intel.enclave import INIT, KSS, MODE64
from assay.verdict import encode_entry
from tests.appraisals import (
    AT,
    HELD,
    PRODUCTION,
    SIMULATED,
    Case,
    binary,
    failing_check,
    judge,
    refusal,
    simulated_case,
    tcb_status,
)

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonObject

BASE = Recipe(AT, HELD)
STRICT = PlatformRules(strict=True)


@pytest.fixture
def control() -> Case:
    case = simulated_case(simulate(BASE))
    assert tcb_status(judge(case, STRICT)) == "UpToDate"
    return case


def test_the_simulator_is_refused_by_the_production_anchors(control: Case) -> None:
    assert failing_check(replace(control, anchors=PRODUCTION)) == "pck_chain.root"


def test_an_empty_trust_store_is_an_error_at_start() -> None:
    with pytest.raises(ConfigurationError, match="empty trust store"):
        TrustAnchors(())


def test_a_simulator_root_in_the_trust_directory_is_refused_outside_development() -> None:
    root = parse_certificate(simulate(BASE).root)
    with pytest.raises(ConfigurationError, match="simulator"):
        trust_anchors([root])
    # By name too: another key under the simulator's organisation.
    renamed = find_knob("forged-pki").turn(BASE).machine.hierarchy.root_certificate()
    with pytest.raises(ConfigurationError, match="simulator"):
        trust_anchors([parse_certificate(renamed.public_bytes(Encoding.DER))])


def test_a_root_in_the_trust_directory_is_believed(control: Case) -> None:
    root = parse_certificate(simulate(BASE).root)
    anchors = trust_anchors([root], allow_simulator=True)
    assert tcb_status(judge(replace(control, anchors=anchors))) == "UpToDate"


@pytest.mark.parametrize("envelope", ["", "oe-report", "oe-evidence-claims"])
def test_a_quote_cut_at_any_octet_is_refused(envelope: str) -> None:
    recipe = find_knob(envelope).turn(BASE) if envelope else BASE
    case = simulated_case(simulate(recipe), enveloped=bool(envelope))
    evidence = case.submission.evidence
    assert tcb_status(judge(case)) == "UpToDate"
    for size in range(len(evidence)):
        with pytest.raises((Malformed, LimitExceeded)) as caught:
            judge(case.of(evidence[:size]))
        assert caught.value.verdict is not None
        assert caught.value.verdict.decisive is not None
        assert caught.value.verdict.decisive.check.name == "evidence.form"


def test_a_quote_longer_than_the_limit_is_refused(control: Case) -> None:
    error, decisive = refusal(control.of(control.submission.evidence + bytes(64 << 10)))
    assert isinstance(error, LimitExceeded)
    assert decisive.check.name == "evidence.form"


def test_a_report_data_tail_is_accepted_by_default_and_refused_under_strict() -> None:
    tail = replace(Enclave(), report_data=hashlib.sha256(HELD).digest() + bytes(31) + b"\x01")
    case = simulated_case(simulate(replace(BASE, enclave=tail, runtime_data=None, submitted_runtime_data=HELD)))
    assert tcb_status(judge(case)) == "UpToDate"
    assert failing_check(case, STRICT) == "runtime_data.tail"


def test_runtime_data_that_the_quote_never_bound_is_refused(control: Case) -> None:
    unbound = simulated_case(simulate(replace(BASE, runtime_data=None)))
    assert tcb_status(judge(unbound, STRICT)) == "UpToDate"
    with_data = replace(unbound, submission=replace(unbound.submission, runtime_data=binary(HELD)))
    assert failing_check(with_data) == "runtime_data.binding"


_INIT = b"configured at launch"


def configured(flags: int, config_id: bytes) -> Case:
    enclave = replace(Enclave(), flags=flags, config_id=config_id)
    case = simulated_case(simulate(replace(BASE, enclave=enclave)))
    return replace(case, submission=replace(case.submission, init_time_data=binary(_INIT)))


def test_init_time_data_must_be_what_the_enclave_was_configured_with() -> None:
    shared = INIT | MODE64 | KSS
    assert tcb_status(judge(configured(shared, bind(_INIT)))) == "UpToDate"
    assert failing_check(configured(shared, bind(b"something else"))) == "init_time_data.binding"
    assert failing_check(configured(shared, bytes(64))) == "init_time_data.binding"


def test_init_time_data_for_an_enclave_without_a_configuration_id_is_refused() -> None:
    assert failing_check(configured(INIT | MODE64, bind(_INIT))) == "init_time_data.binding"


def test_certificates_issued_again_under_the_same_root_key_are_accepted() -> None:
    renewed = replace(
        HIERARCHY,
        root=replace(HIERARCHY.root, not_after=NOT_AFTER.replace(year=2033), serial=7),
        processor_ca=replace(HIERARCHY.processor_ca, serial=8),
        tcb_signing=replace(HIERARCHY.tcb_signing, serial=9),
    )
    case = simulated_case(simulate(replace(BASE, machine=Machine(hierarchy=renewed))))
    assert tcb_status(judge(case, STRICT)) == "UpToDate"
    assert case.anchors is SIMULATED


def test_a_request_with_members_that_nobody_knows_and_without_runtime_data_is_accepted(control: Case) -> None:
    quote = base64url.encode(control.submission.evidence)
    requests: tuple[JsonObject, ...] = (
        {"quote": quote},
        {"quote": quote, "runtimedata": None, "unknown": {"a": [1]}},
        {"quote": quote, "runtimedata": {"data": "", "dataType": ""}, "inittimedata": {}},
        {"quote": quote + "=" * (-len(quote) % 4)},
    )
    for members in requests:
        submission = control.kind.decode(members)
        assert submission == Submission(control.submission.evidence)
        assert tcb_status(judge(replace(control, submission=submission))) == "UpToDate"


def test_no_refusal_shows_the_platform_identifier(control: Case) -> None:
    ppid = Recipe(AT).machine.platform.raw_ppid.hex()
    case = simulated_case(find_knob("pck-revoked").apply(BASE))
    error, _ = refusal(case)
    assert isinstance(error, AssayError)
    assert error.verdict is not None
    assert ppid not in str([encode_entry(entry) for entry in error.verdict])
    assert ppid not in error.message
