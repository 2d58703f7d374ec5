"""Octets for people: hex, or size and digest where that would be long."""

from __future__ import annotations

import hashlib
from typing import Final

_SHOWN_OCTETS: Final = 64


def describe_octets(content: bytes) -> str:
    """Hex, or size and digest where that would be long."""
    if len(content) <= _SHOWN_OCTETS:
        return content.hex()
    return f"{len(content)} octets, sha256:{hashlib.sha256(content).hexdigest()}"
