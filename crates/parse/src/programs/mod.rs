//! What programs say: one file for each, one line each in [`PROGRAMS`].
//!
//! A parser gets the message after the envelope and adds fields to the event. It reads from the end
//! that the program itself writes: a name typed by a stranger may hold any text.

mod appliances;
mod audit;
mod bans;
mod containers;
mod cron;
mod dnsmasq;
mod dropbear;
mod falco;
mod filterlog;
mod ftp;
mod groups;
mod intrusion;
mod ipfw;
mod login;
mod logind;
mod macos;
mod mail;
mod netfilter;
mod openvpn;
mod packets;
mod pam;
mod passwords;
mod peer;
mod pfsense;
mod phrase;
mod polkit;
mod remote;
mod rsnapshot;
mod samhain;
mod sshd;
mod su;
mod sudo;
mod users;
mod vsftpd;
mod web;

use bergfried_event::{Event, Field, Value};

use crate::Context;
use crate::line::Line;
use crate::syslog::unqualified;
use crate::text::number;

pub(crate) use falco::priority as falco_priority;
pub(crate) use intrusion::transport;
pub(crate) use peer::push_address_owned;
pub use web::name_server;
pub(crate) use web::{decoded, is_web_server, request_parts, split_target};

/// A program whose messages are understood.
pub(crate) struct Program {
    /// The name of the parser and of its folder of samples.
    pub(crate) name: &'static str,
    /// The programs it reads, without directory, in lower case.
    pub(crate) tags: &'static [&'static str],
    /// Adds what the message says.
    pub(crate) read: for<'a> fn(&'a str, &mut Event<'a>),
}

/// Every program parser; the busiest first, as they are looked up in this order.
pub(crate) const PROGRAMS: &[Program] = &[
    sshd::PROGRAM,
    sudo::PROGRAM,
    cron::PROGRAM,
    netfilter::PROGRAM,
    filterlog::PROGRAM,
    pfsense::PROGRAM,
    ipfw::PROGRAM,
    appliances::CISCO,
    appliances::FORTINET,
    appliances::MIKROTIK,
    appliances::SOPHOS,
    web::NGINX,
    web::APACHE,
    intrusion::SNORT,
    intrusion::SURICATA,
    bans::FAIL2BAN,
    bans::SSHGUARD,
    bans::PORTSENTRY,
    bans::SCANLOGD,
    containers::PROGRAM,
    openvpn::PROGRAM,
    rsnapshot::PROGRAM,
    samhain::PROGRAM,
    falco::PROGRAM,
    su::PROGRAM,
    logind::PROGRAM,
    login::PROGRAM,
    users::PROGRAM,
    groups::PROGRAM,
    passwords::PROGRAM,
    dropbear::PROGRAM,
    vsftpd::PROGRAM,
    ftp::PROGRAM,
    mail::PROGRAM,
    dnsmasq::PROGRAM,
    remote::PROGRAM,
    polkit::PROGRAM,
    macos::PROGRAM,
    pam::PROGRAM,
    audit::PROGRAM,
];

/// Reads a line of a log that a program writes itself, without a header of syslog, as one of this
/// program; none for any other line.
type OwnLog = for<'a> fn(&'a str, &Context<'_>) -> Option<Line<'a>>;

/// The logs of programs that keep one of their own form; each looks at the first bytes first.
const OWN_LOGS: &[OwnLog] = &[
    netfilter::own,
    web::own,
    intrusion::own,
    samhain::own,
    containers::own,
    rsnapshot::own,
    bans::own,
    openvpn::own,
    falco::own,
];

/// A line of a log that a program writes itself.
pub(crate) fn own_line<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    // `<PRI>` is a header of syslog.
    if text.starts_with('<') {
        return None;
    }
    OWN_LOGS.iter().find_map(|read| read(text, context))
}

/// A line without a header whose time stands within the message of a known program.
pub(crate) fn line_of_pairs<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    appliances::line(text, context)
}

/// The parser of a program, by its tag.
pub(crate) fn find(program: &str) -> Option<&'static Program> {
    let exact = |name: &str| PROGRAMS.iter().find(|program| program.tags.contains(&name));
    exact(program).or_else(|| {
        let name = unqualified(program);
        exact(name).or_else(|| {
            let upper = name.len() <= 32 && name.bytes().any(|byte| byte.is_ascii_uppercase());
            let lower = if upper { exact(&name.to_ascii_lowercase()) } else { None };
            lower.or_else(|| exact(family(name)?))
        })
    })
}

