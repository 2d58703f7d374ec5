"""did:x509: what is read, and which chains it names."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from assay.pki.certificate import parse_certificate
from assay.pki.did_x509 import DidError, parse_did_x509, require_named
from assay.simulator.keys import derive_key
from assay.simulator.microsoft.uvm import AUTHORITY, LEAF, PURPOSE, ROOT, UvmForm, chain_of, did_of

CHAIN = tuple(map(parse_certificate, chain_of(UvmForm(bytes(48)))))
HEAD = did_of(CHAIN[2].der).partition("::")[0]


def named(text: str, chain: tuple = CHAIN) -> None:
    require_named(parse_did_x509(text), chain)


def _leaf_with_names() -> tuple:
    builder = (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                (
                    x509.NameAttribute(NameOID.COMMON_NAME, "a signer: one"),
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
                )
            )
        )
        .issuer_name(x509.Name((x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY.common_name),)))
        .public_key(derive_key(LEAF.key).public_key())
        .serial_number(7)
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2026, 1, 1, tzinfo=UTC))
        .add_extension(
            x509.SubjectAlternativeName((x509.DNSName("example.org"), x509.RFC822Name("me@example.org"))),
            critical=False,
        )
    )
    leaf = builder.sign(derive_key(AUTHORITY.key), hashes.SHA256()).public_bytes(Encoding.DER)
    return (parse_certificate(leaf), *CHAIN[1:])


NAMED = _leaf_with_names()


@pytest.mark.parametrize("authority", [1, 2], ids=["the authority above the leaf", "the root"])
def test_any_authority_of_the_chain_can_be_the_issuer(authority: int) -> None:
    named(did_of(CHAIN[authority].der))


def test_the_leaf_is_no_issuer() -> None:
    """Attack case AZ-08."""
    with pytest.raises(DidError, match="no certificate above the leaf"):
        named(did_of(CHAIN[0].der))


def test_an_authority_outside_the_chain_is_none() -> None:
    other = chain_of(UvmForm(bytes(48), chain=(LEAF, AUTHORITY, replace(ROOT, key="another root"))))
    with pytest.raises(DidError, match="no certificate above the leaf"):
        named(did_of(other[-1]))


@pytest.mark.parametrize(
    "policies",
    [
        "subject:CN:a%20signer%3A%20one",
        "subject:O:Example:CN:a%20signer%3A%20one",
        "subject:2.5.4.10:Example",
        "san:dns:example.org",
        "san:email:me%40example.org",
        "subject:O:Example::san:dns:example.org",
    ],
)
def test_policies_of_the_leaf_hold(policies: str) -> None:
    named(f"{HEAD}::{policies}", NAMED)


@pytest.mark.parametrize(
    "policies",
    [
        f"eku:{PURPOSE}",
        "subject:CN:another",
        "subject:OU:Example",
        "subject:O:Example:O:Example",
        "subject:XX:Example",
        "san:dns:example.com",
        "san:uri:example.org",
        "san:other:example.org",
        "subject:O:Example::san:dns:example.com",
    ],
)
def test_policies_that_the_leaf_does_not_meet_are_refused(policies: str) -> None:
    with pytest.raises(DidError, match="the leaf does not have"):
        named(f"{HEAD}::{policies}", NAMED)


def test_another_purpose_is_refused() -> None:
    """Attack case AZ-08."""
    with pytest.raises(DidError, match="the leaf does not have eku"):
        named(f"{HEAD}::eku:1.3.6.1.4.1.311.76.59.1.3")


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        f"{HEAD}::",
        f"{HEAD}::eku",
        f"{HEAD}::eku:1.2:3.4",
        f"{HEAD}::subject:CN",
        f"{HEAD}::san:dns",
        f"{HEAD}::fulcio-issuer:example.org",
        f"{HEAD}::eku:a b",
        f"{HEAD}::eku:%2",
        f"{HEAD}::eku:%ff",
        f"did:x509:1:sha256:{'A' * 43}::eku:1.2",
        f"did:x509:0:md5:{'A' * 22}::eku:1.2",
        f"did:x509:0:sha256:{'A' * 42}::eku:1.2",
        f"did:x509:0:sha256:{'A' * 44}::eku:1.2",
        "did:x509:0:sha256:*::eku:1.2",
        f"did:web:{'a' * 2000}",
        "",
    ],
)
def test_what_is_not_understood_whole_is_refused(text: str) -> None:
    with pytest.raises(DidError):
        parse_did_x509(text)


@given(st.text(max_size=200) | st.text(max_size=60).map(lambda tail: f"{HEAD}::{tail}"))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        did = parse_did_x509(text)
    except DidError:
        return
    with suppress(DidError):
        require_named(did, NAMED)
