"""A software TPM in a process of its own, driven with tpm2-tools as an administrator would."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.service.running import free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOOLS = ("swtpm", "swtpm_setup", "tpm2_quote")
AK_ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign"
ENCRYPTION_ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|noda|decrypt"


def has_tools() -> bool:
    return all(shutil.which(tool) for tool in TOOLS)


@dataclass(frozen=True)
class SoftwareTpm:
    """One started TPM; there is no resource manager, so that every command flushes what it loaded."""

    folder: Path
    port: int

    def run(self, *arguments: str) -> None:
        """One command of tpm2-tools; raises `CalledProcessError`."""
        environment = {**os.environ, "TPM2TOOLS_TCTI": f"swtpm:host=127.0.0.1,port={self.port}"}
        for command in (arguments, ("tpm2_flushcontext", "-t")):
            subprocess.run(command, cwd=self.folder, env=environment, check=True, capture_output=True, timeout=60)

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def session(self, pcrs: str, *, trial: bool) -> None:
        """A session `session.ctx` whose policy is that of the PCRs; its digest goes to `policy.bin`."""
        self.run("tpm2_startauthsession", "-S", "session.ctx", *(() if trial else ("--policy-session",)))
        self.run("tpm2_policypcr", "-S", "session.ctx", "-l", pcrs, "-L", "policy.bin")

    def end_session(self) -> None:
        self.run("tpm2_flushcontext", "session.ctx")


@contextmanager
def software_tpm(folder: Path) -> Iterator[SoftwareTpm]:
    """A new TPM with a SHA-256 bank; gone at the end."""
    state = folder / "tpm"
    state.mkdir()
    setup = ("swtpm_setup", "--tpm2", "--tpmstate", f"dir://{state}", "--pcr-banks", "sha256", "--overwrite")
    subprocess.run(setup, check=True, capture_output=True, timeout=60)
    port = _two_free_ports()
    command = [
        *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--flags", "not-need-init,startup-clear"),
        *("--server", f"type=tcp,port={port},bindaddr=127.0.0.1"),
        *("--ctrl", f"type=tcp,port={port + 1},bindaddr=127.0.0.1"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            tpm = SoftwareTpm(folder, port)
            wait_for(lambda: _answers(tpm), what="the software TPM")
            yield tpm
        finally:
            process.kill()


def _two_free_ports() -> int:
    return next(port for port in (free_port() for _ in range(50)) if port < 65535)


def _answers(tpm: SoftwareTpm) -> bool:
    try:
        tpm.run("tpm2_getcap", "properties-fixed")
    except subprocess.CalledProcessError:
        return False
    return True
