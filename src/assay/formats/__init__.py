"""Bytes and text without meaning: the forms in which everything else arrives."""
