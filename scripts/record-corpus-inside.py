#!/usr/bin/env python3
"""Runs in the root that scripts/record-corpus makes: acts as users and attackers, keeps the logs.

Every action goes through the real program (sshd with the real ssh client, sudo, su, login, the
shadow tools) on a pseudo-terminal, and is written to actions.jsonl with its outcome and the time
it took, so that a test can look each of them up in the logs.
"""

import datetime
import json
import os
import pathlib
import pty
import pwd
import select
import shlex
import signal
import socket
import subprocess
import sys
import time

PASSWORDS = {
    "root": "moat-and-drawbridge",
    "anna": "lantern over the wall",
    "bertram": "seven grey geese",
    "cecilia": "rope and bucket",
    "dora": "winter wheat 9",
    "emil": "old apple tree",
}
HOSTILE_NAMES = [
    "root from 1.2.3.4 port 22 ssh2",
    "anna from 192.0.2.1 port 4711 ssh2: RSA SHA256:abc",
    "admin from 10.0.0.1",
    "two words",
    " leading space",
    "Accepted password for root from 192.0.2.9 port 22 ssh2",
    "anna:style",
    "müller",
    b"bytes\xff\xfe",
    "%s%n%x",
    "$HOME",
    "x" * 200,
]

actions = []


def now():
    """The time in UTC, to the microsecond."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")


def act(kind, outcome, run, **details):
    """Runs one action and records what was done between which two moments."""
    started = now()
    run()
    time.sleep(0.25)  # the program's last words reach the log after it has exited
    actions.append({"kind": kind, "outcome": outcome, **details, "time": started, "until": now()})


def converse(argv, answers, user=None, timeout=25):
    """Runs argv on a pseudo-terminal and gives each answer when its prompt appears.

    The answer None closes the terminal, as a person does who walks away.
    """
    pid, master = pty.fork()
    if pid == 0:
        if user is not None:
            entry = pwd.getpwnam(user)
            os.initgroups(user, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
            os.environ.update(HOME=entry.pw_dir, USER=user, LOGNAME=user)
            os.chdir(entry.pw_dir)
        os.execvp(argv[0], argv)
    seen, waiting = "", list(answers)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            chunk = os.read(master, 4096)
        except OSError:  # the terminal's other end is closed
            break
        if not chunk:
            break
        seen += chunk.decode("utf-8", "replace")
        if waiting and waiting[0][0] in seen:
            reply = waiting.pop(0)[1]
            seen = ""
            if reply is None:  # hang up
                break
            time.sleep(0.2)
            os.write(master, reply.encode() + b"\n")
    else:
        print(f"gave up on {argv} after {timeout} s: {seen!r}", file=sys.stderr)
    os.close(master)
    for _ in range(50):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def ssh(user, password=None, key=None, source="198.51.100.11", target="198.51.100.90",
        port=22, prompts=1, method="password", command="true"):
    """One connection of the real ssh client, from the given source address."""
    options = [
        "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
        f"PreferredAuthentications={method}", f"NumberOfPasswordPrompts={prompts}",
        "ConnectTimeout=20", "IdentitiesOnly=yes",
    ]
    argv = ["ssh", "-p", str(port), "-b", source, "-l", user]
    for option in options:
        argv += ["-o", option]
    if key:
        argv += ["-i", key]
    environment = dict(os.environ, SSH_ASKPASS="/askpass", SSH_ASKPASS_REQUIRE="force",
                       ASKPASS_REPLY=password or "", DISPLAY=":0")
    subprocess.run([*argv, target, command], env=environment, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)


def names(user):
    """A user name as it was sent, and as sshd writes it where that differs.

    sshd takes what follows a colon for an authentication style, writes other than ASCII in octal,
    and cuts a name at 100 characters.
    """
    sent = user.encode() if isinstance(user, str) else user
    logged = "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
                     for byte in sent.split(b":")[0])[:100]
    found = {"user": sent.decode("utf-8", "backslashreplace")}
    if logged != found["user"]:
        found["logged_user"] = logged
    return found


def login_by_ssh(user, outcome, source, method="password", **options):
    """Records one ssh login, its method and its source."""
    act("ssh_login", outcome, lambda: ssh(user, source=source, method=method, **options),
        **names(user), source=source, method=method, attempts=options.get("prompts", 1))


def run(*argv):
    """Runs a command that must succeed."""
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def start_services():
    """Starts journald, rsyslog, sshd and cron; returns their processes."""
    pathlib.Path("/askpass").write_text('#!/bin/sh\nprintf "%s\\n" "$ASKPASS_REPLY"\n')
    os.chmod("/askpass", 0o755)
    os.makedirs("/recorded", exist_ok=True)
    os.makedirs("/run/sshd", exist_ok=True)
    os.makedirs("/run/systemd/journal", exist_ok=True)
    pathlib.Path("/etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    pathlib.Path("/etc/hostname").write_text("keep\n")
    pathlib.Path("/etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n127.0.1.1 keep\n")
    pathlib.Path("/etc/systemd/journald.conf").write_text(
        "[Journal]\nStorage=volatile\nForwardToSyslog=yes\nReadKMsg=no\nAudit=no\n"
        "RateLimitBurst=0\n")
    pathlib.Path("/etc/rsyslog.conf").write_text(
        'module(load="imuxsock" SysSock.Use="off")\n'
        'input(type="imuxsock" Socket="/run/systemd/journal/syslog" CreatePath="on")\n'
        'action(type="omfile" file="/recorded/traditional.log"'
        ' template="RSYSLOG_TraditionalFileFormat")\n'
        'action(type="omfile" file="/recorded/iso8601.log" template="RSYSLOG_FileFormat")\n'
        'action(type="omfile" file="/recorded/rfc5424.log"'
        ' template="RSYSLOG_SyslogProtocol23Format")\n')
    pathlib.Path("/etc/default/locale").touch()
    pathlib.Path("/etc/cron.d/recording").write_text("* * * * * root /bin/true\n")
    pathlib.Path("/etc/ssh/sshd_config").write_text(
        "Port 22\nUsePAM yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication yes\n"
        "PermitRootLogin yes\nMaxAuthTries 4\nDenyUsers dora\nUseDNS no\nPrintMotd no\n"
        "Subsystem sftp internal-sftp\n")
    services = [subprocess.Popen(["/lib/systemd/systemd-journald"])]
    wait_for("/run/systemd/journal/dev-log")
    os.symlink("/run/systemd/journal/dev-log", "/dev/log")
    services.append(subprocess.Popen(["rsyslogd", "-n"]))
    wait_for("/run/systemd/journal/syslog")
    services.append(subprocess.Popen(["/usr/sbin/sshd", "-D"]))
    # A second one that also logs what sshd says at VERBOSE, such as each refused key.
    services.append(subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-p", "2222", "-o", "LogLevel=VERBOSE", "-o",
         "PidFile=/run/sshd-verbose.pid"]))
    services.append(subprocess.Popen(["cron", "-f"]))
    for port in (22, 2222):
        wait_for_port(port)
    wait_for("/recorded/traditional.log")
    for service in services:
        if service.poll() is not None:
            sys.exit(f"record: {service.args[0]} has ended with status {service.returncode}")
    return services


def wait_for(path):
    """Waits until a path exists, ten seconds at most."""
    deadline = time.monotonic() + 10
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            sys.exit(f"record: {path} did not appear")
        time.sleep(0.05)


def wait_for_port(port):
    """Waits until sshd listens. The probe itself is in the log: a connection without a banner."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"record: nothing listens on port {port}")


