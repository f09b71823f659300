"""What a collector's answer to an empty export means for the user.

Owns the advice. What an answer means for the data is the extension's own to say
(`logger_extension.policy.outcome`). Must not know connections.
"""

import re

from logger_extension.policy.outcome import Delivered, Outcome, Refused, TooLarge, Undelivered
from logger_extension.settings.export import GRPC, Target
from logger_extension_cli.doctor.masking import Masking, mask_address
from logger_extension_cli.doctor.report import Check, Status

CREDENTIAL = "the key is missing, wrong or may not write: see the headers ({headers})"
PATH = "nothing takes {signal} at {address}: see the endpoint's host, port and path"
PROTOCOL = "is {protocol} what it speaks there? see OTEL_EXPORTER_OTLP_PROTOCOL"
BUSY = "it is there but takes nothing now: try again, and see its own log"

NO_ANSWER_GRPC = "does it speak grpc there, and TLS or not? the usual port is 4317"

# How an answer begins, to what the user may do.
ADVICE = (
    (r"HTTP 40[13]\b|gRPC (UNAUTHENTICATED|PERMISSION_DENIED)\b", CREDENTIAL),
    (r"HTTP 407\b", "the proxy wants a user: see HTTPS_PROXY and HTTP_PROXY"),
    (r"HTTP 40[45]\b|gRPC (UNIMPLEMENTED|NOT_FOUND)\b", PATH),
    (r"HTTP 4(00|06|15|22)\b|gRPC INVALID_ARGUMENT\b|gRPC INTERNAL\b", PROTOCOL),
    (r"HTTP (429|50[234])\b|gRPC RESOURCE_EXHAUSTED\b", BUSY),
    (r"HTTP 3\d\d\b", "the extension follows no redirect: set the endpoint that it names"),
    (r"HTTP 5\d\d\b", "the collector failed: see its own log"),
    (r"gRPC UNAVAILABLE\b", NO_ANSWER_GRPC),
)
NO_ANSWER = "does the collector speak {protocol} there? see its own log"


def explain_outcome(
    outcome: Outcome, target: Target, took_ms: float, masking: Masking, *, failed_step: str = ""
) -> Check:
    """Return what the user is told of one export.

    Args:
        outcome: what became of it.
        target: where it went, its address known.
        took_ms: until the answer.
        masking: knows every secret that was sent.
        failed_step: the check of the connection that has failed, which tells why there is no
            answer.
    """
    name = f"{target.signal} export"
    match outcome:
        case Delivered(0, ""):
            text = f"an empty request was taken, {took_ms:.0f} ms"
            return Check(name=name, status=Status.OK, text=text)
        case Delivered(rejected, message):
            # A partial success: the request was taken, with words or without some records.
            text = f"taken, but: {masking.repeat(message)}"
            if rejected:
                text = f"taken without {rejected:,} records: {masking.repeat(message)}"
            return Check(name=name, status=Status.WARNING, text=text)
        case Undelivered(reason) | Refused(reason) | TooLarge(reason):
            return Check(
                name=name,
                status=Status.FAILED,
                text=masking.repeat(reason),
                advice=_advise(reason, target, masking, failed_step),
            )


def _advise(reason: str, target: Target, masking: Masking, failed_step: str) -> str:
    advice = next((text for start, text in ADVICE if re.match(start, reason)), NO_ANSWER)
    if failed_step and advice in (NO_ANSWER, NO_ANSWER_GRPC):
        return f"see {failed_step}"
    scheme = "http" if target.insecure else "https"
    url = f"{scheme}://{target.url}" if target.protocol == GRPC else target.url
    address = mask_address(url)
    if masking.repeat(address) != address:
        address = "the endpoint"  # the whole of it may come from a secret
    return advice.format(
        headers=", ".join(target.headers) or "none are set",
        signal=target.signal,
        address=address,
        protocol=target.protocol,
    )
