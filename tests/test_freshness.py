"""Challenges: sealed, bound to a provider, ended by time; opened by every replica that shares the key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assay.formats import base64url, strict_json
from assay.freshness import LIFETIME, Challenges
from assay.store import SealingKey

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = base64url.encode(bytes(range(32)))


def challenges(text: str = TEXT) -> Challenges:
    return Challenges(SealingKey.from_text(text).derive(Challenges.purpose()))


def test_a_challenge_comes_back_out_of_its_context() -> None:
    minted = challenges().mint("default", AT)
    opened = challenges().open(minted.context, "default", AT + timedelta(minutes=1))
    assert len(minted.nonce) == 16
    assert (opened.nonce, opened.problem) == (minted.nonce, "")
    assert opened.expires == AT + LIFETIME


def test_a_context_has_the_recorded_shape() -> None:
    members = strict_json.decode_object(base64url.decode_strict(challenges().mint("default", AT).context))
    assert list(members) == ["ProtectionKeyName", "ProtectedContext"]
    name, protected = str(members["ProtectionKeyName"]), str(members["ProtectedContext"])
    assert len(name) == 64
    assert name == name.upper()
    assert len(base64url.decode_strict(protected)) == 128


def test_two_challenges_differ_in_everything() -> None:
    one, other = challenges().mint("default", AT), challenges().mint("default", AT)
    assert one.nonce != other.nonce
    assert one.context != other.context
    identities = {challenges().open(minted.context, "default", AT).identity for minted in (one, other)}
    assert len(identities) == 2


def test_tpm_12_a_context_of_another_provider_does_not_count() -> None:
    minted = challenges().mint("contoso", AT)
    opened = challenges().open(minted.context, "fabrikam", AT)
    assert opened.nonce == b""
    assert "another provider" in opened.problem


def test_a_context_under_another_key_does_not_count() -> None:
    minted = challenges().mint("default", AT)
    assert challenges(base64url.encode(bytes(range(1, 33)))).open(minted.context, "default", AT).problem


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        (timedelta(0), True),
        (LIFETIME, True),
        (LIFETIME + timedelta(seconds=1), False),
        (timedelta(seconds=-20), True),
        (timedelta(minutes=-10), False),
    ],
)
def test_a_challenge_lasts_five_minutes(after: timedelta, counts: bool) -> None:
    opened = challenges().open(challenges().mint("default", AT).context, "default", AT + after)
    assert (opened.problem == "") is counts


def test_vbs_03_an_altered_context_does_not_count() -> None:
    members = strict_json.decode_object(base64url.decode_strict(challenges().mint("default", AT).context))
    sealed = base64url.decode_strict(str(members["ProtectedContext"]))
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        changed = {**members, "ProtectedContext": base64url.encode(bytes(altered))}
        context = base64url.encode(strict_json.encode_ordered(changed))
        assert challenges().open(context, "default", AT).problem


@pytest.mark.parametrize(
    "context",
    ["", "!", "e30", base64url.encode(b'{"ProtectionKeyName":"00","ProtectedContext":""}'), "A" * 5000, "W10"],
)
def test_anything_else_does_not_count(context: str) -> None:
    assert challenges().open(context, "default", AT).problem == "not a context of this service"
