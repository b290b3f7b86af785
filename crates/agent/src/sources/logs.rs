//! The journal, the system's log files, and those of programs.

use bergfried_source::journal_present;

use super::host::{Found, Host, join_group, named};
use super::{Source, State};
use crate::config::{Config, Journald};
use crate::packages::install_one_of;

/// Log files of the system's own, by distribution.
const SYSTEM: [&str; 5] = [
    "/var/log/auth.log",
    "/var/log/secure",
    "/var/log/syslog",
    "/var/log/messages",
    "/var/log/kern.log",
];

/// Where journals lie.
const JOURNALS: [&str; 2] = ["/var/log/journal/*/*.journal", "/run/log/journal/*/*.journal"];

/// A program that watches or serves a host, and where it says what it sees.
pub(super) struct Program {
    source: &'static str,
    /// Any of these shows that it is installed.
    programs: &'static [&'static str],
    /// One of these is in the paths of its logs.
    logs: &'static [&'static str],
    /// Whether it logs to syslog and the journal as well.
    also_syslog: bool,
    /// Its packages in Debian and in Red Hat's distributions; empty where its makers bring it.
    packages: (&'static str, &'static str),
    /// What makes it log, or where it comes from.
    hint: &'static str,
    /// Whether a host without it may miss it: what serves others is told of only where it is.
    is_guard: bool,
}

impl Program {
    /// Whether this pattern is one of its logs.
    fn writes(&self, pattern: &str) -> bool {
        self.logs.iter().any(|part| pattern.contains(part))
    }

    fn is_installed(&self, host: &Host) -> bool {
        self.programs.iter().any(|name| host.has(name))
    }
}

/// The programs whose logs are understood.
pub(super) const PROGRAMS: [Program; 10] = [
    Program {
        source: "Falco",
        programs: &["falco"],
        logs: &["falco"],
        also_syslog: true,
        packages: ("", ""),
        hint: "https://falco.org/docs/setup/packages/, then json_output: true and file_output or http_output in /etc/falco/falco.yaml",
        is_guard: true,
    },
    Program {
        source: "Samhain",
        programs: &["samhain"],
        logs: &["samhain"],
        also_syslog: true,
        packages: ("samhain", "samhain"),
        hint: "systemctl enable --now samhain",
        is_guard: true,
    },
    Program {
        source: "Suricata",
        programs: &["suricata"],
        logs: &["suricata"],
        also_syslog: true,
        packages: ("suricata", "suricata"),
        hint: "enabled: yes under eve-log in /etc/suricata/suricata.yaml",
        is_guard: true,
    },
    Program {
        source: "Snort",
        programs: &["snort"],
        logs: &["snort"],
        also_syslog: true,
        packages: ("snort", "snort"),
        hint: "output alert_syslog or alert_fast in /etc/snort/snort.conf",
        is_guard: true,
    },
    Program {
        source: "rsnapshot",
        programs: &["rsnapshot"],
        logs: &["rsnapshot"],
        also_syslog: true,
        packages: ("rsnapshot", "rsnapshot"),
        hint: "logfile /var/log/rsnapshot.log in /etc/rsnapshot.conf",
        is_guard: true,
    },
    Program {
        source: "OpenVPN",
        programs: &["openvpn"],
        logs: &["openvpn"],
        also_syslog: true,
        packages: ("openvpn", "openvpn"),
        hint: "log-append /var/log/openvpn/openvpn.log in the server's configuration",
        is_guard: true,
    },
    Program {
        source: "fail2ban",
        programs: &["fail2ban-server"],
        logs: &["fail2ban"],
        also_syslog: false,
        packages: ("fail2ban", "fail2ban"),
        hint: "logtarget = /var/log/fail2ban.log in /etc/fail2ban/fail2ban.conf",
        is_guard: true,
    },
    Program {
        source: "Docker",
        programs: &["dockerd", "containerd"],
        logs: &["docker"],
        also_syslog: true,
        packages: ("docker.io", "moby-engine"),
        hint: "journalctl -u docker must show its lines",
        is_guard: true,
    },
    Program {
        source: "nginx",
        programs: &["nginx"],
        logs: &["nginx"],
        also_syslog: false,
        packages: ("nginx", "nginx"),
        hint: "access_log /var/log/nginx/access.log combined; in /etc/nginx/nginx.conf",
        is_guard: false,
    },
    Program {
        source: "Apache",
        programs: &["apache2", "httpd"],
        logs: &["apache2", "httpd"],
        also_syslog: false,
        packages: ("apache2", "httpd"),
        hint: "CustomLog /var/log/apache2/access.log combined in Apache's configuration",
        is_guard: false,
    },
];

/// Whether the journal is read here.
pub(super) fn reads_journal(host: &Host, config: &Config) -> bool {
    journal(host, config).state == State::Collected
}

