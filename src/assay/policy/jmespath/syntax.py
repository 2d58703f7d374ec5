"""The syntax tree of a query: every node is something that is applied to the current value."""

from __future__ import annotations

from dataclasses import dataclass

from assay.formats.strict_json import JsonValue


@dataclass(frozen=True, slots=True)
class Current:
    """`@`, and what a projection does to its elements when nothing follows it."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class Field:
    """A member of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`[n]`, from the end when negative."""

    index: int


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:stop:step]`, before it projects."""

    start: int | None
    stop: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class Flatten:
    """`[]`, before it projects."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """`a.b`, `a[0]`, `a | b`: each step is applied to what the one before gave; at least two."""

    steps: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """`[*]`, or what stands after a slice or `[]`: the step is applied to each element of an array."""

    step: Node


@dataclass(frozen=True, slots=True)
class ValuesProjection:
    """`*`: the step is applied to each member's value of an object."""

    step: Node


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?condition]`: the step is applied to the elements for which the condition is true."""

    condition: Node
    step: Node


@dataclass(frozen=True, slots=True)
class Not:
    """`!operand`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Or:
    """`a || b`: the first that is true, else the last."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class And:
    """`a && b`: the first that is false, else the last."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`a == b`, and `a == b != c`, which groups from the left."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class MultiSelectList:
    """`[a, b]`."""

    elements: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MultiSelectHash:
    """`{a: b}`; the last of two equal names counts."""

    members: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function of `functions.FUNCTIONS`, with as many arguments as it takes."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class CallByExpression:
    """A call of a function of `expression_functions.BY_EXPRESSION`: the array's node and the expression for each."""

    name: str
    array: Node
    expression: Node


Node = (
    Current
    | Literal
    | Field
    | Index
    | Slice
    | Flatten
    | Sequence
    | Projection
    | ValuesProjection
    | Filter
    | Not
    | Or
    | And
    | Comparison
    | MultiSelectList
    | MultiSelectHash
    | Call
    | CallByExpression
)
