"""The JSON texts that functions read: each parsed once, each query answered once, within one evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay import limits
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonValue
from assay.policy.jmespath import QueryError, compile_query, encode_result
from assay.policy.rule_failed import RuleFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.policy.jmespath import Query


class JsonTexts:
    """Remembers by content, since a policy asks dozens of questions about one event log.

    Texts are bounded, and `spend` and `spend_text` count the work; every refusal is `RuleFailed`.
    """

    __slots__ = ("_answers", "_parsed", "_remembered", "_spend", "_spend_text")

    def __init__(self, spend: Callable[[int], None], spend_text: Callable[[int], None]) -> None:
        self._spend, self._spend_text = spend, spend_text
        self._parsed: dict[str, JsonValue] = {}
        self._remembered = 0  # characters of the texts in `_parsed`
        self._answers: dict[tuple[str, str], str] = {}

    def parse(self, text: str, reader: str) -> JsonValue:
        """The value of a JSON text; `reader` is who wants it, for the message."""
        if text in self._parsed:
            return self._parsed[text]
        self._spend_text(len(text))
        try:
            value = strict_json.decode(text.encode("utf-8"))
        except (JsonError, UnicodeEncodeError) as error:
            raise RuleFailed(f"{reader}: the text is not JSON: {error}") from None
        self._remember(text, value)
        return value

    def search(self, text: str, query_text: str, prepared: Query | None) -> str:
        """The JSON text of what a query finds in a JSON text; `prepared` is the query if it was compiled before."""
        key = (text, query_text)
        answer = self._answers.get(key)
        if answer is None:
            document = self.parse(text, "JmesPath")
            try:
                query = prepared or self._compile(query_text)
                answer = encode_result(query.search(document, self._spend))
            except QueryError as error:
                raise RuleFailed(f"JmesPath: {error}") from None
            self._spend_text(len(answer))
            self._answers[key] = answer
        return answer

    def _compile(self, query_text: str) -> Query:
        self._spend(len(query_text))
        return compile_query(query_text)

    def _remember(self, text: str, value: JsonValue) -> None:
        self._parsed[text] = value
        self._remembered += len(text)
        while self._remembered > limits.JMESPATH_RESULT:
            oldest = next(iter(self._parsed))
            del self._parsed[oldest]
            self._remembered -= len(oldest)
