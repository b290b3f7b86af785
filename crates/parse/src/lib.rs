//! Turns the text of a log line into an [`Event`]: the syslog or journald envelope first, then what
//! the program that wrote the line says.
//!
//! Nothing here does I/O or reads a clock, and nothing fails: a line that nobody understands is
//! still an event with its raw text, its host and a time. Objects of JSON, such as the events that
//! Windows exporters write, are read by what they carry; see the module `json`. Text that a stranger can choose (the user
//! name of a failed login) never decides where an address is read from; see [`programs`] for the
//! programs known.
//!
//! # What `event.action` says
//!
//! | action | from | category |
//! |---|---|---|
//! | `ssh_login` | sshd, dropbear: accepted, failed, invalid user, refused | authentication |
//! | `ssh_disconnect`, `ssh_connection`, `ssh_scan`, `ssh_session` | sshd: ends and starts of connections, protocol misuse | authentication before a login, else network or session |
//! | `ssh_server`, `ssh_error` | sshd about itself: starts and stops listening; complains | process |
//! | `ftp_login`, `ftp_connection` | FTP servers | authentication, network |
//! | `mail_login`, `mail_disconnect` | IMAP, POP3 and SMTP servers; Postfix: the end of a connection whose logins all failed | authentication |
//! | `mail_relay_denied`, `mail_refused`, `mail_connection` | Postfix, Dovecot | email, network |
//! | `remote_login`, `service_connection` | remote desktops, web consoles, rlogin; xinetd, TCP wrappers | authentication, network |
//! | `authentication` | PAM modules, polkitd, Dovecot's `auth`: one verdict on a password | authentication |
//! | `logged-on`, `logged-off`, `session-ending`, `session-error` | PAM sessions, systemd-logind | session |
//! | `executed-command` | sudo, pkexec, cron: a command was run, or refused | process |
//! | `sudo_warning` | sudo: a complaint about the host or its configuration | process |
//! | `su` | su: became another user, or failed to | authentication |
//! | `login` | login on a terminal | authentication |
//! | `added-user-account`, `deleted-user-account`, `modified-user-account`, `renamed-user-account` | shadow-utils | iam |
//! | `added-group-account`, `deleted-group-account`, `modified-group-account`, `changed-group-password`, `switched-group` | shadow-utils | iam |
//! | `user-added-to-group`, `user-removed-from-group` | shadow-utils | iam |
//! | `changed-password`, `changed-password-expiry`, `locked-user-account`, `unlocked-user-account` | shadow-utils, PAM | iam |
//! | `crontab_list`, `crontab_replace`, `crontab_edit`, `crontab_delete`, `crontab_denied`, `cron_reload` | cron, crontab | configuration |
//! | `cron_output`, `cron_error`, `cron_info` | cron | process |
//! | `power`, `seat` | systemd-logind: shutdown, reboot, suspend; seats | host |
//! | `blocked`, `rejected`, `allowed`, `audited`, `logged` | the kernel's packet filter, by the prefix of the line | network |
//! | `dns-blocked`, `dns-allowed`, `dns-cached`, `dns-query` | Pi-hole, dnsmasq: what became of a query | network |
//! | `alert`, `blocked` | Falco, Snort, Suricata | intrusion_detection |
//! | `banned`, `unbanned`, `found`, `port-scan` | fail2ban, sshguard, portsentry, scanlogd | intrusion_detection |
//! | `created`, `updated`, `deleted`, `attributes_modified`, `suid-found` | Samhain | file |
//! | `vpn_login`, `vpn_certificate`, `vpn_handshake`, `vpn_packet`, `vpn_connected`, `vpn_disconnected` | OpenVPN | authentication, network |
//! | `http-request` | web servers: a request, from their access logs | web |
//! | `http-denied`, `http-error`, `http-note` | nginx, Apache: what their error logs say of it | web |
//! | `web_login` | nginx, Apache: a user who may not | authentication |
//! | `web-attack` | ModSecurity | intrusion_detection, web |
//! | `authorized-right`, `changed-privacy-permission`, `profile-installed`, `service-installed` | macOS: what may be done, seen, and starts by itself | iam, configuration |
//! | `password-check` | what a directory or PAM found wrong with a password that another program was given | authentication |
//! | `backup-started`, `backup-completed`, `backup-failed` | rsnapshot | |
//!
//! One try at a password or key is one event that has `ssh.method`; `Invalid user` and the lines of
//! PAM about the same try do not have it.

mod audit;
mod dns;
mod forwarded;
mod heimdall;
mod journald;
mod json;
mod line;
mod programs;
mod stamp;
mod syslog;
mod text;
mod watchtower;
mod windows_xml;
mod xml;

use std::borrow::Cow;

use bergfried_event::{Event, Field, SourceKind, Timestamp};

/// What a line leaves out about itself.
#[derive(Clone, Debug)]
pub struct Context<'c> {
    /// When the line was read: fixes the year of stamps without one, and is the time of lines
    /// without a stamp.
    pub received: Timestamp,
    /// The host of lines that name none.
    pub host: &'c str,
    /// The zone of stamps without an offset.
    pub time_zone: jiff::tz::TimeZone,
    /// The year of stamps without one, where it is known.
    pub year: Option<i16>,
}

/// Reads one line, without its line ending, of a source of this kind.
///
/// Never fails: what cannot be read is an event with its raw text, host and time.
pub fn parse<'a>(kind: SourceKind, text: &'a str, context: &Context<'_>) -> Event<'a> {
    let read = match kind {
        SourceKind::File | SourceKind::Syslog if text.starts_with('{') => object(text, context),
        SourceKind::Audit => Some(audit::read(text, context)),
        SourceKind::File | SourceKind::Syslog if audit::is_record(text) => {
            Some(audit::read(text, context))
        }
        SourceKind::File | SourceKind::Syslog if windows_xml::is_event(text) => {
            windows_xml::read(text, context)
        }
        SourceKind::File | SourceKind::Syslog => Some(syslog::parse(text, context)),
        SourceKind::Journald => journald::parse(text, context),
        SourceKind::Json => object(text, context),
        SourceKind::Event => forwarded::parse(text),
        SourceKind::Watchtower => watchtower::parse(text, context),
        SourceKind::Heimdall => heimdall::parse(text, context),
    };
    read.unwrap_or_else(|| raw(text, context))
}

/// One object of JSON: an entry of a journal as such, any other by what it carries.
fn object<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    match json::read(text, context) {
        json::Read::Event(event) => Some(event),
        json::Read::Journal => journald::parse(text, context),
        json::Read::Nothing => None,
    }
}

/// Adds to the event what a message says that this program wrote, without its envelope.
pub fn parse_message<'a>(program: Option<&str>, message: &'a str, event: &mut Event<'a>) {
    programs::read(program, None, message, event);
}

pub use programs::name_server;

/// The names of the program parsers; each has a folder of samples of its name in the corpus.
pub fn programs() -> impl Iterator<Item = &'static str> {
    programs::PROGRAMS.iter().map(|program| program.name)
}

fn raw<'a>(text: &'a str, context: &Context<'_>) -> Event<'a> {
    let mut event = Event::new(context.received, text);
    push_host(&mut event, None, context);
    event.push(Field::Message, text);
    event
}

/// The host that the line names, else the one that it was read on; where neither is known, none.
fn push_host<'a>(event: &mut Event<'a>, named: Option<Cow<'a, str>>, context: &Context<'_>) {
    let host = named.unwrap_or_else(|| context.host.to_owned().into());
    if !host.is_empty() {
        event.push(Field::HostName, host);
    }
}
