"""An issuer's keys over the network: found, kept, fetched anew, and what is never believed or followed."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assay import limits
from assay.errors import ConfigurationError, IssuerUnavailable, TokenRejected
from assay.service.access import TrustedIssuer, openid
from assay.service.access.issuer_http import IssuerAnswerError
from assay.service.access.openid import KEPT_SECONDS, REFETCH_SECONDS, REFRESH_SECONDS, OpenIdKeys, read_key_set_url
from tests.client.issuer import rsa_jwk
from tests.service.access.openid_issuer import DISCOVERY, KEY_SET, Answer, OpenIdIssuer, Ticks
from tests.service.authority import make_authority

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


def run(trusted: TrustedIssuer, story: Callable[[OpenIdKeys, Ticks], Awaitable[None]]) -> None:
    async def told() -> None:
        ticks = Ticks()
        keys = OpenIdKeys(trusted, ticks)
        try:
            await story(keys, ticks)
        finally:
            await keys.close()

    asyncio.run(told())


async def refreshed(keys: OpenIdKeys) -> None:
    """What the background does once a second, and the end of the fetch that it began."""
    keys.refresh_due()
    await keys._landed()


async def unknown(keys: OpenIdKeys, key_id: str) -> str:
    with pytest.raises(TokenRejected) as caught:
        await keys.find(key_id)
    return caught.value.reason


async def unavailable(keys: OpenIdKeys, key_id: str = "rsa") -> str:
    with pytest.raises(IssuerUnavailable) as caught:
        await keys.find(key_id)
    assert caught.value.retry_after == REFETCH_SECONDS
    return caught.value.reason


def reason(trusted: TrustedIssuer) -> str:
    """Why there are no keys."""
    said = []

    async def story(keys: OpenIdKeys, _: Ticks) -> None:
        said.append(await unavailable(keys))

    run(trusted, story)
    return said[0]


def test_keys_are_found_by_discovery(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, _: Ticks) -> None:
        assert (await keys.find("rsa")).key_id == "rsa"
        assert (await keys.find("ec")).key_id == "ec"
        assert issuer.asked == [DISCOVERY, KEY_SET]
        assert keys.key_set_url == f"{issuer.origin}{KEY_SET}"

    run(issuer.trusted(), story)


def test_a_configured_key_set_needs_no_discovery(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, _: Ticks) -> None:
        await keys.find("rsa")
        assert issuer.asked == [KEY_SET]

    run(replace(issuer.trusted(), key_set_url=f"{issuer.origin}{KEY_SET}"), story)


def test_the_background_does_not_wait_and_asks_once(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, ticks: Ticks) -> None:
        for _ in range(5):
            keys.refresh_due()
        await keys._landed()
        ticks.advance(REFRESH_SECONDS - 1)
        await refreshed(keys)
        assert issuer.asked == [DISCOVERY, KEY_SET]
        ticks.advance(1)
        await refreshed(keys)
        assert issuer.asked == [DISCOVERY, KEY_SET] * 2

    run(issuer.trusted(), story)


def test_a_stranger_cannot_make_us_hammer_the_issuer(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, ticks: Ticks) -> None:
        await refreshed(keys)
        for _ in range(3):
            storm = [unknown(keys, f"invented-{number}") for number in range(50)]
            assert set(await asyncio.gather(*storm)) == {"KeyUnknown"}
        assert issuer.asked == [DISCOVERY, KEY_SET] * 2
        ticks.advance(REFETCH_SECONDS)
        await unknown(keys, "invented-again")
        assert issuer.asked == [DISCOVERY, KEY_SET] * 3

    run(issuer.trusted(), story)


def test_many_callers_at_once_are_one_fetch(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, _: Ticks) -> None:
        found = await asyncio.gather(*(keys.find("rsa") for _ in range(50)))
        assert {key.key_id for key in found} == {"rsa"}
        assert issuer.asked == [DISCOVERY, KEY_SET]

    run(issuer.trusted(), story)


def test_a_new_key_is_believed_as_soon_as_a_token_names_it(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, _: Ticks) -> None:
        await refreshed(keys)
        issuer.publish(rsa_jwk("rsa"), rsa_jwk("new"))
        assert (await keys.find("new")).key_id == "new"

    run(issuer.trusted(), story)


def test_a_fetch_that_began_before_the_rotation_does_not_decide(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, _: Ticks) -> None:
        hold = threading.Event()
        old = issuer.answers[KEY_SET]
        issuer.answers[KEY_SET] = replace(old, hold=hold)
        keys.refresh_due()
        while KEY_SET not in issuer.asked:  # noqa: ASYNC110  # what is waited for happens in the issuer's thread
            await asyncio.sleep(0)
        asking = asyncio.create_task(keys.find("new"))
        await asyncio.sleep(0)
        issuer.publish(rsa_jwk("new"))
        hold.set()
        assert (await asking).key_id == "new"

    run(issuer.trusted(), story)


def test_a_withdrawn_key_is_refused_after_the_next_refresh(issuer: OpenIdIssuer) -> None:
    """TOK-17."""

    async def story(keys: OpenIdKeys, ticks: Ticks) -> None:
        await keys.find("rsa")
        issuer.publish(rsa_jwk("new"))
        ticks.advance(REFRESH_SECONDS)
        await refreshed(keys)
        assert await unknown(keys, "rsa") == "KeyUnknown"

    run(issuer.trusted(), story)


def test_keys_outlive_an_issuer_that_is_down_by_a_day_and_no_longer(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, ticks: Ticks) -> None:
        await keys.find("rsa")
        issuer.answers.clear()
        ticks.advance(KEPT_SECONDS - 1)
        await refreshed(keys)
        assert (await keys.find("rsa")).key_id == "rsa"
        # Whether the issuer has this key now cannot be said: no 401.
        assert "HTTP 404" in await unavailable(keys, "new")
        ticks.advance(1)
        assert "HTTP 404" in await unavailable(keys)

    run(issuer.trusted(), story)


def test_an_issuer_that_is_down_is_asked_now_and_then(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, ticks: Ticks) -> None:
        issuer.answers.clear()
        for _ in range(20):
            await refreshed(keys)
        assert issuer.asked == [DISCOVERY]
        for _ in range(20):
            await unavailable(keys)
        assert issuer.asked == [DISCOVERY] * 2
        issuer.describe()
        issuer.publish(rsa_jwk("rsa"))
        ticks.advance(REFETCH_SECONDS)
        await refreshed(keys)
        assert (await keys.find("rsa")).key_id == "rsa"

    run(issuer.trusted(), story)


def test_a_caller_who_goes_away_does_not_end_the_fetch_of_others(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, _: Ticks) -> None:
        hasty = asyncio.create_task(keys.find("rsa"))
        patient = asyncio.create_task(keys.find("rsa"))
        await asyncio.sleep(0)
        hasty.cancel()
        assert (await patient).key_id == "rsa"
        assert issuer.asked == [DISCOVERY, KEY_SET]

    run(issuer.trusted(), story)


def test_a_bad_answer_replaces_no_good_one(issuer: OpenIdIssuer) -> None:
    async def story(keys: OpenIdKeys, ticks: Ticks) -> None:
        await keys.find("rsa")
        issuer.answers[KEY_SET] = Answer(b'{"keys":[]}')
        ticks.advance(REFRESH_SECONDS)
        await refreshed(keys)
        assert (await keys.find("rsa")).key_id == "rsa"

    run(issuer.trusted(), story)


@pytest.mark.parametrize("found", ["https://other.example", "", None, 7])
def test_a_discovery_document_of_another_issuer_is_refused(issuer: OpenIdIssuer, found: object) -> None:
    issuer.describe(issuer=found)
    assert "the discovery document is of" in reason(issuer.trusted())
    assert issuer.asked == [DISCOVERY]


def test_the_issuer_of_the_document_is_compared_to_the_octet(issuer: OpenIdIssuer) -> None:
    issuer.describe(issuer=f"{issuer.url}/")
    assert "the discovery document is of" in reason(issuer.trusted())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("path", [DISCOVERY, KEY_SET])
def test_redirects_are_not_followed(issuer: OpenIdIssuer, path: str, status: int) -> None:
    issuer.answers["/moved"] = issuer.answers[path]
    issuer.answers[path] = Answer(b"", status, {"Location": f"{issuer.origin}/moved"})
    assert "redirects are not followed" in reason(issuer.trusted())
    assert "/moved" not in issuer.asked


@pytest.mark.parametrize("path", [DISCOVERY, KEY_SET])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(b"", 500), "HTTP 500"),
        (Answer(b"{}", 204, {"Content-Length": "0"}), "HTTP 204"),
        (Answer(b"x" * (limits.KEY_SET_BODY + 1)), "an answer of more than"),
        (Answer(b"{}", headers={"Content-Encoding": "gzip"}), "a compressed answer"),
        (Answer(b'{"keys":[],"keys":[],"issuer":"a","issuer":"b"}'), "occurs twice"),
        (Answer(b"<html>"), "Expecting value"),
        (Answer(b"{}", headers={"Content-Length": "20"}), "RemoteProtocolError"),
    ],
)
def test_answers_that_are_none(issuer: OpenIdIssuer, path: str, answer: Answer, said: str) -> None:
    issuer.answers[path] = answer
    assert said in reason(issuer.trusted())


@pytest.mark.parametrize("path", [DISCOVERY, KEY_SET])
def test_an_answer_that_does_not_end_is_given_up(
    issuer: OpenIdIssuer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "FETCH_SECONDS", 0.3)
    hold = threading.Event()
    issuer.answers[path] = replace(issuer.answers[path], hold=hold)
    try:
        said = reason(issuer.trusted())
    finally:
        hold.set()
    assert "no answer within 0.3 s" in said or "ReadTimeout" in said


def test_an_issuer_whose_certificate_is_not_trusted_is_not_believed(issuer: OpenIdIssuer, tmp_path: Path) -> None:
    """IN-12."""
    other = make_authority(tmp_path)
    assert "CERTIFICATE_VERIFY_FAILED" in reason(replace(issuer.trusted(), ca_file=other.ca))
    assert "CERTIFICATE_VERIFY_FAILED" in reason(replace(issuer.trusted(), ca_file=None))
    assert issuer.asked == []


def test_nobody_at_the_address_is_unavailable(issuer: OpenIdIssuer) -> None:
    nobody = replace(issuer.trusted(), key_set_url="https://localhost:1/keys")
    assert "ConnectError" in reason(nobody)


def test_a_ca_file_without_certificates_is_refused_at_the_start(issuer: OpenIdIssuer, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(ConfigurationError, match="not a file of certificates"):
        OpenIdKeys(replace(issuer.trusted(), ca_file=empty), Ticks())


@pytest.mark.parametrize(
    "address",
    [
        "http://keys.example/jwks",
        "http://127.0.0.1/jwks",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://user@keys.example/jwks",
        "https://keys.example/jwks#fragment",
        "https://",
        "/jwks",
        "",
        7,
        None,
        ["https://keys.example/jwks"],
    ],
)
def test_addresses_that_keys_must_not_come_from(address: object) -> None:
    """IN-07, for an issuer out in the world."""
    document = json.dumps({"issuer": "https://issuer.example", "jwks_uri": address}).encode()
    with pytest.raises(IssuerAnswerError, match="jwks_uri"):
        read_key_set_url(document, "https://issuer.example")


@pytest.mark.parametrize(
    ("issuer_url", "address"),
    [
        ("https://issuer.example", "https://keys.example/jwks?p=policy"),
        ("http://localhost:8080/realm", "http://127.0.0.1:8080/realm/keys"),
    ],
)
def test_addresses_that_keys_may_come_from(issuer_url: str, address: str) -> None:
    document = json.dumps({"issuer": issuer_url, "jwks_uri": address, "other": [1]}).encode()
    assert read_key_set_url(document, issuer_url) == address
