"""The synthetic AMD: authorities per product line, endorsement keys, reports, revocation lists."""
