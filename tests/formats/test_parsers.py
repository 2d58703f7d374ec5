"""Every parser of untrusted octets: whatever comes in, it returns or raises its own error."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.endorsements.documents import Document, DocumentKind
from assay.endorsements.intel.enclave_identity import parse_enclave_identity
from assay.endorsements.intel.pck import parse_pck_extension
from assay.endorsements.intel.signing_chain import parse_signing_chain
from assay.endorsements.intel.tcb_info import parse_tcb_info
from assay.errors import LimitExceeded, Malformed, MalformedEndorsement, MalformedEvidence
from assay.evidence.open_enclave.report import parse_open_enclave
from assay.evidence.sgx_enclave.quote import parse_sgx_quote
from assay.formats import base64url, pem, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.der import DerReader
from assay.formats.strict_json import JsonError
from assay.pki.certificate import parse_certificate
from assay.pki.revocation import parse_revocation_list
from assay.simulator import Recipe, encode_sgx_extension, find_knob, simulate
from tests.appraisals import AT, HELD

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = Recipe(AT, HELD)
GOOD = simulate(BASE)
EVIDENCE = simulate(find_knob("oe-evidence-claims").turn(BASE)).evidence
CHAIN = GOOD.collateral.tcb_signing_chain


class Parser(NamedTuple):
    """A parser, a good text of it, and the only classes that it may raise."""

    parse: Callable[[bytes], object]
    good: bytes
    errors: tuple[type[Exception], ...]


def _tcb_info(body: bytes) -> object:
    return parse_tcb_info(Document(DocumentKind.INTEL_TCB_INFO, body))


def _identity(body: bytes) -> object:
    return parse_enclave_identity(Document(DocumentKind.INTEL_QE_IDENTITY, body))


def _chain(chain: bytes) -> object:
    return parse_signing_chain(Document(DocumentKind.INTEL_TCB_INFO, b"", chain))


def _pem(text: bytes) -> object:
    return pem.decode_certificates(text, "chain", Malformed)


def _der(content: bytes) -> int:
    """Walks the whole tree."""
    count, pending = 0, [DerReader(content, "element")]
    while pending:
        reader = pending.pop()
        while not reader.at_end:
            tag, inner = reader.element()
            count += 1
            if tag & 0x20:
                pending.append(DerReader(inner, "element"))
    return count


_ENDORSEMENT = (MalformedEndorsement, LimitExceeded)
_EVIDENCE = (MalformedEvidence, LimitExceeded)
PARSERS = {
    "sgx quote": Parser(parse_sgx_quote, GOOD.quote, _EVIDENCE),
    "open enclave": Parser(parse_open_enclave, EVIDENCE, _EVIDENCE),
    "tcb info": Parser(_tcb_info, GOOD.collateral.tcb_info, _ENDORSEMENT),
    "enclave identity": Parser(_identity, GOOD.collateral.qe_identity, _ENDORSEMENT),
    "signing chain": Parser(_chain, CHAIN, _ENDORSEMENT),
    "revocation list": Parser(lambda c: parse_revocation_list(c, "list"), GOOD.collateral.pck_crl, _ENDORSEMENT),
    "certificate": Parser(parse_certificate, GOOD.root, _ENDORSEMENT),
    "sgx extension": Parser(parse_pck_extension, encode_sgx_extension(BASE.machine.platform), _ENDORSEMENT),
    "pem": Parser(_pem, CHAIN, (Malformed, LimitExceeded)),
    "der": Parser(_der, GOOD.root, _ENDORSEMENT),
    "json": Parser(strict_json.decode, GOOD.collateral.tcb_info, (JsonError,)),
    "base64url": Parser(lambda c: base64url.decode_lenient(c.decode("latin-1")), b"AQID_-8", (Base64Error,)),
    "jose base64url": Parser(lambda c: base64url.decode_strict(c.decode("latin-1")), b"AQID_-8", (Base64Error,)),
}
# The library warns of certificates that it will refuse in future; they are refused here by their signature.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Attribute's length must be", "ignore:Parsed a serial number", "ignore:The parsed certificate contained"
)
parsers = pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)


def returns_or_refuses(parser: Parser, content: bytes) -> bool:
    try:
        parser.parse(content)
    except parser.errors:
        return False
    return True


@parsers
def test_a_good_text_is_read(parser: Parser) -> None:
    assert returns_or_refuses(parser, parser.good)


@parsers
@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=600))
def test_any_octets_are_read_or_refused(parser: Parser, content: bytes) -> None:
    returns_or_refuses(parser, content)


@parsers
@settings(max_examples=60, deadline=None)
@given(choice=st.data())
def test_a_good_text_with_octets_replaced_is_read_or_refused(parser: Parser, choice: st.DataObject) -> None:
    content = bytearray(parser.good)
    for _ in range(choice.draw(st.integers(1, 4))):
        offset = choice.draw(st.integers(0, max(len(content) - 1, 0)))
        content[offset : offset + choice.draw(st.integers(0, 3))] = choice.draw(st.binary(max_size=3))
    returns_or_refuses(parser, bytes(content))


@parsers
def test_a_good_text_cut_anywhere_is_read_or_refused(parser: Parser) -> None:
    for size in range(len(parser.good)):
        returns_or_refuses(parser, parser.good[:size])


# A list's or chain's text may lose its line end, and base64 is read in pieces; all others end where they end.
@pytest.mark.parametrize("name", [n for n in PARSERS if "base64" not in n and n not in ("pem", "signing chain")])
def test_a_good_text_without_its_last_octet_is_refused(name: str) -> None:
    assert not returns_or_refuses(PARSERS[name], PARSERS[name].good[:-1])


@pytest.mark.parametrize("name", ["tcb info", "enclave identity", "json", "certificate", "revocation list"])
def test_a_good_text_with_an_octet_too_many_is_refused(name: str) -> None:
    assert not returns_or_refuses(PARSERS[name], PARSERS[name].good + b"\x01")
