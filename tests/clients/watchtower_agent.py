#!/usr/bin/env python3
"""An agent that speaks to a Watchtower collector as the Python agents in the field do.

The real agent follows `journalctl -u UNIT -f -o cat`; this one reads the same lines from standard
input, so that a test decides what is seen. Everything else is as on the wire: one POST for each
accepted login, WATCHTOWER_COLLECTOR_URL is the whole URL, and nothing but status 200 is final, so
that a collector which answers 201 gets each login four times.

Environment: WATCHTOWER_COLLECTOR_URL, WATCHTOWER_TOKEN, WATCHTOWER_REGION, WATCHTOWER_HOST_GROUP,
WATCHTOWER_SEVERITY (info), WATCHTOWER_FLAGGED, WATCHTOWER_VERIFY_TLS (true). For tests alone:
WATCHTOWER_TEST_HOSTNAME, and WATCHTOWER_TEST_BACKOFF_SCALE (1.0), which shortens the 2, 4 and 8 s
between tries.

On standard output: one JSON object for each try, {"line", "try", "status", "body"}; status is null
where no answer came. Exit 0 when input ends, 2 where a setting is missing.
"""

import datetime
import json
import os
import re
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request

ACCEPTED = re.compile(
    r"Accepted (?P<method>\S+) for (?P<user>.+) from (?P<address>\S+) port (?P<port>\d+)")
PAUSES = (2.0, 4.0, 8.0)


def flag(name, default):
    """A boolean from the environment."""
    return os.environ.get(name, default).strip().lower() in ("1", "true", "yes", "on")


def login(line):
    """The document for an accepted login, or None for any other line."""
    match = ACCEPTED.search(line)
    if match is None:
        return None
    document = {
        "type": "user_login",
        "timestamp": datetime.datetime.now(datetime.timezone.utc).astimezone().isoformat(),
        "hostname": os.environ.get("WATCHTOWER_TEST_HOSTNAME") or socket.gethostname(),
        "user": match["user"],
        "method": match["method"],
        "source_ip": match["address"],
        "source_port": match["port"],
        "raw_message": line,
        "severity": os.environ.get("WATCHTOWER_SEVERITY", "info"),
        "flagged": flag("WATCHTOWER_FLAGGED", "false"),
    }
    for key in ("region", "host_group"):
        value = os.environ.get("WATCHTOWER_" + key.upper())
        if value:
            document[key] = value
    return document


def post(url, token, document, context):
    """One try: the status and the body, or None and the reason."""
    request = urllib.request.Request(
        url, data=json.dumps(document).encode(), method="POST",
        headers={"Content-Type": "application/json", "X-Login-Alert-Token": token})
    try:
        with urllib.request.urlopen(request, timeout=5, context=context) as response:
            return response.status, response.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except OSError as error:
        return None, str(error)


def deliver(url, token, document, context, scale):
    """Sends until 200 comes, three more times at most."""
    for number, pause in enumerate((*PAUSES, None), start=1):
        status, body = post(url, token, document, context)
        print(json.dumps({"line": document["raw_message"], "try": number, "status": status,
                          "body": body}), flush=True)
        if status == 200 or pause is None:
            return
        time.sleep(pause * scale)


def main():
    """Reads lines until the input ends."""
    try:
        url, token = os.environ["WATCHTOWER_COLLECTOR_URL"], os.environ["WATCHTOWER_TOKEN"]
    except KeyError as missing:
        print(f"watchtower_agent: {missing.args[0]} is not set", file=sys.stderr)
        return 2
    context = None
    if url.startswith("https:") and not flag("WATCHTOWER_VERIFY_TLS", "true"):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    scale = float(os.environ.get("WATCHTOWER_TEST_BACKOFF_SCALE", "1.0"))
    for line in sys.stdin:
        document = login(line.rstrip("\r\n"))
        if document is not None:
            deliver(url, token, document, context, scale)
    return 0


if __name__ == "__main__":
    sys.exit(main())
