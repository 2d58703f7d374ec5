"""Which branches of the policy language's parsers a text takes: the pairs of lines executed one after the other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import assay.policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

FOLDER = Path(assay.policy.__file__).parent
PARSERS = (
    *("parser", "rule_cursor", "cursor", "tokens", "expressions", "claim_arguments"),
    *("jmespath/parser", "jmespath/tokens", "jmespath/calls"),
)
FILES = frozenset(str(FOLDER / f"{name}.py") for name in PARSERS)

Branch = tuple[str, int, int]


def branches_taken(run: Callable[[], object]) -> set[Branch]:
    """The branches of the parsers that are taken while something runs; what it raises comes through."""
    taken: set[Branch] = set()
    last: dict[int, int] = {}

    def local(frame: FrameType, event: str, _argument: object) -> object:
        if event == "line":
            key = id(frame)
            taken.add((frame.f_code.co_filename, last.get(key, frame.f_code.co_firstlineno), frame.f_lineno))
            last[key] = frame.f_lineno
        return local

    def called(frame: FrameType, _event: str, _argument: object) -> object:
        if frame.f_code.co_filename not in FILES:
            return None
        last[id(frame)] = frame.f_code.co_firstlineno
        return local

    before = sys.gettrace()
    sys.settrace(called)  # type: ignore[arg-type]  # the tracer of a frame may be the frame's own
    try:
        run()
    finally:
        sys.settrace(before)
    return taken
