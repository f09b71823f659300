"""Whether a place can be reached: its name, a connection, TLS. Each step has an end.

Owns what is told of failures at each step. Foreign exceptions end here. Must not know OTLP.
"""

import asyncio
import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any

from logger_extension_cli.doctor.places import Place
from logger_extension_cli.doctor.report import Check, Status

DAY_S = 86_400
LEAST_DAYS = 14

# A server that does not close its side is left.
PARTING_S = 0.5

# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
EXPIRED, NO_ISSUER, HOST_MISMATCH, ADDRESS_MISMATCH = 10, 20, 62, 64
SELF_SIGNED = (18, 19)
ADVICE = {
    EXPIRED: "the collector's certificate must be renewed",
    NO_ISSUER: "set OTEL_EXPORTER_OTLP_CERTIFICATE to a file with its authority, or let the"
    " collector send the chain between",
    HOST_MISMATCH: "use a name that the certificate has, or a certificate for this name",
    ADDRESS_MISMATCH: "use a name that the certificate has, or a certificate for this address",
} | dict.fromkeys(SELF_SIGNED, "set OTEL_EXPORTER_OTLP_CERTIFICATE to a file with its authority")


async def check_place(place: Place, timeout_s: float) -> list[Check]:
    """Return a check of each step, up to the first that fails."""
    found = await _check_name(place, timeout_s)
    if found.status is not Status.OK:
        return [found]
    connected, writer = await _connect(place, timeout_s)
    if writer is None:
        return [found, connected]
    transport, checks = writer.transport, [found, connected]
    try:
        if place.is_tls:
            checks.append(await _check_tls(place, writer, timeout_s))
        if all(each.status is not Status.FAILED for each in checks):
            await _part(writer)
    finally:
        # A handshake that failed leaves the writer with a transport that tells of no end.
        transport.abort()
    return checks


async def _part(writer: asyncio.StreamWriter) -> None:
    """Close as a server expects it: it may not have seen the end of the handshake yet."""
    writer.close()
    with suppress(OSError):  # a TimeoutError is one
        async with asyncio.timeout(PARTING_S):
            await writer.wait_closed()


async def _check_name(place: Place, timeout_s: float) -> Check:
    name = f"{place.name} DNS"
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            addresses = await _resolve(place.host, place.port)
    except TimeoutError:
        text = f"no answer within {timeout_s:g} s"
        return Check(name=name, status=Status.FAILED, text=text, advice="is there a name server?")
    except (OSError, UnicodeError) as error:
        return Check(
            name=name,
            status=Status.FAILED,
            text=f"the name is not found: {_explain(error)}",
            advice="names inside a VPC are found from there alone",
        )
    text = f"{', '.join(addresses)}, {_took(began_s)}"
    return Check(name=name, status=Status.OK, text=text)


async def _resolve(host: str, port: int) -> list[str]:
    """Return a name's addresses.

    In a thread of its own that nobody waits for: the system's resolver cannot be cut short.
    """
    loop = asyncio.get_running_loop()
    resolved: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: Exception | None) -> None:
        if resolved.done():
            return
        if error is None:
            resolved.set_result(value)
        else:
            resolved.set_exception(error)

    def ask() -> None:
        value, failure = None, None
        try:
            value = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended: the answer came too late
            loop.call_soon_threadsafe(settle, value, failure)

    threading.Thread(target=ask, daemon=True).start()
    return list(dict.fromkeys(str(each[4][0]) for each in await resolved))


async def _connect(place: Place, timeout_s: float) -> tuple[Check, asyncio.StreamWriter | None]:
    """Return the check and the connection; TLS begins on the same, as servers expect it."""
    name = f"{place.name} TCP"
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(place.host, place.port)
    except TimeoutError:
        text = f"no connection within {timeout_s:g} s"
        advice = "a firewall or a security group may drop it, or a VPC has no way out"
        return Check(name=name, status=Status.FAILED, text=text, advice=advice), None
    except OSError as error:
        advice = "does the collector run, on this port? 4318 is usual for HTTP, 4317 for grpc"
        return Check(name=name, status=Status.FAILED, text=_explain(error), advice=advice), None
    text = f"connected, {_took(began_s)}"
    return Check(name=name, status=Status.OK, text=text), writer


async def _check_tls(place: Place, writer: asyncio.StreamWriter, timeout_s: float) -> Check:
    name = f"{place.name} TLS"
    try:
        context = await asyncio.to_thread(_make_context, place)
    except OSError:
        text = "a file of certificates cannot be used here: see the export"
        return Check(name=name, status=Status.SKIPPED, text=text)
    try:
        async with asyncio.timeout(timeout_s):
            await writer.start_tls(context, server_hostname=place.host)
    except TimeoutError:
        text = f"no handshake within {timeout_s:g} s"
        advice = "does the collector speak TLS there?"
        return Check(name=name, status=Status.FAILED, text=text, advice=advice)
    except ssl.SSLCertVerificationError as error:
        text = f"the certificate is not trusted: {error.verify_message}"
        advice = ADVICE.get(error.verify_code, "")
        return Check(name=name, status=Status.FAILED, text=text, advice=advice)
    except OSError as error:
        return Check(name=name, status=Status.FAILED, text=_explain(error), advice=_advise(error))
    return _judge(name, writer.get_extra_info("ssl_object"), place, time.time())


def _judge(name: str, connection: ssl.SSLObject, place: Place, now_s: float) -> Check:
    """Return what is told of a handshake that has succeeded."""
    if place.is_grpc and connection.selected_alpn_protocol() != "h2":
        return Check(
            name=name,
            status=Status.FAILED,
            text="no HTTP/2 is spoken there (ALPN), which grpc needs",
            advice="use the collector's grpc port, usually 4317, or OTEL_EXPORTER_OTLP_PROTOCOL"
            "=http/protobuf",
        )
    certificate = connection.getpeercert() or {}
    end = str(certificate.get("notAfter", ""))
    days = int((ssl.cert_time_to_seconds(end) - now_s) // DAY_S) if end else LEAST_DAYS
    text = f"{connection.version()}, the certificate is trusted and ends in {days} days ({end})"
    if days < LEAST_DAYS:
        advice = "the collector's certificate must be renewed"
        return Check(name=name, status=Status.WARNING, text=text, advice=advice)
    return Check(name=name, status=Status.OK, text=text)


def _make_context(place: Place) -> ssl.SSLContext:
    """Return a context like the exporters', which cannot be shared: each has an ALPN of its own."""
    context = ssl.create_default_context(cafile=place.ca_file or None)
    if place.client_certificate_file:
        key_file = place.client_key_file or None
        context.load_cert_chain(place.client_certificate_file, key_file, password=b"")
    context.set_alpn_protocols(["h2"] if place.is_grpc else ["http/1.1"])
    return context


def _advise(error: OSError) -> str:
    reason = getattr(error, "reason", None) or ""
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return "no TLS is spoken there: http:// (or OTEL_EXPORTER_OTLP_INSECURE=true with grpc)?"
    if "ALERT" in reason:
        return "does the collector ask for a certificate? OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
    if reason == "NO_APPLICATION_PROTOCOL":
        return "the port speaks another version of HTTP: 4318 is usual for HTTP, 4317 for grpc"
    return "does the collector speak TLS there?"


def _explain(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)  # asyncio's own words hold the address
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, ConnectionError):
        return "the connection was closed"
    return str(error) or type(error).__name__


def _took(began_s: float) -> str:
    return f"{(time.monotonic() - began_s) * 1000:.0f} ms"
