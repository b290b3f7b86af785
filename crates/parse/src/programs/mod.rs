//! What programs say: one file for each, one line each in [`PROGRAMS`].
//!
//! A parser gets the message after the envelope and adds fields to the event. It reads from the end
//! that the program itself writes: a name typed by a stranger may hold any text.

mod cron;
mod dropbear;
mod ftp;
mod groups;
mod login;
mod logind;
mod mail;
mod pam;
mod passwords;
mod peer;
mod phrase;
mod polkit;
mod remote;
mod sshd;
mod su;
mod sudo;
mod users;
mod vsftpd;

use bergfried_event::{Event, Field, Value};

use crate::syslog::unqualified;
use crate::text::number;

pub(crate) use peer::push_address_owned;

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
    remote::PROGRAM,
    polkit::PROGRAM,
    pam::PROGRAM,
];

/// The parser of a program, by its tag.
pub(crate) fn find(program: &str) -> Option<&'static Program> {
    let exact = |name: &str| PROGRAMS.iter().find(|program| program.tags.contains(&name));
    exact(program).or_else(|| {
        let name = unqualified(program);
        exact(name).or_else(|| {
            let upper = name.len() <= 32 && name.bytes().any(|byte| byte.is_ascii_uppercase());
            if upper { exact(&name.to_ascii_lowercase()) } else { None }
        })
    })
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
    if let Some(service) = program.filter(|_| pam_module.is_some()) {
        pam::read_for(unqualified(service), message, event);
    } else if pam::is_pam(message) {
        pam::read_tagged(program.map(unqualified), message, event);
    } else if let Some(program) = program.and_then(find) {
        (program.read)(message, event);
    } else if message.starts_with("authentication failure; ") {
        // Programs that phrase their own failures as pam_unix does.
        pam::read_text(None, message, event);
    } else if program.is_none() {
        bare(message, event);
    }
}

/// A message without envelope, as `journalctl -o cat` and excerpts have it: what it says counts
/// where the phrasing is a known one and names an address.
fn bare<'a>(message: &'a str, event: &mut Event<'a>) {
    for program in [&sshd::PROGRAM, &vsftpd::PROGRAM, &ftp::PROGRAM, &remote::PROGRAM] {
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

/// Sets a text field unless the text is empty.
fn push_text<'a>(event: &mut Event<'a>, field: Field, text: &'a str) {
    if !text.is_empty() {
        event.push(field, text);
    }
}
