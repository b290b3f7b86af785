//! Which of Heimdall's events an event is.
//!
//! What one try leaves in several lines counts once, by the line of the program that decides: the
//! lines of PAM about a password that sshd, su or sudo judge themselves, the kernel's audit records of
//! the same logins, and the ends of their connections are nothing here.

use bergfried_event::{Event, Field, FieldName, SourceKind, Value};

use crate::table::{self, Row};
use crate::{EventType, OsType, Severity};

/// What an event is in Heimdall's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The kind of system that it is from.
    pub os: OsType,
    /// What happened.
    pub kind: EventType,
    /// How bad that is.
    pub severity: Severity,
}

/// What the event is in Heimdall's words; none where it is nothing that Heimdall knows.
pub fn classify(event: &Event<'_>) -> Option<Class> {
    let facts = Facts::of(event);
    let (kind, severity) = kind(&facts)?;
    Some(Class { os: os(&facts, kind), kind, severity: severity.unwrap_or(kind.severity()) })
}

/// Takes the marks off an event that another way has brought before: Heimdall's clients see it once.
/// One that a sender of Heimdall's reported keeps them, for its sender asks for it.
pub fn unstamp(event: &mut Event<'_>) {
    if event.text(Field::InputType) != Some(SourceKind::Heimdall.name()) {
        event.remove(Field::HeimdallEventType);
        event.remove(Field::HeimdallOsType);
        event.remove(Field::HeimdallSeverity);
    }
}

/// Marks the event with what it is in Heimdall's words, in fields of its own. What a sender of
/// Heimdall's or another hub said stays where it is all there and in Heimdall's words.
pub fn stamp(event: &mut Event<'_>) {
    match stamped(event) {
        Stamped::Whole => return,
        Stamped::Torn => {
            event.remove(Field::HeimdallEventType);
            event.remove(Field::HeimdallOsType);
            event.remove(Field::HeimdallSeverity);
        }
        Stamped::Not => {}
    }
    if let Some(Class { os, kind, severity }) = classify(event) {
        event.push(Field::HeimdallEventType, kind.name());
        event.push(Field::HeimdallOsType, os.name());
        event.push(Field::HeimdallSeverity, i64::from(severity.number()));
    }
}

enum Stamped {
    Whole,
    Torn,
    Not,
}

fn stamped(event: &Event<'_>) -> Stamped {
    let mut marks = [false; 3];
    let mut any = false;
    for (name, value) in event.fields() {
        let (place, known) = match name {
            FieldName::Known(Field::HeimdallEventType) => {
                (0, value.as_str().and_then(EventType::from_name).is_some())
            }
            FieldName::Known(Field::HeimdallOsType) => {
                (1, value.as_str().and_then(OsType::from_name).is_some())
            }
            FieldName::Known(Field::HeimdallSeverity) => {
                (2, value.as_int().and_then(Severity::new).is_some())
            }
            _ => continue,
        };
        any = true;
        if let Some(mark) = marks.get_mut(place) {
            *mark = known;
        }
    }
    match (any, marks) {
        (false, _) => Stamped::Not,
        (true, [true, true, true]) => Stamped::Whole,
        (true, _) => Stamped::Torn,
    }
}

/// What decides, found in one walk over the fields.
#[derive(Default)]
struct Facts<'e> {
    /// The others are looked for where they matter.
    fields: &'e [(FieldName<'e>, Value<'e>)],
    module: &'e str,
    action: &'e str,
    outcome: &'e str,
    service: &'e str,
    program: &'e str,
    method: Option<&'e str>,
    channel: &'e str,
    category: Option<&'e Value<'e>>,
    /// `event.severity`: of syslog, or of the sensor.
    severity: Option<i64>,
    /// `log.syslog.severity.code`.
    syslog: Option<i64>,
}

