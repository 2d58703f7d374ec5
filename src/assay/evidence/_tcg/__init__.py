"""What evidence of a TPM shares: structures of the TPM, quotes, event logs."""
