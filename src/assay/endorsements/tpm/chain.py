"""Certificates of keys in TPMs, and their paths to the roots of TPM vendors (tpm-and-guest 1.4 and 3.3).

Authorities come with the evidence or from the operator's trust directory; nothing is fetched on behalf of a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from assay import limits
from assay.endorsements.anchors import Anchor, TrustAnchors
from assay.pki.certificate import Certificate
from assay.pki.chain import authority_problem, verify_issued
from assay.pki.profiles import TPM_VENDORS
from assay.pki.signatures import SignatureError
from assay.pki.validity import Window, intersection

# tcg-kp-EKCertificate and tcg-kp-AIKCertificate; Windows' key attestation, in Azure's first generation.
EK_CERTIFICATE: Final = "2.23.133.8.1"
AIK_CERTIFICATE: Final = "2.23.133.8.3"
AZURE_AIK: Final = "1.3.6.1.4.1.311.10.3.12"
ATTESTATION_KEY_PURPOSES: Final = (AIK_CERTIFICATE, AZURE_AIK)
_ANY_PURPOSE: Final = "2.5.29.37.0"
# Read here although critical: extended key usage, subject alternative name (TCG EK Credential Profile 3.2.9),
# certificate policies.
_UNDERSTOOD: Final = frozenset({"2.5.29.37", "2.5.29.17", "2.5.29.32"})


class TpmChain(NamedTuple):
    """A certificate with its path to a trusted certificate, which `anchor` pins; both ends are included."""

    path: tuple[Certificate, ...]
    anchor: Anchor

    @property
    def window(self) -> Window:
        """The time in which the whole path is valid."""
        return intersection(certificate.window for certificate in self.path)


class ChainError(ValueError):
    """A certificate of a key in a TPM that no trusted authority vouches for; the text says why."""


def build_chain(
    leaf: Certificate, brought: Sequence[Certificate], anchors: TrustAnchors, purpose: tuple[str, ...]
) -> TpmChain:
    """The path of a certificate to a root of a TPM vendor or the operator; `brought` are candidates, never believed.

    A leaf that the operator pinned is its own path. Validity is the caller's to compare: it depends on the time.
    Raises `ChainError`.
    """
    pinned = anchors.find_pinned_leaf(leaf)
    if pinned is not None:
        return TpmChain((leaf,), pinned)
    candidates = (*brought[: limits.CERTIFICATES_IN_CHAIN], *anchors.certificates)
    path = _path_to_root(leaf, candidates, anchors)
    problem = _problem(path, purpose)
    if problem is not None:
        raise ChainError(problem)
    root = anchors.find_tpm_root(path[-1])
    if root is None:
        raise ChainError(f"{path[-1].common_name!r} is no trusted root")
    return TpmChain(path, root)


@lru_cache(maxsize=limits.CERTIFICATES)
def _path_to_root(
    leaf: Certificate, candidates: tuple[Certificate, ...], anchors: TrustAnchors
) -> tuple[Certificate, ...]:
    """The shortest path by names and signatures from the leaf to a trusted root; raises `ChainError`."""
    reached: list[tuple[Certificate, ...]] = [(leaf,)]
    seen = {leaf}
    for path in reached:
        if len(path) > 1 and anchors.find_tpm_root(path[-1]) is not None:
            return path
        if len(path) == limits.CERTIFICATES_IN_CHAIN:
            break
        for issuer in _issuers(path[-1], candidates):
            if issuer not in seen:
                seen.add(issuer)
                reached.append((*path, issuer))
    last = reached[-1][-1]
    raise ChainError(f"no trusted root above {last.common_name or 'the certificate'!r} among the authorities at hand")


def _issuers(child: Certificate, candidates: Iterable[Certificate]) -> list[Certificate]:
    return [issuer for issuer in candidates if issuer.subject == child.issuer and _has_issued(child, issuer)]


def _has_issued(child: Certificate, issuer: Certificate) -> bool:
    try:
        verify_issued(child, issuer, TPM_VENDORS)
    except SignatureError:
        return False
    return True


def _problem(path: tuple[Certificate, ...], purpose: tuple[str, ...]) -> str | None:
    """The first rule that a path breaks, or None (RFC 5280, 6.1; tpm-and-guest 1.4)."""
    for below, issuer in enumerate(path[1:]):
        problem = authority_problem(issuer, below)
        if problem is not None:
            return problem
        held = issuer.extensions.purposes
        if held is not None and _ANY_PURPOSE not in held and not set(held) & set(purpose):
            return f"{issuer.common_name!r} is for other purposes: {', '.join(held)}"
    for certificate in path:
        unknown = [oid for oid in certificate.extensions.critical if oid not in _UNDERSTOOD]
        if unknown:
            return f"{certificate.common_name!r} has critical extension {unknown[0]}"
    return None


def leaf_problem(leaf: Certificate, purpose: tuple[str, ...]) -> str | None:
    """Why a certificate is none of a key of this purpose, or None: extended key usage, no authority, key usage."""
    held = leaf.extensions.purposes or ()
    if not set(held) & set(purpose):
        return f"extended key usage {', '.join(held) or 'absent'}, not {' or '.join(purpose)}"
    if leaf.is_ca:
        return "the certificate of an authority"
    return None


def attestation_key_problem(leaf: Certificate) -> str | None:
    """Why a certificate is none of an attestation key, or None."""
    usage = leaf.key_usage
    if usage is not None and not usage.digital_signature:
        return "key usage without digitalSignature"
    return leaf_problem(leaf, ATTESTATION_KEY_PURPOSES)
