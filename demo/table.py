"""The demonstration as text: steps, rows, one token; colour on a terminal only."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assay.client import VerifiedToken
    from demo.steps import Row

_WIDTHS: Final = (12, 45, 36, 26)
_GREEN, _RED, _BOLD = "32", "31", "1"
# The members that say something at a glance; hashes of collateral and the doubled claims are left out.
_SHOWN: Final = (
    "iss",
    "iat",
    "exp",
    "x-ms-ver",
    "x-ms-attestation-type",
    "x-ms-policy-hash",
    "x-ms-sgx-is-debuggable",
    "x-ms-sgx-mrenclave",
    "x-ms-sgx-mrsigner",
    "x-ms-sgx-product-id",
    "x-ms-sgx-svn",
    "x-ms-sgx-tcbidentifier",
    "x-ms-runtime",
    "x-assay-unsafe",
)


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_step(text: str) -> None:
    say(_painted(f"\n== {text}", _BOLD))


def heading() -> str:
    return _columns("type", "evidence", "sent", "answer") + "    ms"


def line(row: Row) -> str:
    mark = _painted("ok", _GREEN) if row.is_right else _painted("WRONG", _RED)
    step = row.step
    note = f"\n{'':13}{row.note}" if row.note else ""
    return f"{_columns(step.type, step.evidence, step.sent, row.found)}{row.milliseconds:6.1f}  {mark}{note}"


def token_text(token: VerifiedToken) -> str:
    """The header and the interesting members of a token that was verified."""
    shown = {name: token.claims[name] for name in _SHOWN if name in token.claims}
    parts = (("header", dict(token.header)), ("claims", shown))
    return "\n".join(f"{name} {json.dumps(members, indent=2)}" for name, members in parts)


def _columns(*texts: str) -> str:
    return "".join(f"{text:<{width}} " for text, width in zip(texts, _WIDTHS, strict=True))


def _painted(text: str, colour: str) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"
