"""Attestation results: what was concluded, as a token payload, signed."""
