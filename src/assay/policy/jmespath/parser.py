"""The parser of queries: operator precedence, its depth counted, so that no text is too deep for it.

Binding powers are those of the reference implementations, `!` and `.` among them: `!a.b` is `(!a).b`. Stricter than the
Python library, and as the grammar says: arguments and members stand between commas, a slice has one number between
colons, a function is called by its bare name, and `&` stands only where a function takes an expression.
"""

from __future__ import annotations

from typing import Final

from assay import limits
from assay.policy.jmespath import tokens
from assay.policy.jmespath.calls import Argument, checked_call
from assay.policy.jmespath.query_error import QueryError
from assay.policy.jmespath.syntax import (
    And,
    Comparison,
    Current,
    Field,
    Filter,
    Flatten,
    Index,
    Literal,
    MultiSelectHash,
    MultiSelectList,
    Node,
    Not,
    Or,
    Projection,
    Sequence,
    Slice,
    ValuesProjection,
)
from assay.policy.jmespath.tokens import END, NAME, NUMBER, QUOTED, Token, read_tokens

_COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=")
_PIPE, _OR, _AND, _COMPARISON, _FLATTEN, _STAR, _FILTER, _DOT, _NOT, _BRACKET = 1, 2, 3, 5, 9, 20, 21, 40, 45, 55
_POWERS: Final = {
    "|": _PIPE,
    "||": _OR,
    "&&": _AND,
    **dict.fromkeys(_COMPARISONS, _COMPARISON),
    "[]": _FLATTEN,
    "[?": _FILTER,
    ".": _DOT,
    "[": _BRACKET,
}
_JOINING: Final = frozenset({"||", "&&", *_COMPARISONS})
_SLICE_PARTS: Final = 3


def parse_query(text: str) -> tuple[Node, int]:
    """The syntax tree of a query and the number of its words; raises `QueryError`."""
    words = read_tokens(text)
    parser = _Parser(words)
    node = parser.expression(0)
    parser.expect(END)
    return node, len(words)


def _one(steps: list[Node]) -> Node:
    return steps[0] if len(steps) == 1 else Sequence(tuple(steps))


