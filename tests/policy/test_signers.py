"""Which certificates may sign policies (rest-api 8.4 and 9, attack cases POL-01 and POL-05)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from assay import limits
from assay.errors import ChainUntrusted, InvalidOperation, OutsideValidity
from assay.policy.signers import read_certificate, read_x5c, require_signer_chain, require_valid
from tests.administrators import BEGIN, END, PolicySigningKey, make_signer, signed_with_sha1, signer

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue


def chain(one: PolicySigningKey) -> tuple[str, ...]:
    return tuple(one.x5c)


@pytest.mark.parametrize("kind", ["RSA2048", "RSA3072", "P256", "P384"])
def test_a_self_signed_ca_is_a_chain(kind: str) -> None:
    require_signer_chain(chain(make_signer("Signer", kind)))


def test_a_chain_of_three_is_a_chain() -> None:
    root = make_signer("Root")
    middle = make_signer("Middle", "P256", parent=root)
    require_signer_chain(chain(make_signer("Leaf", ca=False, parent=middle)))


def with_sha1(one: PolicySigningKey, issuer: PolicySigningKey | None = None) -> PolicySigningKey:
    key = (issuer or one).key
    assert isinstance(key, rsa.RSAPrivateKey)
    return signed_with_sha1(one, key)


ROOT = make_signer("Root")
REFUSED = {
    "no CA": (lambda: make_signer("Leaf", ca=False), "CN=Leaf is no CA"),
    "no BasicConstraints": (lambda: make_signer("Leaf", ca=None), "CN=Leaf is no CA"),
    "RSA of 1024 bits": (lambda: make_signer("Weak", "RSA1024"), "1024 bits"),
    "leaf of 1024 bits under a strong root": (lambda: make_signer("Weak", "RSA1024", ca=False, parent=ROOT), "1024"),
    "SHA-1": (lambda: with_sha1(make_signer("Old")), "SHA1"),
    "leaf signed with SHA-1": (lambda: with_sha1(make_signer("Old", ca=False, parent=ROOT), ROOT), "SHA1"),
    "root that is no CA": (
        lambda: make_signer("Leaf", ca=False, parent=make_signer("Not a CA", ca=False)),
        "CN=Not a CA is no CA",
    ),
    "issuer of another name": (
        lambda: make_signer("Leaf", ca=False, parent=ROOT, issuer_name="Elsewhere"),
        "Unable to find issuer certificate of CN=Leaf",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_another_chain_is_refused_with_its_reason(case: str) -> None:
    make, reason = REFUSED[case]
    with pytest.raises(ChainUntrusted, match=reason) as caught:
        require_signer_chain(chain(make()))
    assert caught.value.code == "PolicySignerRejected"


def test_a_chain_whose_link_was_signed_by_another_key_is_refused() -> None:
    one, other = make_signer("Root"), make_signer("Root")
    leaf = make_signer("Leaf", ca=False, parent=one)
    with pytest.raises(ChainUntrusted, match="not signed by the next certificate"):
        require_signer_chain((leaf.x5c[0], other.x5c[0]))


def test_a_stranger_after_the_chain_is_refused() -> None:
    leaf = make_signer("Leaf", ca=False, parent=ROOT)
    with pytest.raises(ChainUntrusted):
        require_signer_chain((*leaf.x5c, signer("stranger").x5c[0]))
    with pytest.raises(ChainUntrusted):
        require_signer_chain(tuple(reversed(leaf.x5c)))


def test_validity_is_inclusive_at_both_ends() -> None:
    certificate = read_certificate(make_signer("Now").x5c[0])
    second = timedelta(seconds=1)
    for at in (BEGIN, END, datetime(2026, 3, 1, tzinfo=UTC)):
        require_valid(certificate, at)
    for at in (BEGIN - second, END + second):
        with pytest.raises(OutsideValidity, match="valid from 2020-01-01 to 2040-01-01") as caught:
            require_valid(certificate, at)
        assert caught.value.code == "PolicySignerOutsideValidity"


@pytest.mark.parametrize("value", [None, [], {}, "abc", 1, [1], [None], [["x"]]])
def test_x5c_of_another_form_is_refused_with_the_callers_words(value: object) -> None:
    with pytest.raises(InvalidOperation, match="the words of the caller"):
        read_x5c(value, "the words of the caller")  # type: ignore[arg-type]


def test_x5c_is_bounded() -> None:
    one: list[JsonValue] = list(signer().x5c)
    assert len(read_x5c(one * limits.CERTIFICATES_IN_CHAIN, "too many")) == limits.CERTIFICATES_IN_CHAIN
    with pytest.raises(InvalidOperation, match="too many"):
        read_x5c(one * (limits.CERTIFICATES_IN_CHAIN + 1), "too many")


def test_x5c_is_standard_base64() -> None:
    """RFC 7515, 4.1.6: not base64url."""
    der = next(der for der in (make_signer(f"n{n}", "P256").certificates[0] for n in range(50)) if spells_apart(der))
    with pytest.raises(InvalidOperation, match="not base64"):
        read_certificate(base64.urlsafe_b64encode(der).decode())
    assert read_certificate(base64.b64encode(der).decode()).der == der


def spells_apart(der: bytes) -> bool:
    return base64.urlsafe_b64encode(der) != base64.b64encode(der)


@pytest.mark.parametrize("text", ["AAAA", "MIIB", ""])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(ChainUntrusted):
        read_certificate(text)


def test_octets_after_a_certificate_are_refused() -> None:
    with pytest.raises(ChainUntrusted):
        read_certificate(base64.b64encode(signer().certificates[0] + b"\x00").decode())
