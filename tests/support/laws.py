"""How property tests run here: without timed bounds, for the machine's load is not theirs."""

from hypothesis import HealthCheck, settings

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
