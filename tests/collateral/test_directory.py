from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from assay.collateral import DirectorySource
from assay.collateral.recognition import recognise
from assay.collateral.vetting import vet
from assay.endorsements.anchors import trust_anchors
from assay.endorsements.documents import Document, DocumentKind, Need
from assay.errors import ConfigurationError, LimitExceeded, MalformedEndorsement
from assay.simulator import HIERARCHY, Documents, Platform, Recipe, TcbInfo, Window, forge_hierarchy, simulate
from assay.simulator.intel.signed_json import EXPIRED
from tests.collateral.intel import (
    ANCHORS,
    AT,
    NEEDS,
    PCK_CRL,
    QE_IDENTITY,
    ROOT_CRL,
    ROOT_DER,
    TCB_INFO,
    collateral,
    simulated_collateral,
    write,
)
from tests.shared_vectors import SHARED, has_shared, shared_path


def source(*paths: Path) -> DirectorySource:
    return DirectorySource(paths, ANCHORS)


def found(directory: DirectorySource, need: Need, at=AT) -> Document:
    document = directory.find(need, at)
    assert document is not None
    return document


def test_the_usual_files_answer_the_four_needs(tmp_path):
    documents = simulated_collateral()
    directory = source(write(tmp_path / "some" / "depth", documents))
    assert found(directory, ROOT_CRL).body == documents.root_ca_crl
    assert found(directory, PCK_CRL).body == documents.pck_crl
    assert found(directory, TCB_INFO).body == documents.tcb_info
    assert found(directory, QE_IDENTITY).issuer_chain == documents.tcb_signing_chain
    for need in NEEDS:
        vet(need, found(directory, need), ANCHORS, AT)


def test_files_are_known_by_content_under_any_name_and_spelling(tmp_path):
    documents = simulated_collateral()
    (tmp_path / "a").write_bytes(documents.tcb_info + b"\n\x00\x00")
    (tmp_path / "b").write_bytes(b"  " + documents.qe_identity + b"\r\n")
    (tmp_path / "c").write_bytes(documents.tcb_signing_chain)
    (tmp_path / "d").write_bytes(documents.root_ca_crl.hex().encode() + b"\n")
    crl = x509.load_der_x509_crl(documents.pck_crl)
    (tmp_path / "e").write_bytes(crl.public_bytes(Encoding.PEM))
    (tmp_path / "f").write_bytes(documents.pck_crl_issuer_chain)
    directory = source(tmp_path)
    assert found(directory, TCB_INFO).body == documents.tcb_info
    for need in NEEDS:
        vet(need, found(directory, need), ANCHORS, AT)


def test_the_same_file_is_the_same_document_also_after_a_reload(tmp_path):
    directory = source(write(tmp_path, simulated_collateral()))
    before = [found(directory, need) for need in NEEDS]
    assert not directory.has_changed()
    assert not directory.reload()
    (tmp_path / "unrelated.json").write_text("{}")
    assert directory.has_changed()
    assert directory.reload()
    assert all(found(directory, need) is document for need, document in zip(NEEDS, before, strict=True))


def test_a_written_file_is_read_again(tmp_path):
    directory = source(write(tmp_path, collateral(number=17)))
    assert b'"tcbEvaluationDataNumber":17' in found(directory, TCB_INFO).body
    path = tmp_path / "tcb_info.json"
    path.write_bytes(collateral(number=18).tcb_info)
    os.utime(path, ns=(1, 1))
    assert directory.reload()
    assert b'"tcbEvaluationDataNumber":18' in found(directory, TCB_INFO).body


def test_a_valid_document_is_preferred_then_the_higher_number_then_the_later_date(tmp_path):
    write(tmp_path / "1", collateral(number=16, before=timedelta(days=2)))
    write(tmp_path / "2", collateral(number=17, before=timedelta(days=5)))
    newest = write(tmp_path / "3", collateral(number=17, before=timedelta(days=3)))
    write(tmp_path / "4", collateral(AT + timedelta(days=300), number=99))
    directory = source(tmp_path)
    assert found(directory, TCB_INFO).body == (newest / "tcb_info.json").read_bytes()
    assert found(directory, replace(TCB_INFO, number=16)).body == (tmp_path / "1" / "tcb_info.json").read_bytes()
    assert directory.find(replace(TCB_INFO, number=15), AT) is None


def test_when_none_is_valid_the_nearest_in_time_is_found(tmp_path):
    near = write(tmp_path / "near", collateral(AT - timedelta(days=60)))
    write(tmp_path / "far", collateral(AT - timedelta(days=400)))
    write(tmp_path / "future", collateral(AT + timedelta(days=90)))
    assert found(source(tmp_path), TCB_INFO).body == (near / "tcb_info.json").read_bytes()


