"""Attacks that an outsider found against an earlier state, each with its control."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from assay.claims import ClaimSet
from assay.endorsements.anchors import Anchor, TrustAnchors
from assay.endorsements.documents import DocumentKind
from assay.errors import Malformed, PolicyEvaluationError
from assay.evidence._intel_quote.certification import parse_certification_block
from assay.formats.pem import decode_certificates
from assay.pki.certificate import parse_certificate
from assay.pki.revocation import parse_revocation_list
from assay.policy import compile_policy
from assay.simulator import Recipe, find_knob, simulate_sgx
from tests.appraisals import AT, SIMULATED, failing_check, judge, simulated_case


def _certificate(value: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "odd")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, AT, AT + timedelta(days=1))
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), value)
    return builder.add_extension(odd, critical=False).sign(key, SHA256()).public_bytes(Encoding.DER)


def test_a_tls_feature_that_nobody_knows_is_a_refusal() -> None:
    with pytest.raises(Malformed):
        parse_certificate(_certificate(bytes.fromhex("300302014d")))
    assert parse_certificate(_certificate(bytes.fromhex("3003020105"))).serial == 7


def test_documents_of_another_pinned_root_do_not_judge_a_platform() -> None:
    case = simulated_case(find_knob("tcb-signing-chain-forged").apply(Recipe(AT)))
    chain = case.documents[DocumentKind.INTEL_TCB_INFO].issuer_chain
    other = parse_certificate(decode_certificates(chain, "chain", Malformed)[-1])
    both = TrustAnchors((*SIMULATED.anchors, Anchor(other.common_name, other.key_sha256, "another pinned root")))
    assert failing_check(replace(case, anchors=both)) == "tcb_info_chain.trust"
    judge(replace(simulated_case(simulate_sgx(AT)), anchors=both))


def test_a_draft_cannot_issue_without_bound() -> None:
    rules = "".join(f'c:[type=="a"] => issue(type="a{number}", value=c.value);' for number in range(20))
    text = f'version=1.0;authorizationrules{{=> permit();=> add(type="a", value="{"x" * 60_000}");}};issuancerules{{{rules}}};'
    with pytest.raises(PolicyEvaluationError, match="characters"):
        compile_policy(text).evaluate(ClaimSet())
    assert len(compile_policy(text.replace("x" * 60_000, "x")).evaluate(ClaimSet()).issued) == 20


def test_a_block_that_nobody_verified_is_not_remembered() -> None:
    case = simulated_case(simulate_sgx(AT))
    octets = case.submission.evidence[436 + 64 :]
    other = bytes([octets[0] ^ 1]) + octets[1:]
    assert parse_certification_block(other) is not parse_certification_block(other)


def _revocation_list(extension: x509.ExtensionType | None, entry: x509.ExtensionType | None) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    revoked = x509.RevokedCertificateBuilder(9, AT)
    if entry is not None:
        revoked = revoked.add_extension(entry, critical=True)
    builder = x509.CertificateRevocationListBuilder(name, AT, AT + timedelta(days=1), [], [revoked.build()])
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def test_a_list_that_is_not_the_whole_truth_is_refused() -> None:
    assert parse_revocation_list(_revocation_list(None, None), "whole list").serials == {9}
    with pytest.raises(Malformed):
        parse_revocation_list(_revocation_list(x509.DeltaCRLIndicator(1), None), "delta list")
    with pytest.raises(Malformed):
        parse_revocation_list(_revocation_list(None, x509.CRLReason(x509.ReasonFlags.key_compromise)), "odd entry")
