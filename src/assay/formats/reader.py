"""The one cursor over raw bytes; everything binary is read through it."""

from __future__ import annotations

import struct

from assay.errors import Malformed


class Reader:
    """Reads a structure in its document's order and never past its end.

    `what` names the structure in errors; `error` is the class raised. Integers are little-endian (SGX, TDX, Open
    Enclave, event logs). Python slices do not fail when short; `take` does.
    """

    __slots__ = ("_content", "_end", "_error", "_offset", "_what")

    def __init__(self, content: bytes, what: str, error: type[Malformed]) -> None:
        self._content, self._what, self._error = content, what, error
        self._offset, self._end = 0, len(content)

    @property
    def offset(self) -> int:
        return self._offset

    @property
    def remaining(self) -> int:
        return self._end - self._offset

    def take(self, size: int, field: str) -> bytes:
        """The next `size` bytes; raises when fewer remain."""
        end = self._offset + size
        if end > self._end:
            raise self._error(self._what, f"{field} needs {size} bytes, {self.remaining} remain", offset=self._offset)
        taken = self._content[self._offset : end]
        self._offset = end
        return taken

    def structure(self, layout: struct.Struct, field: str) -> tuple[object, ...]:
        """The next fields of a fixed layout, in its order; raises when fewer bytes remain."""
        start = self._offset
        if start + layout.size > self._end:
            self.take(layout.size, field)
        self._offset = start + layout.size
        return layout.unpack_from(self._content, start)

    def u8(self, field: str) -> int:
        return self.take(1, field)[0]

    def u16(self, field: str) -> int:
        return int.from_bytes(self.take(2, field), "little")

    def u32(self, field: str) -> int:
        return int.from_bytes(self.take(4, field), "little")

    def u64(self, field: str) -> int:
        return int.from_bytes(self.take(8, field), "little")

    def rest(self) -> bytes:
        """All that remains."""
        return self.take(self.remaining, "rest")

    def finish(self) -> None:
        """Raises unless everything was read."""
        if self.remaining:
            raise self._error(self._what, f"{self.remaining} bytes too many", offset=self._offset)


class BigEndianReader(Reader):
    """The same cursor for structures of a TPM, whose integers are big-endian."""

    __slots__ = ()

    def u16(self, field: str) -> int:
        return int.from_bytes(self.take(2, field), "big")

    def u32(self, field: str) -> int:
        return int.from_bytes(self.take(4, field), "big")

    def u64(self, field: str) -> int:
        return int.from_bytes(self.take(8, field), "big")

    def sized(self, field: str) -> bytes:
        """A TPM2B: octets after their number in two octets."""
        return self.take(self.u16(f"size of {field}"), field)
