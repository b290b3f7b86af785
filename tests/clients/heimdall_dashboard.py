#!/usr/bin/env python3
"""A dashboard of Heimdall, written from the protocol's description: asks what its pages show.

Environment: SIEM_API_URL, SIEM_API_KEY. On standard output: one JSON object with what it would show,
the times and ids of events left out.
"""

import collections
import datetime
import json
import os
import uuid

import requests

URL = os.environ["SIEM_API_URL"].rstrip("/")
HEADERS = {"api-key": os.environ["SIEM_API_KEY"]}


def get(path, **parameters):
    """The answer's document."""
    answer = requests.get(URL + path, headers=HEADERS, params=parameters, timeout=10)
    answer.raise_for_status()
    return answer.json()


def main():
    health = requests.get(URL + "/", timeout=10).json()
    assert health["status"] == "healthy" and set(health) == {"status", "message", "version"}
    health = requests.get(URL + "/health", timeout=10).json()
    assert set(health) == {"status", "timestamp", "api_version"}

    metrics = get("/metrics")
    minutes = collections.Counter()
    for row in metrics["events_per_minute"]:
        datetime.datetime.strptime(row["minute"], "%Y-%m-%d %H:%M")
        minutes[row["os_type"]] += row["count"]

    table = get("/events", limit=500)
    for row in table["events"]:
        uuid.UUID(row["event_id"])
        datetime.datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00"))
        assert set(row) == {"event_id", "timestamp", "source_host", "os_type", "event_type",
                            "severity", "source_ip", "user", "raw_message"}, row
    assert table["count"] == len(table["events"])
    times = [row["timestamp"] for row in table["events"]]
    assert times == sorted(times, reverse=True)

    # Page by page, the same.
    paged, offset = [], 0
    while True:
        page = get("/events", limit=2, offset=offset)
        assert page["total_count"] == table["total_count"]
        if not page["events"]:
            break
        paged += page["events"]
        offset += page["count"]
    assert paged == table["events"][:len(paged)] and len(paged) == table["total_count"]

    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    count = lambda **parameters: get("/events", **parameters)["total_count"]
    print(json.dumps({
        "total_alerts_24h": metrics["total_alerts_24h"],
        "threats_by_os": metrics["threats_by_os"],
        "per_minute": dict(minutes),
        "top": [row["ip"] for row in metrics["top_attacking_ips"]],
        "blocked": metrics["most_blocked_domain"],
        "total": table["total_count"],
        "failed": count(event_type="LOGIN_FAIL"),
        "high": count(severity_min=3),
        "bob": count(user="BO"),
        "since_yesterday": count(start_date=yesterday.date().isoformat()),
        "before_2020": count(end_date="2019-12-31"),
        "hosts": sorted(host["source_host"] for host in get("/hosts")["active_hosts"]),
        "cpu": get("/system-status/" + os.environ["HEIMDALL_HOST"])["status"]["cpu_usage"],
        "config": get("/alert-config")["config"]["severity_threshold"],
    }))


main()
