"""IMA measurement lists, in both forms, and PCR 10 after them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from assay.simulator.tpm.structures import SHA1, SHA256

_NAMES = {SHA1: "sha1", SHA256: "sha256"}


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured file of template `ima-sig`, or a buffer of `ima-buf`; `violation` extends as all ones."""

    path: str
    content: bytes
    buffer: bool = False
    signature: bytes = b""
    violation: bool = False
    pcr: int = 10

    @property
    def template(self) -> str:
        return "ima-buf" if self.buffer else "ima-sig"

    @property
    def digest(self) -> bytes:
        return bytes(32) if self.violation else hashlib.sha256(self.content).digest()

    @property
    def last(self) -> bytes:
        return self.content if self.buffer else self.signature

    @property
    def data(self) -> bytes:
        fields = (b"sha256:\0" + self.digest, self.path.encode() + b"\0", self.last)
        return b"".join(struct.pack("<I", len(field)) + field for field in fields)

    @property
    def template_hash(self) -> bytes:
        return bytes(20) if self.violation else hashlib.sha1(self.data, usedforsecurity=False).digest()


def boot_aggregate(pcrs: Sequence[bytes]) -> Measurement:
    """The first entry of a list: over SHA-256 PCR 0 to 7, or to 9."""
    return Measurement("boot_aggregate", b"".join(pcrs))


def encode_binary(measurements: Sequence[Measurement]) -> bytes:
    return b"".join(
        struct.pack("<I20sI", one.pcr, one.template_hash, len(one.template))
        + one.template.encode()
        + struct.pack("<I", len(one.data))
        + one.data
        for one in measurements
    )


def encode_ascii(measurements: Sequence[Measurement]) -> bytes:
    lines = (
        f"{one.pcr} {one.template_hash.hex()} {one.template} sha256:{one.digest.hex()} {one.path} {one.last.hex()}\n"
        for one in measurements
    )
    return "".join(lines).encode()


def ima_pcr(measurements: Sequence[Measurement], algorithm: int = SHA256, *, padded: bool = False) -> bytes:
    """PCR 10 after a list; `padded`, as Linux before 5.8 extends banks other than SHA-1."""
    name = _NAMES[algorithm]
    size = hashlib.new(name).digest_size
    value = bytes(size)
    for one in measurements:
        if padded or algorithm == SHA1:
            measured = (b"\xff" * 20 if one.violation else one.template_hash).ljust(size, b"\0")
        else:
            measured = b"\xff" * size if one.violation else hashlib.new(name, one.data).digest()
        value = hashlib.new(name, value + measured).digest()
    return value
