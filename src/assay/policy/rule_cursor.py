"""The cursor of the parser: what the grammar of a policy's rules depends on and collects on its way."""

from __future__ import annotations

from assay.policy.cursor import Cursor
from assay.policy.readings import Readings
from assay.policy.syntax import has_functions
from assay.policy.tokens import NAME, Token


class RuleCursor(Cursor):
    """`version` is known once `versionInfo` is read; `references` are the identifiers that the present rule uses."""

    __slots__ = ("calls", "readings", "references", "rules", "version")

    def __init__(self, text: str, readings: Readings) -> None:
        super().__init__(text)
        self.readings = readings
        self.version = ""
        self.rules = 0
        self.calls = 0  # calls that are open: how deep the present expression nests
        self.references: list[Token] = []

    @property
    def has_functions(self) -> bool:
        """Whether the policy's version has function calls and negated conditions."""
        return has_functions(self.version)

    @property
    def condition_starts(self) -> tuple[str, ...]:
        """The kinds of word that a condition starts with."""
        return ("!", "[", NAME) if self.has_functions else ("[", NAME)
