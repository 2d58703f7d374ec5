"""Signed JSON documents: a compact inner object and the signature over exactly its bytes (quote-verification 3.4)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from assay.simulator.keys import sign_raw

if TYPE_CHECKING:
    from collections.abc import Mapping

Rewrite = Literal["", "spaced", "sorted"]


@dataclass(frozen=True, slots=True)
class Window:
    """When a document is issued and until when it holds, as distances from the recipe's instant; both ends count."""

    before: timedelta = timedelta(days=1)
    after: timedelta = timedelta(days=29)

    def issued(self, at: datetime) -> datetime:
        return at - self.before

    def expires(self, at: datetime) -> datetime:
        return at + self.after


WINDOW: Final = Window()
EXPIRED: Final = Window(timedelta(days=31), timedelta(seconds=-1))
NOT_YET_VALID: Final = Window(timedelta(seconds=-1))


@dataclass(frozen=True, slots=True)
class Signing:
    """How a document is signed; the defaults sign it rightly.

    Edits are (old, new) replacements of text and each must apply: `edits_before` the inner object before it is signed,
    `edits_after` the inner object once signed, `edits_whole` the finished document. `rewrite` serialises the signed
    object again, with spaces or with sorted members. `signature` replaces the hex text.
    """

    signed_by: str | None = None
    signature: str | None = None
    edits_before: tuple[tuple[str, str], ...] = ()
    edits_after: tuple[tuple[str, str], ...] = ()
    edits_whole: tuple[tuple[str, str], ...] = ()
    rewrite: Rewrite = ""


SIGNING: Final = Signing()


def format_instant(instant: datetime) -> str:
    """An instant as Intel writes it: `YYYY-MM-DDThh:mm:ssZ`."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def sign_document(name: str, inner: Mapping[str, object], signing: Signing, key: str) -> bytes:
    """The document `{"name":{…},"signature":"…"}`, signed by the key unless the signing says otherwise."""
    text = _edit(json.dumps(inner, separators=(",", ":")), signing.edits_before)
    signature = signing.signature
    if signature is None:
        signature = sign_raw(signing.signed_by or key, text.encode()).hex()
    text = _rewrite(_edit(text, signing.edits_after), signing.rewrite)
    return _edit(f'{{"{name}":{text},"signature":"{signature}"}}', signing.edits_whole).encode()


def _edit(text: str, edits: tuple[tuple[str, str], ...]) -> str:
    for old, new in edits:
        if old not in text:
            raise ValueError(f"an edit does not apply: {old!r} is not in the document")
        text = text.replace(old, new, 1)
    return text


def _rewrite(text: str, rewrite: Rewrite) -> str:
    match rewrite:
        case "":
            return text
        case "spaced":
            return json.dumps(json.loads(text))
        case "sorted":
            return json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True)
