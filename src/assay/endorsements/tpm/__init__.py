"""What vendors of TPMs sign: certificates of attestation keys and of endorsement keys."""
