"""Names of claims that nobody makes, or not in this version, or no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay.claims import Issuer
from assay.policy.lint import findings
from assay.policy.lint.domains import is_satisfiable, issuers_of, literal_of, name_of
from assay.policy.lint.findings import Finding
from assay.policy.lint.knowledge import made_name
from assay.policy.lint.wording import consequence, nearest
from assay.policy.syntax import Deny, Property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.policy.lint.knowledge import StudiedRule
    from assay.policy.lint.places import ConditionPlace, Span
    from assay.policy.lint.study import Study
    from assay.policy.syntax import Condition

_SERVICE: Final = f'issuer=="{Issuer.SERVICE.value}"'
_POLICY: Final = f'issuer=="{Issuer.POLICY.value}"'
_CUSTOM: Final = f'issuer=="{Issuer.CUSTOM.value}"'


def find_names(study: Study) -> Iterator[Finding]:
    """Names that no claim has, that this version has not, that are deprecated; conditions open to any claim."""
    for studied in study.rules:
        for condition, place in zip(studied.rule.conditions, studied.place.conditions, strict=True):
            if not is_satisfiable(condition.tests):
                continue
            name = name_of(condition.tests)
            if name is None:
                yield from _untyped(condition, place)
                continue
            span = _span_of_name(condition, place)
            yield from _unmade(study, studied, condition, name, span)
            yield from _deprecated(study, condition, name, span)
            yield from _imitable(study, studied, condition, name, place.span)


def _span_of_name(condition: Condition, place: ConditionPlace) -> Span:
    for test, stands in zip(condition.tests, place.tests, strict=True):
        if test.property is Property.TYPE and literal_of(test) == name_of(condition.tests):
            return stands.expression.span
    return place.span


def _untyped(condition: Condition, place: ConditionPlace) -> Iterator[Finding]:
    if all(test.property is not Property.TYPE for test in condition.tests):
        message = "this condition names no claim, so any claim with such a value satisfies it"
        remedy = 'put the test into the brackets of the claim that is meant, after its type=="..."'
        yield Finding(findings.NO_TYPE, place.span, message, remedy)


def _unmade(study: Study, studied: StudiedRule, condition: Condition, name: str, span: Span) -> Iterator[Finding]:
    issuers, before = issuers_of(condition.tests), studied.before
    versions = {version for known in study.vocabulary.claims.get(name, ()) for version in known.versions}
    of_service = Issuer.SERVICE in issuers and bool(versions)
    of_policy = Issuer.POLICY in issuers and (name in before.made or before.unnamed)
    if of_policy or issuers == {Issuer.CUSTOM}:
        return
    end = consequence(studied.rule, condition)
    if of_service and study.syntax.version in versions:
        return
    if of_service:
        message = f"{name} is not there under version {study.syntax.version}{end}"
        remedy = f"it needs version {' or '.join(sorted(versions))}"
        yield Finding(findings.NOT_IN_VERSION, span, message, remedy)
    elif Issuer.SERVICE in issuers:
        yield _unknown(study, studied, condition, name, span)
    else:
        message = f"no earlier rule adds {name}{end}"
        yield Finding(findings.NEVER_HOLDS, span, message, _remedy_for_policy_claim(study, studied, name))


def _unknown(study: Study, studied: StudiedRule, condition: Condition, name: str, span: Span) -> Finding:
    end = consequence(studied.rule, condition)
    if name in studied.before.made:
        message = f"{name} is made by this policy, never by the service{end}"
        return Finding(findings.NEVER_HOLDS, span, message, f"test {_POLICY}")
    later = _line_that_makes(study, studied, name)
    old = name.startswith("$")
    known = [other for other in study.vocabulary.claims if other.startswith("$") == old]
    hint = nearest(name, known) or nearest(name, studied.before.made)
    if later is not None:
        return Finding(
            findings.UNKNOWN_NAME, span, f"{name} is made only later, in line {later}{end}", "move the rule up"
        )
    remedy = f"correct the name{hint}" if hint else f"correct the name; for a claim that callers send, test {_CUSTOM}"
    return Finding(findings.UNKNOWN_NAME, span, f"nobody makes a claim {name}{end}", remedy)


def _remedy_for_policy_claim(study: Study, studied: StudiedRule, name: str) -> str:
    later = _line_that_makes(study, studied, name)
    if later is not None:
        return f"line {later} adds it, too late; move that rule up"
    if name in study.vocabulary.claims:
        return f"the service makes it: test {_SERVICE}"
    return f"add it in an earlier rule{nearest(name, studied.before.made)}"


def _line_that_makes(study: Study, before: StudiedRule, name: str) -> int | None:
    later = study.rules[before.index + 1 :]
    return next((studied.rule.line for studied in later if made_name(studied.rule) == name), None)


def _deprecated(study: Study, condition: Condition, name: str, span: Span) -> Iterator[Finding]:
    known = study.vocabulary.claims.get(name, ())
    if known and known[0].replaced_by is not None and Issuer.SERVICE in issuers_of(condition.tests):
        yield Finding(findings.DEPRECATED, span, f"{name} is an old name", f"write {known[0].replaced_by}")


def _imitable(study: Study, studied: StudiedRule, condition: Condition, name: str, span: Span) -> Iterator[Finding]:
    """A deny that fires for a caller's own claim harms the caller only: of denials only the negations count."""
    is_made = name in studied.before.made and study.takes_custom_claims
    is_known = is_made or name in study.vocabulary.imitable
    if not is_known or Issuer.CUSTOM not in issuers_of(condition.tests):
        return
    if condition.negated == isinstance(studied.rule.action, Deny):
        message = f"a custom claim {name} of the caller passes this condition as well"
        yield Finding(findings.ANY_ISSUER, span, message, f"test {_POLICY if is_made else _SERVICE} too")
