"""What a running service notices by itself: new keys, new collateral, a database that was away (design section 8)."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from assay import clock
from assay.store import DEFAULT_PROVIDER, SealingKey, default_database_url, open_store, rotate_signing_key
from tests.service.material import AT, SGX, refusal_of, sgx_body, token_of, write_collateral
from tests.service.running import Running, running, wait_for


@pytest.fixture
def service(tmp_path, collateral):
    options = ("--dev", "--port", "0", "--offline", "--collateral", str(collateral))
    with running(tmp_path / "state", *options, "--unsafe-verify-at", AT.isoformat()) as started:
        yield started


def rotate(service: Running) -> None:
    sealing = SealingKey.from_text((service.state_dir / "dev" / "sealing.key").read_text().strip())
    with open_store(default_database_url(service.state_dir)) as store:
        rotate_signing_key(store, DEFAULT_PROVIDER, service.url, "RS256", sealing, at=clock.now())


def kids(client) -> list[str]:
    return [key["kid"] for key in client.get("/certs").json()["keys"]]


def test_a_key_rotated_by_another_process_is_used_and_the_old_one_stays_listed(service: Running) -> None:
    with service.client() as client:
        before = kids(client)
        rotate(service)
        wait_for(lambda: kids(client)[0] != before[0], what="the new key")
        after = kids(client)
        assert set(after) > set(before)
        assert token_of(client.post(SGX, json=sgx_body())).header["kid"] == after[0]


def test_a_database_that_was_unusable_for_a_while_is_followed_again(service: Running) -> None:
    with service.client() as client:
        before = kids(client)
        alter(service, "ALTER TABLE providers RENAME TO away")
        wait_for(lambda: "refresh failed" in service.said(), what="the notice of an unusable database")
        # Keys and policies are in memory: requests are answered meanwhile.
        assert token_of(client.post(SGX, json=sgx_body())).header["kid"] == before[0]
        alter(service, "ALTER TABLE away RENAME TO providers")
        rotate(service)
        wait_for(lambda: kids(client)[0] != before[0], what="the new key")


def alter(service: Running, statement: str) -> None:
    with closing(sqlite3.connect(service.state_dir / "assay.db", timeout=10)) as connection:
        connection.execute(statement)


def test_collateral_that_arrives_later_is_used_without_a_restart(tmp_path) -> None:
    folder = tmp_path / "collateral"
    folder.mkdir()
    options = ("--dev", "--port", "0", "--offline", "--collateral", str(folder), "--unsafe-verify-at", AT.isoformat())
    with running(tmp_path / "state", *options) as service, service.client() as client:
        refusal_of(client.post(SGX, json=sgx_body()), 503, "EndorsementUnavailable")
        write_collateral(folder)
        wait_for(lambda: client.post(SGX, json=sgx_body()).status_code == 200, what="the use of new collateral")


def test_what_cannot_be_refreshed_keeps_nothing_else_from_being_noticed(tmp_path) -> None:
    folder = tmp_path / "collateral"
    folder.mkdir()
    options = ("--dev", "--port", "0", "--offline", "--collateral", str(folder), "--unsafe-verify-at", AT.isoformat())
    with running(tmp_path / "state", *options) as service, service.client() as client:
        before = kids(client)
        # The first step of each round fails from now on, and so does the last.
        alter(service, "ALTER TABLE providers RENAME TO away")
        (service.state_dir / "dev" / "server.key").write_text("no key")
        for step in ("_refresh_providers", "_reload_tls"):
            wait_for(lambda step=step: f'"step": "{step}"' in service.said(), what=f"the failure of {step}")
        # What is no document, of every odd kind, and then the documents.
        (folder / "tcb_info.json").mkdir()
        (folder / "pck_crl.der").symlink_to(folder / "nowhere")
        (folder / "odd.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
        (folder / "odd.json").write_bytes(b"[" * 100_000)
        (folder / "odd.der").write_bytes(bytes(range(256)) * 64)
        write_collateral(folder / "more")
        wait_for(lambda: client.post(SGX, json=sgx_body()).status_code == 200, what="the use of new collateral")
        alter(service, "ALTER TABLE away RENAME TO providers")
        rotate(service)
        wait_for(lambda: kids(client)[0] != before[0], what="the new key")
