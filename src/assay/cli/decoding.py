"""What a file is, found out from its content alone and without believing any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assay.cli.cose_view import view_cose
from assay.cli.described import describe
from assay.cli.files import decode_request, decode_spelling
from assay.cli.log_view import is_event_log, view_event_log, view_ima
from assay.cli.octets import describe_octets
from assay.endorsements.documents import Document, DocumentKind
from assay.endorsements.intel.enclave_identity import parse_enclave_identity
from assay.endorsements.intel.tcb_info import parse_tcb_info
from assay.errors import AssayError, LimitExceeded, Malformed, MalformedEndorsement, MalformedEvidence, TokenRejected
from assay.evidence import EVIDENCE_TYPES
from assay.evidence._hcl.report import SIGNATURE as HCL_SIGNATURE
from assay.evidence._hcl.report import parse_hcl_report
from assay.evidence._hcl.runtime_claims import parse_runtime_claims, verify_binding
from assay.evidence.base import Submission
from assay.formats import pem, strict_json
from assay.formats.jws import decode_members, parse_jws
from assay.formats.key_set import KeySet, parse_key_set
from assay.formats.reader import Reader
from assay.formats.strict_json import JsonError
from assay.pki.certificate import parse_certificate
from assay.pki.revocation import parse_revocation_list
from assay.verdict import Mismatch, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.evidence.base import AnyEvidenceType
    from assay.formats.strict_json import JsonObject, JsonValue

_TOKEN: Final = re.compile(rb"\s*[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\s*\Z")
_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,32})-----")
_TCB_INFO, _IDENTITY = b'"tcbInfo"', b'"enclaveIdentity"'
_ENDORSEMENT_ITEMS: Final = (
    "structure_version",
    "tcb_info",
    "tcb_info_issuer_chain",
    "pck_crl",
    "root_ca_crl",
    "pck_crl_issuer_chain",
    "qe_identity",
    "qe_identity_issuer_chain",
    "creation_time",
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a file is in words, and its fields; nothing in it was verified."""

    kind: str
    fields: JsonObject


class Unknown(Exception):
    """Nothing that is known here; the text says what it looks like."""


def decode_anything(content: bytes) -> Decoded:
    """The first reading of the content that works; raises `Unknown` with the nearest miss."""
    problems: list[str] = []
    for octets in dict.fromkeys((content, decode_spelling(content))):
        for decode in _DECODERS:
            try:
                found = decode(octets)
            except (AssayError, JsonError) as error:
                problems.append(str(error))
                continue
            if found is not None:
                return found
    raise Unknown("; ".join([_looks_like(content), *dict.fromkeys(problems)][:4]))


def _decode_pem(content: bytes) -> Decoded | None:
    label = _PEM.match(content.lstrip())
    if label is None:
        return None
    text = content.strip() + b"\n"
    if label[1] == b"X509 CRL":
        return Decoded("certificate revocation list (PEM)", _revocation_list(text))
    if label[1] != b"CERTIFICATE":
        raise Unknown(f"PEM labelled {label[1].decode('ascii')!r}, which is not decoded here")
    ders = pem.decode_certificates(text, "PEM chain", MalformedEndorsement)
    kind = "certificate (PEM)" if len(ders) == 1 else f"chain of {len(ders)} certificates (PEM)"
    return Decoded(kind, {"certificates": [describe(parse_certificate(der)) for der in ders]})


def _decode_der(content: bytes) -> Decoded | None:
    if content[:1] != b"\x30":
        return None
    try:
        return Decoded("certificate (DER)", {"certificates": [describe(parse_certificate(content))]})
    except MalformedEndorsement:
        return Decoded("certificate revocation list (DER)", _revocation_list(content))


def _revocation_list(content: bytes) -> JsonObject:
    described = describe(parse_revocation_list(content, "revocation list"))
    return described if isinstance(described, dict) else {}


def _decode_token(content: bytes) -> Decoded | None:
    if not _TOKEN.match(content):
        return None
    jws = parse_jws(content.strip().decode("ascii"))
    signature = "none: anybody can have written this" if jws.is_unsecured else f"{len(jws.signature)} octets"
    try:
        payload: JsonValue = dict(decode_members(jws.payload, "payload"))
    except Malformed:
        payload = describe_octets(jws.payload)
    return Decoded("signed token (JWS)", {"header": dict(jws.header), "payload": payload, "signature": signature})


def _decode_json(content: bytes) -> Decoded | None:
    head = content.lstrip()[:200]
    if head[:1] != b"{":
        return None
    if _TCB_INFO in head:
        return Decoded("TCB info", _record(parse_tcb_info(Document(DocumentKind.INTEL_TCB_INFO, content))))
    if _IDENTITY in head:
        return Decoded(
            "enclave identity", _record(parse_enclave_identity(Document(DocumentKind.INTEL_QE_IDENTITY, content)))
        )
    members = strict_json.decode_object(content)
    if "keys" in members:
        return Decoded("key set (JWKS)", _key_set(parse_key_set(content)))
    for kind in EVIDENCE_TYPES:
        if any(name.lower() == kind.member.lower() for name in members):
            return _decode_body(kind, content)
    for kind in EVIDENCE_TYPES:
        if kind.is_json:
            return Decoded(kind.summary, _record(kind.parse(Submission(content))))
    raise Unknown(f"a JSON object with the members {', '.join(sorted(members))[:200]}, which is not decoded here")


