"""Providers in the store: created, changed, deleted, and counted up by whatever changes them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, update

from assay.errors import ConfigurationError, InvalidOperation
from assay.store import (
    Author,
    NewPolicy,
    PolicyAction,
    ProviderSettings,
    SealingKey,
    Store,
    TrustModel,
    change_provider,
    create_provider,
    current_policies,
    delete_provider,
    ensure_signing_key,
    load_providers,
    load_revisions,
    load_signers,
    load_signing_keys,
    open_store,
    set_policy,
)
from assay.store import providers as store_providers
from assay.store.tables import policies, policy_signers, providers, signing_keys
from tests.administrators import signer
from tests.store.processes import AT

ALICE = signer("alice", "P256")
ISOLATED = ProviderSettings(trust_model=TrustModel.ISOLATED, location="here")


def names(store: Store) -> list[str]:
    return [provider.name for provider in load_providers(store)]


def test_a_new_store_has_the_default_provider(store: Store) -> None:
    (default,) = load_providers(store)
    assert (default.name, default.settings) == ("default", ProviderSettings())


def test_a_provider_is_kept_with_its_settings(store: Store) -> None:
    made = create_provider(store, "contoso", ISOLATED, signers=[tuple(ALICE.x5c)], by="operator", at=AT)
    assert (made.name, made.created_at, made.settings) == ("contoso", AT, ISOLATED)
    assert load_providers(store)[0] == made
    assert names(store) == ["contoso", "default"]
    assert [member.digest for member in load_signers(store, "contoso")] == [ALICE.digest]


def test_a_name_is_taken_once(store: Store) -> None:
    create_provider(store, "contoso", ISOLATED, signers=[tuple(ALICE.x5c)], by="operator", at=AT)
    for name in ("contoso", "default"):
        with pytest.raises(InvalidOperation, match="exists"):
            create_provider(store, name, ProviderSettings(), by="mallory", at=AT)
    assert load_providers(store)[0].settings == ISOLATED


def test_one_of_two_that_create_at_once_wins(database_url: str) -> None:
    with open_store(database_url) as one, open_store(database_url) as other:
        barrier, came = threading.Barrier(2), []

        def create(store: Store, location: str) -> None:
            barrier.wait()
            try:
                create_provider(store, "contoso", ProviderSettings(location=location), by=location, at=AT)
                came.append(location)
            except InvalidOperation:
                came.append("refused")

        threads = [threading.Thread(target=create, args=pair) for pair in ((one, "a"), (other, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(came) in (["a", "refused"], ["b", "refused"])
        assert load_providers(one)[0].settings.location in came


def test_providers_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_providers, "PROVIDERS", 2)
    create_provider(store, "contoso", ProviderSettings(), by="operator", at=AT)
    with pytest.raises(InvalidOperation, match="the most that one installation keeps"):
        create_provider(store, "fabrikam", ProviderSettings(), by="operator", at=AT)
    assert names(store) == ["contoso", "default"]


def test_a_provider_with_too_many_signers_is_not_created(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.store import policy_signers as store_signers

    monkeypatch.setattr(store_signers, "SIGNERS", 1)
    two = [tuple(ALICE.x5c), tuple(signer("bob", "P256").x5c)]
    with pytest.raises(InvalidOperation, match="at most 1"):
        create_provider(store, "contoso", ISOLATED, signers=two, by="operator", at=AT)
    assert names(store) == ["default"]


def test_settings_are_changed_and_counted(store: Store) -> None:
    create_provider(store, "contoso", ISOLATED, by="operator", at=AT)
    before = load_revisions(store)
    made = change_provider(store, "contoso", lambda settings: replace(settings, token_lifetime=5))
    assert made.settings == replace(ISOLATED, token_lifetime=5)
    assert load_providers(store)[0].settings == made.settings
    after = load_revisions(store)
    assert after["contoso"] > before["contoso"]
    assert after["default"] == before["default"]
    with pytest.raises(InvalidOperation, match="no provider 'nobody'"):
        change_provider(store, "nobody", lambda settings: settings)


def test_changes_at_once_are_all_kept(database_url: str) -> None:
    with open_store(database_url) as one, open_store(database_url) as other:

        def count(store: Store) -> None:
            for _ in range(10):
                change_provider(
                    store, "default", lambda old: replace(old, tags={"n": str(int(old.tags.get("n", "0")) + 1)})
                )

        threads = [threading.Thread(target=count, args=(store,)) for store in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert load_providers(one)[0].settings.tags == {"n": "20"}


def rows(store: Store) -> list[int]:
    tables = (providers, policies, policy_signers, signing_keys)
    with store.reading() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def test_a_deleted_provider_leaves_nothing(store: Store, sealing: SealingKey) -> None:
    before = rows(store)
    create_provider(store, "contoso", ISOLATED, signers=[tuple(ALICE.x5c)], by="operator", at=AT)
    ensure_signing_key(store, "contoso", "https://contoso.example", "ES256", sealing, at=AT)
    new = NewPolicy(PolicyAction.SET, "a.b.c", "hash", "token hash")
    author = Author("alice", ALICE.digest)
    set_policy(store, "contoso", "SgxEnclave", new, author=author, at=AT, allow_replay=False)
    assert delete_provider(store, "contoso")
    assert rows(store) == before
    assert not delete_provider(store, "contoso")


def test_a_provider_may_be_deleted_while_it_is_changed(database_url: str) -> None:
    with open_store(database_url) as one, open_store(database_url) as other:
        for number in range(6):
            name, barrier = f"race{number}", threading.Barrier(2)
            failures: list[Exception] = []
            create_provider(one, name, ProviderSettings(), by="operator", at=AT)

            def write(name=name, barrier=barrier, failures=failures) -> None:
                barrier.wait()
                for text in "abcdefgh":
                    new = NewPolicy(PolicyAction.SET, f"h.{text}.s", text, text)
                    try:
                        set_policy(other, name, "Tpm", new, author=Author("alice"), at=AT, allow_replay=True)
                    except InvalidOperation:
                        return
                    except Exception as error:
                        failures.append(error)

            thread = threading.Thread(target=write)
            thread.start()
            barrier.wait()
            assert delete_provider(one, name)
            thread.join()
            assert failures == []
            assert names(one) == ["default"]


def test_a_provider_made_again_begins_anew(store: Store, sealing: SealingKey) -> None:
    create_provider(store, "contoso", ISOLATED, signers=[tuple(ALICE.x5c)], by="operator", at=AT)
    ensure_signing_key(store, "contoso", "https://contoso.example", "ES256", sealing, at=AT)
    first = load_revisions(store)["contoso"]
    delete_provider(store, "contoso")
    create_provider(store, "contoso", ProviderSettings(), by="operator", at=AT + timedelta(microseconds=1))
    ensure_signing_key(store, "contoso", "https://contoso.example", "ES256", sealing, at=AT)
    # A process that saw neither must notice.
    assert load_revisions(store)["contoso"] != first
    assert load_signers(store, "contoso") == ()
    assert current_policies(store, "contoso") == ()
    assert len(load_signing_keys(store, "contoso", sealing)) == 1


def test_the_default_provider_is_not_deleted(store: Store) -> None:
    with pytest.raises(InvalidOperation, match="default provider"):
        delete_provider(store, "default")
    assert names(store) == ["default"]


def test_a_signing_key_counts_its_provider_up(store: Store, sealing: SealingKey) -> None:
    before = load_revisions(store)
    ensure_signing_key(store, "default", "https://a.example", "ES256", sealing, at=AT)
    assert load_revisions(store) != before


def test_settings_that_nobody_wrote_are_refused(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(update(providers).values(settings={"trust_model": "Trusting"}))
    with pytest.raises(ConfigurationError, match="settings of provider 'default'"):
        load_providers(store)


def test_a_name_from_elsewhere_needs_no_key(store: Store) -> None:
    """Rows that an older version wrote have no settings."""
    with store.writing() as connection:
        connection.execute(insert(providers).values(id="contoso", created_at=AT, settings={}))
    assert load_providers(store)[0].settings == ProviderSettings()
