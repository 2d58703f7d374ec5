"""The file of issuers: what is read, and what a refusal says."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from assay.errors import ConfigurationError
from assay.service.access import EVERY_PROVIDER, Grant, Role, TrustedIssuer, read_issuers
from assay.service.access.terms import GrantRule, TokenTerms

if TYPE_CHECKING:
    from pathlib import Path

GRANT = """
[[issuer.grant]]
claim = "roles"
value = "Attestation.Reader"
role = "reader"
provider = "default"
"""
HEAD = """
[[issuer]]
url = "https://issuer.example/tenant"
audiences = ["https://attest.azure.net"]
"""
FULL = """
[[issuer]]
url = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/"
audiences = ["https://attest.azure.net", "api://assay"]
algorithms = ["RS256", "ES256"]
jwks_uri = "https://keys.example/jwks?p=policy"
skew_seconds = 0
ca_file = "ca.pem"
subject_claim = "oid"

[[issuer.grant]]
claim = "https://claims.example/roles"
value = "Attestation.Contributor"
role = "contributor"
provider = "*"

[[issuer.grant]]
claim = "groups"
value = "operators"
role = "operator"
"""


def read(directory: Path, text: str) -> tuple[TrustedIssuer, ...]:
    file = directory / "authentication.toml"
    file.write_text(text)
    return read_issuers(file, base_url="https://attest.example")


def refusal(directory: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(directory, text)
    return caught.value.message.replace(str(directory), "")


def test_a_short_table_has_safe_defaults(tmp_path: Path) -> None:
    terms = TokenTerms(
        "https://issuer.example/tenant",
        ("https://attest.azure.net",),
        ("RS256",),
        (GrantRule("roles", "Attestation.Reader", Grant(Role.READER, "default")),),
        timedelta(seconds=30),
        "sub",
    )
    assert read(tmp_path, HEAD + GRANT) == (TrustedIssuer(terms, None, None),)


def test_every_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    terms = TokenTerms(
        "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
        ("https://attest.azure.net", "api://assay"),
        ("RS256", "ES256"),
        (
            GrantRule("https://claims.example/roles", "Attestation.Contributor", Grant(Role.CONTRIBUTOR, "*")),
            GrantRule("groups", "operators", Grant(Role.OPERATOR, EVERY_PROVIDER)),
        ),
        timedelta(0),
        "oid",
    )
    found = read(tmp_path, FULL)
    assert found == (TrustedIssuer(terms, "https://keys.example/jwks?p=policy", tmp_path / "ca.pem"),)


def test_what_is_read_can_be_handed_to_worker_processes(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + GRANT)
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("url", ["http://localhost:8080/realm", "http://127.0.0.1:1/", "http://[::1]:8080"])
def test_http_is_for_the_loopback(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, HEAD.replace("https://issuer.example/tenant", url) + GRANT)[0].url == url


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "/authentication.toml: missing: issuer"),
        ("issuer = []", "/authentication.toml: issuer: at least one table [[issuer]] is needed"),
        ("issuer = 7", "/authentication.toml: issuer: at least one table [[issuer]] is needed"),
        ("[[issuer]]", "/authentication.toml: [[issuer]] 1: missing: url, audiences, grant"),
        (HEAD, "/authentication.toml: [[issuer]] 1: missing: grant"),
        (HEAD + "grant = []", "[[issuer]] 1: grant: at least one table [[issuer.grant]] is needed"),
        (HEAD + GRANT + HEAD, "[[issuer]] 2: missing: grant"),
        (HEAD + GRANT + HEAD + GRANT, "issuer: two tables have the same url"),
        ("secret = 'x'\n" + HEAD + GRANT, "/authentication.toml: unknown: secret (known: issuer)"),
        (HEAD + "insecure = true\n" + GRANT, "[[issuer]] 1: unknown: insecure (known: url, audiences, grant, "),
        (HEAD + GRANT + "scope = 'x'", "[[issuer]] 1 [[issuer.grant]] 1: unknown: scope (known: claim, value, role"),
        (HEAD + "[[issuer.grant]]", "[[issuer.grant]] 1: missing: claim, value, role"),
        ("[[issuer", "/authentication.toml: not TOML: "),
    ],
)
def test_a_refusal_says_what_is_missing_and_where(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example",
        "http://10.0.0.1",
        "http://localhost.example",
        "https://user:secret@issuer.example",
        "https://issuer.example/#fragment",
        "https://issuer.example/?tenant=1",
        "https://",
        "https://issuer.example:port",
        "https://issuer.example/a b",
        "file:///etc/issuer",
        "issuer.example",
        "assay-development",
        "",
    ],
)
def test_an_issuer_is_an_https_address(tmp_path: Path, url: str) -> None:
    assert "[[issuer]] 1: url: " in refusal(tmp_path, HEAD.replace("https://issuer.example/tenant", url) + GRANT)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('algorithms = ["none"]', "algorithms"),
        ('algorithms = ["HS256"]', "algorithms"),
        ('algorithms = ["RS256", "RS256"]', "algorithms"),
        ('algorithms = ["rs256"]', "algorithms"),
        ("algorithms = []", "algorithms"),
        ('jwks_uri = "http://keys.example"', "jwks_uri"),
        ("skew_seconds = 301", "skew_seconds"),
        ("skew_seconds = -1", "skew_seconds"),
        ("skew_seconds = true", "skew_seconds"),
        ("skew_seconds = 1.5", "skew_seconds"),
        ('ca_file = "absent.pem"', "ca_file"),
        ('subject_claim = ""', "subject_claim"),
        ('subject_claim = "user.name"', "subject_claim"),
    ],
)
def test_a_value_out_of_bounds_is_named(tmp_path: Path, line: str, key: str) -> None:
    assert f"[[issuer]] 1: {key}: " in refusal(tmp_path, HEAD + line + GRANT)


@pytest.mark.parametrize("audiences", ["[]", '""', '[""]', '["a", "a"]', "[7]", "['a\"b']", '["a b"]', "['a\\b']"])
def test_an_issuer_has_audiences(tmp_path: Path, audiences: str) -> None:
    head = HEAD.replace('["https://attest.azure.net"]', audiences)
    assert "[[issuer]] 1: audiences: " in refusal(tmp_path, head + GRANT)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('role = "reader"', 'role = "owner"', "role: 'owner' is none of reader, contributor, operator"),
        ('claim = "roles"', 'claim = "realm_access.roles"', "claim: 'realm_access.roles': members inside others"),
        ('value = "Attestation.Reader"', 'value = ""', "value: "),
        ('value = "Attestation.Reader"', "value = true", "value: "),
        ('provider = "default"', "", "missing: provider (a provider's id, or '*' for all)"),
        ('provider = "default"', 'provider = "../default"', "provider: '../default' is neither"),
        ('provider = "default"', 'provider = "**"', "provider: '**' is neither"),
        ('role = "reader"', 'role = "operator"', "provider: an operator is one for every provider"),
    ],
)
def test_a_grant_that_would_grant_something_else_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert f"[[issuer]] 1 [[issuer.grant]] 1: {said}" in refusal(tmp_path, HEAD + GRANT.replace(old, new))


@pytest.mark.parametrize("path", ["", "/", "/provider/one"])
def test_this_service_is_no_issuer_of_bearer_tokens(tmp_path: Path, path: str) -> None:
    text = HEAD.replace("https://issuer.example/tenant", f"https://attest.example{path}") + GRANT
    assert "is this service itself" in refusal(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--authentication: .*absent\.toml"):
        read_issuers(tmp_path / "absent.toml", base_url="https://attest.example")
