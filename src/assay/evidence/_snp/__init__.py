"""What evidence with an AMD SEV-SNP attestation report shares: the report, its endorsement, its claims."""
