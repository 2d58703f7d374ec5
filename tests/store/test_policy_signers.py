"""The set of policy signers: members only change it, and it is never empty (rest-api 9, attack case POL-04)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import insert

from assay.errors import InvalidOperation
from assay.store import (
    ProviderSettings,
    Store,
    TrustModel,
    add_signer,
    certificate_digest,
    create_provider,
    load_revisions,
    load_signers,
    open_store,
    remove_signer,
)
from assay.store.policy_signers import SIGNERS
from assay.store.tables import policy_signers
from tests.administrators import PolicySigningKey, make_signer, signer
from tests.store.processes import AT

ALICE, BOB, CAROL = (signer(name, "P256") for name in ("alice", "bob", "carol"))


@pytest.fixture
def isolated(store: Store) -> Store:
    make_isolated(store, ALICE)
    return store


def make_isolated(store: Store, *signers: PolicySigningKey, name: str = "contoso") -> None:
    settings = ProviderSettings(trust_model=TrustModel.ISOLATED)
    create_provider(store, name, settings, signers=[tuple(each.x5c) for each in signers], by="operator", at=AT)


def add(store: Store, who: PolicySigningKey, by: PolicySigningKey = ALICE) -> None:
    add_signer(store, "contoso", tuple(who.x5c), signed_by=by.digest, by="alice", at=AT)


def remove(store: Store, who: PolicySigningKey, by: PolicySigningKey = ALICE) -> None:
    remove_signer(store, "contoso", who.digest, signed_by=by.digest)


def members(store: Store) -> list[str]:
    return [member.digest for member in load_signers(store, "contoso")]


def test_the_first_signers_come_with_the_provider(isolated: Store) -> None:
    (member,) = load_signers(isolated, "contoso")
    assert (member.digest, member.chain) == (ALICE.digest, tuple(ALICE.x5c))
    assert (member.added_by, member.added_at) == ("operator", AT)
    assert member.certificate == ALICE.certificates[0]
    assert load_signers(isolated, "default") == ()
    assert certificate_digest(ALICE.certificates[0]) == ALICE.digest


def test_a_member_adds_another_and_the_order_is_that_of_adding(isolated: Store) -> None:
    add(isolated, BOB)
    add(isolated, CAROL, by=BOB)
    assert members(isolated) == [ALICE.digest, BOB.digest, CAROL.digest]


def test_adding_a_member_again_changes_nothing(isolated: Store) -> None:
    add(isolated, BOB)
    add(isolated, BOB)
    add(isolated, ALICE)
    assert members(isolated) == [ALICE.digest, BOB.digest]


def test_a_chain_is_kept_as_it_was_given(isolated: Store) -> None:
    root = make_signer("Root", "P256")
    leaf = make_signer("Leaf", "P256", ca=False, parent=root)
    add(isolated, leaf)
    assert load_signers(isolated, "contoso")[1].chain == tuple(leaf.x5c)


def test_removing_a_stranger_changes_nothing(isolated: Store) -> None:
    remove(isolated, BOB)
    assert members(isolated) == [ALICE.digest]


def test_a_removed_member_may_come_back_behind_the_others(isolated: Store) -> None:
    add(isolated, BOB)
    remove(isolated, ALICE)
    assert members(isolated) == [BOB.digest]
    add(isolated, ALICE, by=BOB)
    assert members(isolated) == [BOB.digest, ALICE.digest]


def test_the_last_member_stays(isolated: Store) -> None:
    with pytest.raises(InvalidOperation, match="last policy management certificate"):
        remove(isolated, ALICE)
    assert members(isolated) == [ALICE.digest]


def test_whoever_is_no_member_changes_nothing(isolated: Store) -> None:
    """Nor does the one who is being added (attack case POL-04)."""
    with pytest.raises(InvalidOperation, match="not signed by"):
        add(isolated, BOB, by=BOB)
    with pytest.raises(InvalidOperation, match="not signed by"):
        add(isolated, BOB, by=CAROL)
    with pytest.raises(InvalidOperation, match="not signed by"):
        remove(isolated, ALICE, by=BOB)
    assert members(isolated) == [ALICE.digest]
    add(isolated, BOB)
    remove(isolated, BOB, by=BOB)
    with pytest.raises(InvalidOperation, match="not signed by"):
        add(isolated, CAROL, by=BOB)


def test_a_member_elsewhere_is_none_here(isolated: Store) -> None:
    make_isolated(isolated, BOB, name="fabrikam")
    with pytest.raises(InvalidOperation, match="not signed by"):
        add(isolated, CAROL, by=BOB)
    remove(isolated, BOB)
    assert [member.digest for member in load_signers(isolated, "fabrikam")] == [BOB.digest]


def test_an_unknown_provider_has_no_signers_to_change(store: Store) -> None:
    with pytest.raises(InvalidOperation, match="no provider 'contoso'"):
        add(store, BOB)


def test_the_set_is_bounded(isolated: Store) -> None:
    rows = [
        {
            "provider": "contoso",
            "position": number,
            "digest": f"{number:064x}",
            "chain": ["AAAA"],
            "added_by": "alice",
            "added_at": AT,
        }
        for number in range(2, SIGNERS + 1)
    ]
    with isolated.writing() as connection:
        connection.execute(insert(policy_signers), rows)
    with pytest.raises(InvalidOperation, match="at most 100"):
        add(isolated, BOB)
    add(isolated, ALICE)
    assert len(members(isolated)) == SIGNERS


def test_changes_count_the_provider_up(isolated: Store) -> None:
    before = load_revisions(isolated)
    add(isolated, BOB)
    assert load_revisions(isolated)["contoso"] > before["contoso"]
    assert load_revisions(isolated)["default"] == before["default"]


def at_once(*changes) -> list[Exception | None]:
    """What each change came to when all of them began together, each on a connection of its own."""
    barrier = threading.Barrier(len(changes))
    came: list[Exception | None] = [None] * len(changes)

    def run(place: int, change) -> None:
        barrier.wait()
        try:
            change()
        except InvalidOperation as error:
            came[place] = error

    threads = [threading.Thread(target=run, args=(place, change)) for place, change in enumerate(changes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


def test_the_last_two_cannot_be_removed_at_once(database_url: str) -> None:
    with open_store(database_url) as one, open_store(database_url) as other:
        for number in range(8):
            name = f"race{number}"
            make_isolated(one, ALICE, BOB, name=name)
            came = at_once(
                lambda name=name: remove_signer(one, name, ALICE.digest, signed_by=BOB.digest),
                lambda name=name: remove_signer(other, name, BOB.digest, signed_by=ALICE.digest),
            )
            assert len(load_signers(one, name)) == 1
            assert [error for error in came if error is not None] != []


def test_the_last_two_cannot_remove_themselves_at_once(database_url: str) -> None:
    with open_store(database_url) as one, open_store(database_url) as other:
        for number in range(8):
            name = f"race{number}"
            make_isolated(one, ALICE, BOB, name=name)
            came = at_once(
                lambda name=name: remove_signer(one, name, ALICE.digest, signed_by=ALICE.digest),
                lambda name=name: remove_signer(other, name, BOB.digest, signed_by=BOB.digest),
            )
            assert len(load_signers(one, name)) == 1
            (error,) = (error for error in came if error is not None)
            assert "last" in str(error)


def test_a_member_added_twice_at_once_is_there_once(database_url: str) -> None:
    with open_store(database_url) as one, open_store(database_url) as other:
        make_isolated(one, ALICE)
        assert at_once(lambda: add(one, BOB), lambda: add(other, BOB)) == [None, None]
        assert members(one) == [ALICE.digest, BOB.digest]
