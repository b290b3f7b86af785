"""Puts an audit log into the order of its events, and leaves out what is not of the recorded work.

System calls of the work carry its flag of personality(2). Programs send USER_* records whoever runs
them, and no rule of audit can tell those of the work from others: those are kept whose process, or its
parent, made a system call that was recorded.
"""

import re
import sys

FLAG = b" per=2000000 "
HEADER = re.compile(rb"^type=(\S+) msg=audit\((\d+\.\d+):(\d+)\):")
NUMBER = {key: re.compile(rb"\b" + key + rb"=(\d+)") for key in (b"pid", b"ppid")}


def main():
    events = {}
    processes = set()
    with open(sys.argv[1], "rb") as log:
        for line in log:
            header = HEADER.match(line)
            if not header:
                continue
            kind, time, serial = header.groups()
            events.setdefault((float(time), int(serial)), []).append((kind, line))
            if kind == b"SYSCALL" and FLAG in line:
                for pattern in NUMBER.values():
                    found = pattern.search(line)
                    if found:
                        processes.add(found.group(1))
    for _, lines in sorted(events.items()):
        kinds = {kind for kind, _ in lines}
        if b"SYSCALL" in kinds:
            ours = any(FLAG in line for _, line in lines)
        else:
            found = NUMBER[b"pid"].search(lines[0][1])
            ours = found and found.group(1) in processes and b"CONFIG_CHANGE" not in kinds
        if not ours:
            continue
        # An event ends with its title: what the agent added behind it would stand alone in a file.
        lines.sort(key=lambda one: one[0] == b"PROCTITLE")
        sys.stdout.buffer.writelines(line for _, line in lines)


main()
