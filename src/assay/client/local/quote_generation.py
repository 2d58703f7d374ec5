"""What a guest and the host's quote generation service say to each other over vsock (self-attestation 5)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from assay import limits
from assay.client.local.source import LocalEvidenceFailed
from assay.errors import MalformedEvidence
from assay.formats.reader import BigEndianReader, Reader

if TYPE_CHECKING:
    from assay.client.local.machine import Stream

TD_REPORT_SIZE: Final = 1024
_MAJOR, _MINOR = 1, 1
_GET_QUOTE_REQUEST, _GET_QUOTE_RESPONSE = 0, 1
# Major and minor version, type, size of the whole message, error.
_HEADER: Final = struct.Struct("<HHIII")
_REQUEST: Final = struct.Struct(f"<II{TD_REPORT_SIZE}s")
_WHAT: Final = "answer of the quoting service"
_REMEDY: Final = "see the log of the quote generation service on the host"
# Own: the quote, its identifier and the header.
_ANSWER: Final = limits.QUOTE + 4096


def encode_quote_request(td_report: bytes) -> bytes:
    """The frame that asks for a quote: its length big-endian, everything else little-endian."""
    body = _REQUEST.pack(TD_REPORT_SIZE, 0, td_report)
    size = _HEADER.size + len(body)
    return size.to_bytes(4, "big") + _HEADER.pack(_MAJOR, _MINOR, _GET_QUOTE_REQUEST, size, 0) + body


def request_quote(source: str, stream: Stream, td_report: bytes) -> bytes:
    """The quote that the service makes of a TDREPORT.

    Raises `LocalEvidenceFailed` for an answer of another form or an error of the service, `OSError` for the stream's.
    """
    stream.sendall(encode_quote_request(td_report))
    try:
        size = BigEndianReader(_receive(stream, 4), _WHAT, MalformedEvidence).u32("length")
        if not _HEADER.size <= size <= _ANSWER:
            raise MalformedEvidence(_WHAT, f"a length of {size} octets")
        return _read_answer(source, _receive(stream, size))
    except MalformedEvidence as error:
        raise LocalEvidenceFailed(source, error.message, _REMEDY) from error


def _read_answer(source: str, message: bytes) -> bytes:
    reader = Reader(message, _WHAT, MalformedEvidence)
    major, _minor, kind, size, error = (
        reader.u16("major version"),
        reader.u16("minor version"),
        reader.u32("type"),
        reader.u32("size"),
        reader.u32("error"),
    )
    if (major, kind, size) != (_MAJOR, _GET_QUOTE_RESPONSE, len(message)):
        raise MalformedEvidence(_WHAT, f"version {major}, type {kind}, size {size} of {len(message)}")
    if error != 0:
        raise LocalEvidenceFailed(source, f"the quoting service answers with error {error:#x}", _REMEDY)
    identifier_size, quote_size = reader.u32("size of the identifier"), reader.u32("size of the quote")
    reader.take(identifier_size, "identifier")
    quote = reader.take(quote_size, "quote")
    reader.finish()
    return quote


def _receive(stream: Stream, size: int) -> bytes:
    """Exactly `size` octets of the stream."""
    content = bytearray()
    while len(content) < size:
        chunk = stream.recv(size - len(content))
        if not chunk:
            raise MalformedEvidence(_WHAT, f"ends after {len(content)} of {size} octets")
        content += chunk
    return bytes(content)
