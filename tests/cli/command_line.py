"""The real command line, called in this process with its output captured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.cli import run


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class CommandLine:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Ended:
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    def judge(self, *arguments: object):
        """The JSON of `verify` and its exit code."""
        ended = self("verify", *arguments, "--json")
        return ended.code, ended.json


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
