"""How commands end: exit codes, and what is said on standard error."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Final

import click

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable

ACCEPTED: Final = 0
REJECTED: Final = 1
UNDECIDED: Final = 2
BUG: Final = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED: Final = 130  # 128 + SIGINT
BROKEN_PIPE: Final = 141  # 128 + SIGPIPE


class ReaderGone(Exception):
    """Nobody reads standard output any more; raised past click, which would end with 1, our code for a refusal."""


def run_guarded(command: Callable[[], object]) -> int:
    """The exit code of a command; whatever it raises is said in words on standard error.

    Usage errors and refusals that a command does not judge itself end with 2, anything unexpected with 70.
    """
    try:
        code = command()
        sys.stdout.flush()
    except click.ClickException as error:
        error.show(sys.stderr)
        return UNDECIDED
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except (BrokenPipeError, ReaderGone):
        # Nobody reads any more; the interpreter must not try to flush again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except AssayError as error:
        complain(error.message)
        return UNDECIDED
    except OSError as error:
        complain(f"{error.filename or 'system'}: {error.strerror or error}")
        return UNDECIDED
    except Exception as error:  # noqa: BLE001  # the one place where a bug becomes a sentence
        return _confess(error)
    return code if isinstance(code, int) else ACCEPTED


def complain(message: str) -> None:
    """One error on standard error; control characters of strangers are not passed on to the terminal."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(message)}", err=True)


def printable(text: str) -> str:
    """The text without control characters, but for the ends of lines."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def _confess(error: Exception) -> int:
    if os.environ.get("ASSAY_DEBUG") == "1":
        traceback.print_exception(error)
    complain(f"this is a bug ({type(error).__name__}); please report it. ASSAY_DEBUG=1 shows where it happened")
    return BUG
