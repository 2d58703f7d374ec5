"""Every SEV-SNP vector through `assay verify`: not decided without a list of its time, and else as it states."""

from __future__ import annotations

import pytest

from tests.snp_vectors import EVIDENCE, LISTS, SnpVector, snp_vectors

pytestmark = pytest.mark.optional("shared")
FOUND = snp_vectors()
each_vector = pytest.mark.parametrize("vector", FOUND, ids=lambda vector: vector.name)


def judge(assay, vector: SnpVector, directory, *more: object):
    return assay.judge(
        directory / "report.bin", "--type", "SevSnpVm", "--endorsements", directory,
        "--at", vector.at.isoformat(), *more,
    )  # fmt: skip


def deciding(found) -> str:
    return next(c["name"] for c in found["checks"] if c["outcome"] in ("failed", "missing"))


@each_vector
def test_a_vector_is_judged_as_it_states(assay, tmp_path, vector: SnpVector) -> None:
    directory = vector.lay_out(tmp_path / "laid")
    code, found = judge(assay, vector, directory, "--unsafe-no-revocation")
    if vector.is_valid:
        assert (code, found["accepted"]) == (0, True)
        fields = vector.meta["fields"]
        if "measurement" in fields:
            assert found["claims"]["x-ms-sevsnpvm-launchmeasurement"] == fields["measurement"]
            assert found["claims"]["x-ms-sevsnpvm-microcode-svn"] == fields["reported_tcb"]["microcode"]
            assert found["claims"]["x-ms-sevsnpvm-vmpl"] == fields["vmpl"]
        assert found["token_payload"]["x-assay-unsafe"] == ["no-revocation"]
    elif not vector.has_certificates:
        assert (code, deciding(found)) == (2, "vek_chain.available")
    else:
        assert code == 1
        assert deciding(found) in vector.refused_by


@each_vector
def test_without_a_list_nothing_is_accepted(assay, tmp_path, vector: SnpVector) -> None:
    directory = vector.lay_out(tmp_path / "laid")
    (directory / "ark_crl.der").unlink(missing_ok=True)
    code, found = judge(assay, vector, directory)
    if vector.is_valid:
        assert (code, deciding(found)) == (2, "ark_crl.available")
    assert code != 0


@each_vector
def test_a_list_of_the_time_decides_and_one_of_another_time_does_not(assay, tmp_path, vector: SnpVector) -> None:
    directory = vector.lay_out(tmp_path / "laid")
    code, found = judge(assay, vector, directory, "--endorsements", LISTS)
    windows = {"milan": ("2025-05-06", "2026-05-12"), "genoa": ("2024-10-24", "2025-11-03")}
    first, last = windows.get(vector.product, ("9999", "0000"))
    if vector.is_valid and first < vector.at.date().isoformat() < last:
        assert code == 0
    elif vector.is_valid:
        assert (code, deciding(found) in ("ark_crl.available", "ark_crl.validity")) == (2, True)
    else:
        assert code != 0


def test_an_authority_that_amd_revoked_is_on_the_list() -> None:
    from assay.pki.certificate import parse_certificate
    from assay.pki.revocation import parse_revocation_list

    folder = EVIDENCE / "snp-report" / "snp-genoa-revoked-ask"
    revocation = parse_revocation_list((folder / "ark_crl.der").read_bytes(), "ARK CRL")
    assert parse_certificate((folder / "ask_revoked.der").read_bytes()).serial in revocation.serials
    assert parse_certificate((folder / "ask_current.der").read_bytes()).serial not in revocation.serials