def test_a_forged_document_never_hides_a_signed_one(tmp_path):
    good = write(tmp_path / "good", simulated_collateral())
    forged = Documents(tcb_info=TcbInfo(evaluation_number=99), hierarchy=forge_hierarchy())
    write(tmp_path / "forged", simulate(Recipe(AT, documents=forged)).collateral)
    directory = source(tmp_path)
    for need, name in ((TCB_INFO, "tcb_info.json"), (ROOT_CRL, "root_ca_crl.der"), (PCK_CRL, "pck_crl.der")):
        assert found(directory, need).body == (good / name).read_bytes()


def test_among_several_chains_the_one_that_is_valid_at_the_time_is_taken(tmp_path):
    documents = simulated_collateral()
    late = replace(HIERARCHY.tcb_signing, not_before=AT + timedelta(days=5))
    later = replace(HIERARCHY, tcb_signing=late).tcb_signing_chain()
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "tcb_info.json").write_bytes(documents.tcb_info)
    (tmp_path / "near" / "tcb_signing_chain.pem").write_bytes(later)
    (tmp_path / "tcb_signing_chain.pem").write_bytes(documents.tcb_signing_chain)
    directory = source(tmp_path)
    assert found(directory, TCB_INFO).issuer_chain == documents.tcb_signing_chain
    assert found(directory, TCB_INFO, AT + timedelta(days=6)).issuer_chain == later


def test_without_a_chain_that_verifies_the_nearest_is_shown(tmp_path):
    forged = forge_hierarchy().tcb_signing_chain()
    write(tmp_path, replace(simulated_collateral(), tcb_signing_chain=forged))
    assert found(source(tmp_path), TCB_INFO).issuer_chain == forged


@pytest.mark.parametrize("extra", [b"", b"not pem", ROOT_DER])
def test_a_broken_chain_leaves_a_document_that_verification_refuses(tmp_path, extra):
    write(tmp_path, replace(simulated_collateral(), tcb_signing_chain=extra))
    document = found(source(tmp_path), TCB_INFO)
    assert document.issuer_chain == b""


def test_a_list_without_its_issuer_in_the_tree_is_found(tmp_path):
    documents = simulated_collateral()
    (tmp_path / "pck_crl.der").write_bytes(documents.pck_crl)
    document = found(source(tmp_path), PCK_CRL)
    assert (document.body, document.issuer_chain) == (documents.pck_crl, b"")


def test_the_only_document_of_a_kind_is_shown_though_it_does_not_fit(tmp_path):
    directory = source(write(tmp_path, simulated_collateral()))
    other = replace(TCB_INFO, platform="ffffffffffff")
    assert directory.find(other, AT) is None
    assert directory.find_only(other) is found(directory, TCB_INFO)
    assert directory.find_only(replace(PCK_CRL, platform="platform")) is found(directory, PCK_CRL)
    assert directory.find_only(replace(QE_IDENTITY, tee="tdx")) is found(directory, QE_IDENTITY)


def test_one_of_several_misfits_is_not_picked(tmp_path):
    write(tmp_path / "a", simulated_collateral())
    platform = Platform(fmspc="aaaaaaaaaaaa")
    recipe = Recipe(AT)
    machine = replace(recipe.machine, platform=platform)
    write(tmp_path / "b", simulate(replace(recipe, machine=machine)).collateral)
    assert source(tmp_path).find_only(replace(TCB_INFO, platform="ffffffffffff")) is None


def test_a_number_means_exactly_that_one(tmp_path):
    directory = source(write(tmp_path, collateral(number=17)))
    wanted = replace(TCB_INFO, number=18)
    assert directory.find(wanted, AT) is None
    assert directory.find_only(wanted) is None
    assert directory.endorsements((wanted,), AT).find(wanted) is None


@pytest.mark.parametrize(
    ("name", "need"),
    [
        ("tcb_info.json", TCB_INFO),
        ("qe_identity.json", QE_IDENTITY),
        ("pck_crl.der", PCK_CRL),
        ("root_ca_crl.der", ROOT_CRL),
    ],
)
@pytest.mark.parametrize("damage", [lambda b: b[:50], lambda b: b"\xff" + b[1:], lambda b: b"", lambda b: b"{}" + b])
def test_a_damaged_document_is_shown_under_its_name(tmp_path, name, need, damage):
    write(tmp_path, simulated_collateral())
    damaged = damage((tmp_path / name).read_bytes())
    (tmp_path / name).write_bytes(damaged)
    directory = source(tmp_path)
    assert directory.find(need, AT) is None
    document = directory.find_only(need)
    assert document is not None
    assert document.body == damaged


