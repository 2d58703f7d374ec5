"""The text of JSON values as it came: what a protocol hashes must not be written again (tpm-and-guest 0.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]  # the standard library's own reader of strings
from typing import Final

from assay.formats.strict_json import JsonError

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder()


def member_texts(text: str) -> Mapping[str, str]:
    """The text of each member's value of a JSON object, without the white space around it.

    `text` is an object that `strict_json.decode` accepted: duplicate names and nesting are not judged here. Raises
    `JsonError` for a text that is no object.
    """
    place = _skip(text, 0)
    if text[place : place + 1] != "{":
        raise JsonError("not a JSON object")
    found: dict[str, str] = {}
    place = _skip(text, place + 1)
    try:
        while text[place] != "}":
            name, place = scanstring(text, place + 1, True)  # strict: no control characters
            start = _skip(text, _skip(text, place) + 1)
            _, end = _DECODER.raw_decode(text, start)
            found[name] = text[start:end]
            place = _skip(text, end)
            if text[place] == ",":
                place = _skip(text, place + 1)
    except (IndexError, ValueError) as error:
        raise JsonError("not a JSON object") from error
    return found


def _skip(text: str, place: int) -> int:
    """The place after white space (RFC 8259, section 2)."""
    return _SPACE.match(text, place).end()  # type: ignore[union-attr]  # the pattern matches the empty text
