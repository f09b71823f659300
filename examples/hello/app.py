"""A handler as anyone writes it: it knows nothing of telemetry.

Greets the people that the event names. Prints plain lines and JSON lines, logs with the logging
module, does a little work, and fails when there is nobody to greet.
"""

import hashlib
import json
import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)

ROUNDS = 20_000  # some 10 ms of work for each person


def handler(event, context):
    """Return a greeting for each name in the event: {"names": ["Ada", "Grace"]}."""
    names = event.get("names", [])
    print(f"greeting {len(names)} people")
    if not names:
        raise ValueError("there is nobody to greet")
    greetings = [greet(name) for name in names]
    logger.info("greeted with %s ms left", context.get_remaining_time_in_millis())
    return {"greetings": greetings}


def greet(name):
    """Return the greeting and its seal, and tell of it in a JSON line."""
    level = "INFO" if name[:1].isupper() else "WARN"
    seal = hashlib.pbkdf2_hmac("sha256", name.encode(), b"hello", ROUNDS).hex()
    print(json.dumps({"level": level, "message": f"hello {name}", "seal": seal[:8]}))
    return f"Hello, {name}!"
