"""The development issuer: files for three roles, believed with `--dev` and nowhere else."""

from __future__ import annotations

import asyncio
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import jwt
import pytest

from assay.errors import ConfigurationError, Unauthorized
from assay.service.access import (
    Action,
    Authenticator,
    Caller,
    DevelopmentIssuer,
    Role,
    ensure_development_tokens,
    load_development_issuer,
    token_file,
)
from tests.service.access.openid_issuer import AT

if TYPE_CHECKING:
    from pathlib import Path

PERMITTED = {
    "reader.token": {Action.READ},
    "contributor.token": {Action.READ, Action.WRITE, Action.DELETE},
    "operator.token": set(Action),
}


def authenticate(development: DevelopmentIssuer | None, token: str, after: timedelta = timedelta(0)) -> Caller:
    return asyncio.run(Authenticator((), development, lambda: AT + after).authenticate(f"Bearer {token}"))


@pytest.mark.parametrize("name", PERMITTED)
def test_each_file_is_a_token_of_its_role(tmp_path: Path, name: str) -> None:
    development = ensure_development_tokens(tmp_path / "dev", AT)
    found = authenticate(development, (tmp_path / "dev" / name).read_text())
    assert {action for action in Action if found.may(action, "any")} == PERMITTED[name]


@pytest.mark.parametrize("name", [*PERMITTED, "issuer.key"])
def test_the_files_are_the_owners_alone(tmp_path: Path, name: str) -> None:
    ensure_development_tokens(tmp_path / "dev", AT)
    assert stat.S_IMODE((tmp_path / "dev" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "dev").stat().st_mode) == 0o700


def test_the_tokens_say_what_the_real_ones_say(tmp_path: Path) -> None:
    """PyJWT reads and verifies them."""
    development = ensure_development_tokens(tmp_path, AT)
    token = token_file(tmp_path, Role.READER).read_text()
    said = jwt.decode(
        token,
        development.key.public_key,
        algorithms=["ES256"],
        audience="https://attest.azure.net",
        issuer="assay-development",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert said["roles"] == ["Attestation.Reader"]
    assert said["exp"] - said["iat"] == 30 * 86400
    assert jwt.get_unverified_header(token) == {
        "alg": "ES256",
        "kid": development.key.key_id,
        "typ": "at+jwt",
    }


def test_tokens_are_renewed_at_each_start_and_the_key_stays(tmp_path: Path) -> None:
    ensure_development_tokens(tmp_path, AT)
    old = token_file(tmp_path, Role.READER).read_text()
    later = timedelta(days=29)
    development = ensure_development_tokens(tmp_path, AT + later)
    new = token_file(tmp_path, Role.READER).read_text()
    assert authenticate(development, old, later).subject == "development-reader"
    with pytest.raises(Unauthorized, match="expired"):
        authenticate(development, old, later + timedelta(days=2))
    assert authenticate(development, new, later + timedelta(days=2)).subject == "development-reader"


def test_a_worker_reads_what_was_made_before_it_started(tmp_path: Path) -> None:
    ensure_development_tokens(tmp_path, AT)
    token = token_file(tmp_path, Role.OPERATOR).read_text()
    assert authenticate(load_development_issuer(tmp_path), token).may(Action.OPERATE, "any")


def test_production_does_not_know_the_development_issuer(tmp_path: Path) -> None:
    ensure_development_tokens(tmp_path, AT)
    with pytest.raises(Unauthorized, match="no issuer of bearer tokens is configured"):
        authenticate(None, token_file(tmp_path, Role.OPERATOR).read_text())


def test_tokens_of_another_state_directory_are_refused(tmp_path: Path) -> None:
    ensure_development_tokens(tmp_path / "one", AT)
    other = ensure_development_tokens(tmp_path / "two", AT)
    with pytest.raises(Unauthorized, match="not signed by a current key"):
        authenticate(other, token_file(tmp_path / "one", Role.OPERATOR).read_text())


@pytest.mark.parametrize("content", ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "issuer.key").write_text(content)
    with pytest.raises(ConfigurationError, match=r"issuer\.key: not the key of the development issuer"):
        ensure_development_tokens(tmp_path, AT)


def test_a_worker_without_the_key_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"issuer\.key"):
        load_development_issuer(tmp_path)
