"""Collateral against `cryptography`, against literal texts, and against the shape of genuine documents."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from assay.simulator import (
    HIERARCHY,
    Documents,
    Machine,
    Platform,
    Recipe,
    RevocationList,
    Signing,
    TcbInfo,
    Window,
    find_knob,
    mint_collateral,
    mint_pck_crl,
    mint_root_crl,
    simulate,
    simulate_sgx,
)
from assay.simulator.intel.revocation import STRANGERS
from tests.shared_vectors import shared_path

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
RKL = "evidence/sgx-quote/sgx-rkl-confswhardening-dcapqvl/collateral"
ICL = "evidence/sgx-quote/sgx-icl-outofdate-teepot/collateral"
ICX = "evidence/sgx-quote/sgx-icx-automata-onchain-2025/collateral"


def collateral(documents: Documents | None = None):
    return mint_collateral(documents or Documents(), AT, Machine())


def signing_key() -> ec.EllipticCurvePublicKey:
    key = HIERARCHY.tcb_signing_certificate().public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def members(document: object) -> object:
    """Names of members in their order, of a list its first element's; values left out."""
    if isinstance(document, dict):
        return [(name, members(value)) for name, value in document.items() if name != "advisoryIDs"]
    return members(document[0]) if isinstance(document, list) else type(document).__name__


@pytest.mark.parametrize(
    ("document", "name"), [(collateral().tcb_info, "tcbInfo"), (collateral().qe_identity, "enclaveIdentity")]
)
def test_the_signature_covers_exactly_the_inner_bytes(document: bytes, name: str) -> None:
    head, middle, end = f'{{"{name}":'.encode(), b',"signature":"', b'"}'
    assert document.startswith(head)
    assert document.endswith(end)
    inner, signature = document[len(head) : -len(end)].split(middle)
    raw = bytes.fromhex(signature.decode())
    assert len(raw) == 64
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    signing_key().verify(encode_dss_signature(r, s), inner, ec.ECDSA(hashes.SHA256()))
    assert json.dumps(json.loads(inner), separators=(",", ":")).encode() == inner


def test_the_tcb_info_begins_as_the_pcs_serves_it() -> None:
    assert collateral().tcb_info.startswith(
        b'{"tcbInfo":{"id":"SGX","version":3,"issueDate":"2026-02-28T12:00:00Z","nextUpdate":"2026-03-30T12:00:00Z",'
        b'"fmspc":"5CA1AB1E0001","pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":17,"tcbLevels":[{"tcb":'
        b'{"sgxtcbcomponents":[{"svn":11},{"svn":11},'
    )


@pytest.mark.parametrize(
    ("vector", "made"),
    [
        (f"{RKL}/tcb_info.json", collateral().tcb_info),
        (f"{ICL}/tcb_info.json", collateral(Documents(tcb_info=TcbInfo(version=2))).tcb_info),
        (f"{RKL}/qe_identity.json", collateral().qe_identity),
    ],
    ids=["tcb info 3", "tcb info 2", "identity"],
)
def test_documents_have_the_members_of_genuine_ones_in_their_order(vector: str, made: bytes) -> None:
    assert members(json.loads(made)) == members(json.loads(shared_path(vector).read_bytes()))


@pytest.mark.parametrize("revoked", [(), STRANGERS])
def test_revocation_lists_verify_and_say_what_was_asked(revoked: tuple[int, ...]) -> None:
    form = RevocationList(revoked=revoked)
    for encoded, issuer in (
        (mint_pck_crl(form, AT, "platform", HIERARCHY), HIERARCHY.pck_ca_certificate("platform")),
        (mint_root_crl(form, AT, HIERARCHY), HIERARCHY.root_certificate()),
    ):
        crl = x509.load_der_x509_crl(encoded)
        key = issuer.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert crl.is_signature_valid(key)
        assert crl.issuer == issuer.subject
        assert crl.last_update_utc == AT - timedelta(days=1)
        assert crl.next_update_utc == AT + timedelta(days=29)
        assert [entry.serial_number for entry in crl] == list(revoked)
        assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 1
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == identifier