impl<'e> Facts<'e> {
    fn of(event: &'e Event<'_>) -> Facts<'e> {
        let mut facts = Facts { fields: event.fields(), ..Facts::default() };
        for (name, value) in event.fields() {
            let FieldName::Known(field) = name else { continue };
            let text = value.as_str();
            let place = match field {
                Field::EventModule => &mut facts.module,
                Field::EventAction => &mut facts.action,
                Field::EventOutcome => &mut facts.outcome,
                Field::ServiceName => &mut facts.service,
                Field::ProcessName => &mut facts.program,
                Field::WinlogChannel => &mut facts.channel,
                Field::SshMethod => {
                    facts.method = text;
                    continue;
                }
                Field::EventCategory => {
                    facts.category = Some(value);
                    continue;
                }
                Field::EventSeverity => {
                    facts.severity = value.as_int();
                    continue;
                }
                Field::SyslogSeverityCode => {
                    facts.syslog = value.as_int();
                    continue;
                }
                _ => continue,
            };
            *place = text.unwrap_or_default();
        }
        facts
    }

    /// The value of a field that seldom matters.
    fn other(&self, name: &str) -> Option<&'e Value<'e>> {
        self.fields.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| value)
    }

    fn other_text(&self, name: &str) -> &'e str {
        self.other(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_about(&self, category: &str) -> bool {
        self.category.is_some_and(|value| has(value, category))
    }

    fn failed(&self) -> bool {
        self.outcome == "failure"
    }
}

fn has(value: &Value<'_>, word: &str) -> bool {
    match value {
        Value::List(values) => values.iter().any(|value| value.as_str() == Some(word)),
        value => value.as_str() == Some(word),
    }
}

/// A kind, and how bad the event says that it is.
type Kind = (EventType, Option<Severity>);

fn kind(facts: &Facts<'_>) -> Option<Kind> {
    match facts.module {
        // Whoever logs in is told of by the program that lets them.
        "auditd" if facts.is_about("authentication") || facts.is_about("iam") => return None,
        "falco" if facts.action == "alert" => return sensor(facts),
        "samhain" => return sensor(facts).filter(|_| facts.other_text("event.kind") == "alert"),
        "file_integrity" => {
            let changes = matches!(
                facts.action,
                "created" | "updated" | "deleted" | "moved" | "attributes_modified"
            );
            let by_packages = facts.other("tags").is_some_and(|tags| has(tags, "package_manager"));
            return (changes && !by_packages).then_some((EventType::SystemAlert, None));
        }
        "suricata" | "snort" => return intrusion(facts),
        "portsentry" if facts.action == "found" => return Some((EventType::PortScan, None)),
        "fail2ban" | "sshguard" if facts.action == "banned" => {
            return Some((EventType::SystemAlert, None));
        }
        _ => {}
    }
    if facts.action.is_empty() {
        return critical(facts);
    }
    let mut known = false;
    for row in table::rows(facts.action) {
        known = true;
        if row.outcome.holds(facts.outcome) && is_meant(row, facts) {
            return Some((row.kind, row.severity));
        }
    }
    if known { None } else { foreign_login(facts) }
}

/// What the action and the outcome leave open.
fn is_meant(row: &Row, facts: &Facts<'_>) -> bool {
    match facts.action {
        "ssh_login" if facts.failed() => {
            // One guess is one event with a method; clients offer several keys before the right one.
            facts.method.is_some_and(|method| !matches!(method, "none" | "publickey" | "hostbased"))
        }
        "authentication" => !tells_itself(facts.service) && !tells_itself(facts.program),
        // Windows starts its services by logging them in.
        "logged-in" => {
            facts.is_about("authentication")
                && !matches!(facts.other_text("LogonType"), "0" | "5")
                && !facts.other("LogonType").is_some_and(|kind| matches!(kind, Value::Int(0 | 5)))
        }
        "executed-command" => !facts.program.to_ascii_lowercase().contains("cron"),
        "logged-on" => leaves_it_to_pam(facts.service),
        // Root who becomes another gains nothing.
        "su" => facts.failed() || facts.other_text("user.name") != "root",
        // shadow-utils says it of both files.
        "user-added-to-group" => !facts.other_text("message").contains("' to shadow group '"),
        "blocked" | "rejected" => facts.is_about("network"),
        _ => row.kind != EventType::ProcessExec || facts.is_about("process"),
    }
}

