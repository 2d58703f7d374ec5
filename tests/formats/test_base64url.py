"""Base64 of requests and of JOSE (attack case IN-02)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats import base64url
from assay.formats.base64url import Base64Error
from tests.examples import examples


@settings(max_examples=80, deadline=None)
@given(content=st.binary(max_size=70))
def test_what_is_written_is_read_again_in_every_accepted_spelling(content: bytes) -> None:
    text = base64url.encode(content)
    assert base64url.decode_strict(text) == content
    padded = text + "=" * (-len(text) % 4)
    for spelling in (
        text,
        padded,
        text.replace("-", "+").replace("_", "/"),
        padded.replace("-", "+").replace("_", "/"),
    ):
        assert base64url.decode_lenient(spelling) == content


@pytest.mark.parametrize(
    "text",
    ["AQ=", "AQ===", "A", "AR", "AQJ", "AQ==AQ==", "A Q", "AQ\n", "+_--", "a-b/", "AQID\u00a0", "=", "\u0661AAA"],
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(Base64Error):
        base64url.decode_lenient(text)


@pytest.mark.parametrize("text", ["AQ==", "+/+/", "AR", "A", "AQ ", "AQ\n"])
def test_jose_admits_one_spelling(text: str) -> None:
    with pytest.raises(Base64Error):
        base64url.decode_strict(text)


def _read(decode, text: str) -> bytes | None:
    """None for what is refused."""
    try:
        return decode(text)
    except Base64Error:
        return None


@settings(max_examples=examples(200), deadline=None)
@given(
    content=st.binary(min_size=690, max_size=1100),
    place=st.integers(0, 1500),
    inserted=st.sampled_from(["", "=", "==", "+", "/", "-", "_", "A", "AAA", " ", "\n", "\u00a0", "\u0661"]),
)
def test_evidence_is_read_as_any_other_byte_string(content: bytes, place: int, inserted: str) -> None:
    text = base64url.encode(content)
    changed = text[:place] + inserted + text[place:]
    for spelling in (changed, changed.replace("-", "+").replace("_", "/"), changed + "=" * (-len(text) % 4)):
        # Twice: first read, then remembered.
        for _ in range(2):
            assert _read(base64url.decode_evidence, spelling) == _read(base64url.decode_lenient, spelling)


def test_evidence_with_an_ending_of_before_keeps_its_own_beginning() -> None:
    ending = bytes(range(256)) * 4
    for number in range(3):
        content = number.to_bytes(702, "big") + ending
        assert base64url.decode_evidence(base64url.encode(content)) == content
