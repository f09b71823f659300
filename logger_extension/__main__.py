"""The start of the process: bootstrap, configuration, then the app, each imported when its turn is.

Owns the order of the start and the exit codes that the launcher understands. Must not know what
any part does. An exit code other than these makes the launcher start us again:

    0   SHUTDOWN was seen, or SIGTERM or SIGINT: all done
    69  cannot import what is needed: a restart would not help, the launcher calls next instead
    70  Lambda refused the registration: fatal
    75  nothing to do (disabled, no collector, bad settings): the launcher calls next instead
    78  bad settings under LOGGER_EXTENSION_STRICT=1: fatal
"""

# ruff: noqa: PLC0415  (imports stand where their time is affordable: that is this module's purpose)

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logger_extension.bootstrap import Handoff
    from logger_extension.config import Config
    from logger_extension.errors import ConfigError

EXIT_CANNOT_IMPORT = 69
EXIT_NOT_REGISTERED = 70
EXIT_PASS_THROUGH = 75
EXIT_BAD_CONFIG = 78


def main() -> int:
    """Run one process of the extension; return its exit code."""
    try:
        return _start()
    except ImportError as error:
        line = (
            '{"level":"error","source":"logger_extension",'
            '"message":"cannot import: telemetry is off","reason":"%s",'
            '"action":"use the layer built for Python %d.%d and this architecture"}\n'
        )
        reason = str(error).translate({34: "'", 92: "/"} | dict.fromkeys(range(32), " "))
        sys.stderr.write(line % (reason, *sys.version_info[:2]))
        return EXIT_CANNOT_IMPORT


def _start() -> int:
    began_s = time.monotonic()
    from logger_extension import bootstrap
    from logger_extension.errors import ConfigError, LambdaApiError

    try:
        handoff = bootstrap.start(os.environ, subscribe=_has_endpoint())
    except LambdaApiError as error:
        from logger_extension.selflog import say

        say("error", "registration failed: Lambda will fail this init", reason=str(error))
        return EXIT_NOT_REGISTERED

    handoff.start_up_s["subscribed"] = time.monotonic() - began_s
    if handoff.listener is not None and _can_ask_unread():
        bootstrap.ask_next(handoff)
    import gc

    # Imports make what stays: to search it for garbage would cost CPU. The app begins to search.
    gc.disable()
    try:
        config = _read_config(handoff)
    except ConfigError as error:
        return _without_config(handoff, error)
    if config.cpu.has_spare and handoff.first_next is None:
        # The imports below run on the spare CPU, beside the runtime's own init. Without one they
        # run before the first `next`, while init still has its CPU boost.
        if config.receiver.is_on:
            bootstrap.listen_for_sdk(handoff, config.receiver.port)
        bootstrap.ask_next(handoff)

    from logger_extension.app import run

    handoff.start_up_s["imported"] = time.monotonic() - began_s
    try:
        code = run(handoff, config)
    except ConfigError as error:
        return _without_config(handoff, error)
    # All is sent and closed. Taking the interpreter apart would take as long as the last flush did,
    # and the shutdown phase is billed until the last extension has ended.
    os._exit(code)


def _has_endpoint(prefix: str = "") -> bool:
    # Without a collector, telemetry would go to a listener that nobody serves.
    return any(
        value
        and name.startswith(prefix)
        and "_EXPORTER_OTLP_" in name
        and name.endswith("ENDPOINT")
        for name, value in os.environ.items()
    )


def _can_ask_unread() -> bool:
    """Whether the first `next` can be asked before the settings are read: init waits for it.

    With a spare CPU, and where no setting is there that has its say before the first invocation:
    to be off, to fail the init, or to listen for the function's own SDK.
    """
    if os.environ.get("OTEL_SDK_DISABLED") or os.environ.get("LOGGER_EXTENSION_STRICT"):
        return False
    receiver = os.environ.get("LOGGER_EXTENSION_OTLP_RECEIVER", "")
    # Endpoints of our own switch the receiver on, if it is not off.
    if receiver != "off" and (receiver or _has_endpoint("LOGGER_EXTENSION_EXPORTER_OTLP_")):
        return False
    memory_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if not (memory_mb.isascii() and memory_mb.isdigit()):
        return False
    from logger_extension.policy.cpu import find_cpu_share

    return find_cpu_share(int(memory_mb), os.cpu_count()).has_spare


def _read_config(handoff: "Handoff") -> "Config":
    import resource

    from logger_extension.config import Config

    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_AS)
    return Config.from_env(
        os.environ,
        telemetry_port=handoff.telemetry_port,
        processors=os.cpu_count(),
        memory_limit_bytes=None if limit_bytes == resource.RLIM_INFINITY else limit_bytes,
    )


def _without_config(handoff: "Handoff", error: "ConfigError") -> int:
    from logger_extension import bootstrap
    from logger_extension.config import is_strict
    from logger_extension.selflog import say

    if is_strict(os.environ):
        say("error", "bad settings, and LOGGER_EXTENSION_STRICT is set: exit", reason=str(error))
        bootstrap.report_init_error(handoff, "Extension.ConfigInvalid", str(error))
        return EXIT_BAD_CONFIG
    say("error", "bad settings: the function runs without telemetry", reason=str(error))
    if handoff.first_next is not None and bootstrap.await_shutdown(handoff.first_next):
        bootstrap.tell_launcher(os.environ, "shutdown")
    return EXIT_PASS_THROUGH


if __name__ == "__main__":
    sys.exit(main())
