"""Open Enclave envelopes, as literals from quote-verification sections 7.1 and 7.2."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from assay.simulator import (
    EvidenceForm,
    ReportForm,
    encode_custom_claims,
    find_knob,
    mint_report,
    simulate_open_enclave,
)
from assay.simulator.open_enclave import LEGACY_REPORT, RAW_SGX_QUOTE
from assay.simulator.recipe import Recipe
from tests.shared_vectors import shared_path

AT = datetime(2026, 3, 1, tzinfo=UTC)
CLAIMS = (("pk", bytes(range(32))),)


def test_a_report_is_a_header_of_sixteen_bytes_and_the_quote() -> None:
    made = simulate_open_enclave(AT, runtime_data=b"held")
    size = len(made.quote).to_bytes(8, "little")
    assert made.evidence == bytes.fromhex("0100000002000000") + size + made.quote
    assert made.quote[368:432] == hashlib.sha256(b"held").digest() + bytes(32)
    assert made.file_name == "oe_report.bin"


def test_the_header_of_a_genuine_report_is_made_again() -> None:
    folder = shared_path("evidence/oe-sgx/oe-report-azure-release")
    report, quote = (folder / "oe_report.bin").read_bytes(), (folder / "quote.bin").read_bytes()
    assert mint_report(quote, ReportForm()) == report


def test_custom_claims_are_serialised_as_a_genuine_sample_is() -> None:
    genuine = shared_path("evidence/oe-sgx/oe-evidence-signal-cdsi-2026/custom_claims.bin").read_bytes()
    assert encode_custom_claims((("pk", genuine[-32:]),)) == genuine


@pytest.mark.parametrize("claims", [None, (), CLAIMS])
def test_evidence_binds_its_custom_claims(claims) -> None:
    form = EvidenceForm(claims=claims)
    made = simulate_open_enclave(AT, envelope=form)
    header, content = made.evidence[:28], made.evidence[28:]
    assert header[:20].hex() == "03000000" + "a3a21e871b4d4014b70aa125d2fbcd8c"
    assert int.from_bytes(header[20:28], "little") == len(content)
    assert content == made.quote + form.buffer()
    assert made.quote[368:432] == hashlib.sha256(form.buffer()).digest() + bytes(32)


def test_evidence_of_version_2_has_a_report_header_before_the_quote() -> None:
    made = simulate_open_enclave(AT, envelope=EvidenceForm(version=2, claims=CLAIMS))
    assert made.evidence[:4] == bytes.fromhex("02000000")
    assert made.evidence[28:44] == bytes.fromhex("0100000002000000") + len(made.quote).to_bytes(8, "little")
    assert made.evidence[44:] == made.quote + encode_custom_claims(CLAIMS)


def test_the_formats_without_custom_claims_bind_runtime_data() -> None:
    raw = simulate_open_enclave(AT, runtime_data=b"held", envelope=EvidenceForm(format=RAW_SGX_QUOTE))
    assert raw.evidence[28:] == raw.quote
    legacy = simulate_open_enclave(AT, runtime_data=b"held", envelope=EvidenceForm(format=LEGACY_REPORT))
    assert legacy.evidence[28:] == mint_report(legacy.quote)
    for made in (raw, legacy):
        assert made.quote[368:400] == hashlib.sha256(b"held").digest()


def test_runtime_data_and_custom_claims_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="custom claims"):
        simulate_open_enclave(AT, runtime_data=b"held", envelope=EvidenceForm(claims=CLAIMS))


def test_evidence_without_a_header_begins_with_the_quote() -> None:
    made = simulate_open_enclave(AT, envelope=EvidenceForm(claims=CLAIMS, header=False))
    assert made.evidence == made.quote + encode_custom_claims(CLAIMS)


@pytest.mark.parametrize("name", ["oe-claims-not-bound", "oe-claims-appended", "oe-claims-removed"])
def test_a_knob_of_custom_claims_breaks_their_binding(name: str) -> None:
    made = find_knob(name).apply(Recipe(AT))
    buffer = made.evidence[28 + len(made.quote) :]
    assert made.quote[368:400] != hashlib.sha256(buffer).digest()


@pytest.mark.parametrize(
    "name", ["oe-claims-version", "oe-claims-count-greatest", "oe-claims-name-size", "oe-claims-cut"]
)
def test_a_knob_of_malformed_custom_claims_keeps_their_binding(name: str) -> None:
    made = find_knob(name).apply(Recipe(AT))
    buffer = made.evidence[28 + len(made.quote) :]
    assert made.quote[368:400] == hashlib.sha256(buffer).digest()