def record_accounts():
    """Groups and users are made, changed and given passwords."""
    act("group_add", "success", lambda: run("groupadd", "watch"), group="watch")
    for user in ("anna", "bertram", "cecilia", "dora", "emil"):
        act("user_add", "success", lambda u=user: run("useradd", "-m", "-s", "/bin/bash", u),
            user=user)
    for user, password in PASSWORDS.items():
        act("password_change", "success", lambda u=user, p=password: converse(
            ["passwd", u], [("New password:", p), ("Retype new password:", p)]), user=user)
    act("user_modify", "success", lambda: run("usermod", "-aG", "sudo", "anna"),
        user="anna", group="sudo")
    act("user_modify", "success", lambda: run("usermod", "-aG", "watch", "cecilia"),
        user="cecilia", group="watch")
    act("password_age", "success", lambda: run("chage", "-M", "90", "bertram"), user="bertram")


def record_ssh():
    """Logins over ssh: good, bad, hostile, from several addresses, over IPv4 and IPv6."""
    home = pathlib.Path("/home/anna/.ssh")
    home.mkdir(mode=0o700)
    for name, kind in (("good", "ed25519"), ("other", "ed25519"), ("rsa", "rsa")):
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", f"/root/{name}", "-C", name)
    keys = "".join(pathlib.Path(f"/root/{k}.pub").read_text() for k in ("good", "rsa"))
    (home / "authorized_keys").write_text(keys)
    run("chown", "-R", "anna:anna", str(home))

    anna, bertram = PASSWORDS["anna"], PASSWORDS["bertram"]
    login_by_ssh("anna", "success", "198.51.100.11", password=anna)
    login_by_ssh("bertram", "success", "198.51.100.23", password=bertram)
    login_by_ssh("anna", "success", "198.51.100.11", method="publickey", key="/root/good")
    login_by_ssh("anna", "success", "198.51.100.23", method="publickey", key="/root/rsa")
    login_by_ssh("cecilia", "success", "198.51.100.42", method="keyboard-interactive",
                 password=PASSWORDS["cecilia"])
    login_by_ssh("root", "success", "198.51.100.42", password=PASSWORDS["root"])
    login_by_ssh("anna", "success", "::1", target="::1", password=anna)
    login_by_ssh("emil", "success", "2001:db8::66", target="2001:db8::66",
                 password=PASSWORDS["emil"])

    login_by_ssh("anna", "failure", "198.51.100.77", password="wrong")
    login_by_ssh("bertram", "failure", "198.51.100.77", password="wrong", prompts=3)
    login_by_ssh("cecilia", "failure", "::1", target="::1", password="wrong", prompts=2)
    login_by_ssh("anna", "failure", "198.51.100.77", method="keyboard-interactive",
                 password="wrong", prompts=2)
    login_by_ssh("anna", "failure", "198.51.100.23", method="publickey", key="/root/other",
                 port=2222)
    login_by_ssh("dora", "failure", "198.51.100.42", password=PASSWORDS["dora"])
    for user in ("oracle", "postgres", "test", "ubnt"):
        login_by_ssh(user, "failure", "203.0.113.5", password="123456")
    login_by_ssh("guest", "failure", "2001:db8::66", target="2001:db8::66", password="guest")
    # More tries than MaxAuthTries allows: sshd hangs up.
    login_by_ssh("root", "failure", "203.0.113.66", password="toor", prompts=6)
    login_by_ssh("admin", "failure", "203.0.113.66", password="admin", prompts=6)
    # Guessing that ends in a success from the same address.
    for _ in range(3):
        login_by_ssh("emil", "failure", "203.0.113.66", password="guess", prompts=2)
    login_by_ssh("emil", "success", "203.0.113.66", password=PASSWORDS["emil"])
    for user in HOSTILE_NAMES:
        login_by_ssh(user, "failure", "203.0.113.5", password="wrong")
    # Through the VERBOSE sshd, for the lines that only that level has.
    login_by_ssh("anna", "success", "198.51.100.11", method="publickey", key="/root/good",
                 port=2222)
    login_by_ssh("nobody-here", "failure", "203.0.113.5", password="x", port=2222)
    act("ssh_probe", "failure", probe_without_banner, source="198.51.100.77")
    act("ssh_probe", "failure", probe_with_garbage, source="198.51.100.77")


