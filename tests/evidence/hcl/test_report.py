"""HCL reports of versions 1 and 2: the layout, and what agrees with what in it (attack cases AZ-01, AZ-05)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.errors import LimitExceeded, MalformedEvidence
from assay.evidence._hcl.report import ReportType, parse_hcl_report, parse_request_data
from assay.evidence._hcl.runtime_claims import parse_runtime_claims, verify_binding
from assay.verdict import Mismatch
from tests.evidence.hcl.reports import CLAIMS, Report
from tests.shared_vectors import shared_path

BINDING = {
    "vectors/tpm/hcl/kinvolk-snp-2048.bin": ReportType.SNP,
    "vectors/tpm/hcl/kinvolk-tdx.bin": ReportType.TDX,
    "vectors/tpm/hcl/trustee-snp-hcl-report.bin": ReportType.SNP,
    "vectors/tpm/hcl/trustee-tdx-hcl-report.bin": ReportType.TDX,
    "vectors/tpm/hcl/azure-tools-tdx-misnamed-snp_hcl_report.bin": ReportType.TDX,
    "evidence/cvm-snp/cvm-snp-genoa-trustee/hcl_report.bin": ReportType.SNP,
    "evidence/cvm-snp/cvm-snp-milan-cleanroom-encryption/hcl_report.bin": ReportType.SNP,
    "evidence/cvm-snp/cvm-snp-milan-trustee-v0/hcl_report.bin": ReportType.SNP,
    "evidence/cvm-snp/cvm-snp-milan-trustee-v2/hcl_report.bin": ReportType.SNP,
    "evidence/cvm-tdx/cvm-tdx-00806f-trustee/hcl_report.bin": ReportType.TDX,
    "evidence/cvm-tdx/cvm-tdx-90c06f-attestedtls/hcl_report.bin": ReportType.TDX,
}
NOT_BINDING = (
    "vectors/tpm/hcl/azure-clientlib-hcl-snp.bin",
    "evidence/negative/neg-cvm-snp-ak-replaced/hcl_report.bin",
    "evidence/negative/neg-cvm-tdx-ak-replaced/hcl_report.bin",
)


def bind(content: bytes) -> None:
    report = parse_hcl_report(content)
    verify_binding(report.request_data.claims, report.report_data, report.request_data.hash_type)


@pytest.mark.parametrize("name", BINDING)
def test_real_reports_bind_their_runtime_claims(name):
    report = parse_hcl_report(shared_path(name).read_bytes())
    assert report.request_data.report_type is BINDING[name]
    verify_binding(report.request_data.claims, report.report_data)
    assert parse_runtime_claims(report.request_data.claims).attestation_key.exponent == 65537


@pytest.mark.parametrize("name", NOT_BINDING)
def test_reports_with_claims_of_others_do_not_bind(name):
    with pytest.raises(Mismatch):
        bind(shared_path(name).read_bytes())


def test_claims_kept_beside_a_report_are_judged_like_those_in_it():
    claims = shared_path("vectors/tpm/hcl/azure-clientlib-vardata.bin").read_bytes()
    report = parse_hcl_report(shared_path("vectors/tpm/hcl/azure-clientlib-hcl-snp.bin").read_bytes())
    with pytest.raises(Mismatch):
        verify_binding(claims.rstrip(b"\x00"), report.report_data)


def test_claims_that_begin_at_their_own_header_are_read():
    data = parse_request_data(shared_path("vectors/tpm/hcl/cmc-azure-tdx-validClaimsAzure.bin").read_bytes())
    assert (data.report_type, len(data.claims)) == (ReportType.TDX, 1195)
    assert parse_runtime_claims(data.claims).attestation_key.modulus.bit_length() == 2048


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("report_type", [2, 4])
@pytest.mark.parametrize("hash_type", [1, 2, 3])
@pytest.mark.parametrize("data_version", [1, 2])
def test_every_version_type_and_hash_binds(version, report_type, hash_type, data_version):
    content = Report(version=version, report_type=report_type, hash_type=hash_type, data_version=data_version).encode()
    report = parse_hcl_report(content)
    assert report.request_data.claims == CLAIMS
    bind(content)
    verify_binding(CLAIMS, report.report_data)


REFUSED = {
    "another signature": Report(signature=b"HCLB"),
    "version 0": Report(version=0),
    "version 3": Report(version=3),
    "data version 3": Report(data_version=3),
    "report type 0": Report(report_type=0),
    "report type of VBS": Report(report_type=1),
    "no isolation": Report(report_type=3),
    "report type of CCA": Report(report_type=5),
    "hash type 0": Report(hash_type=0),
    "hash type 4": Report(hash_type=4),
    "claims longer than the blob": Report(claims_size=4096),
    "claims of 4 GiB": Report(claims_size=0xFFFFFFFF),
    "octets in the padding": Report(padding=bytes(100) + b"\x01"),
    "TDX stated, SNP within": Report(report_type=4, hardware=Report().snp()),
    "SNP stated, TDX within": Report(report_type=2, hardware=Report().tdx()),
    "octets after the TDREPORT": Report(report_type=4, hardware=Report().tdx()[:-1] + b"\x01"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_az_05_what_contradicts_itself_is_refused(name):
    with pytest.raises(MalformedEvidence):
        parse_hcl_report(REFUSED[name].encode())


@pytest.mark.parametrize("size", [0, 3, 31, 32, 1215, 1216, 1235])
def test_reports_that_are_cut_are_refused(size):
    with pytest.raises(MalformedEvidence):
        parse_hcl_report(Report().encode()[:size])


def test_reports_of_absurd_size_are_refused_unread():
    with pytest.raises(LimitExceeded):
        parse_hcl_report(Report(padding=bytes(1 << 20)).encode())


def test_az_01_claims_changed_by_one_octet_do_not_bind():
    changed = CLAIMS.replace(b"true", b"True")
    with pytest.raises(Mismatch):
        bind(Report(claims=changed, report_data=Report().bound).encode())


@pytest.mark.parametrize("tail", [b"\x01" + bytes(31), bytes(31) + b"\x01"])
def test_octets_after_the_hash_do_not_bind(tail):
    with pytest.raises(Mismatch):
        verify_binding(CLAIMS, Report().bound[:32] + tail)


def test_a_hash_of_another_kind_than_stated_does_not_bind():
    with pytest.raises(Mismatch):
        bind(replace(Report(hash_type=2), report_data=Report(hash_type=1).bound).encode())


def test_a_flipped_bit_of_claims_or_binding_never_binds():
    """Header fields that nothing covers (sizes, request type, status, reserved) are left out: they decide nothing."""
    content = Report(padding=bytes(8)).encode()
    covered = [*range(4), *range(32 + 0x50, 32 + 0x90), *range(1224, len(content))]
    for offset in covered:
        flipped = bytearray(content)
        flipped[offset] ^= 1 << offset % 8
        with pytest.raises((MalformedEvidence, Mismatch)):
            bind(bytes(flipped))
