"""Base64 of requests and of JOSE (attack case IN-02)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats import base64url
from assay.formats.base64url import Base64Error


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
