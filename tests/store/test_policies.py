"""Policies with their history: numbers, replays, resets and rollbacks (rest-api 8, attack case POL-02)."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from assay.errors import InvalidOperation
from assay.store import (
    Author,
    NewPolicy,
    PolicyAction,
    ProviderSettings,
    Store,
    TrustModel,
    create_provider,
    current_policies,
    load_revisions,
    open_store,
    policy_history,
    reset_policy,
    roll_back_policy,
    set_policy,
)
from assay.store.tables import policies
from tests.administrators import signer, token_hash_of
from tests.store.processes import AT

ALICE = Author("alice of issuer")


def policy(text: str, signature: str = "sig") -> NewPolicy:
    """A policy as the store sees it: three parts, and two hashes that it does not look into."""
    jws = f"header.{text}.{signature}"
    return NewPolicy(PolicyAction.SET, jws, f"hash of {text}", token_hash_of(jws))


def put(store: Store, text: str, *, signature: str = "sig", allow_replay: bool = False, author: Author = ALICE):
    new = policy(text, signature)
    return set_policy(store, "default", "SgxEnclave", new, author=author, at=AT, allow_replay=allow_replay)


def reset(store: Store, author: Author = ALICE):
    return reset_policy(store, "default", "SgxEnclave", author=author, at=AT)


def history(store: Store):
    return policy_history(store, "default", "SgxEnclave")


def test_a_new_provider_has_no_policy_and_no_history(store: Store) -> None:
    assert current_policies(store, "default") == ()
    assert history(store) == ()


def test_the_first_version_has_number_one_and_everything_that_was_said(store: Store) -> None:
    made = put(store, "a")
    assert (made.provider, made.type, made.number, made.action) == ("default", "SgxEnclave", 1, PolicyAction.SET)
    assert (made.jws, made.policy_hash) == ("header.a.sig", "hash of a")
    assert (made.restores, made.set_by, made.set_at) == (None, "alice of issuer", AT)
    assert not made.is_default
    assert current_policies(store, "default") == (made,)


def test_the_policy_in_force_set_again_is_no_new_version(store: Store) -> None:
    first = put(store, "a")
    again = put(store, "a", author=Author("bob"))
    assert again == first
    assert history(store) == (first,)


def test_versions_are_numbered_within_their_type_and_provider(store: Store) -> None:
    create_provider(store, "contoso", ProviderSettings(), by="operator", at=AT)
    for text in ("a", "b", "c"):
        put(store, text)
    set_policy(store, "default", "Tpm", policy("d"), author=ALICE, at=AT, allow_replay=False)
    set_policy(store, "contoso", "SgxEnclave", policy("e"), author=ALICE, at=AT, allow_replay=False)
    assert [version.number for version in history(store)] == [1, 2, 3]
    found = {(each.type, each.number, each.jws) for each in current_policies(store, "default")}
    assert found == {("SgxEnclave", 3, "header.c.sig"), ("Tpm", 1, "header.d.sig")}
    (theirs,) = current_policies(store, "contoso")
    assert (theirs.number, theirs.jws) == (1, "header.e.sig")


def test_an_older_policy_after_another_is_a_replay(store: Store) -> None:
    put(store, "a")
    put(store, "b")
    with pytest.raises(InvalidOperation, match="version 1 and was replaced"):
        put(store, "a")
    assert [version.jws for version in history(store)] == ["header.a.sig", "header.b.sig"]
    # The control: the one in force, and one that never was.
    put(store, "b")
    assert put(store, "c").number == 3


def test_an_older_policy_with_its_signature_written_in_another_way_is_a_replay(store: Store) -> None:
    put(store, "a", signature="r and s")
    put(store, "b")
    with pytest.raises(InvalidOperation, match="replay"):
        put(store, "a", signature="r and n minus s")


def test_a_replay_is_seen_behind_a_reset(store: Store) -> None:
    put(store, "a")
    put(store, "b")
    reset(store)
    with pytest.raises(InvalidOperation, match="replay"):
        put(store, "a")
    assert put(store, "b").number == 4


def test_after_only_a_reset_the_same_policy_may_come_back(store: Store) -> None:
    put(store, "a")
    reset(store)
    again = put(store, "a")
    assert (again.number, again.restores) == (3, None)


def test_a_replay_that_is_allowed_says_what_came_back(store: Store) -> None:
    put(store, "a")
    put(store, "b")
    again = put(store, "a", allow_replay=True)
    assert (again.number, again.action, again.restores) == (3, PolicyAction.SET, 1)
    # Now the second is the older one.
    with pytest.raises(InvalidOperation, match="version 2"):
        put(store, "b")


def test_a_reset_is_a_version_and_puts_the_default_in_force(store: Store) -> None:
    put(store, "a")
    made = reset(store)
    assert made is not None
    assert (made.number, made.action, made.jws, made.policy_hash) == (2, PolicyAction.RESET, "", "")
    assert made.is_default
    assert current_policies(store, "default") == (made,)


def test_a_reset_of_what_was_reset_or_never_set_records_nothing(store: Store) -> None:
    assert reset(store) is None
    put(store, "a")
    made = reset(store)
    assert reset(store) == made
    assert len(history(store)) == 2


def test_a_rollback_puts_an_older_version_in_force_under_a_new_number(store: Store) -> None:
    for text in ("a", "b"):
        put(store, text)
    later = AT + timedelta(hours=1)
    made = roll_back_policy(store, "default", "SgxEnclave", 1, by="operator", at=later)
    assert (made.number, made.action, made.restores) == (3, PolicyAction.ROLLBACK, 1)
    assert (made.jws, made.policy_hash, made.token_hash) == (
        "header.a.sig",
        "hash of a",
        token_hash_of("header.a.sig"),
    )
    assert (made.set_by, made.set_at) == ("operator", later)
    assert current_policies(store, "default") == (made,)
    assert len(history(store)) == 3


def test_a_rollback_to_a_reset_puts_the_default_in_force(store: Store) -> None:
    put(store, "a")
    reset(store)
    put(store, "b")
    made = roll_back_policy(store, "default", "SgxEnclave", 2, by="operator", at=AT)
    assert made.is_default


@pytest.mark.parametrize("number", [0, -1, 3, 10**12])
def test_a_rollback_to_no_version_is_refused(store: Store, number: int) -> None:
    put(store, "a")
    put(store, "b")
    with pytest.raises(InvalidOperation, match="there are 1 to 2"):
        roll_back_policy(store, "default", "SgxEnclave", number, by="operator", at=AT)
    with pytest.raises(InvalidOperation, match="there are none"):
        roll_back_policy(store, "default", "Tpm", number, by="operator", at=AT)
    assert len(history(store)) == 2


def test_only_what_was_put_back_is_the_default(store: Store) -> None:
    """A row that lost its text is no reset (attack case IN-13)."""
    made = put(store, "a")
    assert not replace(made, jws="").is_default
    assert not replace(made, jws="", policy_hash="", token_hash="").is_default
    assert not replace(made, action=PolicyAction.RESET).is_default
    assert replace(made, action=PolicyAction.RESET, jws="", policy_hash="", token_hash="").is_default


def test_every_change_counts_the_provider_up(store: Store) -> None:
    seen = [load_revisions(store)["default"]]
    for change in (
        lambda: put(store, "a"),
        lambda: reset(store),
        lambda: roll_back_policy(store, "default", "SgxEnclave", 1, by="operator", at=AT),
    ):
        change()
        seen.append(load_revisions(store)["default"])
    assert sorted(set(seen)) == seen


def test_a_refused_change_leaves_the_provider_as_it_was(store: Store) -> None:
    put(store, "a")
    put(store, "b")
    before = load_revisions(store)
    with pytest.raises(InvalidOperation):
        put(store, "a")
    assert load_revisions(store) == before


def test_an_unknown_provider_has_no_policies_to_change(store: Store) -> None:
    with pytest.raises(InvalidOperation, match="no provider 'nobody'"):
        set_policy(store, "nobody", "SgxEnclave", policy("a"), author=ALICE, at=AT, allow_replay=True)
    with store.reading() as connection:
        assert connection.execute(select(policies)).all() == []


def test_the_signers_membership_is_looked_at_where_the_policy_is_written(store: Store) -> None:
    """What a process knew of the set may be older than the set (attack case POL-01)."""
    alice, bob = signer("alice"), signer("bob")
    settings = ProviderSettings(trust_model=TrustModel.ISOLATED)
    create_provider(store, "contoso", settings, signers=[tuple(alice.x5c)], by="operator", at=AT)
    stranger, member = Author("somebody", bob.digest), Author("somebody", alice.digest)

    def change(author: Author, text: str):
        return set_policy(store, "contoso", "SgxEnclave", policy(text), author=author, at=AT, allow_replay=False)

    with pytest.raises(InvalidOperation, match="not signed by a policy management certificate"):
        change(stranger, "a")
    with pytest.raises(InvalidOperation, match="not signed by a policy management certificate"):
        reset_policy(store, "contoso", "SgxEnclave", author=stranger, at=AT)
    assert policy_history(store, "contoso", "SgxEnclave") == ()
    assert change(member, "a").number == 1


def test_writers_at_once_get_numbers_of_their_own(database_url: str) -> None:
    with open_store(database_url) as store:
        barrier, failures = threading.Barrier(4), []

        def write(name: str) -> None:
            try:
                barrier.wait()
                for number in range(5):
                    put(store, f"{name}{number}")
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        versions = history(store)
    assert [version.number for version in versions] == list(range(1, 21))
    for name in "abcd":
        written = [version.jws for version in versions if version.jws.startswith(f"header.{name}")]
        assert written == [f"header.{name}{number}.sig" for number in range(5)]
