#!/usr/bin/env python3
"""Plays `wevtutil qe` over files of exported events: one file for each channel, `/` in its name as `%4`.

The file `mode` beside it says what is wrong with it.
"""
import os
import re
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))


def read(name):
    try:
        with open(os.path.join(FOLDER, name), encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def number(name, default):
    found = re.search(name, " ".join(sys.argv[3:]))
    return int(found.group(1)) if found else default


def main():
    assert sys.argv[1] == "qe" and "/f:xml" in sys.argv, sys.argv
    mode = (read("mode") or "").split()
    log = read(sys.argv[2].replace("/", "%4") + ".xml")
    if log is None:
        sys.stderr.write("Failed to read events.\nDer angegebene Kanal wurde nicht gefunden.\n")
        sys.exit(15007 % 256)
    if "refused" in mode:
        sys.stderr.write("Accès refusé.\n")
        sys.exit(5)
    if "strict" in mode and "/uni:true" in sys.argv:
        sys.stderr.write("Invalid option /uni.\n")
        sys.exit(87)
    events = re.findall(r"<Event[ >].*?</Event>", log, re.S)
    after = number(r"EventRecordID>(\d+)", 0)
    codes = re.findall(r"EventID=(\d+)", " ".join(sys.argv[3:]))
    chosen = []
    for event in events:
        record = int(re.search(r"<EventRecordID>(\d+)<", event).group(1))
        code = re.search(r"<EventID[^>]*>(\d+)<", event).group(1)
        if record > after and (not codes or code in codes):
            chosen.append(event)
    if "/rd:true" in sys.argv:
        chosen.reverse()
    if "deaf" in mode:
        chosen = events
    else:
        chosen = chosen[: number(r"/c:(\d+)", len(chosen))]
    out = "\r\n".join(chosen)
    if "garbage" in mode and chosen:
        out = "\x00\x07<<Event \"'> <Event><System>46" + chosen[0] + "<Event/></b>" + out[len(chosen[0]) :]
    if "torn" in mode and len(chosen) > 1:
        out = out[: -len(chosen[-1]) // 2]
    encoding = "utf-8"
    if "/uni:true" in sys.argv and "oem" not in mode and "utf-8" not in mode:
        encoding = "utf-16"  # little endian here, with its mark
    if "oem" in mode:
        encoding = "cp850"
    printed = out.encode(encoding, "xmlcharrefreplace")
    if "slow" in mode:
        for start in range(0, len(printed), 301):
            sys.stdout.buffer.write(printed[start : start + 301])
            sys.stdout.buffer.flush()
        if chosen and "/rd:true" not in sys.argv:
            time.sleep(60)
    sys.stdout.buffer.write(printed if "slow" not in mode else b"")


main()