def probe_without_banner():
    """Connects and leaves without a word, as port scanners do."""
    socket.create_connection(("198.51.100.90", 22), 5, ("198.51.100.77", 0)).close()


def probe_with_garbage():
    """Talks HTTP to sshd."""
    with socket.create_connection(("198.51.100.90", 22), 5, ("198.51.100.77", 0)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        connection.recv(256)
        time.sleep(0.3)


def record_privilege():
    """sudo and su: allowed, refused, mistyped."""
    anna, bertram, root = PASSWORDS["anna"], PASSWORDS["bertram"], PASSWORDS["root"]
    prompt = "password for"

    def sudo(user, outcome, command, answers, target="root", **details):
        argv = ["sudo", "-k", "-u", target, *command]
        act("sudo", outcome, lambda: converse(argv, answers, user=user), user=user,
            target=target, command=shlex.join(command), **details)

    sudo("anna", "success", ["/usr/bin/id"], [(prompt, anna)])
    sudo("anna", "success", ["/usr/bin/cat", "/etc/shadow"], [(prompt, anna)])
    sudo("anna", "success", ["/usr/bin/id"], [(prompt, anna)], target="bertram")
    sudo("anna", "success", ["/usr/bin/printf", "%s ; USER=root ; COMMAND=/bin/false", "x"],
         [(prompt, anna)])
    sudo("anna", "failure", ["/usr/bin/id"], [(prompt, "wrong")] * 3, reason="password")
    sudo("anna", "failure", ["/usr/bin/id"], [(prompt, "wrong"), (prompt, None)],
         reason="password")
    sudo("bertram", "failure", ["/usr/bin/id"], [(prompt, bertram)], reason="not in sudoers")
    sudo("cecilia", "failure", ["/bin/bash", "-c", "cat /etc/shadow"],
         [(prompt, PASSWORDS["cecilia"])], reason="not in sudoers")

    def su(user, target, outcome, answers):
        argv = ["su", "-", target, "-c", "true"]
        act("su", outcome, lambda: converse(argv, answers, user=user), user=user, target=target)

    su("anna", "bertram", "success", [("Password:", bertram)])
    su("bertram", "root", "success", [("Password:", root)])
    su("bertram", "root", "failure", [("Password:", "wrong")])
    su("cecilia", "anna", "failure", [("Password:", "wrong")])
    su("root", "emil", "success", [])


def record_login():
    """login on a terminal."""
    def login(user, outcome, answers):
        act("tty_login", outcome, lambda: converse(["login"], answers), user=user)

    login("anna", "success",
          [("login:", "anna"), ("Password:", PASSWORDS["anna"]), ("$", "exit")])
    login("root", "success",
          [("login:", "root"), ("Password:", PASSWORDS["root"]), ("#", "exit")])
    login("bertram", "failure",
          [("login:", "bertram"), ("Password:", "wrong"), ("login:", None)])
    login("mallory", "failure",
          [("login:", "mallory"), ("Password:", "wrong"), ("login:", None)])
    login("root", "failure", [("login:", "root"), ("Password:", "wrong"), ("login:", "root"),
                              ("Password:", "wrong"), ("login:", None)])


def record_farewell():
    """What a new administrator, or an intruder, does to the accounts at the end."""
    act("user_add", "success", lambda: run("useradd", "-m", "-G", "sudo", "backdoor"),
        user="backdoor")
    act("user_modify", "success", lambda: run("usermod", "-L", "cecilia"), user="cecilia")
    act("user_modify", "success", lambda: run("usermod", "-l", "dorothea", "dora"), user="dora")
    act("password_change", "failure", lambda: converse(
        ["passwd"], [("Current password:", "wrong")], user="bertram"), user="bertram")
    act("user_delete", "success", lambda: subprocess.run(
        ["userdel", "-r", "backdoor"], check=True, stderr=subprocess.DEVNULL), user="backdoor")
    act("group_modify", "success", lambda: run("gpasswd", "-d", "cecilia", "watch"),
        user="cecilia", group="watch")
    act("group_delete", "success", lambda: run("groupdel", "watch"), group="watch")


def write_journal():
    """Exports the journal, once journald has closed it.

    The running kernel's boot id is replaced by a constant.
    """
    journal = subprocess.run(["journalctl", "-o", "json", "--no-pager", "-D", "/run/log/journal"],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
    pathlib.Path("/recorded/journal.json").write_text(
        journal.replace(boot, "fedcba9876543210fedcba9876543210"))


def main():
    """Starts the services, acts, and leaves everything in /recorded."""
    services = start_services()
    try:
        for part in (record_accounts, record_ssh, record_privilege, record_login,
                     record_farewell):
            print(f"recording: {part.__doc__.splitlines()[0]}", file=sys.stderr)
            part()
        time.sleep(max(0.0, 61 - time.time() % 60))  # let cron have its minute
    finally:
        for service in reversed(services):
            service.terminate()
            service.wait(10)
    write_journal()
    with open("/recorded/actions.jsonl", "w", encoding="utf-8") as out:
        for action in actions:
            out.write(json.dumps(action, ensure_ascii=False) + "\n")


main()
