import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assay import limits
from assay.formats import strict_json
from assay.store.audit_event import AuditOutcome, encode_record
from tests.store.audits import AT, event


def test_a_record_is_one_line_of_json_with_its_number():
    line = encode_record(7, event(1))
    assert json.loads(line) == {
        "n": 7,
        "time": "2026-03-01T12:00:01.000000Z",
        "operation": "AttestSgxEnclave",
        "outcome": "issued",
        "provider": "default",
        "status": 200,
        "request": "request-1",
        "evidence": f"{1:064x}",
        "policy": "hash-of-a-policy",
        "collateral": {"intel.tcb_info.sgx": "cd" * 32},
        "token": f"{1:064d}",
        "verdict": {"passed": 57},
    }


def test_a_record_with_every_member_keeps_each():
    line = encode_record(1, event(code="SignatureInvalid", caller="joe", remote="10.0.0.1", details={"number": 3}))
    members = json.loads(line)
    assert (members["code"], members["caller"], members["remote"]) == ("SignatureInvalid", "joe", "10.0.0.1")
    assert members["details"] == {"number": 3}


def test_text_of_strangers_is_cut():
    assert len(json.loads(encode_record(1, event(caller="x" * 10_000)))["caller"]) == limits.AUDIT_TEXT


@given(caller=st.text(st.characters(exclude_categories=()), max_size=40), code=st.text(max_size=40))
def test_no_text_can_end_a_record_or_make_it_unreadable(caller: str, code: str):
    line = encode_record(1, event(caller=caller, code=code, outcome=AuditOutcome.REFUSED, details={"text": caller}))
    assert b"\n" not in line
    members: dict[str, Any] = strict_json.decode_object(line)
    seen = caller.encode("utf-8", "replace").decode("utf-8")
    assert members.get("caller", "") == members["details"]["text"] == seen
    assert members.get("code", "") == code
    assert members["time"] == f"{AT:%Y-%m-%dT%H:%M}:01.000000Z"
