"""What a file in an endorsements directory is: by its content first, by its name second (design, section 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from assay import limits
from assay.collateral.amd_files import decode_base64, is_named_for_amd, read_amd_certificates
from assay.collateral.reading import Reading, read_certificate, read_document, read_revocation_list
from assay.endorsements.amd.hierarchy import ROOT_NAMES
from assay.endorsements.amd.vek import KeyKind
from assay.endorsements.documents import REVOCATION_LISTS, Document, DocumentKind
from assay.endorsements.intel.signing_chain import SIGNER_NAME
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate
from assay.pki.revocation import parse_revocation_list

# What a file must begin with to be read at all: a JSON object, PEM, a DER SEQUENCE, or the hex text of one.
_HEAD: Final = re.compile(rb'\s*\{\s*"|-----BEGIN|0|3[0-9a-fA-F]')
_WRAPPERS: Final = (
    (re.compile(rb'\s*\{\s*"tcbInfo"\s*:'), DocumentKind.INTEL_TCB_INFO),
    (re.compile(rb'\s*\{\s*"enclaveIdentity"\s*:'), DocumentKind.INTEL_QE_IDENTITY),
)
_NAMES: Final = (
    (re.compile(r"tcb.?info.*\.json\Z", re.IGNORECASE), DocumentKind.INTEL_TCB_INFO),
    (re.compile(r"identity.*\.json\Z", re.IGNORECASE), DocumentKind.INTEL_QE_IDENTITY),
    (re.compile(r"ark.?crl.*\.(der|pem|crl|hex)\Z", re.IGNORECASE), DocumentKind.AMD_CRL),
    (re.compile(r"vcek.*\.(der|pem|crt|cer)\Z", re.IGNORECASE), DocumentKind.AMD_VCEK),
    (re.compile(r"vlek.*\.(der|pem|crt|cer)\Z", re.IGNORECASE), DocumentKind.AMD_VLEK),
    (re.compile(r"root.*crl.*\.(der|pem|crl|hex)\Z", re.IGNORECASE), DocumentKind.INTEL_ROOT_CRL),
    (re.compile(r"(uvm.*\.cose|reference-info-base64)\Z", re.IGNORECASE), DocumentKind.MICROSOFT_UVM),
    (re.compile(r"(pck|intermediate).*crl\.(der|pem|crl|hex)\Z", re.IGNORECASE), DocumentKind.INTEL_PCK_CRL),
)
# In every name of the hierarchy; certificates of vendors that no need names are not even parsed.
_INTEL: Final = b"Intel SGX"
_SIGNING_CHAIN_NAME: Final = re.compile(r"tcb.?sign.*\.pem\Z", re.IGNORECASE)


def is_worth_reading(name: str, head: bytes) -> bool:
    """Whether a file's name or first octets promise a document or certificates."""
    return _HEAD.match(head) is not None or kind_of_name(name) is not None or is_named_for_amd(name)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A document with its reading (None when it does not parse), or certificates, perhaps those of a TCB signer."""

    kind: DocumentKind | None = None
    body: bytes = b""
    reading: Reading | None = None
    certificates: tuple[Certificate, ...] = ()
    is_signing_chain: bool = False


def recognise(name: str, content: bytes) -> tuple[Recognised, ...]:
    """The documents in a file with this name: AMD's certificates come several in one file.

    Raises `MalformedEndorsement` or `LimitExceeded` when there is nothing that any need asks for.
    """
    if kind_of_name(name) is DocumentKind.MICROSOFT_UVM:
        return (_recognise_endorsement(content),)
    certificates = read_amd_certificates(name, content)
    if certificates:
        return tuple(map(_recognise_amd, certificates))
    return (_recognise_one(name, content),)


def _recognise_endorsement(content: bytes) -> Recognised:
    """The endorsement of a utility machine, in octets or as its machine has it, in base64."""
    body, kind = decode_base64(content), DocumentKind.MICROSOFT_UVM
    try:
        return Recognised(kind, body, read_document(Document(kind, body)))
    except (MalformedEndorsement, LimitExceeded):
        return Recognised(kind, body)


def _recognise_amd(certificate: Certificate) -> Recognised:
    if certificate.common_name in ROOT_NAMES:
        return Recognised(body=certificate.der, certificates=(certificate,))
    try:
        reading = read_certificate(certificate)
        return Recognised(reading.need.kind, certificate.der, reading, (certificate,))
    except MalformedEndorsement:
        kind = DocumentKind.AMD_VLEK if certificate.common_name == KeyKind.VLEK.value else DocumentKind.AMD_VCEK
        return Recognised(kind, certificate.der)


def _recognise_one(name: str, content: bytes) -> Recognised:
    if content.lstrip().startswith(b"{"):
        return _recognise_json(name, content)
    if content.startswith(b"-----BEGIN CERTIFICATE"):
        return _recognise_chain(name, content)
    try:
        reading = read_revocation_list(parse_revocation_list(content, name))
        return Recognised(reading.need.kind, content, reading)
    except MalformedEndorsement as error:
        return _recognise_der(name, content, error)


def _recognise_json(name: str, content: bytes) -> Recognised:
    # The inner object is signed and not touched; producers append NUL octets and line ends to the whole.
    body = content.rstrip(b"\x00 \t\r\n")
    kind = next((kind for pattern, kind in _WRAPPERS if pattern.match(body)), None) or kind_of_name(name)
    if kind is None:
        raise MalformedEndorsement(name, "JSON that is neither TCB info nor enclave identity")
    if kind in REVOCATION_LISTS:
        return Recognised(kind, content)
    if len(body) > limits.COLLATERAL_JSON:
        raise LimitExceeded(f"{name}, octets", limit=limits.COLLATERAL_JSON, found=len(body))
    try:
        return Recognised(kind, body, read_document(Document(kind, body)))
    except (MalformedEndorsement, LimitExceeded):
        return Recognised(kind, body)


def _recognise_chain(name: str, content: bytes) -> Recognised:
    ders = pem.decode_certificates(content, name, MalformedEndorsement)
    named = _SIGNING_CHAIN_NAME.search(name) is not None
    if not named and not all(_INTEL in der for der in ders):
        raise MalformedEndorsement(name, "certificates of another vendor")
    certificates = tuple(map(parse_certificate, ders))
    signs_documents = named or certificates[0].common_name == SIGNER_NAME
    return Recognised(body=content, certificates=certificates, is_signing_chain=signs_documents)


def _recognise_der(name: str, content: bytes, problem: MalformedEndorsement) -> Recognised:
    """A certificate, or a list that does not parse under a name that says what it was to be."""
    kind = kind_of_name(name)
    if kind is not None:
        return Recognised(kind, content)
    try:
        if _INTEL in content:
            return Recognised(body=content, certificates=(parse_certificate(content),))
    except (MalformedEndorsement, LimitExceeded):
        pass
    raise problem


def kind_of_name(name: str) -> DocumentKind | None:
    """The kind of document that a file's name promises, or None."""
    return next((kind for pattern, kind in _NAMES if pattern.search(name)), None)
