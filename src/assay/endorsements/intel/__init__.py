"""Intel's documents for SGX and TDX: PCK certificates, TCB info, enclave identities, revocation lists."""
