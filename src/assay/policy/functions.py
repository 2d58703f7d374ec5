"""The six functions of version 1.2 over value sets (policy-language section 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from assay.claims import ClaimValue, value_type
from assay.policy.jmespath import QueryError, compile_query
from assay.policy.rule_failed import RuleFailed
from assay.policy.syntax import Call, Function, Literal
from assay.policy.values import ValueSet, distinct, is_same

if TYPE_CHECKING:
    from assay.formats.strict_json import JsonValue
    from assay.policy.jmespath import Query
    from assay.policy.working_set import Run

Elements = tuple[ClaimValue, ...]

_INTEGERS: Final = range(-(2**63), 2**63)

# Whose result is not read-only, whatever the arguments are (policy-language 4).
DROPS_READ_ONLY: Final = frozenset({Function.IS_SUBSET_OF, Function.CONTAINS_ONLY_VALUE})


def _scalar(function: Function, argument: Elements, position: int) -> ClaimValue:
    if len(argument) != 1:
        raise RuleFailed(f"{function.value}: argument {position} is {len(argument)} values, not one")
    return argument[0]


def _string(function: Function, argument: Elements, position: int) -> str:
    value = _scalar(function, argument, position)
    if not isinstance(value, str):
        raise RuleFailed(f"{function.value}: argument {position} is no String but {value_type(value).value}")
    return value


def _jmes_path(run: Run, json: Elements, query: Elements, prepared: Query | None = None) -> Elements:
    name = Function.JMES_PATH
    text, query_text = _string(name, json, 1), _string(name, query, 2)
    if not text or not query_text:
        raise RuleFailed(f"{name.value}: an empty argument")
    return (run.texts.search(text, query_text, prepared),)


def _json_to_claim_value(run: Run, json: Elements) -> Elements:
    name = Function.JSON_TO_CLAIM_VALUE
    value = run.texts.parse(_string(name, json, 1), name.value)
    if not isinstance(value, list):
        return _claim_values(value)
    run.spend(len(value))
    return distinct(found for element in value for found in _claim_values(element))


def _claim_values(value: JsonValue) -> Elements:
    """The values of one JSON primitive: none for null."""
    match value:
        case None:
            return ()
        case bool() | str():
            return (value,)
        case int() if value in _INTEGERS:
            return (value,)
        case int():
            problem = "a number beyond 64 bits"
        case float():
            problem = "a fraction"
        case list() | dict():
            problem = "an object, or an array inside an array" if isinstance(value, list) else "an object"
    raise RuleFailed(f"{Function.JSON_TO_CLAIM_VALUE.value}: {problem}")


def _is_subset_of(run: Run, subset: Elements, superset: Elements) -> Elements:
    run.spend(len(subset) + len(superset))
    known = {(value.__class__, value) for value in superset}
    return (all((value.__class__, value) in known for value in subset),)


def _append_string(run: Run, first: Elements, second: Elements) -> Elements:
    name = Function.APPEND_STRING
    head, tail = _string(name, first, 1), _string(name, second, 2)
    run.spend_text(len(head) + len(tail))
    return (head + tail,)


def _negate_bool(_run: Run, argument: Elements) -> Elements:
    value = _scalar(Function.NEGATE_BOOL, argument, 1)
    if not isinstance(value, bool):
        raise RuleFailed(f"{Function.NEGATE_BOOL.value}: argument 1 is no Boolean but {value_type(value).value}")
    return (not value,)


def _contains_only_value(run: Run, values: Elements, only: Elements) -> Elements:
    wanted = _scalar(Function.CONTAINS_ONLY_VALUE, only, 2)
    run.spend(len(values))
    return (bool(values) and all(is_same(value, wanted) for value in values),)


# Each takes its arguments' values, as many as `FUNCTION_ARGUMENTS` says, and raises `RuleFailed`.
_FUNCTIONS: Final[Mapping[Function, Callable[..., Elements]]] = {
    Function.JMES_PATH: _jmes_path,
    Function.JSON_TO_CLAIM_VALUE: _json_to_claim_value,
    Function.IS_SUBSET_OF: _is_subset_of,
    Function.APPEND_STRING: _append_string,
    Function.NEGATE_BOOL: _negate_bool,
    Function.CONTAINS_ONLY_VALUE: _contains_only_value,
}


def compile_function(call: Call) -> Callable[[Run, tuple[ValueSet, ...]], ValueSet]:
    """The function of a call, from the values of its arguments to its result; it raises `RuleFailed`."""
    function = _prepare(call)
    keeps_read_only = call.function not in DROPS_READ_ONLY

    def apply(run: Run, arguments: tuple[ValueSet, ...]) -> ValueSet:
        result = function(run, *[argument.elements for argument in arguments])
        return ValueSet(result, keeps_read_only and any(argument.read_only for argument in arguments))

    return apply


def _prepare(call: Call) -> Callable[..., Elements]:
    """A query that the policy states is compiled with it; one that is no query fails when it is asked (7.1)."""
    function = _FUNCTIONS[call.function]
    if call.function is Function.JMES_PATH and isinstance(call.arguments[1], Literal):
        query = call.arguments[1].value
        if isinstance(query, str):
            try:
                return partial(function, prepared=compile_query(query))
            except QueryError:
                return function
    return function