class _Parser:
    """A place in the words, and how deep it is."""

    __slots__ = ("_depth", "_place", "_words")

    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._place = 0
        self._depth = 0

    @property
    def _kind(self) -> str:
        return self._words[self._place].kind

    def _next(self) -> Token:
        token = self._words[self._place]
        if token.kind is not END:
            self._place += 1
        return token

    def _accept(self, kind: str) -> bool:
        is_next = self._kind == kind
        if is_next:
            self._place += 1
        return is_next

    def expect(self, kind: str) -> Token:
        """The next word, which must be of this kind; raises `QueryError`."""
        if self._kind != kind:
            raise self._unexpected(kind)
        return self._next()

    def _unexpected(self, wanted: str) -> QueryError:
        token = self._words[self._place]
        return QueryError(f"expected {wanted}, found {token.kind} at character {token.start}")

    def expression(self, power: int) -> Node:
        """What stands before a word that binds no tighter than `power`."""
        self._depth += 1
        if self._depth > limits.POLICY_NESTING:
            raise QueryError(f"nested deeper than {limits.POLICY_NESTING}")
        steps = [self._prefix()]
        while _POWERS.get(self._kind, 0) > power:
            if self._kind in _JOINING:
                steps = [self._joined(_one(steps))]
            else:
                self._step(steps)
        self._depth -= 1
        return _one(steps)

    def _prefix(self) -> Node:
        token = self._words[self._place]
        match token.kind:
            case "[?" | "[]":
                return self._projected()
            case "[":
                return self._bracket()
            case _:
                self._next()
        match token.kind:
            case tokens.LITERAL:
                return Literal(token.value)
            case tokens.NAME if self._accept("("):
                return self._call(token)
            case tokens.NAME | tokens.QUOTED:
                return Field(str(token.value))
            case "@":
                return Current()
            case "*":
                return ValuesProjection(self._projection_step(_STAR))
            case "!":
                return Not(self.expression(_NOT))
            case "{":
                return self._multi_select_hash()
            case "(":
                return self._parenthesis()
            case _:
                self._place -= token.kind is not END
                raise self._unexpected("an expression")

    def _parenthesis(self) -> Node:
        inner = self.expression(0)
        self.expect(")")
        return inner

    def _joined(self, first: Node) -> Node:
        """A run of one kind of operator, so that a long chain is no deep tree."""
        match self._kind:
            case "||":
                return Or(self._operands(first, "||", _OR))
            case "&&":
                return And(self._operands(first, "&&", _AND))
            case _:
                rest = []
                while self._kind in _COMPARISONS:
                    rest.append((self._next().kind, self.expression(_COMPARISON)))
                return Comparison(first, tuple(rest))

    def _operands(self, first: Node, operator: str, power: int) -> tuple[Node, ...]:
        operands = [first]
        while self._accept(operator):
            operands.append(self.expression(power))
        return tuple(operands)

    def _step(self, steps: list[Node]) -> None:
        """What is applied to the value before it: a pipe, a dot, brackets."""
        match self._kind:
            case "|":
                self._next()
                steps.append(self.expression(_PIPE))
            case ".":
                self._next()
                is_star = self._accept("*")
                steps.append(ValuesProjection(self._projection_step(_DOT)) if is_star else self._after_dot(_DOT))
            case "[" if not self._is_index():
                self._next()
                self.expect("*")
                self.expect("]")
                steps.append(Projection(self._projection_step(_STAR)))
            case "[":
                self._index(steps)
            case _:
                steps.append(self._projected())

    def _after_dot(self, power: int) -> Node:
        """`identifier`, a call, `*`, `[a, b]` or `{a: b}`."""
        if self._kind in (NAME, QUOTED, "*"):
            return self.expression(power)
        if self._accept("["):
            return self._multi_select_list()
        self.expect("{")
        return self._multi_select_hash()

    def _projected(self) -> Node:
        """`[]` or `[?condition]`, with what it projects."""
        if self._next().kind == "[]":
            return Sequence((Flatten(), Projection(self._projection_step(_FLATTEN))))
        condition = self.expression(0)
        self.expect("]")
        return Filter(condition, self._projection_step(_FILTER))

    def _projection_step(self, power: int) -> Node:
        """What follows a projection up to a word that ends it is applied to each element."""
        if self._kind in ("[", "[?"):
            return self.expression(power)
        if self._accept("."):
            return self._after_dot(power)
        return Current()

    def _is_index(self) -> bool:
        return self._words[self._place + 1].kind in (NUMBER, ":")

    def _bracket(self) -> Node:
        """`[` where an expression starts: an index, a slice, `[*]` or `[a, b]`."""
        if self._is_index():
            steps: list[Node] = []
            self._index(steps)
            return _one(steps)
        self._next()
        if self._kind == "*" and self._words[self._place + 1].kind == "]":
            self._place += 2
            return Projection(self._projection_step(_STAR))
        return self._multi_select_list()

    def _index(self, steps: list[Node]) -> None:
        """`[n]` or `[start:stop:step]`."""
        self._next()
        parts: list[int | None] = [None]
        while self._kind in (NUMBER, ":"):
            if self._accept(":"):
                parts.append(None)
            elif parts[-1] is None:
                parts[-1] = int(str(self._next().value))
            else:
                break
        if len(parts) > _SLICE_PARTS:
            raise self._unexpected("at most two colons")
        self.expect("]")
        if len(parts) == 1 and parts[0] is not None:
            steps.append(Index(parts[0]))
            return
        start, stop, step = (*parts, None)[:_SLICE_PARTS]
        steps.append(Slice(start, stop, step))
        steps.append(Projection(self._projection_step(_STAR)))

    def _multi_select_list(self) -> Node:
        elements = [self.expression(0)]
        while self._accept(","):
            elements.append(self.expression(0))
        self.expect("]")
        return MultiSelectList(tuple(elements))

    def _multi_select_hash(self) -> Node:
        members = [self._member()]
        while self._accept(","):
            members.append(self._member())
        self.expect("}")
        return MultiSelectHash(tuple(members))

    def _member(self) -> tuple[str, Node]:
        name = self.expect(QUOTED if self._kind is QUOTED else NAME)
        self.expect(":")
        return str(name.value), self.expression(0)

    def _call(self, name: Token) -> Node:
        """`name(a, &b)`, its name and parenthesis read."""
        arguments: list[Argument] = []
        if not self._accept(")"):
            arguments.append(self._argument())
            while self._accept(","):
                arguments.append(self._argument())
            self.expect(")")
        return checked_call(name, arguments)

    def _argument(self) -> Argument:
        is_expression = self._accept("&")
        return Argument(is_expression, self.expression(0))
