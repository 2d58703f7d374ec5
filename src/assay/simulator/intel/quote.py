"""Quotes of enclaves and trust domains, versions 3 to 5 (quote-verification 1.3 and 1.4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from assay.simulator.intel.enclave import QUOTING_ENCLAVE, Enclave, QuotingEnclave
from assay.simulator.intel.hierarchy import HIERARCHY, Hierarchy
from assay.simulator.intel.platform import PLATFORM, Platform, mint_pck_chain
from assay.simulator.intel.trust_domain import TD_QUOTING_ENCLAVE, TrustDomain
from assay.simulator.keys import filler, sign_raw

TDX_FMSPC: Final = "5ca1ab1e0002"
INTEL_QE: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")

_HEADER: Final = struct.Struct("<HHIHH16s20s")
_DESCRIPTOR: Final = struct.Struct("<HI")
_ENCLAVE_BODY, _POINT = 1, 64


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a quote is made: a platform, its quoting enclave, and the hierarchy that certified it."""

    platform: Platform = PLATFORM
    quoting_enclave: QuotingEnclave = QUOTING_ENCLAVE
    hierarchy: Hierarchy = HIERARCHY


@dataclass(frozen=True, slots=True)
class Certification:
    """The certification data; `content` None means the PCK chain, `size` None the true size.

    `end` follows the content inside the certification data (some producers end the chain with a NUL byte).
    """

    type: int = 5
    content: bytes | None = None
    end: bytes = b""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class QuoteForm:
    """How a quote is written down; None means "rightly".

    `body_type` and `body_size` stand in version 5 only; `outer_type` and `outer_size` are those of the certification
    data that encloses the QE report, which it does from version 4 on unless `enclosed` says otherwise. `signed_by`
    names another key than the attestation key; `signature` replaces r‖s; `signature_data_length` the declared length.
    `trailing` follows the quote; `patches` are (offset, bytes) written over the finished quote, and `keep` cuts it to
    its first bytes.
    """

    version: int = 3
    key_type: int = 2
    tee_type: int = 0
    qe_svn: int | None = None
    pce_svn: int = 15
    vendor_id: bytes = INTEL_QE
    user_data: bytes = filler("quoting enclave id", 16) + bytes(4)
    certification: Certification = Certification()
    body_type: int | None = None
    body_size: int | None = None
    enclosed: bool | None = None
    outer_type: int = 6
    outer_size: int | None = None
    signed_by: str | None = None
    signature: bytes | None = None
    signature_data_length: int | None = None
    trailing: bytes = b""
    patches: tuple[tuple[int, bytes], ...] = ()
    keep: int | None = None


MACHINE: Final = Machine()
ENCLAVE: Final = Enclave()
QUOTE_FORM: Final = QuoteForm()
# TDX is there on servers only, which the platform CA certifies.
TDX_MACHINE: Final = Machine(Platform(name="tdx platform", ca="platform", fmspc=TDX_FMSPC), TD_QUOTING_ENCLAVE)
TDX_QUOTE_FORM: Final = QuoteForm(version=4, tee_type=0x81)


def mint_quote(
    attester: Enclave | TrustDomain = ENCLAVE, machine: Machine = MACHINE, form: QuoteForm = QUOTE_FORM
) -> bytes:
    """A quote of the attester on the machine; after the first on a machine it costs one signature."""
    signed = encode_header(machine, form) + encode_body(attester, form)
    tail = encode_tail(machine, form.certification)
    if form.version >= 4 if form.enclosed is None else form.enclosed:
        tail = _enclose(tail, form)
    signature = form.signature
    if signature is None:
        signature = sign_raw(form.signed_by or machine.quoting_enclave.attestation_key, signed)
    length = len(signature) + len(tail) if form.signature_data_length is None else form.signature_data_length
    quote = signed + struct.pack("<I", length) + signature + tail + form.trailing
    return quote if not form.patches and form.keep is None else _damage(quote, form)


def encode_header(machine: Machine, form: QuoteForm) -> bytes:
    qe_svn = machine.quoting_enclave.report.isv_svn if form.qe_svn is None else form.qe_svn
    return _HEADER.pack(
        form.version, form.key_type, form.tee_type, qe_svn, form.pce_svn, form.vendor_id, form.user_data
    )


def encode_body(attester: Enclave | TrustDomain, form: QuoteForm) -> bytes:
    """The report, from version 5 on behind its type and size."""
    body = attester.encode()
    if form.version < 5:
        return body
    own = attester.body if isinstance(attester, TrustDomain) else _ENCLAVE_BODY
    number = own if form.body_type is None else form.body_type
    return _DESCRIPTOR.pack(number, len(body) if form.body_size is None else form.body_size) + body


def _enclose(tail: bytes, form: QuoteForm) -> bytes:
    """All but the attestation key inside certification data of type 6."""
    key, inner = tail[:_POINT], tail[_POINT:]
    size = len(inner) if form.outer_size is None else form.outer_size
    return key + struct.pack("<HI", form.outer_type, size) + inner


@lru_cache(maxsize=4096)
def encode_tail(machine: Machine, certification: Certification) -> bytes:
    """The signature data after the quote's signature: the same in every quote of a machine."""
    enclave = machine.quoting_enclave
    report = enclave.encode_report()
    signature = enclave.report_signature
    if signature is None:
        signature = sign_raw(enclave.report_signed_by or machine.platform.key, report)
    authentication = enclave.authentication_data
    length = len(authentication) if enclave.authentication_length is None else enclave.authentication_length
    content = certification.content
    if content is None:
        content = mint_pck_chain(machine.platform, machine.hierarchy)
    content += certification.end
    size = len(content) if certification.size is None else certification.size
    return b"".join(
        (
            enclave.public_point,
            report,
            signature,
            struct.pack("<H", length),
            authentication,
            struct.pack("<HI", certification.type, size),
            content,
        )
    )


def ppid_certification(platform: Platform, certification_type: int) -> bytes:
    """The content of certification data types 1 to 3: PPID in clear or "encrypted", CPUSVN, PCESVN, PCEID.

    The encrypted PPID is filler of the right length (RSA-2048: 256, RSA-3072: 384): only Intel could tell.
    """
    sizes = {2: 256, 3: 384}
    size = sizes.get(certification_type)
    ppid = platform.raw_ppid if size is None else (filler("encrypted ppid", 64) * 6)[:size]
    return ppid + platform.raw_cpu_svn + struct.pack("<H", platform.pce_svn) + bytes.fromhex(platform.pce_id)


def _damage(quote: bytes, form: QuoteForm) -> bytes:
    damaged = bytearray(quote)
    for offset, content in form.patches:
        damaged[offset : offset + len(content)] = content
    return bytes(damaged if form.keep is None else damaged[: form.keep])
