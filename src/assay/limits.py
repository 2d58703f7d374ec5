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
JMESPATH_RESULT: Final = 8 << 20
JMESPATH_TEXT: Final = 64 << 10  # own: the longest query of the collected policies has 260 characters
JMESPATH_DEPTH: Final = 64  # own: of an answer; twice JSON_DEPTH, for a document inside what a query makes of it
JMESPATH_REMEMBERED_TEXT: Final = 4 << 10  # own: longer queries are compiled afresh

# tpm-and-guest 4.1: 2600 octets, formerly 2048; the vTPM's index has room for a few hundred more.
HCL_REPORT: Final = 16 << 10
# tpm-and-guest 3.2 and 3.7: of one AzureGuest request.
GUEST_EVENT_LOG: Final = 1 << 20
GUEST_PROOF: Final = 128 << 10  # a TD quote of 64 KiB, or an SNP report with 16 KiB of certificates in base64
GUEST_PAYLOAD_NAMES: Final = 32
GUEST_PAYLOAD: Final = 8 << 10
GUEST_TEXT: Final = 256  # own: of the operating system's names, 14 characters in real requests

# Own: a recorded nonce is at most 64 characters, a sidecar's a 64-bit number.
NONCE: Final = 1024

# Open Enclave custom claims: the sample has one claim of 67 bytes (quote-verification 7.2).
CUSTOM_CLAIMS: Final = 256

# Relying party: attack case TOK-16.
TOKEN: Final = 256 << 10
KEY_SET_KEYS: Final = 100
KEY_SET_BODY: Final = 2 << 20

# Bearer tokens: one of Entra ID with 200 groups has about 10 kB, and all headers together 64 KiB.
BEARER_TOKEN: Final = 16 << 10
# An issuer's discovery document has 2 to 8 kB.
DISCOVERY_DOCUMENT: Final = 64 << 10
# What the audit record and the log say of a caller; own.
SUBJECT: Final = 256

# Bounded caches, since the attacker picks the keys (stack, "Shape the numbers ask for").
PLATFORMS: Final = 4096
CERTIFICATES: Final = 4096
DOCUMENTS: Final = 1024
IDENTIFIERS: Final = 1024  # object identifiers and PEM bodies, own
EVIDENCE_ENDINGS: Final = 256  # certificates after a quote's signature, of at most 12 kB of text each, own

# policy-language section 13, version 1.2.
POLICY_STEPS_PER_CHARACTER: Final = 1  # more steps for each character of the claims; the Windows policy takes 0.3, own
POLICY_STEP_CHARACTERS: Final = 64  # characters parsed, written or joined in one step, own
# Own: how much of a claim, and how many claims and rules, an explanation shows.
TRACE_VALUE: Final = 200
TRACE_TEXT: Final = 4000
TRACE_CLAIMS: Final = 10
TRACE_RULES: Final = 20

# Own: text of one member of an audit record; records of one commit, and their octets (an opening lists chains and
# checks); events that wait for a commit in one process, 3 kB each; openings list at most so many chains.
AUDIT_TEXT: Final = 256
AUDIT_BATCH: Final = 1024
AUDIT_BATCH_OCTETS: Final = 64 << 20
AUDIT_QUEUE: Final = 10_000
AUDIT_CHAINS: Final = 10_000

# A TPM structure: a public area or signature of RSA-4096 has about 600 octets, a quote over 16 banks about 300.
ATTEST_STRUCTURE: Final = 4 << 10
PCR_BANKS: Final = 16  # TPM 2.0 library, part 2, 10.6.8: HASH_COUNT is at most 16
ATTESTATION_KEY_BITS: Final = 4096  # tpm-and-guest 6

# tpm-and-guest 5.1; real logs have at most 80 kB and 300 events.
EVENT_LOG: Final = 1 << 20
EVENT_LOG_EVENTS: Final = 8192
EVENT_DIGESTS: Final = 16  # the same, and the hashes that a Spec ID event announces
# tpm-and-guest 6: nesting of Windows' tagged events, and the text of the `events` claim.
TAGGED_DEPTH: Final = 4
TAGS: Final = 4096  # of one event, own: real ones have at most 60
EVENTS_CLAIM: Final = 1 << 20
SIGNATURE_DATA: Final = 4096  # entries of an EFI signature database, own: Microsoft's dbx of 2025 has about 430
EFI_VARIABLE_NAME: Final = 512  # characters, own: the longest in real logs has 26
# IMA lists, own: the kernel's longest path and template name; a desktop measures some 10 000 files in 2 MB.
IMA_LOG: Final = 3 << 20
IMA_ENTRIES: Final = 20_000
IMA_FIELDS: Final = 16

# quote-verification 13; a genuine endorsement has 11 kB, one request a handful.
UVM_ENDORSEMENT: Final = 256 << 10
UVM_ENDORSEMENTS: Final = 8  # own
DID: Final = 1024  # own: the one that is known has 103 characters
# Own: a COSE message nests 4 deep, one with CWT claims and receipts has about 40 values.
CBOR_DEPTH: Final = 16
CBOR_VALUES: Final = 10_000

# A request of /attest/Tpm: its inner text at most 3 MiB, copied texts 2 KiB (tpm-and-guest 0.3 and 6); texts of custom
# claims own. A platform claim of SHA-512 has about 2.5 kB.
REPORT_REQUEST: Final = 3 << 20
RELYING_PARTY_TEXT: Final = 2 << 10
CUSTOM_CLAIM_TEXT: Final = 1 << 10
PLATFORM_CLAIM: Final = 16 << 10
ENCLAVE_REPORT: Final = 64 << 10  # own: 224 octets, a signature of 512 and a few dozen modules
