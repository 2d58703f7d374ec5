"""Real evidence of SGX and Open Enclave, judged at its own time by the production roots."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from assay.appraise import parse_evidence
from assay.endorsements.documents import Document, DocumentKind
from assay.errors import EndorsementUnavailable, MalformedEvidence
from assay.evidence.base import Submission
from tests.appraisals import (
    ANY_STATUS,
    AT,
    Case,
    claim_values,
    evidence_type,
    failing_check,
    judge,
    read_json,
    refusal,
    tcb_status,
)
from tests.vectors import EVIDENCE, Vector, vectors

if TYPE_CHECKING:
    from assay.result.attestation import AttestationResult

pytestmark = pytest.mark.optional("shared")

# What the vectors themselves say is wrong with them (their `expected.source` and README, "recomputed").
INVALID_QUOTES = {
    "sgx-bad-quote-signature-cmc": "quote.signature",
    "sgx-cfl-fortanix-corrupted": "quote.signature",
    "sgx-type3-encrypted-ppid-fortanix": "evidence.form",
    "sgx-type3-encrypted-ppid-oasis": "evidence.form",
    "sgx-intel-qvl-sample-testpki": "evidence.form",
}
# The check of each `expected.failing_step` of the negatives.
FAILING_STEPS = {
    "attestation key binding (QE report data)": "qe_report.binding",
    "parsing": "evidence.form",
    "parsing (certification data size)": "evidence.form",
    "parsing (unsupported certification data type)": "evidence.form",
    "parsing (unsupported version)": "evidence.form",
    "PCK chain root of trust": "pck_chain.root",
    "QE report signature": "qe_report.signature",
    "PCK CRL issuer": "pck_crl.issuer",
    "QE identity signature": "qe_identity.signature",
    "QE identity id": "qe_identity.tee",
    "quote signature": "quote.signature",
    "root CRL signature": "root_crl.signature",
    "TCB signing chain root of trust": "tcb_info_chain.trust",
    "TCB info FMSPC match": "tcb_info.platform",
    "TCB info signature": "tcb_info.signature",
    "TCB info signature (if the verifier checks the bytes received)": "tcb_info.signature",
    "QE vendor id / quote signature": "quote.vendor_id",
    # Whichever of the four windows ends or begins first; the PCK CRL's, in this base vector.
    "collateral validity (nextUpdate / notAfter)": "pck_crl.validity",
    "collateral validity (issueDate / notBefore)": "pck_crl.validity",
}


def stated_status(vector: Vector) -> str:
    stated = vector.meta["expected"]["tcb_status"]
    return str(vector.meta["computed"]["tcb_status"] if stated in ("unstated", "n/a") else stated)


def assert_judged_as_stated(vector: Vector, result: AttestationResult) -> None:
    computed = vector.meta["computed"]
    assert tcb_status(result) == stated_status(vector)
    assert sorted(map(str, claim_values(result, "attester_advisory_ids"))) == sorted(computed["advisory_ids"])
    body = vector.meta["fields"]["body"]
    members = result.statement.members
    assert members["x-ms-sgx-mrenclave"] == body["mrenclave"]
    assert members["x-ms-sgx-mrsigner"] == body["mrsigner"]
    assert members["x-ms-sgx-report-data"] == body["report_data"]
    assert (members["x-ms-sgx-product-id"], members["x-ms-sgx-svn"]) == (body["isvprodid"], body["isvsvn"])
    assert members["x-ms-sgx-is-debuggable"] == bool(bytes.fromhex(body["attributes"])[0] & 2)


def judge_as_possible(vector: Vector, case: Case) -> AttestationResult:
    """Judged in full; where the source had no revocation lists, those must be named and only the unsafe option helps."""
    missing = {DocumentKind.INTEL_ROOT_CRL, DocumentKind.INTEL_PCK_CRL} - set(case.documents)
    if not missing:
        return judge(case, ANY_STATUS)
    error, decisive = refusal(case, ANY_STATUS)
    assert isinstance(error, EndorsementUnavailable)
    assert len(error.documents) == len(missing)
    assert decisive.check.name == "endorsements.available"
    return judge(case, ANY_STATUS, unsafe_no_revocation=True)


@pytest.mark.parametrize("vector", vectors("sgx-quote"))
def test_a_real_quote_is_judged_as_its_source_states(vector: Vector) -> None:
    expected = INVALID_QUOTES.get(vector.folder.name)
    if expected is None:
        assert vector.meta["expected"]["verdict"] in ("valid", "unstated")
        assert_judged_as_stated(vector, judge_as_possible(vector, vector.case("SgxEnclave", "quote.bin")))
        return
    at = None if "suggested" in vector.meta["verify_at"] else AT
    assert failing_check(vector.case("SgxEnclave", "quote.bin", "quote.dat", at=at), ANY_STATUS) == expected


@pytest.mark.parametrize("name", ["sgx-type3-encrypted-ppid-fortanix", "sgx-type3-encrypted-ppid-oasis"])
def test_a_real_quote_with_an_encrypted_platform_id_has_its_own_code(name: str) -> None:
    with pytest.raises(MalformedEvidence) as caught:
        parse_evidence(
            evidence_type("SgxEnclave"), Submission((EVIDENCE / "sgx-quote" / name / "quote.bin").read_bytes())
        )
    assert caught.value.code == "PckCertificateUnavailable"


@pytest.mark.parametrize("vector", vectors("negative", base_kind="sgx-quote"))
def test_a_real_quote_with_one_thing_changed_is_refused_at_the_stated_step(vector: Vector) -> None:
    case = vector.case("SgxEnclave", "quote.bin")
    assert failing_check(case, ANY_STATUS) == FAILING_STEPS[vector.meta["expected"]["failing_step"]]
    assert vector.base is not None
    base = Vector(vector.base, None, read_json(vector.base / "meta.json"))
    assert tcb_status(judge(base.case("SgxEnclave", "quote.bin"), ANY_STATUS)) == stated_status(base)


# A certificate is not Open Enclave evidence: the first carries a bare quote, the second nothing that can be parsed.
CERTIFICATES = ("maa-signing-cert-uksouth-2020", "oe-cert-bad-ec")
OPEN_ENCLAVE = [p for p in vectors("oe-sgx") if p.id not in CERTIFICATES]


@pytest.mark.parametrize("vector", OPEN_ENCLAVE)
def test_real_open_enclave_evidence_is_judged_as_its_source_states(vector: Vector) -> None:
    case = vector.case("OpenEnclave", "oe_report.bin", "evidence.bin")
    if vector.folder.name == "oe-report-bad-chain":
        assert failing_check(case, ANY_STATUS) == "pck_chain.signature"
        return
    assert_judged_as_stated(vector, judge(case, ANY_STATUS))
    # The quote inside stands for itself, too.
    assert_judged_as_stated(vector, judge(vector.case("SgxEnclave", "quote.bin"), ANY_STATUS))


@pytest.mark.parametrize("vector", [p for p in vectors("oe-sgx") if p.id == CERTIFICATES[0]])
def test_the_quote_in_a_signing_certificate_of_the_real_service_is_good(vector: Vector) -> None:
    assert_judged_as_stated(vector, judge(vector.case("SgxEnclave", "quote.bin"), ANY_STATUS))


def test_a_certificate_is_not_open_enclave_evidence() -> None:
    for name in CERTIFICATES:
        certificate = (EVIDENCE / "oe-sgx" / name / "certificate.der").read_bytes()
        with pytest.raises(MalformedEvidence):
            parse_evidence(evidence_type("OpenEnclave"), Submission(certificate))


def test_endorsements_whose_windows_do_not_meet_are_refused_at_every_instant() -> None:
    folder = EVIDENCE / "oe-sgx" / "oe-evidence-signal-disjoint-endorsements"
    case = Vector(folder, None, read_json(folder / "meta.json")).case("OpenEnclave", "evidence.bin")
    items = _endorsement_items((folder / "endorsements.bin").read_bytes())
    for document in (
        Document(DocumentKind.INTEL_TCB_INFO, items[1], items[2]),
        Document(DocumentKind.INTEL_QE_IDENTITY, items[6], items[7]),
        Document(DocumentKind.INTEL_PCK_CRL, items[3]),
        Document(DocumentKind.INTEL_ROOT_CRL, items[4]),
    ):
        case = case.having(document)
    # Each edge as the source states it, the TCB info, the QE identity, the PCK CRL.
    instants = ("2021-04-21", "2021-05-20", "2021-07-02", "2021-07-30", "2022-05-05", "2022-06-02", "2026-01-01")
    refused = {
        failing_check(replace(case, at=datetime.fromisoformat(f"{at}T00:00:00Z")), ANY_STATUS) for at in instants
    }
    assert refused <= {"pck_chain.validity", "pck_crl.validity", "root_crl.validity", "tcb_info.validity"}
    # In the window of the PCK CRL, the last to begin, TCB info and QE identity have long ended.
    assert "tcb_info.validity" in refused


def _endorsement_items(blob: bytes) -> list[bytes]:
    """Open Enclave's endorsements, strings without their final NUL (quote-verification 7.3)."""
    version, kind, _, count = struct.unpack_from("<IIII", blob)
    assert (version, kind) == (1, 2)
    offsets = struct.unpack_from(f"<{count}I", blob, 16)
    content = blob[16 + 4 * count :]
    ends = (*offsets[1:], len(content))
    return [content[start:end].rstrip(b"\0") for start, end in zip(offsets, ends, strict=True)]


def test_a_report_header_around_a_td_quote_is_refused() -> None:
    (quote, *_) = sorted((EVIDENCE / "tdx-quote-v4").glob("*/quote.bin"))
    content = quote.read_bytes()
    with pytest.raises(MalformedEvidence) as caught:
        parse_evidence(evidence_type("OpenEnclave"), Submission(struct.pack("<IIQ", 1, 2, len(content)) + content))
    assert caught.value.code == "UnsupportedTeeType"


@pytest.mark.parametrize("folder", ["tdx-quote-v4", "tdx-quote-v5"])
def test_a_quote_of_a_trust_domain_is_not_an_sgx_quote(folder: str) -> None:
    for path in sorted((EVIDENCE / folder).glob("*/quote.bin")):
        with pytest.raises(MalformedEvidence) as caught:
            parse_evidence(evidence_type("SgxEnclave"), Submission(path.read_bytes()))
        assert caught.value.code == "UnsupportedTeeType"
