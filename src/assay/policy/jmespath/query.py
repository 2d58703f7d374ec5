"""A query that can be searched with, and the text of what it answers (policy-language 7, 7.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from assay import limits
from assay.formats.strict_json import JsonValue
from assay.policy.jmespath.evaluation import Apply, compile_node
from assay.policy.jmespath.functions import write
from assay.policy.jmespath.parser import parse_query
from assay.policy.jmespath.values import Meter, check_size

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Query:
    """A text that parses. Two queries are equal when their texts are."""

    text: str
    _words: int = field(compare=False, repr=False)
    _apply: Apply = field(compare=False, repr=False)

    def search(self, document: JsonValue, spend: Callable[[int], None]) -> JsonValue:
        """The answer for a document, which it may share parts with; neither may be changed.

        `spend` is told the steps, some before and some after they are done, the words of the text among them; what it
        raises comes through. An answer that `encode_result` would find too large is refused. Raises `QueryError`.
        """
        meter = Meter(spend)
        meter.count(self._words)
        answer = self._apply(document, meter)
        check_size(answer, meter)
        meter.settle()
        return answer


def compile_query(text: str) -> Query:
    """The query of a text, remembered when the text is short; raises `QueryError`.

    It takes time in proportion to the length; who compiles a stranger's texts counts their characters first.
    """
    return _remembered(text) if len(text) <= limits.JMESPATH_REMEMBERED_TEXT else _compile(text)


def _compile(text: str) -> Query:
    node, words = parse_query(text)
    return Query(text, words, compile_node(node))


_remembered = lru_cache(maxsize=limits.POLICY_COMPILED)(_compile)


def encode_result(value: JsonValue) -> str:
    """Compact JSON, members sorted by code point, non-ASCII as it is (reading Q8); raises `QueryError` if too large."""
    return write(value, Meter(_no_budget))


def _no_budget(_: int) -> None:
    """The size was counted when the value was found."""
