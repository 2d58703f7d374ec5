"""A strict reader of DER (X.690), for vendor extensions."""

from __future__ import annotations

from typing import Final

from assay import limits
from assay.errors import LimitExceeded, MalformedEndorsement

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
OBJECT_IDENTIFIER: Final = 0x06
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30


class DerReader:
    """Reads consecutive elements; definite, shortest lengths only; raises `MalformedEndorsement`."""

    __slots__ = ("_content", "_depth", "_offset", "_what")

    def __init__(self, content: bytes, what: str, depth: int = 0) -> None:
        if depth > limits.DER_DEPTH:
            raise LimitExceeded(f"{what}, DER nesting", limit=limits.DER_DEPTH)
        self._content, self._what, self._depth, self._offset = content, what, depth, 0

    @property
    def at_end(self) -> bool:
        return self._offset == len(self._content)

    def element(self) -> tuple[int, bytes]:
        """The tag and the content octets of the next element."""
        tag = self._octet("tag")
        if tag & 0x1F == 0x1F:
            raise self._error("a tag of more than one octet")
        size = self._size()
        end = self._offset + size
        if end > len(self._content):
            raise self._error(f"an element of {size} octets, {len(self._content) - self._offset} remain")
        content = self._content[self._offset : end]
        self._offset = end
        return tag, content

    def expect(self, tag: int, field: str) -> bytes:
        """The content of the next element, which must have this tag."""
        found, content = self.element()
        if found != tag:
            raise self._error(f"{field}: tag {found:#04x} instead of {tag:#04x}")
        return content

    def sequence(self, field: str) -> DerReader:
        """A reader over the next element, a SEQUENCE."""
        return DerReader(self.expect(SEQUENCE, field), f"{self._what}, {field}", self._depth + 1)

    def integer(self, field: str, tag: int = INTEGER) -> int:
        """The next element, an INTEGER (or ENUMERATED) in its shortest form."""
        content = self.expect(tag, field)
        if not content or (len(content) > 1 and (content[0], content[1] >> 7) in ((0x00, 0), (0xFF, 1))):
            raise self._error(f"{field}: an integer not in its shortest form")
        return int.from_bytes(content, "big", signed=True)

    def object_identifier(self, field: str) -> str:
        """The next element, an OBJECT IDENTIFIER, dotted."""
        content = self.expect(OBJECT_IDENTIFIER, field)
        arcs: list[int] = []
        value, fresh = 0, True
        for octet in content:
            if fresh and octet == 0x80:
                raise self._error(f"{field}: an arc not in its shortest form")
            value, fresh = value << 7 | octet & 0x7F, octet < 0x80
            if fresh:
                arcs.append(value)
                value = 0
        if not content or not fresh or len(arcs) > limits.DER_DEPTH:
            raise self._error(f"{field}: not an object identifier")
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))

    def finish(self) -> None:
        """Raises unless everything was read."""
        if not self.at_end:
            raise self._error(f"{len(self._content) - self._offset} octets too many")

    def _size(self) -> int:
        first = self._octet("length")
        if first < 0x80:
            return first
        count = first & 0x7F
        if not 1 <= count <= 4:
            raise self._error("an indefinite or absurd length")
        octets = self._content[self._offset : self._offset + count]
        self._offset += count
        size = int.from_bytes(octets, "big")
        if len(octets) < count or octets[0] == 0 or size < 0x80:
            raise self._error("a length not in its shortest form")
        return size

    def _octet(self, field: str) -> int:
        if self._offset >= len(self._content):
            raise self._error(f"{field}: no octet left")
        octet = self._content[self._offset]
        self._offset += 1
        return octet

    def _error(self, problem: str) -> MalformedEndorsement:
        return MalformedEndorsement(self._what, problem, offset=self._offset)
