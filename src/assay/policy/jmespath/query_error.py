"""What is raised when a query is no query, or cannot be answered."""

from __future__ import annotations


class QueryError(ValueError):
    """A query that does not parse, or whose answer is an error or too large; the message says which and where."""
