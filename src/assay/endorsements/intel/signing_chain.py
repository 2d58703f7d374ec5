"""The certificate path of a signed Intel document: TCB signing certificate, root (quote-verification 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from assay import limits
from assay.endorsements.documents import Document
from assay.errors import MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate
from assay.pki.chain import authority_problem, critical_problem, verify_issued
from assay.pki.signatures import SignatureError, verify_p256_raw

SIGNER_NAME: Final = "Intel SGX TCB Signing"
ROOT_NAME: Final = "Intel SGX Root CA"


@dataclass(frozen=True, slots=True, eq=False)
class SigningChain:
    """A document's signer and the root that came with it."""

    signer: Certificate
    root: Certificate

    @property
    def pem(self) -> bytes:
        """The chain as the provisioning service sends it: signer, root, LF ends (claims 3.1)."""
        return self.signer.pem + self.root.pem


@lru_cache(maxsize=limits.DOCUMENTS)
def parse_signing_chain(document: Document) -> SigningChain:
    """The chain that came with a document: exactly a signer and a root, by their names.

    More or other certificates are refused (CO-21). Raises `MalformedEndorsement`.
    """
    what = f"issuer chain of {document.kind.value}"
    ders = pem.decode_certificates(document.issuer_chain, what, MalformedEndorsement)
    if len(ders) != 2:
        raise MalformedEndorsement(what, f"{len(ders)} certificates instead of signer and root")
    signer, root = map(parse_certificate, ders)
    if (signer.common_name, root.common_name) != (SIGNER_NAME, ROOT_NAME):
        raise MalformedEndorsement(what, f"{signer.common_name!r} under {root.common_name!r}")
    return SigningChain(signer, root)


def verify_signing_chain(chain: SigningChain) -> None:
    """Every hop of the chain but for the pin of its root and the time; raises `SignatureError`."""
    problem = authority_problem(chain.root, 0) or critical_problem((chain.signer, chain.root))
    if problem is None and chain.signer.is_ca:
        problem = f"{SIGNER_NAME!r} is a certificate authority"
    if problem is None and (chain.signer.key_usage is None or not chain.signer.key_usage.digital_signature):
        problem = f"{SIGNER_NAME!r} may not sign documents"
    if problem is not None:
        raise SignatureError(problem)
    verify_issued(chain.root, chain.root)
    verify_issued(chain.signer, chain.root)


@lru_cache(maxsize=limits.DOCUMENTS)
def verify_document(signed: bytes, signature: bytes, signer: Certificate) -> None:
    """The signature over the exact bytes served; raises `SignatureError`. Memoised: it does not depend on the time."""
    key = signer.p256_key
    if key is None:
        raise SignatureError(f"the key of {signer.common_name!r} is not P-256")
    verify_p256_raw(key, signature, signed)
