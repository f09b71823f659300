"""Whether each signal's collector takes telemetry: secrets, connection, an empty export.

Owns what depends on what. Secrets are fetched and requests are sent by the extension's own code.
State: the secrets that were fetched, and the checks of each place, which signals may share. Must
not know how anything is told.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logger_extension.aws.credentials import ADDRESS
from logger_extension.aws.secret_store import SecretStore
from logger_extension.errors import AwsError, ConfigError
from logger_extension.exporters.protocols import open_exporter
from logger_extension.settings.export import Target
from logger_extension.settings.resolution import resolve
from logger_extension_cli.doctor.answers import explain_outcome
from logger_extension_cli.doctor.masking import Masking, mask_address
from logger_extension_cli.doctor.network import check_place
from logger_extension_cli.doctor.places import Place, find_place
from logger_extension_cli.doctor.report import Check, Status

if TYPE_CHECKING:
    from logger_extension.policy.references import Reference

# OTLP takes it: "a request that does not carry any telemetry data" SHOULD succeed.
# https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response
EMPTY_REQUEST = b""

MS_PER_S = 1_000

NO_CREDENTIALS = "there are no AWS credentials here"


def check_collectors(
    targets: Sequence[Target], environ: Mapping[str, str], masking: Masking, timeout_s: float
) -> list[Check]:
    """Return the checks of every target.

    Args:
        targets: of the signals that are on.
        environ: the function's environment.
        masking: learns every secret.
        timeout_s: the most that a step may take.
    """
    return asyncio.run(_Collectors(environ, masking, timeout_s).check(targets))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aim:
    """Where a target leads.

    Attributes:
        target: as it was set.
        resolved: with its secrets, None while one is missing or when they cannot be used.
        place: what is connected to, None when that is not known or is no host.
        fault: why its secrets cannot be used, empty when they can.
    """

    target: Target
    resolved: Target | None
    place: Place | None
    fault: str = ""


class _Collectors:
    """One run of the checks; see `check_collectors`."""

    def __init__(self, environ: Mapping[str, str], masking: Masking, timeout_s: float) -> None:
        self._environ = environ
        self._masking = masking
        self._timeout_s = timeout_s
        self._store = SecretStore(environ)
        self._values: dict[Reference, str] = {}
        self._places: dict[Place, list[Check]] = {}

    async def check(self, targets: Sequence[Target]) -> list[Check]:
        try:
            secrets = await self._fetch(targets)
            aims = [self._aim(target) for target in targets]
            places = list(dict.fromkeys(aim.place for aim in aims if aim.place is not None))
            steps = await asyncio.gather(*(self._visit(each) for each in places))
            self._places = dict(zip(places, steps, strict=True))
            exports = await asyncio.gather(*(self._export(aim) for aim in aims))
        finally:
            await self._store.close()
        return [*secrets, *(check for checks in steps for check in checks), *exports]

    async def _fetch(self, targets: Sequence[Target]) -> list[Check]:
        """Fetch what the targets refer to; return a check of each secret."""
        references = {each for target in targets for each in target.references}
        self._store.want(references)  # all with the first
        checks: dict[str, Check] = {}
        for reference in sorted(references, key=lambda each: (each.secret.name, each.key)):
            name = f"secret {reference.secret.name}"
            if not self._has_credentials:
                checks[name] = Check(name=name, status=Status.SKIPPED, text=NO_CREDENTIALS)
                continue
            try:
                async with asyncio.timeout(self._timeout_s):
                    self._values |= await self._store.read([reference])
            except (AwsError, TimeoutError) as error:
                text = str(error) or f"not read within {self._timeout_s:g} s"
                checks[name] = Check(name=name, status=Status.FAILED, text=text)
            else:
                checks.setdefault(name, Check(name=name, status=Status.OK, text="read"))
        self._masking.learn(self._values.values())
        return list(checks.values())

    def _aim(self, target: Target) -> _Aim:
        resolved = target if self._values.keys() >= target.references else None
        if target.references and resolved is not None:
            try:
                resolved = resolve(target, self._values)
            except ConfigError as error:
                return _Aim(target=target, resolved=None, place=None, fault=str(error))
            self._masking.learn_sent(resolved.headers, resolved.url)
        addressed = resolved or target
        place = find_place(addressed, self._environ) if addressed.url else None
        if place is not None and target.endpoint is not None:
            place = replace(place, label=mask_address(target.endpoint.text))
        return _Aim(target=target, resolved=resolved, place=place)

    async def _visit(self, place: Place) -> list[Check]:
        checks = await check_place(place, self._timeout_s)
        if not place.label:
            return checks
        return [replace(each, text=self._masking.repeat(each.text)) for each in checks]

    async def _export(self, aim: _Aim) -> Check:
        name = f"{aim.target.signal} export"
        if aim.fault:
            return Check(name=name, status=Status.FAILED, text=aim.fault)
        if aim.resolved is None:
            text = "a secret that it needs was not read"
            return Check(name=name, status=Status.SKIPPED, text=text)
        failed = self._find_failed_step(aim.place)
        if obstacle := self._find_obstacle(aim.resolved, failed):
            return Check(name=name, status=Status.SKIPPED, text=obstacle)
        return await self._send(name, aim.target, aim.resolved, failed)

    async def _send(self, name: str, target: Target, resolved: Target, failed: str) -> Check:
        began_s, limit_s = time.monotonic(), self._find_limit_s(target)
        try:
            async with (
                open_exporter(target, secrets=self._store) as exporter,
                asyncio.timeout(limit_s),
            ):
                outcome = await exporter.export(EMPTY_REQUEST)
        except ConfigError as error:
            return Check(name=name, status=Status.FAILED, text=str(error))
        except TimeoutError:
            return Check(
                name=name,
                status=Status.FAILED,
                text=f"no answer within {limit_s:g} s",
                advice=f"see {failed}" if failed else f"does it speak {target.protocol} there?",
            )
        took_ms = (time.monotonic() - began_s) * MS_PER_S
        self._masking.learn(self._store.signer.secrets)
        return explain_outcome(outcome, resolved, took_ms, self._masking, failed_step=failed)

    def _find_failed_step(self, place: Place | None) -> str:
        """Return the name of the check of a place that has failed, empty when none has."""
        steps = self._places.get(place, []) if place is not None else []
        return next((each.name for each in steps if each.status is Status.FAILED), "")

    def _find_obstacle(self, resolved: Target, failed: str) -> str:
        """Return why nothing can be sent, empty when it can."""
        if resolved.scope is not None and not self._has_credentials:
            return f"it is signed: {NO_CREDENTIALS}"
        # TLS may be judged otherwise by gRPC, which has authorities of its own.
        return f"{failed} has failed" if failed and not failed.endswith(" TLS") else ""

    def _find_limit_s(self, target: Target) -> float:
        return min(self._timeout_s, target.timeout_ms / MS_PER_S or self._timeout_s)

    @property
    def _has_credentials(self) -> bool:
        environ = self._environ
        has_key = environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY")
        return bool(has_key or environ.get(ADDRESS))
