"""The attestation service: Azure Attestation's wire over HTTP."""
