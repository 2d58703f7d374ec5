"""A strict reader of DER (X.690), for vendor extensions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
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
        content, start = self._content, self._offset + 2
        if start > len(content):
            raise self._error("no octets left for tag and length")
        tag, size = content[start - 2], content[start - 1]
        if tag & 0x1F == 0x1F:
            raise self._error("a tag of more than one octet")
        if size >= 0x80:
            size, start = self._long_size(start, size & 0x7F)
        end = start + size
        if end > len(content):
            raise self._error(f"an element of {size} octets, {len(content) - start} remain")
        self._offset = end
        return tag, content[start:end]

    def raw(self) -> bytes:
        """The next element whole, tag and length included."""
        start = self._offset
        self.element()
        return self._content[start : self._offset]

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
        dotted = _dotted(self.expect(OBJECT_IDENTIFIER, field))
        if dotted is None:
            raise self._error(f"{field}: not an object identifier in its shortest form")
        return dotted

    def pairs(self) -> Iterator[tuple[bytes, int, bytes]]:
        """The rest as `SEQUENCE { OBJECT IDENTIFIER, value }` elements: identifier, tag and content of the value."""
        while not self.at_end:
            pair = self.expect(SEQUENCE, "element")
            split = _short_pair(pair)
            if split:
                yield pair[2:split], pair[split], pair[split + 2 :]
                continue
            reader = DerReader(pair, self._what, self._depth + 1)
            identifier = reader.expect(OBJECT_IDENTIFIER, "identifier")
            tag, content = reader.element()
            reader.finish()
            yield identifier, tag, content

    def finish(self) -> None:
        """Raises unless everything was read."""
        if not self.at_end:
            raise self._error(f"{len(self._content) - self._offset} octets too many")

    def _long_size(self, start: int, count: int) -> tuple[int, int]:
        """The size in `count` octets at `start`, and where the content begins."""
        if not 1 <= count <= 4:
            raise self._error("an indefinite or absurd length")
        octets = self._content[start : start + count]
        size = int.from_bytes(octets, "big")
        if len(octets) < count or octets[0] == 0 or size < 0x80:
            raise self._error("a length not in its shortest form")
        return size, start + count

    def _error(self, problem: str) -> MalformedEndorsement:
        return MalformedEndorsement(self._what, problem, offset=self._offset)


def _short_pair(pair: bytes) -> int:
    """Where the value of a pair begins, when both parts have lengths below 128 that fill it (nearly always); else 0."""
    if len(pair) < 4 or pair[0] != OBJECT_IDENTIFIER or pair[1] >= 0x80:
        return 0
    split = 2 + pair[1]
    fits = len(pair) > split + 1 and pair[split + 1] < 0x80 and len(pair) == split + 2 + pair[split + 1]
    return split if fits and pair[split] & 0x1F != 0x1F else 0


@lru_cache(maxsize=limits.IDENTIFIERS)
def _dotted(content: bytes) -> str | None:
    """An object identifier in dots, None for octets that are none; the same few occur in every certificate."""
    arcs: list[int] = []
    value, fresh = 0, True
    for octet in content:
        if fresh and octet == 0x80:
            return None
        value, fresh = value << 7 | octet & 0x7F, octet < 0x80
        if fresh:
            arcs.append(value)
            value = 0
    if not arcs or not fresh or len(arcs) > limits.DER_DEPTH:
        return None
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
