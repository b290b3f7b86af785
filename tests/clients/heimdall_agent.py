#!/usr/bin/env python3
"""An agent of Heimdall for Linux, written from the protocol's description.

It tails the files of SIEM_LOG_FILES (commas between them; lines that are there already count), makes
an event of each failed password, invalid user and sudo command, posts batches over one kept
connection, sends a heartbeat and how its host is, and tries a batch again until it is answered with
200. It ends when a file named STOP appears beside the first log, with everything sent.

Environment: SIEM_API_URL, SIEM_API_KEY, SIEM_LOG_FILES, HEIMDALL_HOST. On standard output at the end:
one JSON object with what was answered.
"""

import datetime
import json
import os
import re
import sys
import time
import uuid

import requests

URL = os.environ["SIEM_API_URL"].rstrip("/")
HOST = os.environ["HEIMDALL_HOST"]
FILES = os.environ["SIEM_LOG_FILES"].split(",")
FAILED = re.compile(r"Failed password for (?:invalid user )?(?P<user>\S+) from (?P<ip>\S+)")
SUDO = re.compile(r"sudo(?:\[\d+\])?:\s+(?P<user>\S+) : .*COMMAND=")


def event(line):
    """The event that a line is, or None."""
    kind, severity, user, address = None, 0, "system", "N/A"
    if match := FAILED.search(line):
        kind, severity, user, address = "LOGIN_FAIL", 3, match["user"], match["ip"]
    elif match := SUDO.search(line):
        kind, severity, user = "SUDO_ESCALATION", 2, match["user"]
    if kind is None:
        return None
    return {
        "event_id": str(uuid.uuid4()),
        "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "source_host": HOST,
        "os_type": "LINUX",
        "event_type": kind,
        "severity": severity,
        "source_ip": address,
        "user": user,
        "raw_message": line,
    }


def status():
    """How the host is."""
    return {
        "source_host": HOST,
        "os_type": "LINUX",
        "os_details": "Debian GNU/Linux 12 (bookworm)",
        "cpu_usage": 12.5,
        "cpu_count": 2,
        "memory_total": 8589934592,
        "memory_used": 4294967296,
        "memory_percent": 50.0,
        "disk_info": [{"device": "/dev/vda1", "mountpoint": "/", "total": 100, "used": 40,
                       "percent": 40.0}],
        "network_info": [{"interface": "eth0", "ip": "192.0.2.10"}],
        "top_processes": [{"pid": 1, "name": "init", "cpu_percent": 0.1, "memory_percent": 0.2}],
        "boot_time": "2026-03-01T08:00:00+00:00",
        "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
    }


def main():
    session = requests.Session()
    session.headers["api-key"] = os.environ["SIEM_API_KEY"]
    told = {"sent": 0, "processed": 0, "messages": [], "tries": 0}

    def post(path, **arguments):
        """The answer, once it is 200."""
        while True:
            told["tries"] += 1
            try:
                answer = session.post(URL + path, timeout=10, **arguments)
            except requests.RequestException:
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                return answer.json()
            if answer.status_code not in (429, 500, 502, 503, 507):
                sys.exit(f"{path}: {answer.status_code} {answer.text}")
            time.sleep(float(answer.headers.get("Retry-After", "1")))

    # The key is refused before the body is looked at.
    for key, expected in ((None, 401), ("wrong", 403)):
        answer = requests.post(URL + "/ingest", headers={"api-key": key} if key else {},
                               json={"events": []}, timeout=10)
        assert answer.status_code == expected, answer.text

    headers = {"source-host": HOST, "os-type": "LINUX"}
    told["heartbeat"] = sorted(post("/heartbeat", headers=headers))
    told["status"] = sorted(post("/system-status", json={"status": status()}))

    logs = [open(path, encoding="utf-8", errors="replace") for path in FILES]
    stop = os.path.join(os.path.dirname(FILES[0]), "STOP")
    while True:
        ending = os.path.exists(stop)
        batch = []
        for log in logs:
            while len(batch) < 100 and (line := log.readline()):
                if found := event(line.rstrip("\n")):
                    batch.append(found)
        if batch:
            answer = post("/ingest", json={"events": batch})
            told["sent"] += len(batch)
            told["processed"] += answer["events_processed"]
            told["messages"].append(answer["message"])
        elif ending:
            break
        else:
            time.sleep(0.02)
    # As every minute.
    post("/system-status", json={"status": status()})
    print(json.dumps(told))


main()
