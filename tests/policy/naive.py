"""A second reader of the policy language, versions 1.0 to 1.2: slow, straightforward, and independent of `assay.policy`.

It has its own grammar (lark) and tries every tuple of claims. It reads open questions as `assay.policy.readings` says.
The specification does not say which calls of a rule's conditions are made once another test has failed. So a call that
fails there only perhaps ends the evaluation: `Outcome.perhaps_failed` says so, and the outcome is that of a reader who
made no such call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

from assay.claims import Claim, ClaimSet, Issuer

from .naive_functions import DROPS_MARK, Failed, call, distinct, one, same
from .naive_syntax import Refused, kind, read

__all__ = ["Denied", "Failed", "Outcome", "Refused", "evaluate", "read"]


class Denied(Exception):  # an outcome, not an error
    """Not permitted."""


@dataclass
class Outcome:
    """The issued and the property claims; `ending` is how the evaluation ended otherwise."""

    issued: list[Claim] = field(default_factory=list)
    properties: list[Claim] = field(default_factory=list)
    ending: type[Denied | Failed] | None = None
    perhaps_failed: bool = False


def _field(claim, name):
    match name:
        case "type":
            return claim.type
        case "value":
            return claim.value
        case "valueType":
            return kind(claim.value)
        case "issuer":
            return claim.issuer.value


def _compare(left, comparison, right):
    if comparison == "==":
        return same(left, right)
    if comparison == "!=":
        return not same(left, right)
    if type(left) is not int or type(right) is not int:
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[comparison]


def _meaning(conditions, identifier, position):
    """Which condition an identifier means in the condition at `position`, or in the action (`position` None)."""
    binding = [index for index, (negated, name, _) in enumerate(conditions) if name == identifier and not negated]
    earlier = [index for index in binding if position is not None and index < position]
    return earlier[-1] if earlier else binding[-1]


def _values(conditions, position, bound, expression):
    """The value set of an expression; `bound` holds the claims that each condition stands for."""
    match expression:
        case ("literal", value):
            return [value]
        case ("reference", name, part):
            return distinct(_field(claim, part) for claim in bound[_meaning(conditions, name, position)])
        case ("call", function, arguments):
            return call(function, [_values(conditions, position, bound, argument) for argument in arguments])


def _is_marked(conditions, marked, bound, expression):
    """Whether a value is read-only: it comes from a claim's value that is."""
    match expression:
        case ("reference", name, "value"):
            return any(claim in marked for claim in bound[_meaning(conditions, name, None)])
        case ("call", function, arguments):
            return function not in DROPS_MARK and any(_is_marked(conditions, marked, bound, one) for one in arguments)
    return False


class _Matching:
    """The tuples of claims for which a rule's conditions hold, one claim for each condition that is not negated."""

    def __init__(self, conditions, incoming):
        self.conditions, self.incoming = conditions, incoming
        self.failures: list[str] = []
        self.calls = sum(right[0] == "call" for _, _, tests in conditions for _, _, right in tests)
        self.positive = [index for index, one in enumerate(conditions) if not one[0]]
        self.tuples = [chosen for chosen in self._all() if self._holds(chosen)]

    def _all(self):
        for claims in product(self.incoming, repeat=len(self.positive)):
            yield dict(zip(self.positive, claims, strict=True))

    def _holds(self, chosen):
        """Tests without calls first; then those with, whose failures are noted and taken for false."""
        for with_calls in (False, True):
            for position, (negated, _, _) in enumerate(self.conditions):
                if negated:
                    if self._is_decided(position, with_calls=with_calls) and any(
                        all(self._passes({**chosen, position: claim}, position, calls) for calls in (False, True))
                        for claim in self.incoming
                    ):
                        return False
                elif not self._passes(chosen, position, with_calls):
                    return False
        return True

    def _is_decided(self, position, *, with_calls):
        return with_calls == any(right[0] == "call" for _, _, right in self.conditions[position][2])

    def _passes(self, chosen, position, with_calls):
        """Whether the claim chosen for a condition passes those of its tests that have calls, or those that have not."""
        bound = {index: [claim] for index, claim in chosen.items()}
        for left, comparison, right in self.conditions[position][2]:
            if (right[0] == "call") is with_calls:
                try:
                    values = _values(self.conditions, position, bound, right)
                except Failed:
                    self.failures.append("negated" if self.conditions[position][0] else "positive")
                    return False
                if not any(_compare(_field(chosen[position], left), comparison, value) for value in values):
                    return False
        return True

    @property
    def surely_fails(self):
        """The one call of a rule fails for a tuple that passed all other tests: no order avoids it."""
        return self.calls == 1 and "positive" in self.failures

    def claims(self):
        """For each condition the claims that occur in some tuple, or None when there is no tuple."""
        if not self.tuples:
            return None
        return {
            index: [claim for claim in self.incoming if any(chosen[index] == claim for chosen in self.tuples)]
            for index in self.positive
        }


