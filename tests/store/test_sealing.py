import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import ConfigurationError
from assay.store import SealingKey

OCTETS = bytes(range(0xE0, 0x100))
KEY = SealingKey.from_text(OCTETS.hex())


@pytest.mark.parametrize(
    "text",
    [
        OCTETS.hex().upper(),
        base64.b64encode(OCTETS).decode(),
        base64.b64encode(OCTETS).decode().rstrip("="),
        base64.urlsafe_b64encode(OCTETS).decode(),
        base64.urlsafe_b64encode(OCTETS).decode().rstrip("="),
        f" {OCTETS.hex()}\n",
    ],
)
def test_each_spelling_of_a_key_is_the_same_key(text: str):
    assert SealingKey.from_text(text) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        OCTETS.hex()[:-1],
        OCTETS.hex()[:-2],
        OCTETS.hex() + "00",
        "é" * 32,
        base64.b64encode(OCTETS[:31]).decode(),
        "00" * 32,
        base64.b64encode(bytes(32)).decode(),
        "ff" * 32,
        "A" * 43,
    ],
)
def test_anything_else_is_refused_with_the_way_to_make_one_and_without_the_text(text: str):
    with pytest.raises(ConfigurationError, match="openssl rand -base64 32") as caught:
        SealingKey.from_text(text)
    assert len(text) < 10 or text not in str(caught.value)


def test_a_generated_key_can_be_read_and_is_new():
    texts = {SealingKey.generate_text() for _ in range(20)}
    assert len(texts) == len({SealingKey.from_text(text) for text in texts}) == 20


def test_a_key_does_not_show_itself():
    assert "_octets" not in repr(KEY)
    assert OCTETS.hex() not in repr(KEY)


@given(st.binary(max_size=200), st.text(), st.text())
def test_what_was_sealed_opens(secret: bytes, provider: str, kid: str):
    provider, kid = provider.encode(errors="replace").decode(), kid.encode(errors="replace").decode()
    assert KEY.open(KEY.seal(secret, provider=provider, kid=kid), provider=provider, kid=kid) == secret


def test_the_same_secret_is_never_sealed_the_same():
    assert KEY.seal(b"s", provider="p", kid="k") != KEY.seal(b"s", provider="p", kid="k")


@pytest.mark.parametrize(
    ("key", "provider", "kid"),
    [
        (SealingKey.from_text("01" + "00" * 31), "default", "kid"),
        (KEY, "contoso", "kid"),
        (KEY, "default", "dik"),
        (KEY, "defaul", "tkid"),
    ],
)
def test_another_key_provider_or_identifier_does_not_open(key: SealingKey, provider: str, kid: str):
    sealed = KEY.seal(b"a private key", provider="default", kid="kid")
    with pytest.raises(ConfigurationError, match="configure the key"):
        key.open(sealed, provider=provider, kid=kid)


def test_every_bit_is_protected():
    sealed = KEY.seal(b"a private key", provider="default", kid="kid")
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ConfigurationError):
            KEY.open(bytes(flipped), provider="default", kid="kid")


def test_every_cut_is_refused():
    sealed = KEY.seal(b"a private key", provider="default", kid="kid")
    for length in range(len(sealed)):
        with pytest.raises(ConfigurationError):
            KEY.open(sealed[:length], provider="default", kid="kid")
