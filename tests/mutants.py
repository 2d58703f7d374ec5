"""Removes each declared check in turn and shows which attack test notices; ends with 1 when none does.

Run as `python -m tests.mutants`, from the project's folder (`make mutants`). Only tests/attacks is run: the proof is
that an attack gets through, or is refused for another reason, when the check that the attack case names is gone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from assay.evidence import EVIDENCE_TYPES

PROJECT: Final = Path(__file__).resolve().parents[1]
# Parsing decides it, not a test of the check: there is nothing to remove.
STRUCTURAL: Final = "evidence.form"
# Proofs about checks as such, which a removed check must not be able to satisfy.
_NOT_ATTACKS: Final = ("tests/attacks/test_faults.py", "tests/attacks/test_bit_flips.py")
_FAILED: Final = re.compile(r"^FAILED (\S+::.+?)(?: - .*)?$", re.MULTILINE)


class Mutant(NamedTuple):
    """One removed check and the first test that failed without it, or None."""

    check: str
    noticed_by: str | None
    output: str


def removable() -> tuple[str, ...]:
    names = (check.name for kind in EVIDENCE_TYPES for check in kind.checks)
    return tuple(name for name in dict.fromkeys(names) if name != STRUCTURAL)


def run_without(check: str) -> Mutant:
    ignored = [f"--ignore={path}" for path in _NOT_ATTACKS]
    command = [sys.executable, "-m", "pytest", "-x", "--tb=no", "-p", "no:cacheprovider", *ignored, "tests/attacks"]
    environment = {**os.environ, "ASSAY_REMOVE_CHECK": check} if check else dict(os.environ)
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    found = _FAILED.search(done.stdout)
    # 1 means that tests failed; anything else (a usage error, an internal one) proves nothing.
    noticed = found[1] if found and done.returncode == 1 else None
    return Mutant(check, noticed, "" if noticed else f"exit {done.returncode}\n{done.stdout}{done.stderr}")


def main() -> int:
    control = run_without("")
    if control.noticed_by or not control.output.startswith("exit 0"):
        print(f"the attack tests do not pass with every check in place: {control.noticed_by}\n{control.output}")
        return 1
    checks = removable()
    unnoticed = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for place, mutant in enumerate(pool.map(run_without, checks), start=1):
            verdict = f"noticed by {mutant.noticed_by}" if mutant.noticed_by else "NOT NOTICED"
            print(f"[{place:2}/{len(checks)}] without {mutant.check}: {verdict}", flush=True)
            if mutant.noticed_by is None:
                unnoticed.append(mutant)
    for mutant in unnoticed:
        print(f"\n{mutant.check}: {mutant.output[-2000:]}")
    print(f"{len(checks) - len(unnoticed)} of {len(checks)} removed checks were noticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