def _make(conditions, matched, marked, argument):
    """The claims of an action, and whether they are read-only."""
    if argument[0] == "copied":
        return matched[_meaning(conditions, argument[1], None)], False
    parts = argument[1]
    driver = parts["value"][1] if parts["value"][0] == "reference" else None
    if driver is None:
        columns = {"value": _values(conditions, None, matched, parts["value"])}
        count = len(columns["value"])
    else:
        claims, columns = matched[_meaning(conditions, driver, None)], {}
        count = len(claims)
    if count == 0:
        return [], False
    for name, expression in parts.items():
        if expression[0] == "reference" and expression[1] == driver:
            columns[name] = [_field(claim, expression[2]) for claim in claims]
        elif name != "value":
            columns[name] = [one(_values(conditions, None, matched, expression), str, int, bool)] * count
    made = []
    for index, value in enumerate(columns["value"]):
        if not isinstance(columns["type"][index], str):
            raise Failed("type")
        if "valueType" in columns and columns["valueType"][index] != kind(value):
            raise Failed("valueType")
        made.append(Claim(columns["type"][index], value, Issuer.POLICY))
    return made, any(_is_marked(conditions, marked, matched, parts[name]) for name in ("type", "value"))


def _add(target, claim):
    if not any(claim == known for known in target):
        target.append(claim)


class _Evaluation:
    def __init__(self, version, claims):
        self.incoming = list(claims)
        self.marked = [claim for claim in claims if version == "1.2" and claim.type == "pcrs"]
        self.outcome = Outcome()
        self.permitted = False

    def run(self, section, rule):
        conditions, action = rule
        matching = _Matching(conditions, self.incoming)
        if matching.surely_fails:
            raise Failed("a call of a condition")
        self.outcome.perhaps_failed |= bool(matching.failures)
        matched = matching.claims()
        if matched is None:
            return
        if action[0] == "deny":
            raise Denied
        if action[0] == "permit":
            self.permitted = True
            return
        made, is_marked = _make(conditions, matched, self.marked, action[1])
        self.marked += made if is_marked else []
        for claim in made:
            target = {"issue": self.outcome.issued, "issueproperty": self.outcome.properties}.get(action[0])
            if section == "authorization":
                target = None
            if target is not None and claim in self.marked:
                raise Failed("read-only")
            _add(self.incoming, claim)
            if target is not None:
                _add(target, claim)


def evaluate(sections, claims: ClaimSet) -> Outcome:
    """What a policy gives for these claims."""
    evaluation = _Evaluation(sections["version"], claims)
    try:
        for section in ("configuration", "authorization", "issuance"):
            if section == "issuance" and not evaluation.permitted:
                raise Denied
            for rule in sections.get(section, []):
                evaluation.run(section, rule)
    except (Denied, Failed) as ending:
        evaluation.outcome.ending = type(ending)
    return evaluation.outcome
