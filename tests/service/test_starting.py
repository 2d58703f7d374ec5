"""What `assay serve` refuses to start with, and that it says what is missing (attack cases IN-11, QV-11)."""

from __future__ import annotations

import os
import socket
from contextlib import closing

import pytest

from assay.cli import run
from assay.simulator import simulate_sgx
from assay.store import SealingKey
from tests.service.authority import make_authority
from tests.service.material import AT
from tests.service.running import refused_start

SEALED = {"ASSAY_SEALING_KEY": SealingKey.generate_text()}
BASE = ("--base-url", "https://attest.example.org", "--port", "0", "--offline")
AT_A_TIME = ("--unsafe-verify-at", "2026-03-01T00:00:00Z")


@pytest.fixture
def tls(tmp_path) -> tuple[str, ...]:
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    make_authority(tmp_path).issue(certificate, key)
    return ("--tls-cert", str(certificate), "--tls-key", str(key))


@pytest.fixture
def refused(tmp_path, capsys, monkeypatch):
    """Runs `assay serve` in this process, where it must end with 2 before it listens; gives what it said."""
    for name in [name for name in os.environ if name.startswith("ASSAY_")]:
        monkeypatch.delenv(name)

    def call(*options: str, more: dict[str, str] | None = None) -> str:
        with monkeypatch.context() as patch:
            for name, value in (more or {}).items():
                patch.setenv(name, value)
            code = run(["serve", "--state-dir", str(tmp_path / "state"), *options])
        said = capsys.readouterr()
        assert code == 2, said.err
        assert said.out == ""
        assert "bug" not in said.err
        return said.err

    return call


def test_without_a_sealing_key(refused, tmp_path, tls) -> None:
    assert "ASSAY_SEALING_KEY" in refused(*BASE, *tls)


def test_with_a_sealing_key_that_is_none(refused, tmp_path, tls) -> None:
    for text in ("not base64!", "c2hvcnQ=", "A" * 44):
        said = refused(*BASE, *tls, more={"ASSAY_SEALING_KEY": text})
        assert "sealing" in said.lower() or "ASSAY_SEALING_KEY" in said
        assert text not in said


def test_with_a_sealing_key_file_that_is_not_there(refused, tmp_path, tls) -> None:
    said = refused(*BASE, *tls, "--sealing-key-file", str(tmp_path / "nowhere"))
    assert "--sealing-key-file" in said


def test_without_tls(refused, tmp_path) -> None:
    said = refused(*BASE, more=SEALED)
    assert "--tls-cert" in said
    assert "--trusted-proxy" in said


def test_with_half_of_tls(refused, tmp_path, tls) -> None:
    assert "--tls-key" in refused(*BASE, *tls[:2], more=SEALED)
    assert "--tls-cert" in refused(*BASE, *tls[2:], more=SEALED)


def test_with_tls_files_that_do_not_fit(refused, tmp_path, tls) -> None:
    other = tmp_path / "other.key"
    make_authority(tmp_path).issue(tmp_path / "other.pem", other)
    assert "TLS" in refused(*BASE, *tls[:3], str(other), more=SEALED)
    assert "TLS" in refused(*BASE, *tls[:3], str(tmp_path / "nowhere.key"), more=SEALED)


def test_without_a_base_url(refused, tmp_path, tls) -> None:
    assert "--base-url" in refused(*tls, "--port", "0", more=SEALED)


@pytest.mark.parametrize("url", ["attest.example.org", "ftp://a", "https://", "https://a/?q", "https://u:p@a/"])
def test_with_a_base_url_that_is_none(refused, tmp_path, tls, url: str) -> None:
    assert "--base-url" in refused(*tls, "--base-url", url, "--port", "0", more=SEALED)


@pytest.mark.parametrize("unsafe", [AT_A_TIME, ("--unsafe-no-revocation",)])
def test_with_unsafe_options_outside_development(refused, tmp_path, tls, unsafe: tuple[str, ...]) -> None:
    said = refused(*BASE, *tls, *unsafe, more=SEALED)
    assert unsafe[0] in said
    assert "--dev" in said


@pytest.mark.parametrize(
    "name", ["ASSAY_DEV", "ASSAY_SERVE_DEV", "ASSAY_DEVELOPMENT", "ASSAY_SERVE_UNSAFE_NO_REVOCATION"]
)
def test_development_cannot_be_switched_on_by_the_environment(refused, tmp_path, name: str) -> None:
    """Attack case IN-11: without --dev the missing TLS and sealing key must still stop the start."""
    said = refused(*BASE, more={name: "1"})
    assert "DEVELOPMENT" not in said


def test_with_the_simulators_root_outside_development(refused, tmp_path, tls) -> None:
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "root.der").write_bytes(simulate_sgx(AT).root)
    said = refused(*BASE, *tls, "--trust", str(trust), more=SEALED)
    assert "simulator" in said


def test_with_a_trust_directory_without_a_root(refused, tmp_path, tls) -> None:
    """Attack case QV-11: an empty trust store is an error at start."""
    (tmp_path / "empty").mkdir()
    for path in ("empty", "nowhere"):
        assert "--trust" in refused(*BASE, *tls, "--trust", str(tmp_path / path), more=SEALED)


def test_with_collateral_that_is_not_there(refused, tmp_path) -> None:
    said = refused("--dev", "--port", "0", "--collateral", str(tmp_path / "nowhere"))
    assert "--collateral" in said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_on_a_port_in_use(refused, tmp_path, workers: str) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = refused("--dev", "--offline", "--port", port, "--workers", workers)
    assert port in said


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--unsafe-verify-at", "yesterday"),
        ("--unsafe-verify-at", "99999999999999999999"),
        ("--accept-tcb", "UpToDat"),
        ("--accept-tcb", "Revoked"),
        ("--accept-tcb", ","),
        ("--token-lifetime", "0"),
        ("--workers", "0"),
        ("--port", "70000"),
        ("--algorithm", "HS256"),
        ("--database-url", "mysql://a/b"),
        ("--database-url", "sqlite:///:memory:"),
        ("--vendor-url", "http://169.254.169.254/latest"),
        ("--vendor-url", "file:///etc/passwd"),
    ],
)
def test_with_an_option_that_means_nothing(refused, tmp_path, option: str, value: str) -> None:
    online = () if option == "--vendor-url" else ("--offline",)
    said = refused("--dev", "--port", "0", *online, option, value)
    assert option.removeprefix("--").split("-")[0] in said.lower()


def test_with_a_database_that_another_sealing_key_wrote(refused, tmp_path, tls) -> None:
    from assay.service.config import Settings
    from assay.service.server import prepare
    from assay.store import default_database_url

    state = tmp_path / "state"
    prepare(
        Settings(
            "127.0.0.1",
            1,
            "https://attest.example.org",
            default_database_url(state),
            state,
            dev=True,
            sealing_key=SealingKey.generate_text(),
        )
    )
    said = refused(*BASE, *tls, more=SEALED)
    assert "key" in said.lower()


def test_a_real_process_ends_with_2_and_says_why(tmp_path) -> None:
    code, said = refused_start(tmp_path / "state", *BASE, more={"ASSAY_DEV": "1"})
    assert code == 2
    assert "--tls-cert" in said
    assert "Traceback" not in said
