"""A synthetic TPM: its structures, its keys under a synthetic vendor, the requests of its owner."""
