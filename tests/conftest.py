"""What every run has: optional parts, the long tests apart, the last lines, and the removal of one check for `make mutants`."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import settings

from assay.evidence import EVIDENCE_TYPES
from assay.verdict import Check
from tests.examples import THOROUGH
from tests.shared_vectors import has_shared

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

REMOVED_CHECK: Final = "ASSAY_REMOVE_CHECK"
settings.register_profile(THOROUGH, settings.get_profile("default"))


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) is not None for name in names)


def _module(name: str) -> Callable[[], bool]:
    return lambda: find_spec(name) is not None


def _has_postgres() -> bool:
    return bool(list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))) or shutil.which("postgres") is not None


# Parts that a plain checkout need not have; a test names the one it needs: `@pytest.mark.optional("node")`.
PARTS: Final[Mapping[str, Callable[[], bool]]] = {
    "shared": has_shared,
    "node": _program("node"),
    "postgres": _has_postgres,
    "swtpm": _program("swtpm"),
    "softhsm": _program("softhsm2-util"),
    "chromium": _program("chromium", "chromium-browser", "google-chrome"),
    "wrk": _program("wrk"),
    "azure": _module("azure.security.attestation") if find_spec("azure") else lambda: False,
    "dcap_qvl": _module("dcap_qvl"),
    "omne_attest": _module("omne_attest"),
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "optional(part): needs a part that may be absent; skipped with a sentence there")
    config.addinivalue_line("markers", "sweep: takes minutes; run by `make sweep`, never by a plain run")
    name = os.environ.get(REMOVED_CHECK)
    if name:
        remove_check(name)


def remove_check(name: str) -> None:
    """Take one declared check out of every tuple of the evidence layer; raises when no check has the name.

    A check of hardware inside a guest's evidence is that of the hardware's own type.
    """
    name = re.sub(r"^isolation\.(snp|tdx)\.", "", name)
    removed = 0
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("assay.evidence"):
            for attribute, value in list(vars(module).items()):
                kept = _without(value, name)
                if kept is not None:
                    setattr(module, attribute, kept)
                    removed += 1
    for kind in EVIDENCE_TYPES:
        object.__setattr__(kind, "checks", _without(kind.checks, name) or kind.checks)
    if not removed:
        raise pytest.UsageError(f"{REMOVED_CHECK}: no check is named {name!r}")


def _without(value: object, name: str) -> tuple[object, ...] | None:
    if not isinstance(value, tuple) or not any(isinstance(item, Check) and item.name == name for item in value):
        return None
    return tuple(item for item in value if not (isinstance(item, Check) and item.name == name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "sweep" in str(config.getoption("markexpr")):
        return
    long = [item for item in items if item.get_closest_marker("sweep")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def _part(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("optional")
    return None if marker is None else str(marker.args[0])


def pytest_runtest_setup(item: pytest.Item) -> None:
    part = _part(item)
    if part is not None and not PARTS[part]():
        pytest.skip(f"the optional part {part!r} is not here")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI=true a test of an optional part may not be skipped while the part is present (design, section 10)."""
    report = yield
    part = _part(item)
    if report.skipped and part is not None and os.environ.get("CI") == "true" and PARTS[part]():
        report.outcome = "failed"
        report.longrepr = f"skipped, although the optional part {part!r} is here: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last lines of every run: what passed, and what was skipped, by reason."""
    passed = len(terminalreporter.stats.get("passed", []))
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    terminalreporter.write_line(f"passed: {passed}; skipped: {sum(reasons.values())}")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"  {count} x {reason}")


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
