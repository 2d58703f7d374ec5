"""What the rules decide as a whole: whether anything is refused, whether anything passes, which rules matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay.claims import Claim
from assay.policy.lint import findings
from assay.policy.lint.domains import name_of, satisfies
from assay.policy.lint.findings import Finding
from assay.policy.lint.places import Span
from assay.policy.syntax import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.policy.lint.study import Study
    from assay.policy.lint.vocabulary import DebugClaims
    from assay.policy.syntax import Condition

_TOP: Final = Span(1, 0, 1)


def find_verdicts(study: Study) -> Iterator[Finding]:
    """A policy that never or always permits, or lets debuggable attesters pass."""
    never = _never_permits(study)
    if never is not None:
        yield never
        return
    always = [one for one in study.permits() if not one.rule.conditions]
    if always and not any(map(study.can_fire, study.denials())):
        message = "this rule permits whatever the evidence says, and no rule denies"
        yield Finding(findings.ALWAYS_PERMITS, always[0].place.span, message, "give the rule conditions")
    for claims in study.vocabulary.debug:
        if _is_meant_for(study, claims) and not _refuses_debug(study, claims):
            name, value = next(iter(claims.debug_values.items()))
            shown = str(value).lower() if isinstance(value, bool) else f'"{value}"'
            remedy = f'in production add  [type=="{name}", value=={shown}] => deny();'
            message = f"nothing here refuses a debuggable attester ({name})"
            yield Finding(findings.DEBUG_PERMITTED, _first_permit(study), message, remedy)


def _first_permit(study: Study) -> Span:
    return study.permits()[0].place.span if study.permits() else _TOP


def _never_permits(study: Study) -> Finding | None:
    for studied in study.denials():
        if not studied.rule.conditions:
            message = "this rule always denies, so the policy never permits"
            return Finding(
                findings.NEVER_PERMITS, studied.place.span, message, "give the rule conditions, or remove it"
            )
    if not study.permits():
        section = study.section(Section.AUTHORIZATION)
        span = section[-1].place.span if section else _TOP
        return Finding(findings.NEVER_PERMITS, span, "no rule permits", "add a rule that ends with => permit();")
    if not any(map(study.can_fire, study.permits())):
        message = "no permit rule of this policy can fire"
        return Finding(findings.NEVER_PERMITS, _first_permit(study), message, "see the findings in its conditions")
    return None


def _is_meant_for(study: Study, claims: DebugClaims) -> bool:
    if study.vocabulary.is_one_type:
        return True
    return not claims.family.isdisjoint(study.names_read)


def _refuses_debug(study: Study, claims: DebugClaims) -> bool:
    """Whether some deny needs nothing but a debug claim, or every permit needs one that says otherwise."""
    denies = any(
        len(studied.rule.conditions) == 1 and _concerns_debug(studied.rule.conditions[0], claims, passes=True)
        for studied in study.denials()
    )
    return denies or all(
        any(_concerns_debug(condition, claims, passes=False) for condition in studied.rule.conditions)
        for studied in study.permits()
        if study.can_fire(studied)
    )


def _concerns_debug(condition: Condition, claims: DebugClaims, *, passes: bool) -> bool:
    """Whether a condition is on a debug claim, and a debuggable attester's passes it or does not."""
    name = name_of(condition.tests)
    if name is None or name not in claims.debug_values or condition.negated:
        return False
    return satisfies(Claim(name, claims.debug_values[name]), condition.tests) is passes
