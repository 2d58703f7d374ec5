"""`python -m bench [SECTION...]`: measures, and says which targets are reached; it asserts nothing."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Final

from bench.report import HEADING, text

# Section: title, module and function; modules are imported when their section runs.
SECTIONS: Final = {
    "floor": ("(a) The cryptography alone", "bench.verification", "floor"),
    "warm": ("(b) Warm: every call another quote of a known platform", "bench.verification", "warm"),
    "new": ("(c) New platform: a PCK certificate never seen, collateral known", "bench.verification", "new_platform"),
    "cold": ("(d) Cold: nothing remembered", "bench.verification", "cold"),
    "attest": ("(e) The whole attestation without HTTP", "bench.attestation", "attestation"),
    "http": ("(f) Requests a second over TLS", "bench.requests", "requests"),
    "logs": ("(l) The log of a measured boot", "bench.event_logs", "event_logs"),
    "tdx": ("(h) TDX, warm: every call another quote of a known platform", "bench.trust_domains", "warm"),
    "tdx-new": ("(i) TDX, new platform: a PCK certificate never seen", "bench.trust_domains", "new_platform"),
    "snp": ("(j) SEV-SNP, every call another report under a VCEK that was seen", "bench.confidential_guests", "seen"),
    "snp-new": ("(k) SEV-SNP, every call a VCEK never seen", "bench.confidential_guests", "new"),
    "start": ("(g) Start-up", "bench.startup", "startup"),
    "policy": ("Policies: parsed and evaluated", "bench.policies", "policies"),
}


def main() -> int:
    parser = argparse.ArgumentParser("bench", description=__doc__)
    parser.add_argument("section", nargs="*", help=", ".join(SECTIONS))
    chosen = parser.parse_args().section or list(SECTIONS)
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        parser.error(f"no section is called {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    print("Times are minima over rounds in which everything of a section is measured in turn.")
    print(HEADING)
    for name in chosen:
        title, module, function = SECTIONS[name]
        lines = getattr(importlib.import_module(module), function)()
        print(f"\n{text(title, lines)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
