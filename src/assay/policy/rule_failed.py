"""How a rule that runs says that it cannot go on."""

from __future__ import annotations


class RuleFailed(Exception):  # never leaves the evaluation, which turns it into an error that names the rule
    """A run-time error of a rule; `problem` says what is wrong, without the rule and without a full stop."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
