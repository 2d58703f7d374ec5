"""Measurement lists of Linux' integrity measurement architecture (IMA), binary or ASCII (tpm-and-guest 7).

An entry's template data is what the kernel hashed; its template hash is the SHA-1 of it, as the list has it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from assay import limits
from assay.errors import LimitExceeded, MalformedEvidence, UnsupportedEvidence
from assay.formats.reader import Reader

IMA_PCR: Final = 10
_WHAT: Final = "IMA list"
_DIGEST: Final = 20
_VIOLATION: Final = bytes(_DIGEST)
_TEMPLATE_NAME: Final = 64
# The first template: a SHA-1 digest, and a name that is hashed padded to 256 octets, both without their lengths.
_OLD: Final = "ima"
_OLD_NAME: Final = 256
# Linux, ima_template.c. Other templates of binary lists are formats of such fields, in the name itself.
_TEMPLATES: Final[dict[str, tuple[str, ...]]] = {
    "ima-ng": ("d-ng", "n-ng"),
    "ima-sig": ("d-ng", "n-ng", "sig"),
    "ima-ngv2": ("d-ngv2", "n-ng"),
    "ima-sigv2": ("d-ngv2", "n-ng", "sig"),
    "ima-buf": ("d-ng", "n-ng", "buf"),
    "ima-modsig": ("d-ng", "n-ng", "sig", "d-modsig", "modsig"),
    "evm-sig": ("d-ng", "n-ng", "evmsig", "xattrnames", "xattrlengths", "xattrvalues", "iuid", "igid", "imode"),
}
_DIGESTS: Final = frozenset(("d-ng", "d-ngv2", "d-modsig"))
_HEX: Final = frozenset(("sig", "buf", "modsig"))


class ImaEntry(NamedTuple):
    """One measurement: `content` is what was hashed, `fields` by the names of its template."""

    template: str
    template_hash: bytes
    content: bytes
    fields: tuple[tuple[str, bytes], ...]

    @property
    def is_violation(self) -> bool:
        """A file that could not be measured reliably: extended as all ones, its data proven by nothing."""
        return self.template_hash == _VIOLATION

    @property
    def path(self) -> str:
        """The measured file, keyring or buffer."""
        return self._text("n-ng") or self._text("n")

    @property
    def file_hash(self) -> str:
        """The digest of what was measured, as `sha256:<hex>`; empty where there is none."""
        for name in ("d-ng", "d-ngv2"):
            prefix, mark, digest = self._field(name).partition(b":\0")
            if mark:
                return f"{prefix.decode('latin-1')}:{digest.hex()}"
        old = self._field("d")
        return f"sha1:{old.hex()}" if old else ""

    @property
    def buffer(self) -> bytes | None:
        """What was measured, where the list holds it itself (`ima-buf`)."""
        return dict(self.fields).get("buf")

    def _field(self, name: str) -> bytes:
        return dict(self.fields).get(name, b"")

    def _text(self, name: str) -> str:
        return self._field(name).rstrip(b"\0").decode("utf-8", "replace")


def parse_ima_log(octets: bytes) -> tuple[ImaEntry, ...]:
    """The entries of a list, in order; a list in ASCII is known by the digit it begins with.

    Raises `MalformedEvidence`, `UnsupportedEvidence` (another PCR, a template that ASCII does not give whole), and
    `LimitExceeded`.
    """
    if len(octets) > limits.IMA_LOG:
        raise LimitExceeded("IMA list, octets", limit=limits.IMA_LOG, found=len(octets))
    entries = _parse_ascii(octets) if octets[:1].isdigit() else _parse_binary(octets)
    if not entries:
        raise MalformedEvidence(_WHAT, "there is no entry")
    return tuple(entries)


def _require_room(entries: list[ImaEntry]) -> None:
    if len(entries) == limits.IMA_ENTRIES:
        raise LimitExceeded("entries of an IMA list", limit=limits.IMA_ENTRIES)


def _require_pcr(pcr: int) -> None:
    if pcr != IMA_PCR:
        raise UnsupportedEvidence(_WHAT, f"a measurement into PCR {pcr}, not {IMA_PCR}", code="UnsupportedImaPcr")


def _parse_binary(octets: bytes) -> list[ImaEntry]:
    reader = Reader(octets, _WHAT, MalformedEvidence)
    entries: list[ImaEntry] = []
    while reader.remaining:
        _require_room(entries)
        _require_pcr(reader.u32("PCR"))
        digest = reader.take(_DIGEST, "template hash")
        template = _name(_bounded(reader, _TEMPLATE_NAME, "template name"))
        if template == _OLD:
            file_digest = reader.take(_DIGEST, "file digest")
            entries.append(_old_entry(digest, file_digest, _bounded(reader, _OLD_NAME - 1, "file name")))
        else:
            entries.append(_entry(template, digest, _read_fields(reader.take(reader.u32("data size"), "data"))))
    return entries


def _bounded(reader: Reader, most: int, field: str) -> bytes:
    size = reader.u32(f"size of {field}")
    if size > most:
        raise LimitExceeded(f"{field} of an IMA entry, octets", limit=most, found=size)
    return reader.take(size, field)


def _read_fields(content: bytes) -> tuple[bytes, ...]:
    reader = Reader(content, "IMA template data", MalformedEvidence)
    fields: list[bytes] = []
    while reader.remaining:
        if len(fields) == limits.IMA_FIELDS:
            raise LimitExceeded("fields of an IMA entry", limit=limits.IMA_FIELDS)
        fields.append(reader.take(reader.u32("field size"), "field"))
    return tuple(fields)


def _name(octets: bytes) -> str:
    try:
        return octets.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedEvidence(_WHAT, "a template name that is not ASCII") from error


def _entry(template: str, template_hash: bytes, fields: tuple[bytes, ...]) -> ImaEntry:
    names = _TEMPLATES.get(template, tuple(template.split("|")))
    if len(fields) != len(names):
        raise MalformedEvidence(_WHAT, f"{len(fields)} fields in an entry of template {template!r}")
    content = b"".join(len(field).to_bytes(4, "little") + field for field in fields)
    return ImaEntry(template, template_hash, content, tuple(zip(names, fields, strict=True)))


def _old_entry(template_hash: bytes, digest: bytes, name: bytes) -> ImaEntry:
    content = digest + name.ljust(_OLD_NAME, b"\0")
    return ImaEntry(_OLD, template_hash, content, (("d", digest), ("n", name)))


def _parse_ascii(octets: bytes) -> list[ImaEntry]:
    entries: list[ImaEntry] = []
    for line in octets.split(b"\n"):
        if line:
            _require_room(entries)
            entries.append(_parse_line(line))
    return entries


def _parse_line(line: bytes) -> ImaEntry:
    parts = line.split(b" ", 3)
    if len(parts) != 4 or not parts[0].isdigit() or len(parts[0]) > 2:
        raise MalformedEvidence(_WHAT, "a line that is not: PCR, template hash, template, data")
    _require_pcr(int(parts[0]))
    template_hash = _hex(parts[1])
    if len(template_hash) != _DIGEST:
        raise MalformedEvidence(_WHAT, f"a template hash of {len(template_hash)} octets")
    template = _name(parts[2])
    if template == _OLD:
        digest, _, name = parts[3].partition(b" ")
        return _old_entry(template_hash, _hex(digest), name)
    names = _TEMPLATES.get(template)
    if names is None or not all(name == "n-ng" or name in _DIGESTS | _HEX for name in names):
        problem = f"template {template!r} cannot be read from ASCII: send the binary list"
        raise UnsupportedEvidence(_WHAT, problem, code="UnsupportedImaTemplate")
    return _line_entry(template, template_hash, names, parts[3])


def _line_entry(template: str, template_hash: bytes, names: tuple[str, ...], text: bytes) -> ImaEntry:
    """The fields of a line. One that is empty at the end leaves a space behind, which editors and clients strip."""
    parts = text.split(b" ")
    if len(parts) == len(names) - 1:
        parts.append(b"")
    if len(parts) != len(names):
        raise MalformedEvidence(_WHAT, f"{len(parts)} fields in a line of template {template!r}")
    fields = tuple(_field(name, part) for name, part in zip(names, parts, strict=True))
    return _entry(template, template_hash, fields)


def _hex(text: bytes) -> bytes:
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError as error:
        raise MalformedEvidence(_WHAT, "a field that is not hex") from error


def _digest_field(text: bytes) -> bytes:
    """`sha256:<hex>`, or `verity:sha256:<hex>`: the prefix, a colon, a zero, the digest. Empty stays empty."""
    if not text:
        return b""
    prefix, colon, digest = text.rpartition(b":")
    if not colon:
        raise MalformedEvidence(_WHAT, "a digest without its algorithm")
    return prefix + b":\0" + _hex(digest)


def _field(name: str, text: bytes) -> bytes:
    """A field as the kernel hashed it, from its text."""
    if name == "n-ng":
        return text + b"\0"
    return _digest_field(text) if name in _DIGESTS else _hex(text)
