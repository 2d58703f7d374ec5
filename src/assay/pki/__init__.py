"""Certificates, chains, revocation and signatures; the time is passed in."""
