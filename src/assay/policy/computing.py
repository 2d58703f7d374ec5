"""Expressions, compiled: the value set that each denotes (policy-language section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from assay.claims import Claim
from assay.policy.functions import compile_function
from assay.policy.syntax import Call, Expression, Literal, Property, Reference
from assay.policy.values import READ, ValueSet, distinct
from assay.policy.working_set import Run

# The claims that each condition of a rule stands for, in the conditions' order.
Matched = tuple[Sequence[Claim], ...]
Bound = Sequence[Sequence[Claim]]
# What an expression denotes, given the claims that identifiers stand for; it raises `RuleFailed`.
Compute = Callable[[Run, Bound], ValueSet]


def identifiers(expression: Expression) -> Iterator[str]:
    """The identifiers that an expression uses, arguments of calls among them."""
    match expression:
        case Reference(identifier):
            yield identifier
        case Call(_, arguments):
            for argument in arguments:
                yield from identifiers(argument)
        case Literal():
            pass


def compile_expression(expression: Expression, positions: Mapping[str, int]) -> Compute:
    """What an expression denotes; `positions` says which condition each of its identifiers means."""
    match expression:
        case Literal(value):
            constant = ValueSet((value,))
            return lambda _run, _bound: constant
        case Reference(identifier, value_of):
            return _compile_reference(positions[identifier], value_of)
        case Call():
            return _compile_call(expression, positions)


def _compile_reference(position: int, value_of: Property) -> Compute:
    read = READ[value_of]
    is_value = value_of is Property.VALUE

    def refer(run: Run, bound: Bound) -> ValueSet:
        claims = bound[position]
        read_only = is_value and run.is_read_only(claims)
        if len(claims) == 1:
            return ValueSet((read(claims[0]),), read_only)
        run.spend(len(claims))
        return ValueSet(distinct(map(read, claims)), read_only)

    return refer


def _compile_call(call: Call, positions: Mapping[str, int]) -> Compute:
    function = compile_function(call)
    arguments = tuple(compile_expression(argument, positions) for argument in call.arguments)

    def compute(run: Run, bound: Bound) -> ValueSet:
        run.spend(1)
        return function(run, tuple([argument(run, bound) for argument in arguments]))

    return compute
