from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from assay.store import default_database_url
from assay.store.audit import open_audit_store
from assay.store.audit_event import AuditOutcome, encode_part
from assay.store.audit_tables import audit_batches
from tests.cli.command_line import write
from tests.store.audits import AT, chain_of, event

FAILED = encode_part({"passed": 3, "failed": {"check": "quote.signature"}})
FAR = AT + timedelta(days=50_000)


@pytest.fixture
def state(tmp_path):
    """A state directory with an audit of one chain: its opening, three tokens, a refusal and a change."""
    directory = tmp_path / "state"
    with open_audit_store(default_database_url(directory)) as store:
        chain = chain_of(store, 3)
        refusal = event(5, outcome=AuditOutcome.REFUSED, status=400, code="SignatureInvalid", token="", verdict=FAILED)
        change: dict[str, Any] = {"operation": "SetPolicy", "outcome": AuditOutcome.CHANGED, "details": {"version": 2}}
        chain.append([refusal, event(6, caller="joe\x1b[2J", **change)])
    return directory


def alter(state, statement) -> None:
    with open_audit_store(default_database_url(state)) as store, store.writing() as connection:
        connection.execute(statement)


def shown(ended) -> list[dict]:
    assert ended.code == 0
    return [json.loads(line) for line in ended.out.splitlines()]


def numbers(assay, state, *options) -> list[int]:
    return [members["n"] for members in shown(assay("audit", "show", "--state-dir", state, "--json", *options))]


def test_a_good_audit_is_proven(assay, state):
    ended = assay("audit", "verify", "--state-dir", state)
    assert ended.code == 0
    assert "proven: 6 records in 1 chains" in ended.out
    assert "--anchor" in ended.err


def test_the_first_bad_record_is_named(assay, state):
    alter(state, update(audit_batches).where(audit_batches.c.first == 2).values(records=b"damaged"))
    ended = assay("audit", "verify", "--state-dir", state)
    assert ended.code == 1
    assert "record 2:" in ended.out
    found = assay("audit", "verify", "--state-dir", state, "--json")
    assert found.code == 1
    assert found.json["verified"] is False
    assert [fault["number"] for fault in found.json["faults"]] == [2]


def test_a_deleted_end_is_found_against_heads_kept_elsewhere(assay, state, tmp_path):
    heads = assay("audit", "heads", "--state-dir", state)
    assert heads.code == 0
    anchor = write(tmp_path / "heads.json", heads.out)
    assert assay("audit", "verify", "--state-dir", state, "--anchor", anchor).code == 0
    alter(state, delete(audit_batches).where(audit_batches.c.first == 5))
    assert assay("audit", "verify", "--state-dir", state).code == 0
    ended = assay("audit", "verify", "--state-dir", state, "--anchor", anchor)
    assert ended.code == 1
    assert "record 6: the chain ends before this record, which the anchor has seen" in ended.out


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"heads":[]}', '{"heads":[["w",1,"zz"]]}', '{"heads":[["w",1]]}'])
def test_an_anchor_that_says_nothing_decides_nothing(assay, state, tmp_path, content: str):
    anchor = write(tmp_path / "heads.json", content)
    assert assay("audit", "verify", "--state-dir", state, "--anchor", anchor).code == 2
    assert assay("audit", "verify", "--state-dir", state, "--anchor", tmp_path / "absent").code == 2


@pytest.mark.parametrize("command", ["verify", "show", "heads", "purge"])
def test_where_there_is_no_audit_none_is_made(assay, tmp_path, command: str):
    options = ["--before", "2026-01-01"] if command == "purge" else []
    ended = assay("audit", command, "--state-dir", tmp_path / "nowhere", *options)
    assert ended.code == 2
    assert "no audit at" in ended.err
    assert not (tmp_path / "nowhere").exists()


def test_a_database_that_is_none_cannot_be_verified(assay, state):
    for path in state.iterdir():
        path.unlink()
    write(state / "audit.db", b"no database " * 1000)
    assert assay("audit", "verify", "--state-dir", state).code == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [1, 2, 3, 4, 5, 6]),
        (("--newest-first",), [6, 5, 4, 3, 2, 1]),
        (("--newest-first", "--limit", "2"), [6, 5]),
        (("--limit", "2"), [1, 2]),
        (("--outcome", "issued"), [2, 3, 4]),
        (("--outcome", "refused"), [5]),
        (("--code", "SignatureInvalid"), [5]),
        (("--operation", "SetPolicy"), [6]),
        (("--operation", "Set"), []),
        (("--provider", "contoso"), []),
        (("--evidence-digest", f"{3:064x}"), [3]),
        (("--policy-hash", "hash-of-a-policy", "--outcome", "changed"), [6]),
        (("--request-id", "request-4"), [4]),
        (("--token-id", f"{2:064d}"), [2]),
        (("--caller", "joe\x1b[2J"), [6]),
        (("--since", "2026-03-01T12:00:03Z", "--until", "2026-03-01T12:00:05Z"), [3, 4, 5]),
        (("--until", "2026-03-01T12:00:02Z"), [2]),
    ],
)
def test_records_are_filtered(assay, state, options, expected):
    assert numbers(assay, state, *options) == expected


def test_a_line_for_people_says_what_decided(assay, state):
    ended = assay("audit", "show", "--state-dir", state, "--outcome", "refused")
    assert ended.code == 0
    assert "refused  AttestSgxEnclave  default  400 SignatureInvalid" in ended.out
    assert "check quote.signature" in ended.out


def test_strangers_do_not_write_to_the_terminal(assay, state):
    ended = assay("audit", "show", "--state-dir", state, "--operation", "SetPolicy")
    assert "\x1b" not in ended.out
    assert "caller joe\\x1b[2J" in ended.out
    assert "version 2" in ended.out


def test_records_that_cannot_be_read_are_not_passed_over(assay, state):
    alter(state, update(audit_batches).where(audit_batches.c.first == 2).values(records=b"damaged"))
    ended = assay("audit", "show", "--state-dir", state)
    assert ended.code == 2
    assert "record 2:" in ended.err
    assert "assay audit verify" in ended.err


def test_a_purge_is_recorded_and_leaves_the_rest_proven(assay, state):
    with open_audit_store(default_database_url(state)) as store:
        chain = chain_of(store)
        chain.append([event(2, at=FAR)])
    ended = assay("audit", "purge", "--state-dir", state, "--before", "2026-01-01")
    assert (ended.code, ended.out) == (0, "0 records removed\n")
    assert assay("audit", "purge", "--state-dir", state, "--before", "2999-01-01").code == 2
    found = assay("audit", "verify", "--state-dir", state, "--json")
    assert (found.code, found.json["verified"], found.json["purged"]) == (0, True, 0)


def test_what_is_older_is_purged(assay, state):
    from assay import clock

    before = clock.now().isoformat()
    ended = assay("audit", "purge", "--state-dir", state, "--before", before)
    assert (ended.code, ended.out) == (0, "6 records removed\n")
    found = assay("audit", "verify", "--state-dir", state, "--json").json
    assert (found["verified"], found["records"], found["purged"]) == (True, 3, 6)
    operations = [members["operation"] for members in shown(assay("audit", "show", "--state-dir", state, "--json"))]
    assert operations == ["AuditOpened", "AuditPurged", "AuditClosed"]
