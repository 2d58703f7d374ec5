"""Roles: what each permits, where, and what nobody may."""

from __future__ import annotations

import pytest

from assay.errors import Unauthorized
from assay.service.access import EVERY_PROVIDER, Action, Caller, Grant, Role

PERMITTED = {
    Role.READER: {Action.READ},
    Role.CONTRIBUTOR: {Action.READ, Action.WRITE, Action.DELETE},
    Role.OPERATOR: {Action.READ, Action.WRITE, Action.DELETE, Action.OPERATE},
}


def caller(*grants: Grant) -> Caller:
    return Caller("somebody", "https://issuer.example", grants)


@pytest.mark.parametrize("role", Role)
def test_a_role_permits_its_actions_and_no_others(role: Role) -> None:
    somebody = caller(Grant(role, "one"))
    assert {action for action in Action if somebody.may(action, "one")} == PERMITTED[role]


@pytest.mark.parametrize("role", [Role.READER, Role.CONTRIBUTOR])
@pytest.mark.parametrize("provider", ["two", "One", "one ", "", "*", "one/../two"])
def test_a_grant_over_one_provider_permits_nothing_elsewhere(role: Role, provider: str) -> None:
    assert not any(caller(Grant(role, "one")).may(action, provider) for action in Action)


def test_a_grant_over_every_provider_permits_it_everywhere() -> None:
    assert caller(Grant(Role.READER, EVERY_PROVIDER)).may(Action.READ, "any")


def test_an_operator_is_one_for_every_provider() -> None:
    assert caller(Grant(Role.OPERATOR, EVERY_PROVIDER)).may(Action.DELETE, "any")


def test_grants_over_several_providers_do_not_mix() -> None:
    somebody = caller(Grant(Role.READER, "one"), Grant(Role.CONTRIBUTOR, "two"))
    assert somebody.may(Action.READ, "one")
    assert not somebody.may(Action.WRITE, "one")
    assert somebody.may(Action.WRITE, "two")


def test_who_may_not_is_unauthorized() -> None:
    caller(Grant(Role.READER, "one")).require(Action.READ, "one")
    with pytest.raises(Unauthorized, match="permits to write"):
        caller(Grant(Role.READER, "one")).require(Action.WRITE, "one")


def test_somebody_without_grants_may_do_nothing() -> None:
    assert not any(caller().may(action, "one") for action in Action)


def test_the_name_for_the_audit_has_subject_and_issuer() -> None:
    assert caller().name == "somebody of https://issuer.example"