/// The program of a name that says more: Debian's units of OpenVPN bear the name of their
/// configuration, and without a time the host of a line stands in front of the program.
fn family(name: &str) -> Option<&str> {
    if let Some(known) = appliances::family(name) {
        return Some(known);
    }
    if ["ovpn-", "openvpn-", "openvpn@"].iter().any(|start| name.starts_with(start)) {
        return Some("openvpn");
    }
    if let Some(server) = web::family(name) {
        return Some(server);
    }
    // `postfix/submission/smtpd`, and `postfix-in/smtpd` of another instance.
    if name.starts_with("postfix") {
        let known = [("/smtpd", "postfix/smtpd"), ("/postscreen", "postfix/postscreen")];
        return known.iter().find(|(end, _)| name.ends_with(end)).map(|(_, known)| *known);
    }
    name.rsplit_once(' ').map(|(_, program)| program).filter(|program| *program == "fail2ban")
}

/// Adds to the event what the message of this program says.
pub(crate) fn read<'a>(
    program: Option<&str>,
    pam_module: Option<&'a str>,
    message: &'a str,
    event: &mut Event<'a>,
) {
    let Some((times, inner)) = repeated(message) else {
        return read_once(program, pam_module, message, event);
    };
    read_once(program, pam_module, inner, event);
    let each = event.get(Field::EventCount).and_then(Value::as_int).unwrap_or(1);
    event.set(Field::EventCount, times.saturating_mul(each));
}

/// `message repeated 2 times: [ Failed password for …]`, as rsyslog writes it.
fn repeated(message: &str) -> Option<(i64, &str)> {
    let rest = message.strip_prefix("message repeated ")?;
    let (count, rest) = rest.split_once(" times: [")?;
    let inner = rest.trim_end().strip_suffix(']')?;
    Some((number(count.as_bytes())?, inner.trim_start()))
}

fn read_once<'a>(
    program: Option<&str>,
    pam_module: Option<&'a str>,
    message: &'a str,
    event: &mut Event<'a>,
) {
    if program.is_none() && appliances::read_bare(message, event) {
        // All is said.
    } else if program.is_none() && web::read_bare(message, event) {
        // A line of an access log: nothing in it is looked at for anything else.
    } else if let Some(service) = program.filter(|_| pam_module.is_some()) {
        pam::read_for(unqualified(service), message, event);
    } else if pam::is_pam(message) {
        pam::read_tagged(program.map(unqualified), message, event);
    } else if audit::read_among_others(program, message, event) {
        // All is said.
    } else if let Some(program) = program.and_then(find) {
        (program.read)(message, event);
    } else if message.starts_with("authentication failure; ") {
        // Programs that phrase their own failures as pam_unix does.
        pam::read_text(None, message, event);
    } else if program.is_none() {
        bare(message, event);
        netfilter::read_unnamed(None, message, event);
    } else {
        netfilter::read_unnamed(program, message, event);
    }
}

/// A message without envelope, as `journalctl -o cat` and excerpts have it: what it says counts
/// where the phrasing is a known one and names an address.
fn bare<'a>(message: &'a str, event: &mut Event<'a>) {
    for program in
        [&sshd::PROGRAM, &vsftpd::PROGRAM, &ftp::PROGRAM, &remote::PROGRAM, &pfsense::PROGRAM]
    {
        let mut found = Event::new(event.created(), "");
        (program.read)(message, &mut found);
        let is_login = found.text(Field::EventCategory) == Some("authentication");
        let is_refusal = found.text(Field::EventOutcome) == Some(FAILURE);
        let has_source =
            found.get(Field::SourceIp).is_some() || found.get(Field::SourceAddress).is_some();
        if has_source && (is_login || is_refusal) {
            for (name, value) in found.fields() {
                event.set_named(name.clone(), value.clone());
            }
            return;
        }
    }
}

/// Sets what an accepted login over SSH has in common, whoever reports it.
pub(crate) fn accepted(event: &mut Event<'_>) {
    classify(event, "authentication", "ssh_login");
    outcome(event, SUCCESS);
}

const SUCCESS: &str = "success";
const FAILURE: &str = "failure";

fn classify(event: &mut Event<'_>, category: &'static str, action: &'static str) {
    event.push(Field::EventCategory, category);
    event.push(Field::EventAction, action);
}

fn outcome(event: &mut Event<'_>, outcome: &'static str) {
    event.push(Field::EventOutcome, outcome);
}

/// Sets how bad the program says that it is: `log.level` as syslog names it, `event.severity` as its
/// number (RFC 5424 section 6.2.1).
fn level(event: &mut Event<'_>, code: u8) {
    if let Some(name) = crate::syslog::SEVERITIES.get(usize::from(code)) {
        event.push(Field::LogLevel, *name);
        event.push(Field::EventSeverity, i64::from(code));
    }
}

/// Sets a text field unless the text is empty.
fn push_text<'a>(event: &mut Event<'a>, field: Field, text: &'a str) {
    if !text.is_empty() {
        event.push(field, text);
    }
}
