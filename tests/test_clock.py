from datetime import UTC, timedelta

from assay import clock


def test_the_time_is_aware_and_in_utc():
    assert clock.now().tzinfo is UTC
    assert clock.now().utcoffset() == timedelta(0)


def test_the_monotonic_time_does_not_go_back():
    first = clock.monotonic()
    assert clock.monotonic() >= first
