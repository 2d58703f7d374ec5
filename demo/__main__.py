"""`python -m demo` (`make demo`): 0 when every row came out as it had to."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from assay import clock
from assay.evidence import EVIDENCE_TYPES
from demo.genuine import SHARED, genuine_steps, moments_here
from demo.measured_boots import set_policies
from demo.registry import registry_steps
from demo.samples import simulated_steps, types_without_samples, write_collateral
from demo.service import ServiceNotReady, running_service
from demo.steps import Row, relying_on, take
from demo.table import heading, line, say, say_step, token_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from demo.service import RunningService
    from demo.steps import Step


def main() -> int:
    start = clock.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="assay-demo-") as folder:
            rows = _run(Path(folder))
    except ServiceNotReady as error:
        say(str(error))
        return 1
    missing = types_without_samples()
    for name in missing:
        say(f"{name}: supported, but nothing here makes evidence of it")
    right = sum(row.is_right for row in rows)
    say_step(f"{right} of {len(rows)} rows came out as they had to, in {clock.monotonic() - start:.1f} s")
    return 0 if rows and right == len(rows) and not missing else 1


def _run(folder: Path) -> tuple[Row, ...]:
    at = clock.now().replace(microsecond=0)
    say_step("the simulator, a synthetic Intel whose keys everybody knows, mints collateral into a directory")
    write_collateral(at, folder / "collateral")
    say_step("starting `assay serve --dev` on a free port: SQLite, keys made now, TLS under the development CA")
    with running_service(folder / "state", [folder / "collateral"]) as service:
        say(f"   {service.url} was ready after {service.seconds:.2f} s; our client trusts {service.ca_file.name} only")
        say_step(f"simulated evidence ({', '.join(kind.name for kind in EVIDENCE_TYPES)}), each piece with a copy")
        say("   tampered with; tokens are verified with the keys that the service's discovery document names,")
        say("   for this issuer and now, with what the evidence says inside, the mark `simulator` and no other allowed")
        say(heading())
        set_policies(service)
        rows = _attest(service, simulated_steps(at))
        _show_token(rows)
    return (*rows, *_registry(folder), *_genuine(folder))


def _attest(service: RunningService, steps: Iterable[Step]) -> tuple[Row, ...]:
    rows = []
    with service.client() as client:
        relying = relying_on(client)
        for step in steps:
            rows.append(take(step, client, relying))
            say(line(rows[-1]))
    return tuple(rows)


def _registry(folder: Path) -> tuple[Row, ...]:
    steps = registry_steps()
    if not steps:
        return ()
    say_step(
        "a real SEV-SNP report with its chain, from a public package; AMD is not asked for its revocation list here"
    )
    say(heading())
    # A service of its own: the simulator's list of the same product line would be taken for the missing one.
    with running_service(folder / "state of the package", []) as service:
        return _attest(service, steps)


def _genuine(folder: Path) -> tuple[Row, ...]:
    moments = moments_here()
    if not moments:
        say_step(f"genuine evidence: left out, there are no shared vectors in {SHARED.name}/ beside the project")
        return ()
    say_step("genuine evidence of Intel's platforms, against Intel's own documents of that time")
    rows: list[Row] = []
    say(heading())
    for moment in moments:
        directories = [vector.path / "collateral" for vector in moment.vectors]
        options = ("--unsafe-verify-at", moment.at)
        with running_service(folder / f"state at {moment.at[:10]}", directories, *options) as service:
            say(f"   judged at {moment.at} (--unsafe-verify-at: each token carries the mark `verify-at`, allowed here)")
            rows.extend(_attest(service, genuine_steps(moment)))
    return tuple(rows)


def _show_token(rows: Iterable[Row]) -> None:
    tokens = [row.token for row in rows if row.token is not None]
    chosen = next((token for token in tokens if "x-ms-runtime" in token.claims), None)
    if chosen is not None:
        say_step("one of these tokens, decoded after it was verified")
        say(token_text(chosen))


if __name__ == "__main__":
    sys.exit(main())
