"""What every command has in common: help, exit codes, colour, bugs; and the time that help takes."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

import assay.cli
from assay import __version__
from assay.cli import root
from assay.cli.failures import run_guarded
from assay.cli.lazy import LazyGroup

ASSAY = [sys.executable, "-c", "from assay.cli import main; main()"]


def commands(group=root, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        # The service's command needs parts that a small installation does not have.
        command = (
            pytest.importorskip("assay.cli.serve").command
            if (*path, name) == ("serve",)
            else group.get_command(context, name)
        )
        yield (*path, name), command
        if isinstance(command, LazyGroup):
            yield from commands(command, (*path, name))


def test_every_command_has_help_with_an_example(assay):
    for path, _ in commands():
        ended = assay(*path, "--help")
        assert ended.code == 0
        assert "Example" in ended.out, path
        assert f"assay {path[0]}" in ended.out


def test_the_version_is_printed(assay):
    assert __version__ in assay("version").out
    assert assay("version", "--json").json["assay"] == __version__


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("verify",),
        ("verify", "f"),
        ("verify", "f", "--type", "Nonsense"),
        ("verify", "f", "--type", "SgxEnclave", "--nonsense"),
        ("token",),
        ("policy", "chek"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_so_on_standard_error(assay, arguments):
    ended = assay(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage:" in ended.err


def test_a_near_miss_is_suggested(assay):
    assert "'verify'" in assay("verfy").err


def test_a_bug_is_confessed_without_a_traceback(capsys, monkeypatch):
    monkeypatch.delenv("ASSAY_DEBUG", raising=False)

    def broken():
        raise ZeroDivisionError("secret")

    assert run_guarded(broken) == 70
    err = capsys.readouterr().err
    assert "this is a bug (ZeroDivisionError)" in err
    assert "Traceback" not in err
    assert "secret" not in err
    monkeypatch.setenv("ASSAY_DEBUG", "1")
    assert run_guarded(broken) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_ends_with_130(capsys):
    def interrupted():
        raise KeyboardInterrupt

    assert run_guarded(interrupted) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_bug():
    process = subprocess.Popen(
        [*ASSAY, "simulate", "SgxEnclave", "--list-knobs"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert err == b""


def test_colour_is_only_for_terminals_and_not_against_no_color(tmp_path):
    import pty

    def shown(**extra):
        primary, secondary = pty.openpty()
        environment = (
            {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | extra
        )
        file = tmp_path / "bad"
        file.write_bytes(b"\x03")
        process = subprocess.Popen(
            [*ASSAY, "verify", file, "--type", "SgxEnclave"], stdout=secondary, stderr=secondary, env=environment
        )
        os.close(secondary)
        chunks = []
        while True:
            try:
                chunk = os.read(primary, 65536)
            except OSError:
                break
            if not chunk:
                break
            chunks.append(chunk)
        os.close(primary)
        assert process.wait() == 1
        return b"".join(chunks)

    assert b"\x1b[31m" in shown() or b"\x1b[1;31m" in shown()
    assert b"31m" not in shown(NO_COLOR="1")


def test_help_imports_nothing_heavy():
    code = "import sys; import assay.cli; sys.exit(any(m in sys.modules for m in ('cryptography', 'rich', 'httpx2', 'sqlalchemy', 'asyncio')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_package_is_named_with_the_extra_that_brings_it(assay, monkeypatch):
    from assay.cli.lazy import Entry

    monkeypatch.setitem(assay_entries(), "attest", Entry("no_such_package", "attest", "", "client"))
    ended = assay("attest", "--help")
    assert ended.code == 2
    assert "assay[client]" in ended.err


def assay_entries():
    return assay.cli.root._entries