/// Services that say themselves what PAM says of them.
fn tells_itself(service: &str) -> bool {
    matches!(
        service,
        "sshd"
            | "sshd-session"
            | "su"
            | "su-l"
            | "sudo"
            | "sudo-i"
            | "login"
            | "vsftpd"
            | "proftpd"
            | "pure-ftpd"
            | "dropbear"
            | "dovecot"
            | "polkit-1"
    )
}

/// Programs that leave it to PAM to say who came: managers of the display, and login, which names
/// none but root itself.
fn leaves_it_to_pam(service: &str) -> bool {
    ["gdm", "lightdm", "sddm", "xdm", "kde"].iter().any(|name| service.starts_with(name))
        || service == "login"
}

/// A login as the Elastic Common Schema has it, of a program with a word of its own for it.
fn foreign_login(facts: &Facts<'_>) -> Option<Kind> {
    let is_start = || facts.other("event.type").is_some_and(|kind| has(kind, "start"));
    if !facts.is_about("authentication") || !is_start() {
        return None;
    }
    match facts.outcome {
        "failure" => Some((EventType::LoginFail, None)),
        "success" => Some((EventType::LoginSuccess, None)),
        _ => None,
    }
}

/// What a program or the kernel calls critical or worse without a parser knowing what it is.
fn critical(facts: &Facts<'_>) -> Option<Kind> {
    let by_windows = || {
        !facts.channel.is_empty()
            && facts.other("Level").is_some_and(|level| *level == Value::Int(1))
    };
    let is_critical = matches!(facts.syslog, Some(0..=2)) || by_windows();
    (is_critical && facts.module.is_empty()).then_some((EventType::CriticalError, None))
}

/// What a sensor reports, as bad as syslog's number for it says.
fn sensor(facts: &Facts<'_>) -> Option<Kind> {
    let severity = facts.severity.and_then(|number| match number {
        0..=2 => Some(Severity::CRITICAL),
        3 => Some(Severity::HIGH),
        4 => Some(Severity::MEDIUM),
        5 => Some(Severity::LOW),
        6..=7 => Some(Severity::INFO),
        _ => None,
    });
    Some((EventType::SystemAlert, severity))
}

/// What an intrusion detection system reports, by the words of its own rules; of priority 1 it is an
/// intrusion.
fn intrusion(facts: &Facts<'_>) -> Option<Kind> {
    if !matches!(facts.action, "alert" | "blocked") || !facts.is_about("intrusion_detection") {
        return None;
    }
    let category = facts.other_text("rule.category").to_ascii_lowercase();
    let kind = if category.contains("web application") || category.contains("web-application") {
        EventType::WebAttack
    } else if category.contains("scan") {
        EventType::PortScan
    } else {
        EventType::SystemAlert
    };
    let severity = facts.severity.and_then(|priority| match priority {
        1 => Some(Severity::CRITICAL),
        2 => Some(Severity::HIGH),
        3 => Some(Severity::MEDIUM),
        4.. => Some(Severity::LOW),
        _ => None,
    });
    Some((kind, severity))
}

fn os(facts: &Facts<'_>, kind: EventType) -> OsType {
    let is_windows = !facts.channel.is_empty() && !facts.channel.starts_with("Linux-");
    match facts.module {
        "pihole" => return OsType::Pihole,
        "netfilter" | "pfsense" | "opnsense" | "ipfw" | "cisco" | "fortinet" | "mikrotik"
        | "sophos" | "suricata" | "snort" => return OsType::Firewall,
        "macos" => return OsType::Macos,
        _ if is_windows => return OsType::Windows,
        _ => {}
    }
    match facts.other_text("host.os.type") {
        "windows" => OsType::Windows,
        "macos" => OsType::Macos,
        _ if kind == EventType::ConnectionBlocked => OsType::Firewall,
        _ if kind == EventType::DnsBlock => OsType::Pihole,
        _ => OsType::Linux,
    }
}

#[cfg(test)]
mod tests;