@pytest.mark.parametrize(("vector", "revoked"), [(RKL, ()), (ICX, STRANGERS)])
def test_revocation_lists_have_the_form_of_genuine_ones(vector: str, revoked: tuple[int, ...]) -> None:
    genuine = x509.load_der_x509_crl(shared_path(f"{vector}/pck_crl.der").read_bytes())
    ours = x509.load_der_x509_crl(mint_pck_crl(RevocationList(revoked=revoked), AT, "processor", HIERARCHY))
    assert [(e.oid, e.critical) for e in ours.extensions] == [(e.oid, e.critical) for e in genuine.extensions]
    assert ours.signature_algorithm_oid == genuine.signature_algorithm_oid
    for made, real in zip(list(ours)[:1], list(genuine)[:1], strict=True):
        assert list(made.extensions) == list(real.extensions)


def test_the_revocation_knobs_name_the_serial_numbers_of_the_chain() -> None:
    quote_chain = x509.load_pem_x509_certificates(simulate_sgx(AT).quote[436 + 616 :])
    leaf = x509.load_der_x509_crl(find_knob("pck-revoked").apply(Recipe(AT)).collateral.pck_crl)
    assert leaf.get_revoked_certificate_by_serial_number(quote_chain[0].serial_number) is not None
    authority = x509.load_der_x509_crl(find_knob("pck-ca-revoked").apply(Recipe(AT)).collateral.root_ca_crl)
    assert authority.get_revoked_certificate_by_serial_number(quote_chain[1].serial_number) is not None
    signing = x509.load_der_x509_crl(find_knob("tcb-signing-revoked").apply(Recipe(AT)).collateral.root_ca_crl)
    serial = HIERARCHY.tcb_signing_certificate().serial_number
    assert signing.get_revoked_certificate_by_serial_number(serial) is not None


def test_a_list_without_next_update_has_none() -> None:
    form = RevocationList(without_next_update=True)
    assert x509.load_der_x509_crl(mint_root_crl(form, AT, HIERARCHY)).next_update_utc is None


def test_documents_are_for_the_platform_of_the_machine() -> None:
    machine = Machine(Platform(ca="platform", fmspc="00606a000000"))
    made = mint_collateral(Documents(), AT, machine)
    assert json.loads(made.tcb_info)["tcbInfo"]["fmspc"] == "00606A000000"
    assert x509.load_der_x509_crl(made.pck_crl).issuer == HIERARCHY.pck_ca_certificate("platform").subject
    assert x509.load_pem_x509_certificates(made.pck_crl_issuer_chain)[0] == HIERARCHY.pck_ca_certificate("platform")


def test_windows_are_chosen_around_the_instant() -> None:
    window = Window(timedelta(hours=2), timedelta(hours=3))
    inner = json.loads(collateral(Documents(tcb_info=TcbInfo(window=window))).tcb_info)["tcbInfo"]
    assert (inner["issueDate"], inner["nextUpdate"]) == ("2026-03-01T10:00:00Z", "2026-03-01T15:00:00Z")


def test_an_edit_that_does_not_apply_is_an_error() -> None:
    signing = Signing(edits_before=(("nothing of the kind", ""),))
    with pytest.raises(ValueError, match="does not apply"):
        collateral(Documents(tcb_info=TcbInfo(signing=signing)))


def test_the_directory_has_the_names_of_the_vector_folders(tmp_path: Path) -> None:
    simulated = simulate(replace(Recipe(AT), runtime_data=b"held"))
    simulated.write(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == [
        "collateral/pck_crl.der",
        "collateral/pck_crl_issuer_chain.pem",
        "collateral/qe_identity.json",
        "collateral/root_ca_crl.der",
        "collateral/tcb_info.json",
        "collateral/tcb_signing_chain.pem",
        "quote.bin",
        "runtime_data.bin",
    ]
    assert (tmp_path / "quote.bin").read_bytes() == simulated.quote
    assert (tmp_path / "collateral/pck_crl.der").read_bytes() == simulated.collateral.pck_crl
