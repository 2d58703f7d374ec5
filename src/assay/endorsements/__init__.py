"""What vendors sign: parsed and verified here, never fetched."""
