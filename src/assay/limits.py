"""Every bound on untrusted input, each with its source."""

from __future__ import annotations

from typing import Final

# rest-api section 17: suggested body limits; recorded SGX bodies are about 6.5 kB, SNP with UVM 40 kB.
REQUEST_BODY: Final = 1 << 20
GUEST_REQUEST_BODY: Final = 4 << 20

# quote-verification section 13.
QUOTE: Final = 64 << 10
CERTIFICATES_IN_CHAIN: Final = 10
COLLATERAL_JSON: Final = 1 << 20
REVOCATION_LIST: Final = 4 << 20

# A PCK or TCB signing certificate is about 1.3 kB; attack case IN-06 sends ten megabytes.
CERTIFICATE: Final = 16 << 10
RSA_BITS: Final = 8192
# Nesting of vendor extensions is 3; of a whole certificate about 8.
DER_DEPTH: Final = 16

# Own: deepest recorded request or vendor document nests 7.
JSON_DEPTH: Final = 32
# Python's own guard is 4300 digits; no number on the wire exceeds 20.
JSON_NUMBER_DIGITS: Final = 40
JSON_MEMBERS: Final = 20_000

# policy-language section 13.
POLICY_TEXT: Final = 256 << 10
POLICY_RULES: Final = 2000
POLICY_CONDITIONS: Final = 32
POLICY_NESTING: Final = 32
POLICY_CLAIMS: Final = 100_000
POLICY_JOIN_TUPLES: Final = 100_000
POLICY_ISSUED: Final = 1 << 20  # characters of issued claims, own; a draft is a stranger's
POLICY_STEPS: Final = 400_000  # own: stands for the wall time, which a pure layer cannot read
POLICY_COMPILED: Final = 256  # compiled policies kept, own

# Own: a recorded nonce is at most 64 characters, a sidecar's a 64-bit number.
NONCE: Final = 1024

# Open Enclave custom claims: the sample has one claim of 67 bytes (quote-verification 7.2).
CUSTOM_CLAIMS: Final = 256

# Relying party: attack case TOK-16.
TOKEN: Final = 256 << 10
KEY_SET_KEYS: Final = 100
KEY_SET_BODY: Final = 2 << 20

# Bounded caches, since the attacker picks the keys (stack, "Shape the numbers ask for").
PLATFORMS: Final = 4096
CERTIFICATES: Final = 4096
DOCUMENTS: Final = 1024
IDENTIFIERS: Final = 1024  # object identifiers and PEM bodies, own