pub(super) fn journal(host: &Host, config: &Config) -> Source {
    let row = |state, detail: String| Source::new("journal", state, detail);
    if config.journald == Journald::Off {
        return row(State::Off, "journald is off in the configuration".to_owned())
            .fix("journald = \"auto\"");
    }
    if let Err(reason) = journal_present(&config.journal_options()) {
        return row(State::Missing, format!("{reason}; log files are read in its place"))
            .fix("mkdir -p /var/log/journal && systemctl restart systemd-journald");
    }
    let found = match &config.journal_directory {
        Some(_) => return row(State::Collected, "the journal of another directory".to_owned()),
        None => host.files(&JOURNALS),
    };
    if found.readable.is_empty() && !found.unreadable.is_empty() {
        return row(State::Unreadable, "the journal may not be read by this user".to_owned())
            .fix(join_group("systemd-journal"));
    }
    row(State::Collected, "followed from where it was read last".to_owned())
}

/// The log files of the system, and those that somebody named.
pub(super) fn system(host: &Host, config: &Config) -> Source {
    let row = |state, detail: String| Source::new("log files", state, detail);
    let is_of_program = |pattern: &str| PROGRAMS.iter().any(|program| program.writes(pattern));
    let patterns: Vec<&str> =
        config.files.iter().map(String::as_str).filter(|pattern| !is_of_program(pattern)).collect();
    if patterns.is_empty() {
        return row(
            State::Off,
            "no log file of the system is among what the agent reads".to_owned(),
        );
    }
    let Found { readable, unreadable } = host.files(&patterns);
    match (readable.is_empty(), unreadable.is_empty()) {
        (false, true) => row(State::Collected, named(&readable)),
        (false, false) => {
            row(State::Partly, format!("{}, but not {}", named(&readable), named(&unreadable)))
                .fix(log_group())
        }
        (true, false) => {
            row(State::Unreadable, format!("{} may not be read by this user", named(&unreadable)))
                .fix(log_group())
        }
        (true, true) if reads_journal(host, config) => {
            row(State::Missing, "there are none; the journal has what they would have".to_owned())
        }
        (true, true) if !patterns.iter().any(|pattern| SYSTEM.contains(pattern)) => {
            row(State::Missing, format!("nothing is there yet of {}", patterns.join(", ")))
                .fix("correct `files` in the configuration, or --file, unless it comes later")
        }
        (true, true) => row(State::Missing, "there are none".to_owned())
            .fix(install_one_of("rsyslog", "rsyslog")),
    }
}

/// The command after which the agent's user may read the system's logs.
fn log_group() -> String {
    join_group("adm")
}

/// The command after which there are log files.
#[cfg(target_os = "linux")]
pub(super) fn syslog(host: &Host) -> String {
    if host.has("rsyslogd") {
        "systemctl enable --now rsyslog".to_owned()
    } else {
        install_one_of("rsyslog", "rsyslog")
    }
}

/// Whether lines of syslog arrive here at all.
pub(super) fn reads_syslog(host: &Host, config: &Config) -> bool {
    let named = |path: &&str| config.files.iter().any(|pattern| pattern == path);
    let patterns: Vec<&str> = SYSTEM.into_iter().filter(named).collect();
    reads_journal(host, config) || !host.files(&patterns).readable.is_empty()
}

/// How it stands with a program; none for one that serves others and is not here.
pub(super) fn program(program: &Program, host: &Host, config: &Config) -> Option<Source> {
    let said = of_program(program, host, config);
    let is_absent = said.state == State::Missing && !program.is_installed(host);
    (program.is_guard || !is_absent).then_some(said)
}

fn of_program(program: &Program, host: &Host, config: &Config) -> Source {
    let row = |state, detail: String| Source::new(program.source, state, detail);
    let is_of_it = |pattern: &&str| program.writes(pattern);
    let patterns: Vec<&str> = config.files.iter().map(String::as_str).filter(is_of_it).collect();
    let found = host.files(&patterns);
    if !found.readable.is_empty() {
        return row(State::Collected, named(&found.readable));
    }
    if !found.unreadable.is_empty() {
        let detail = format!("{} may not be read by this user", named(&found.unreadable));
        return row(State::Unreadable, detail).fix(log_group());
    }
    let name = program.source;
    if !program.is_installed(host) {
        let (debian, red_hat) = program.packages;
        let fix = if debian.is_empty() {
            program.hint.to_owned()
        } else {
            install_one_of(debian, red_hat)
        };
        return row(State::Missing, format!("{name} is not installed")).fix(fix);
    }
    if program.also_syslog && reads_syslog(host, config) {
        return row(State::Collected, format!("what {name} says in the journal or syslog"));
    }
    row(State::Missing, format!("{name} is installed, but no log of it is found")).fix(program.hint)
}
