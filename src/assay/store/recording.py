"""How a change is recorded in the audit: inside its transaction, before it commits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assay.formats.strict_json import JsonValue

# Given what changed; when it raises, nothing has.
Record = Callable[[Mapping[str, JsonValue]], None]


def unrecorded(_details: Mapping[str, JsonValue]) -> None:
    """For changes that are not a request's: nobody asked for them."""
