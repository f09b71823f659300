"""What a layer is built for, and what it is called.

Owns the Pythons and architectures of Lambda that are known. Must not know how anything is built.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

from dataclasses import dataclass
from pathlib import Path

from deploy.layer.errors import LayerError

# Lambda's managed Python runtimes that the extension's own `requires-python` allows.
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
ARCHITECTURES = ("x86_64", "arm64")
EXTRAS = ("grpc", "aws")

# The interpreter that is fetched, in place of a prefix.
UV = "uv"

# What a bundled interpreter is where `uv` fetches it and no version is asked for.
DEFAULT_PYTHON = "3.13"

# How others call Lambda's architectures.
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}

MANAGED_LIMIT_BYTES, BUNDLED_LIMIT_BYTES = 12_000_000, 35_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One layer.

    Attributes:
        python: the managed runtime's version, or of an interpreter that `uv` fetches. Of one that
            is taken from a prefix, None takes the version that is there.
        architecture: `x86_64` or `arm64`, as Lambda has it.
        interpreter: None uses the runtime's own; a prefix, or `uv` to fetch one, carries it along.
        extras: of `grpc` and, for layers with an interpreter, `aws`.
    """

    python: str | None = None
    architecture: str = "x86_64"
    interpreter: Path | str | None = None
    extras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not known.

        Raises:
            LayerError: with what is.
        """
        if self.python is None and self.interpreter is None:
            raise LayerError(
                f"say for which Python the layer is: one of {', '.join(PYTHONS)};"
                " or carry an interpreter along, for any runtime"
            )
        if self.python is not None:
            _check("Python", self.python, PYTHONS)
        _check("architecture", self.architecture, ARCHITECTURES)
        for extra in self.extras:
            _check("extra", extra, EXTRAS)
        if "aws" in self.extras and not self.is_bundled:
            raise LayerError(
                "Lambda's Python runtimes bring botocore, which is used there: the extra aws is for"
                " layers with an interpreter of their own"
            )

    @property
    def machine(self) -> str:
        """The architecture as Python, uv and ELF call it."""
        return MACHINES[self.architecture]

    @property
    def is_bundled(self) -> bool:
        """Whether the layer carries its own interpreter."""
        return self.interpreter is not None

    @property
    def name(self) -> str:
        """The name of the zip, without its ending."""
        runtime = "any" if self.is_bundled else f"python{self.python}"
        return "-".join(("logger-extension", runtime, self.architecture, *sorted(self.extras)))

    @property
    def limit_bytes(self) -> int:
        """The most that the zip may have."""
        return BUNDLED_LIMIT_BYTES if self.is_bundled else MANAGED_LIMIT_BYTES


def _check(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise LayerError(f"{what} {value!r} is not known: it is one of {', '.join(known)}")