@given(
    name=st.sampled_from(["tcb_info.json", "pck_crl.der", "tcb_signing_chain.pem", "x.json", "x"]),
    whole=st.sampled_from([content for _, content in simulated_collateral().files()]),
    at=st.integers(0, 8000),
    inserted=st.binary(max_size=8),
    cut=st.integers(0, 8),
)
def test_no_content_does_more_than_not_being_recognised(name, whole, at, inserted, cut):
    with suppress(MalformedEndorsement, LimitExceeded):
        recognise(name, whole[:at] + inserted + whole[at + cut :])


def test_foreign_files_are_ignored_and_remembered(tmp_path):
    write(tmp_path, simulated_collateral())
    (tmp_path / "quote.bin").write_bytes(b"\x03\x00\x02\x00")
    (tmp_path / "meta.json").write_text('{"id": "x"}')
    (tmp_path / "large").write_bytes(b'{"tcbInfo":{' + bytes(5 << 20))
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pck_crl.hex")
    directory = source(tmp_path)
    assert {ignored.path.name for ignored in directory.ignored} == {"quote.bin", "meta.json", "large"}
    assert all(ignored.reason for ignored in directory.ignored)


def test_links_to_files_are_followed_and_circles_are_not(tmp_path):
    write(tmp_path / "real", simulated_collateral())
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "tcb_info.json").symlink_to(tmp_path / "real" / "tcb_info.json")
    (tmp_path / "tree" / "circle").symlink_to(tmp_path / "tree")
    directory = source(tmp_path / "tree")
    assert directory.find(TCB_INFO, AT) is not None
    assert directory.find(ROOT_CRL, AT) is None


def test_a_directory_that_is_not_there_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError):
        source(tmp_path / "missing")


def test_the_origin_does_not_tell_whole_paths(tmp_path):
    directory = source(write(tmp_path / "deep", simulated_collateral()))
    assert found(directory, TCB_INFO).origin == "file deep/tcb_info.json"


def test_an_expired_document_is_found_and_shown(tmp_path):
    documents = Documents(tcb_info=TcbInfo(window=EXPIRED))
    write(tmp_path, simulate(Recipe(AT, documents=documents)).collateral)
    assert source(tmp_path).find(TCB_INFO, AT) is not None


def test_windows_hold_at_both_ends(tmp_path):
    write(tmp_path / "edge", collateral(number=16))
    directory = source(tmp_path)
    window = Window()
    for at in (AT - window.before, AT + window.after):
        vet(TCB_INFO, found(directory, TCB_INFO, at), ANCHORS, at)


GENUINE = trust_anchors()


def vectors() -> list[Path]:
    if not has_shared():
        return [Path("absent")]
    folders = [SHARED / "evidence" / kind for kind in ("sgx-quote", "oe-sgx")]
    return sorted(
        path.parent for folder in folders for path in folder.glob("*/collateral") if (path / "pck_crl.der").exists()
    )


@pytest.mark.parametrize("vector", vectors(), ids=lambda path: path.name)
def test_every_genuine_vector_finds_its_documents_at_its_time(vector):
    shared_path("evidence")
    meta = json.loads((vector / "meta.json").read_text())
    at = _instant(meta["verify_at"]["suggested"])
    leaf = x509.load_pem_x509_certificates((vector / "pck_chain.pem").read_bytes())[0]
    authority = "platform" if "Platform" in leaf.issuer.rfc4514_string() else "processor"
    needs = {
        "root_ca_crl.der": ROOT_CRL,
        "pck_crl.der": Need(DocumentKind.INTEL_PCK_CRL, platform=authority),
        "tcb_info.json": Need(DocumentKind.INTEL_TCB_INFO, tee="sgx", platform=meta["fields"]["pck"]["fmspc"].lower()),
        "qe_identity.json": QE_IDENTITY,
    }
    directory = DirectorySource((vector,), GENUINE)
    for name, need in needs.items():
        document = found(directory, need, at)
        assert document.body == (vector / "collateral" / name).read_bytes().rstrip(b"\x00 \t\r\n")
        if "not_before" in meta["verify_at"]:
            vet(need, document, GENUINE, at)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_bulk_folder_answers_needs_over_the_years():
    directory = DirectorySource((shared_path("evidence/collateral"),), GENUINE)
    for text in ("2025-06-21T10:56:11Z", "2026-03-20T00:00:00Z"):
        at = _instant(text)
        for need in (ROOT_CRL, replace(PCK_CRL, platform="platform"), QE_IDENTITY):
            vet(need, found(directory, need, at), GENUINE, at)
