"""Files that the caller names: read within bounds, and turned from whatever spelling they have into a submission."""

from __future__ import annotations

import re
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from assay import limits
from assay.errors import LimitExceeded, Malformed, MalformedRequest
from assay.evidence import EVIDENCE_TYPES
from assay.evidence.base import AnyEvidenceType, HeldData, Submission
from assay.evidence.held_data import held_data
from assay.formats import base64url, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.strict_json import JsonError, JsonValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TEXT: Final = re.compile(rb"[\t\r\n\x20-\x7e]*\Z")
_HEX: Final = re.compile(r"(?:0[xX])?((?:[0-9a-fA-F]{2})+)\Z")
_SPACE: Final = re.compile(r"\s+")
# Names under which the vector folders and our simulator keep evidence, beside the type's own member name.
_NAMED: Final = "evidence"
_HELD_DATA_OF_2018: Final = "enclavehelddata"


class FileUnreadable(Exception):
    """A file that cannot be opened or read; said to the user as a sentence, it never leaves the command line."""


@dataclass(frozen=True, slots=True)
class HeldDataFiles:
    """What options add to evidence, in place of what a request body brings."""

    runtime_data: HeldData | None = None
    init_time_data: HeldData | None = None
    nonce: str | None = None
    draft_policy: str | None = None
    event_log: bytes | None = None


def read_file(name: str, limit: int = limits.GUEST_REQUEST_BODY) -> bytes:
    """The content of a file, or of standard input for `-`; raises `FileUnreadable` and `LimitExceeded`."""
    try:
        if name == "-":
            content = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(limit + 1)
    except OSError as error:
        raise FileUnreadable(f"{name}: {error.strerror or error}") from error
    if len(content) > limit:
        raise LimitExceeded(f"{name}, octets", limit=limit)
    return content


def read_option_file(name: str, limit: int = limits.REQUEST_BODY) -> bytes:
    """The content of a file that an option names; raises `click.UsageError` when it cannot be read."""
    try:
        return read_file(name, limit)
    except (FileUnreadable, LimitExceeded) as error:
        raise click.UsageError(str(error)) from error


def read_text(name: str, limit: int = limits.POLICY_TEXT) -> str:
    """The UTF-8 text of a file that an option names; raises `click.UsageError`."""
    try:
        return read_option_file(name, 4 * limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{name}: not UTF-8 at octet {error.start}") from error


def read_held_data(name: str | None, data_type: str, member: str) -> HeldData | None:
    """Held data from the file that an option names; raises `click.UsageError` when it is not of its type."""
    if name is None:
        return None
    content = read_option_file(name)
    try:
        return held_data(content, data_type, member)
    except MalformedRequest as error:
        raise click.UsageError(f"{name}: {error.message}") from error


def read_decryption_key(name: str) -> Callable[[bytes], bytes]:
    """RSAES decryption by the private key in a PEM file that an option names; raises `click.UsageError`."""
    try:
        key = load_pem_private_key(read_option_file(name), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise click.UsageError(f"{name}: not a private key in PEM without a password") from error
    if not isinstance(key, RSAPrivateKey):
        raise click.UsageError(f"{name}: not an RSA key")
    private = key
    return lambda sealed: private.decrypt(sealed, PKCS1v15())


def decode_spelling(content: bytes) -> bytes:
    """The octets in a file that holds them as they are, or as hex, base64 or base64url text."""
    if not content or not _TEXT.match(content):
        return content
    text = _SPACE.sub("", content.decode("ascii"))
    spelled = _HEX.match(text)
    if spelled:
        return bytes.fromhex(spelled[1])
    try:
        return base64url.decode_lenient(text) or content
    except Base64Error:
        return content


def read_submission(kind: AnyEvidenceType, content: bytes, held: HeldDataFiles) -> Submission:
    """Evidence and held data in the content of a file: a JSON request body, or the evidence in any spelling.

    Raises `MalformedRequest` for a JSON body that the service would refuse.
    """
    if content.lstrip()[:1] == b"{" and _TEXT.match(content[:64]) and not _is_json_evidence(kind, content):
        submission = decode_request(kind, content)
    else:
        submission = Submission(decode_spelling(content))
    return replace(
        submission,
        runtime_data=held.runtime_data or submission.runtime_data,
        init_time_data=held.init_time_data or submission.init_time_data,
        nonce=held.nonce or submission.nonce,
        draft_policy=held.draft_policy or submission.draft_policy,
        event_log=held.event_log or submission.event_log,
    )


def _is_json_evidence(kind: AnyEvidenceType, content: bytes) -> bool:
    """Whether a JSON text is evidence itself: it has no member for it, as the body of a request would."""
    return kind.is_json and f'"{kind.member.lower()}"'.encode() not in content.lower()


def decode_request(kind: AnyEvidenceType, body: bytes) -> Submission:
    """The submission in a JSON request body; raises `MalformedRequest`."""
    try:
        members = strict_json.decode_object(body)
    except JsonError as error:
        raise MalformedRequest("request body", str(error)) from error
    return kind.decode(_of_2018(kind, {name.lower(): value for name, value in members.items()}))


def _of_2018(kind: AnyEvidenceType, members: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """A body of api-version 2018-09-01-preview, under today's names: its quote holds reports too (rest-api 12)."""
    if _HELD_DATA_OF_2018 not in members:
        return members
    evidence = members.get(kind.member.lower(), members.get("quote"))
    held: JsonValue = {"data": members[_HELD_DATA_OF_2018], "dataType": "Binary"}
    return {"runtimedata": held, **members, kind.member.lower(): evidence}


def expand(names: tuple[str, ...], kind: AnyEvidenceType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files to judge, a directory standing for the evidence in it, and those passed over.

    In a directory a file is evidence when its name says so (it contains the type's request member, or "evidence"), or
    when its content parses as this type before any other. What is neither is passed over, and the caller says so.
    """
    chosen: list[str] = []
    passed_over: list[str] = []
    for name in names:
        if name == "-" or not Path(name).is_dir():
            chosen.append(name)
            continue
        for path in _regular_files(Path(name)):
            (chosen if _is_evidence(path, kind) else passed_over).append(str(path))
    return tuple(chosen), tuple(passed_over)


def _regular_files(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        try:
            if stat.S_ISREG(path.stat().st_mode) and not path.name.startswith("."):
                yield path
        except OSError:
            continue  # a dangling link


def _is_evidence(path: Path, kind: AnyEvidenceType) -> bool:
    name = path.name.lower()
    if kind.member.lower() in name or _NAMED in name:
        return True
    try:
        content = read_file(str(path))
    except (FileUnreadable, LimitExceeded):
        return False
    return find_kind(content) is kind


def find_kind(content: bytes) -> AnyEvidenceType | None:
    """The first evidence type that this content parses as, or None."""
    for kind in EVIDENCE_TYPES:
        try:
            kind.parse(read_submission(kind, content, HeldDataFiles()))
        except (Malformed, LimitExceeded):
            continue
        return kind
    return None
