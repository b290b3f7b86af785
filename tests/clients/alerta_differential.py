"""Asks Alerta's own server and the hub the same, and prints in what their answers differ, as JSON.

The server runs in this process on a PostgreSQL of its own that is thrown away. Exits with 77, and says
why, where there is no PostgreSQL. What the two are meant to tell differently is named in MEANT below.
"""

import glob
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
# Names of fields whose values are each server's own, or that only the hub has.
MEANT = {
    "origin", "recurrence", "timeZone", "remaining", "latency", "since", "deleted", "_links",
    # The hub says which alert a note is of; Alerta's address of a note leads nowhere.
    "href",
}
# Lists that Alerta orders by nothing.
UNORDERED = {"alerts", "environments", "services", "groups", "tags", "users", "permissions"}
# Alerta pages some lists and not others, and an empty one has one page or none.
PAGES = {"page", "pageSize", "pages", "more"}
# Entries of a history that the hub lets nobody have written: a sender spoke, whosever key it had.
SPOKEN = {"new", "severity", "value"}
# Those that Alerta gives no timeout.
WORDS = {"note", "dismiss"}


class Postgres:
    """A PostgreSQL that listens on nothing but a socket in its own directory."""

    def __init__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
        if not found:
            print("there is no PostgreSQL", file=sys.stderr)
            sys.exit(77)
        programs = os.path.dirname(found[-1])
        self.home = tempfile.mkdtemp(prefix="alerta-")
        # It refuses to be root.
        self.who = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        if self.who:
            shutil.chown(self.home, "postgres", "postgres")
        data = os.path.join(self.home, "data")
        initdb = [f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "alerta"]
        quiet = {"stdout": subprocess.DEVNULL, "cwd": self.home, **self.who}
        subprocess.run(initdb, check=True, **quiet)
        options = ["-k", self.home, "-c", "listen_addresses=", "-c", "fsync=off"]
        log = subprocess.DEVNULL
        self.process = subprocess.Popen([found[-1], "-D", data, *options], stderr=log, **quiet)
        self.url = f"postgresql:///postgres?host={self.home}&user=alerta"

    def wait(self):
        import psycopg2

        for _ in range(600):
            try:
                return psycopg2.connect(self.url).close()
            except psycopg2.OperationalError:
                if self.process.poll() is not None:
                    raise
                time.sleep(0.1)
        raise TimeoutError("PostgreSQL does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Theirs:
    """Alerta's server, in this process."""

    def __init__(self, url):
        logging.disable(logging.CRITICAL)
        from alerta import create_app

        config = {
            "DATABASE_URL": url, "SECRET_KEY": "x" * 32, "AUTH_REQUIRED": True,
            "ADMIN_USERS": ["admin"], "ALLOWED_ENVIRONMENTS": ["Production", "Development", "Homelab"],
        }
        app = create_app(config)
        with app.test_request_context("/"):
            from alerta.models.key import ApiKey

            ApiKey(user="admin", scopes=["admin", "read", "write"], text="", key="theirs").create()
        self.client = app.test_client()
        self.seen = {}

    def ask(self, method, path, body):
        headers = {"Authorization": "Key theirs"}
        answer = self.client.open(path, method=method, json=body, headers=headers)
        return answer.status_code, answer.get_json(silent=True)


class Ours:
    """The hub."""

    def __init__(self):
        self.base, self.key = os.environ["BERGFRIED_API"], os.environ["BERGFRIED_KEY"]
        self.seen = {}

    def ask(self, method, path, body):
        headers = {"Authorization": f"Key {self.key}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        text = answer.read()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, None


def plain(value, name=""):
    """The value without what differs between any two servers."""
    if isinstance(value, dict):
        kind = value.get("type") if "updateTime" in value else None
        if kind in SPOKEN or kind in WORDS:
            gone = "user" if kind in SPOKEN else "timeout"
            value = {key: one for key, one in value.items() if key != gone}
        return {key: plain(one, key) for key, one in value.items() if key not in MEANT}
    if isinstance(value, list):
        values = [plain(one, name) for one in value]
        if name in UNORDERED:
            values.sort(key=lambda one: json.dumps(one, sort_keys=True))
        return values
    if isinstance(value, str):
        return DATE.sub("DATE", UUID.sub("ID", value))
    return value


def differences(theirs, ours, where=""):
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            # The hub pages every list.
            if key in PAGES and (key not in theirs or key in {"pageSize", "pages"}):
                continue
            if key not in theirs or key not in ours:
                yield f"{where}.{key}: only {'ours' if key in ours else 'theirs'}"
            else:
                yield from differences(theirs[key], ours[key], f"{where}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for at, (one, other) in enumerate(zip(theirs, ours)):
            yield from differences(one, other, f"{where}[{at}]")
    elif theirs != ours:
        yield f"{where}: theirs {json.dumps(theirs)[:200]}, ours {json.dumps(ours)[:200]}"


def down(**more):
    alert = {
        "resource": "web1", "event": "Down", "environment": "Production", "severity": "major",
        "correlate": ["Up"], "service": ["Web", "Shop"], "group": "Network", "value": 100,
        "text": "no answer", "tags": ["dc1"], "attributes": {"region": "EU"}, "origin": "test/probe",
        "type": "probe", "timeout": 600, "rawData": "raw",
    }
    return {**alert, **more}


def other(resource, **more):
    environment, service = more.pop("environment", "Production"), more.pop("service", ["Other"])
    return {"resource": resource, "event": "E", "environment": environment, "service": service, **more}


def action(word, **more):
    return ("PUT", "/alert/{alert}/action", {"action": word, **more})


ONE = ("GET", "/alert/{alert}")
STEPS = [
    # What is said of one matter, and what people do to it. The fourth is what to keep of the answer.
    ("POST", "/alert", down(), "alert"),
    ("POST", "/alert", down()),
    ("POST", "/alert", down(value=101, tags=["dc2"])),
    ("POST", "/alert", down(severity="critical", text="worse", attributes={"rack": 1})),
    ("POST", "/alert", down(severity="minor", correlate=["Else"])),
    ONE,
    action("ack", text=""), action("ack"), action("open"), action("open"),
    action("shelve", timeout=7200), action("ack"), action("unshelve"), action("unshelve"),
    action("ack", timeout=60), action("unack"), action("unack"), action("createIssue"),
    ("POST", "/alert", down(severity="critical")),
    action("ack"),
    ("POST", "/alert", down(severity="minor")),
    ("POST", "/alert", down(severity="critical")),
    action("close"), action("close"), action("ack"),
    ("POST", "/alert", down(severity="critical")),
    action("shelve"),
    ("POST", "/alert", down(severity="major")),
    action("open"),
    ("POST", "/alert", down(event="Up", severity="ok")),
    ("POST", "/alert", down(event="Up", severity="ok")),
    action("open"), action("close"),
    ("POST", "/alert", down(event="Up", severity="normal")),
    ("POST", "/alert", down(event="Down", severity="warning", status="ack")),
    ("PUT", "/alert/{alert}/tag", {"tags": ["new"]}),
    ("PUT", "/alert/{alert}/untag", {"tags": ["dc1", "none"]}),
    ("PUT", "/alert/{alert}/attributes", {"attributes": {"region": None, "owner": {"name": "Ada"}}}),
    ("PUT", "/alert/{alert}/attributes", {}),
    ("PUT", "/alert/{alert}/action", {}), ("PUT", "/alert/{alert}/status", {}),
    ("PUT", "/alert/{alert}/note", {"text": "I look"}, "note"),
    ("GET", "/alert/{alert}/notes"),
    ("PUT", "/alert/{alert}/note/{note}", {"text": "I looked"}),
    ("DELETE", "/alert/{alert}/note/{note}"), ("DELETE", "/alert/{alert}/note/{note}"),
    ("GET", "/alert/nothing"), ("DELETE", "/alert/nothing"), ("GET", "/nothing"),
    # What cannot be an alert.
    ("POST", "/alert", {}), ("POST", "/alert", {"resource": "a"}), ("POST", "/alert", []),
    ("POST", "/alert", other("a", service=[])), ("POST", "/alert", other("a", environment="Moon")),
    ("POST", "/alert", other("a", severity="grave")), ("POST", "/alert", other("a", timeout="9")),
    ("POST", "/alert", other("a", tags="a")), ("POST", "/alert", other("a", createTime="today")),
    ("POST", "/alert", other("a", attributes={"a.b": 1})), ("POST", "/alert", other("a", correlate="b")),
    # A list of some, asked in many ways.
    ("POST", "/alert", other("web2", severity="warning", value=1.5)),
    ("POST", "/alert", other("web3", severity="critical", environment="Development", tags=["a", "b"])),
    ("POST", "/alert", other("web4", severity="ok", service=["Web"], group="Network")),
    ("POST", "/alert", other("nas", event="SEC", environment="Homelab", severity="informational")),
    *(("GET", f"/alerts{query}") for query in [
        "", "?sort-by=resource", "?sort-by=-resource&page-size=2", "?sort-by=resource&page=2&page-size=2",
        "?sort-by=severity&sort-by=resource", "?sort-by=status&sort-by=resource", "?page=9", "?page=0",
        "?sort-by=nothing", "?nothing=1", "?environment=Production&sort-by=resource", "?status=open",
        "?status=open&status=closed&sort-by=resource", "?severity!=ok&sort-by=resource",
        "?resource=web2&resource=web3&sort-by=resource", "?resource=~WEB&sort-by=resource",
        "?resource!=~web", "?resource=~^web[23]&sort-by=resource", "?event=~E&resource!=web2",
        "?service=Web&sort-by=resource", "?group=Network&sort-by=resource", "?attributes.owner=x",
        "?q=web2", "?q=resource:web2", "?q=resource:(web2%20OR%20web3)&sort-by=resource",
        "?q=severity:critical%20AND%20environment:Development", "?q=NOT%20severity:ok&sort-by=resource",
        "?q=group:%22Network%22&sort-by=resource", "?q=tags:a", "?q=service:Web&sort-by=resource",
        "?q=web?&sort-by=resource", "?q=resource:(", "?id={alert}", "?show-raw-data=true&group=Network",
        "?from-date=2020-01-01T00:00:00.000Z&sort-by=resource", "?from-date=2100-01-01T00:00:00.000Z",
        "?limit=1&sort-by=resource", "?show-history=true&resource=web1",
    ]),
    *(("GET", path) for path in [
        "/alerts/count", "/alerts/count?status=open", "/environments", "/services", "/alerts/groups",
        "/alerts/tags", "/scopes",
    ]),
    # Heartbeats, blackouts, users, groups, permissions.
    ("POST", "/heartbeat", {"origin": "cron", "tags": ["a"], "timeout": 60, "attributes": {"a": 1}}, "beat"),
    ("POST", "/heartbeat", {"origin": "cron", "timeout": 90}),
    ("POST", "/heartbeat", {"origin": "cron", "timeout": "9"}),
    ("GET", "/heartbeats"), ("GET", "/heartbeat/{beat}"), ("GET", "/heartbeats?status=expired"),
    ("DELETE", "/heartbeat/{beat}"), ("DELETE", "/heartbeat/{beat}"),
    ("POST", "/blackout", {"environment": "Development", "resource": "web3", "text": "disks"}, "dark"),
    ("POST", "/blackout", {"resource": "web3"}),
    ("GET", "/blackout/{dark}"), ("GET", "/blackouts"), ("GET", "/blackouts?status=expired"),
    ("POST", "/alert", other("web3", severity="major", environment="Development")),
    ("POST", "/alert", other("web5", severity="major", environment="Development")),
    ("PUT", "/blackout/{dark}", {"text": "tapes", "event": "Else"}),
    ("POST", "/alert", other("web3", severity="major", environment="Development")),
    ("DELETE", "/blackout/{dark}"), ("DELETE", "/blackout/{dark}"),
    ("POST", "/user", {"name": "Ada", "login": "ada", "email": "ada@example.com",
                       "password": "correct horse", "roles": ["user"], "text": "on call"}, "user"),
    ("POST", "/user", {"name": "Ada", "login": "ada", "email": "ada@example.com", "password": "battery staple"}),
    ("POST", "/user", {"name": "Bob"}),
    ("GET", "/user/{user}"), ("PUT", "/user/{user}", {"status": "inactive", "text": "away"}),
    ("PUT", "/user/{user}/attributes", {"attributes": {"a": {"b": 1}}}),
    ("POST", "/group", {"name": "Night", "text": "shift"}, "group"), ("POST", "/group", {}),
    ("PUT", "/group/{group}/user/{user}", {}), ("GET", "/groups"),
    ("DELETE", "/group/{group}/user/{user}"), ("DELETE", "/group/{group}"),
    ("DELETE", "/user/{user}"), ("DELETE", "/user/{user}"),
    ("POST", "/perm", {"match": "night", "scopes": ["read", "write:alerts"]}, "perm"),
    ("POST", "/perm", {"match": "admin", "scopes": ["read"]}),
    ("PUT", "/perm/{perm}", {"scopes": ["read"]}), ("DELETE", "/perm/{perm}"),
    ("DELETE", "/alert/{alert}"), ONE,
]


def run(theirs, ours):
    for method, path, *rest in STEPS:
        body, keep = (rest + [None, None])[:2]
        answers = []
        for server in (theirs, ours):
            where = path.format(**server.seen) if server.seen else path
            code, answer = server.ask(method, where, body)
            if keep:
                server.seen[keep] = (answer or {}).get("id", "missing")
            answers.append((code, answer))
        (code, said), (our_code, our) = answers
        what = f"{method} {path} {json.dumps(body)[:80] if body is not None else ''}".strip()
        # Where Alerta breaks, the hub says what is wrong with the request.
        if code == our_code or (code == 500 and 400 <= our_code < 500):
            if code < 400:
                yield from (f"{what}: {one}" for one in differences(plain(said), plain(our)))
            elif set(said or ()) != set(our or ()):
                yield f"{what}: other fields of the error: {our}"
        else:
            yield f"{what}: theirs {code} {json.dumps(said)[:200]}, ours {our_code} {json.dumps(our)[:200]}"


postgres = Postgres()
try:
    postgres.wait()
    print(json.dumps({"differences": list(run(Theirs(postgres.url), Ours())), "asked": len(STEPS)}))
finally:
    postgres.stop()
