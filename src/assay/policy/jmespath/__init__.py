"""The policy language's JMESPath: the standard's queries and `equals_ignore_case`, bounded (policy-language 7.1)."""

from assay.policy.jmespath.query import Query, compile_query, encode_result
from assay.policy.jmespath.query_error import QueryError

__all__ = ["Query", "QueryError", "compile_query", "encode_result"]
