#!/usr/bin/env python3
"""Says which steps of a recorded drill the rules find: record-audit-drill.py BERGFRIED DIRECTORY [RULE…]

Every step is scanned alone, so that none is found by what another did. A host is put before each line, as
the agent names it: rules that count ask for one.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

TIME = re.compile(r"audit\((\d+)\.(\d+):")
RULES = pathlib.Path(__file__).resolve().parent.parent / "rules"


def steps(path):
    lines = path.read_text().split("\n")
    for at in range(0, len(lines) - 4, 5):
        rules, user, command, begun, ended = lines[at : at + 5]
        yield rules.split(","), user, command, int(begun), int(ended)


def names():
    """The name of the file of every rule, by its id."""
    found = {}
    for file in RULES.rglob("*.yml"):
        for identity in re.findall(r"^id: (\S+)", file.read_text(), re.MULTILINE):
            found[identity] = file.stem
    return found


def main():
    program, folder, only = sys.argv[1], pathlib.Path(sys.argv[2]), set(sys.argv[3:])
    known = names()
    lines = []
    for line in (folder / "audit.log").read_text(errors="surrogateescape").splitlines():
        time = TIME.search(line)
        if time:
            lines.append((int(time[1]) * 1000 + int(time[2]), line))
    total = found = 0
    for rules, user, command, begun, ended in steps(folder / "drill.txt"):
        if only and not only & set(rules):
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".log", errors="surrogateescape") as log:
            log.writelines(f"node=keep {line}\n" for time, line in lines if begun - 5 <= time <= ended + 5)
            log.flush()
            scan = [program, "scan", log.name, "--format", "ndjson"]
            told = subprocess.run(scan, check=True, capture_output=True, text=True).stdout
        spoke = sorted({known.get(json.loads(one)["rule.id"], "?") for one in told.splitlines()})
        total += 1
        found += any(rule in spoke for rule in rules)
        if only or not any(rule in spoke for rule in rules):
            print(f"{user}: {command}\n    asked for {', '.join(rules)}; found {', '.join(spoke) or 'nothing'}")
    print(f"{found} of {total} found")


main()
