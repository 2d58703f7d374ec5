"""The client's side: calls to an attestation service, and the relying party that verifies its tokens.

`Client` and `AsyncClient` need the extra `client`; everything else works with the core alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.client.protocol import Answer, FailedCheck, Metadata
from assay.client.relying_party import VerifiedToken, verify_token
from assay.client.sealed_answer import is_sealed, open_answer
from assay.formats.key_set import KeySet, parse_key_set

if TYPE_CHECKING:
    from assay.client.shells import AsyncClient, Client

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "FailedCheck",
    "KeySet",
    "Metadata",
    "VerifiedToken",
    "is_sealed",
    "open_answer",
    "parse_key_set",
    "verify_token",
]


def __getattr__(name: str) -> object:
    if name in ("Client", "AsyncClient"):
        # Imported when first used: a relying party that embeds the core has no HTTP library.
        from assay.client import shells  # noqa: PLC0415

        return getattr(shells, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
