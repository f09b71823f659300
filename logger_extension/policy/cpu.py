"""How much CPU a function has, and whether any of it is to spare beside the handler.

Lambda gives CPU in proportion to memory: 1,769 MB are the equivalent of one vCPU
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). What the kernel shows is
an upper bound only: a function of 128 MB sees two processors of which it may use a fourteenth. Must
not ask the system: the caller passes in what it has found.
"""

from typing import NamedTuple

MB_PER_VCPU = 1769


class CpuShare(NamedTuple):
    """What a sandbox may use.

    Attributes:
        vcpus: how many processors' worth of time.
    """

    vcpus: float

    @property
    def has_spare(self) -> bool:
        """Whether work beside the handler does not take its CPU: a handler mostly uses one."""
        return self.vcpus > 1


def find_cpu_share(memory_mb: int, processors: int | None) -> CpuShare:
    """Return the share that a memory size gives, never more than there are processors.

    Args:
        memory_mb: the configured size.
        processors: what the kernel shows (`os.cpu_count`), None when it does not say.
    """
    vcpus = memory_mb / MB_PER_VCPU
    return CpuShare(min(vcpus, processors) if processors else vcpus)
