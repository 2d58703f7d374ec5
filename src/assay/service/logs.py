"""Logs: one JSON object a line on standard error; never evidence, tokens, nonces or keys (design, section 9)."""

from __future__ import annotations

import logging
import sys
import warnings

import structlog


def configure_logs(level: int = logging.INFO) -> None:
    """Send structured events, and the libraries' warnings, to standard error."""
    # The certificate library warns of odd names, which strangers choose.
    warnings.simplefilter("ignore", UserWarning)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s", force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            # JSON escapes line ends, so that a claim cannot forge a line (attack case POL-13).
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