def _decode_body(kind: AnyEvidenceType, content: bytes) -> Decoded:
    submission = decode_request(kind, content)
    fields = dict(_record(submission))
    try:
        fields["evidence"] = dict(decode_anything(submission.evidence).fields)
    except Unknown as error:
        fields["evidence"] = str(error)
    return Decoded(f"request body with the evidence member {kind.member!r}", fields)


def _key_set(keys: KeySet) -> JsonObject:
    return {"keys": [_key(keys, members) for members in keys.members]}


def _key(keys: KeySet, members: JsonObject) -> JsonValue:
    shown: dict[str, JsonValue] = {name: members[name] for name in ("kid", "kty", "alg", "use") if name in members}
    try:
        key = keys.find(str(members.get("kid")))
        shown["key"] = type(key.public_key).__name__.replace("PublicKey", "") + f" {key.public_key.key_size} bits"
    except TokenRejected as error:
        shown["problem"] = error.message
    chain = members.get("x5c")
    if isinstance(chain, list):
        shown["certificates"] = len(chain)
    return shown


def _decode_evidence(content: bytes) -> Decoded | None:
    problem: MalformedEvidence | None = None
    for kind in EVIDENCE_TYPES:
        try:
            return Decoded(kind.summary, _record(kind.parse(Submission(content))))
        except MalformedEvidence as error:
            # Of the types' complaints the one that came furthest is the one to tell.
            if problem is None or (error.offset or 0) > (problem.offset or 0):
                problem = error
    if problem is not None:
        raise problem
    return None


def _decode_hcl_report(content: bytes) -> Decoded | None:
    """The report of a confidential VM's paravisor, and whether its runtime claims belong to it (tpm-and-guest 4)."""
    if not content.startswith(HCL_SIGNATURE):
        return None
    report = parse_hcl_report(content)
    data = report.request_data
    try:
        bound: JsonValue = describe(verify_binding(data.claims, report.report_data, data.hash_type).expected)
    except Mismatch as error:
        seen: Seen = error.seen
        bound = f"NOT BOUND: {seen.observed}, but {seen.expected}"
    fields: dict[str, JsonValue] = {
        "version": report.version,
        "request_type": report.request_type,
        "status": report.status,
        "report_type": data.report_type.name,
        "hash_type": data.hash_type.name,
        "report_data": report.report_data.hex(),
        "binding": bound,
        "hardware_report": _item("hardware_report", report.hardware_report),
        "runtime_claims": dict(parse_runtime_claims(data.claims).members),
    }
    return Decoded("HCL report of a confidential VM", fields)


def _decode_event_log(content: bytes) -> Decoded | None:
    """The log of a measured boot: what begins like one, or is one to its end."""
    if content[32:47] != b"Spec ID Event03" and not is_event_log(content):
        return None
    view = view_event_log(content)
    return Decoded(view.kind, view.fields)


def _decode_ima(content: bytes) -> Decoded | None:
    return Decoded("IMA list", view_ima(content)) if content.startswith((b"10 ", b"\x0a\0\0\0")) else None


def _decode_endorsements(content: bytes) -> Decoded | None:
    """Open Enclave endorsements (quote-verification 7.3)."""
    if content[:8] != b"\x01\x00\x00\x00\x02\x00\x00\x00":
        return None
    reader = Reader(content, "Open Enclave endorsements", MalformedEndorsement)
    reader.take(8, "version and enclave type")
    size, count = reader.u32("size"), reader.u32("count")
    if count > len(_ENDORSEMENT_ITEMS):
        raise LimitExceeded("Open Enclave endorsements, items", limit=len(_ENDORSEMENT_ITEMS), found=count)
    offsets = [reader.u32("offset") for _ in range(count)]
    body = reader.take(size - 4 * count if size == 4 * count + reader.remaining else reader.remaining, "items")
    items: dict[str, JsonValue] = {}
    for name, start, end in zip(_ENDORSEMENT_ITEMS, offsets, [*offsets[1:], len(body)], strict=False):
        if not start <= end <= len(body):
            raise MalformedEndorsement("Open Enclave endorsements", f"{name}: from {start} to {end}")
        items[name] = _item(name, body[start:end])
    return Decoded("Open Enclave endorsements", items)


def _decode_cose(content: bytes) -> Decoded | None:
    fields = view_cose(content, lambda octets: _item("", octets))
    return None if fields is None else Decoded("signed message (COSE_Sign1)", fields)


def _item(name: str, content: bytes) -> JsonValue:
    if name == "structure_version":
        return int.from_bytes(content[:4], "little")
    text = content.rstrip(b"\x00")
    if name == "creation_time":
        return text.decode("ascii", "replace")
    try:
        return dict(decode_anything(text if text[:1] != b"\x30" else content).fields)
    except Unknown as error:
        return str(error)


def _record(value: object) -> JsonObject:
    described = describe(value)
    return described if isinstance(described, dict) else {"value": described}


def _looks_like(content: bytes) -> str:
    if not content:
        return "an empty file"
    if content.isascii() and content.decode("ascii").isprintable():
        return f"{len(content)} characters of text that begin with {content[:24].decode('ascii')!r}"
    return f"{len(content)} octets that begin with {content[:16].hex()}"


# Text first: what begins like text is not evidence.
_DECODERS: Final[tuple[Callable[[bytes], Decoded | None], ...]] = (
    _decode_pem,
    _decode_json,
    _decode_token,
    _decode_der,
    _decode_hcl_report,
    _decode_cose,
    _decode_event_log,
    _decode_ima,
    _decode_evidence,
    _decode_endorsements,
)
