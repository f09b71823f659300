"""How property tests run here: no timed bound, because the machine's load is none of their business."""

from hypothesis import HealthCheck, settings

LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
