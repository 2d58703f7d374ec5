"""Real confidential VMs: what binds what, from hardware report to PCRs, and each of the negatives (quote-verification 12).

Their collectors keep neither encryption key nor boot log, so that the chain is judged by the parts of this folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from assay.errors import MalformedEvidence, VerificationFailed
from assay.evidence._hcl.report import ReportType, parse_hcl_report
from assay.evidence._hcl.runtime_claims import parse_runtime_claims, verify_binding
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.attest import parse_quote
from assay.evidence._tcg.pcrs import pcr_bank
from assay.evidence._tcg.quote_checks import QuoteCase, quote_checks
from assay.evidence._tcg.signature import rsassa_sha256
from assay.verdict import Entry, Mismatch, run
from tests.shared_vectors import SHARED
from tests.vectors import vectors


@dataclass(frozen=True)
class Judged:
    """What a vector's parts say: which link is broken, or none."""

    broken: str
    entries: tuple[Entry, ...]


def judge(vector) -> Judged:
    report = parse_hcl_report(vector.read("hcl_report.bin"))
    claims = parse_runtime_claims(vector.read("runtime_data.json"))
    assert claims.content == report.request_data.claims
    try:
        verify_binding(claims.content, report.report_data, report.request_data.hash_type)
    except Mismatch:
        return Judged("runtime claims", ())
    key = claims.attestation_key
    public = rsa.RSAPublicNumbers(key.exponent, key.modulus).public_key()
    values = json.loads(vector.read("pcrs.json"))
    bank = pcr_bank(HashAlgorithm.SHA256, [(int(index), bytes.fromhex(value)) for index, value in values.items()])
    quote = parse_quote(vector.read("tpm_quote.msg"))
    quoted = {index for chosen in quote.selections for index in chosen.indices}
    sent = pcr_bank(bank.algorithm, [(index, value) for index, value in bank.values.items() if index in quoted])
    case = QuoteCase(quote, rsassa_sha256(vector.read("tpm_quote.sig")), public, {sent.algorithm: sent}, None)
    entries: list[Entry] = []
    try:
        run(quote_checks("tpm_quote"), case, entries)
    except VerificationFailed as error:
        return Judged(error.check, tuple(entries))
    return Judged("", tuple(entries))


@pytest.mark.optional("shared")
@pytest.mark.parametrize("vector", [*vectors("cvm-snp"), *vectors("cvm-tdx")])
def test_the_chain_of_a_real_machine_holds(vector):
    assert judge(vector).broken == ""


BROKEN = {
    "neg-cvm-snp-ak-replaced": "runtime claims",
    "neg-cvm-snp-pcr-edited": "tpm_quote.composite",
    "neg-cvm-snp-tpm-nonce-edited": "tpm_quote.signature",
    "neg-cvm-snp-tpm-signature-flipped": "tpm_quote.signature",
    "neg-cvm-tdx-ak-replaced": "runtime claims",
    "neg-cvm-tdx-pcr-edited": "tpm_quote.composite",
}


@pytest.mark.optional("shared")
@pytest.mark.parametrize(
    "vector", [*vectors("negative", base_kind="cvm-snp"), *vectors("negative", base_kind="cvm-tdx")]
)
def test_a_link_that_was_broken_is_found(vector):
    assert judge(vector).broken == BROKEN[vector.folder.name]


@pytest.mark.optional("shared")
def test_the_quote_of_a_td_holds_what_its_td_report_does():
    """tpm-and-guest 4.2: the TDREPORT is not signed; the quote made of it is, and both hold the hash of the claims."""
    from assay.evidence.base import Submission
    from assay.evidence.tdx_vm import TDX_VM

    for name in ("cvm-tdx-00806f-trustee", "cvm-tdx-90c06f-attestedtls"):
        folder = SHARED / "evidence" / "cvm-tdx" / name
        report = parse_hcl_report((folder / "hcl_report.bin").read_bytes())
        assert report.request_data.report_type is ReportType.TDX
        quote = TDX_VM.parse(Submission((folder / "td_quote.bin").read_bytes()))
        assert quote.report.report_data == report.report_data
        assert quote.report.mr_td == report.hardware_report[512 + 16 : 512 + 64]


@pytest.mark.optional("shared")
def test_an_hcl_report_is_no_guest_request():
    from assay.evidence.azure_guest.attestation_info import parse_attestation_info

    content = (SHARED / "evidence/cvm-tdx/cvm-tdx-00806f-trustee/hcl_report.bin").read_bytes()
    with pytest.raises(MalformedEvidence):
        parse_attestation_info(content)
