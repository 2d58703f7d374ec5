"""Claims that an action makes and that do not arrive where the author expects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.claims import ValueType, value_type
from assay.policy.lint import findings
from assay.policy.lint.domains import name_of
from assay.policy.lint.findings import Finding
from assay.policy.lint.knowledge import copied_condition, is_read_only, reads_read_only
from assay.policy.lint.wording import nearest, of_types, shown
from assay.policy.syntax import Destination, Emit, Literal, MadeClaim, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assay.policy.lint.knowledge import StudiedRule
    from assay.policy.lint.places import Span
    from assay.policy.lint.study import Study


def find_issuing(study: Study) -> Iterator[Finding]:
    """Read-only claims issued, names that the service owns, `issue` where it only adds, properties nobody reads."""
    for studied in study.rules:
        match studied.rule.action:
            case Emit(Destination.INCOMING, _):
                yield from _misplaced(studied)
            case Emit(Destination.ISSUED, _):
                yield from _read_only(studied)
                yield from _service_owned(study, studied)
            case Emit(Destination.PROPERTIES, _):
                yield from _read_only(studied)
                yield from _property(study, studied)
    yield from _overridden(study)


def _misplaced(studied: StudiedRule) -> Iterator[Finding]:
    if studied.rule.section is Section.AUTHORIZATION and studied.place.action_name == Destination.ISSUED.value:
        message = "issue() in authorizationrules only adds the claim; the token does not get it"
        remedy = "write add(...) here, and issue the claim in issuancerules when the token is meant to have it"
        yield Finding(findings.ISSUE_IN_AUTHORIZATION, studied.place.action, message, remedy)


def _read_only(studied: StudiedRule) -> Iterator[Finding]:
    rule, before = studied.rule, studied.before
    copied = copied_condition(rule)
    if copied is not None and reads_read_only(copied, before):
        yield _issued_read_only(studied.place.action)
    match rule.action:
        case Emit(_, MadeClaim(_, value, _)) if is_read_only(value, rule, before):
            yield _issued_read_only(studied.place.assigned["value"].span)
        case _:
            pass


def _issued_read_only(span: Span) -> Finding:
    message = "the value comes from a read-only claim, so the call fails when this rule fires"
    remedy = "issue the result of a test instead: ContainsOnlyValue or IsSubsetOf, or a literal under a condition"
    return Finding(findings.READ_ONLY, span, message, remedy)


def _service_owned(study: Study, studied: StudiedRule) -> Iterator[Finding]:
    copied = copied_condition(studied.rule)
    name, span = None, studied.place.action
    if copied is not None:
        name = name_of(copied.tests)
    match studied.rule.action:
        case Emit(_, MadeClaim(Literal(str() as made))):
            name, span = made, studied.place.assigned["type"].span
        case _:
            pass
    if name is not None and study.vocabulary.is_service_owned(name):
        message = f"{name} is the service's own name; the token shows what is issued under it in x-ms-policy only"
        yield Finding(findings.SERVICE_OWNED, span, message, "issue it under a name of your own")


def _property(study: Study, studied: StudiedRule) -> Iterator[Finding]:
    is_configuration = studied.rule.section is Section.CONFIGURATION
    known = study.vocabulary.configuration if is_configuration else study.vocabulary.properties
    if is_configuration and studied.rule.conditions:
        message = "a configuration rule with conditions does not steer verification"
        yield Finding(findings.CONDITIONAL_PROPERTY, studied.place.span, message, "leave the conditions out")
    match studied.rule.action:
        case Emit(_, MadeClaim(Literal(str() as name), value, _)):
            if name not in known:
                yield _unknown_property(study, studied, name, known)
            elif isinstance(value, Literal) and value_type(value.value) is not known[name]:
                message = f"{name} is {of_types([known[name]])}, not {shown(value.value)}"
                remedy = "write it " + ("in quotes" if known[name] is ValueType.STRING else "without quotes")
                yield Finding(findings.PROPERTY_VALUE, studied.place.assigned["value"].span, message, remedy)
        case _:
            pass


def _unknown_property(study: Study, studied: StudiedRule, name: str, known: Mapping[str, ValueType]) -> Finding:
    is_configuration = studied.rule.section is Section.CONFIGURATION
    elsewhere = study.vocabulary.properties if is_configuration else study.vocabulary.configuration
    span = studied.place.assigned["type"].span
    if name in elsewhere:
        section = Section.ISSUANCE if is_configuration else Section.CONFIGURATION
        return Finding(findings.UNKNOWN_PROPERTY, span, f"{name} is not read here", f"set it in {section.value}")
    choices = ", ".join(sorted(known)) or "none, for this type"
    message = f"there is no property {name}"
    return Finding(findings.UNKNOWN_PROPERTY, span, message, f"the properties here are {choices}{nearest(name, known)}")


def _overridden(study: Study) -> Iterator[Finding]:
    last: dict[str, StudiedRule] = {}
    for studied in study.section(Section.CONFIGURATION):
        match studied.rule.action:
            case Emit(_, MadeClaim(Literal(str() as name))) if not studied.rule.conditions:
                if name in last:
                    span, line = last[name].place.span, studied.rule.line
                    message = f"line {line} sets {name} again"
                    yield Finding(findings.OVERRIDDEN, span, message, "keep one of the two rules")
                last[name] = studied
            case _:
                pass
