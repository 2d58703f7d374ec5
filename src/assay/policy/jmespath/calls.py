"""A call of a query, checked when it is read: the function exists and takes such arguments."""

from __future__ import annotations

from typing import NamedTuple

from assay.policy.jmespath.expression_functions import ARRAY_FIRST, BY_EXPRESSION
from assay.policy.jmespath.functions import FUNCTIONS
from assay.policy.jmespath.query_error import QueryError
from assay.policy.jmespath.syntax import Call, CallByExpression, Node
from assay.policy.jmespath.tokens import Token


class Argument(NamedTuple):
    """An argument, and whether `&` stands before it."""

    is_expression: bool
    node: Node


def checked_call(called: Token, arguments: list[Argument]) -> Node:
    """The node of a call; raises `QueryError`."""
    name, start = str(called.value), called.start
    nodes = [argument.node for argument in arguments]
    marks = [argument.is_expression for argument in arguments]
    if name in BY_EXPRESSION:
        is_array_first = name in ARRAY_FIRST
        if marks != [not is_array_first, is_array_first]:
            order = "an array and an expression" if is_array_first else "an expression and an array"
            raise QueryError(f"{name}() at character {start} takes {order}")
        array, expression = nodes if is_array_first else reversed(nodes)
        return CallByExpression(name, array, expression)
    function = FUNCTIONS.get(name)
    if function is None:
        raise QueryError(f"there is no function {name[:64]}(), called at character {start}")
    if any(marks):
        raise QueryError(f"{name}() at character {start} takes no expression")
    if len(nodes) < function.least or (function.most is not None and len(nodes) > function.most):
        raise QueryError(f"{name}() at character {start} takes another number of arguments than {len(nodes)}")
    return Call(name, tuple(nodes))
