//! The raw text without storing it twice.
//!
//! Where the message ends the raw text, only how the part before it is made is stored: a template
//! such as `{rfc3164+60} {host.name} {process.name}[{process.pid}]: `. A template is used only
//! where it gives back the very bytes; otherwise the raw text is stored as it is.

use std::fmt::Write as _;

use bergfried_event::Timestamp;

/// Longer heads without a template are seldom alike; they are stored as raw text.
const MAX_HEAD: usize = 256;
const MINUTE: i64 = 60 * Timestamp::SECOND;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The columns that a head can be made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'p> {
    pub(crate) created: Timestamp,
    pub(crate) host: Option<&'p str>,
    pub(crate) program: Option<&'p str>,
    pub(crate) pid: Option<i64>,
}

/// The template of the text before the message; `None` where there is none that gives it back.
pub(crate) fn template(original: &str, message: &str, parts: &Parts<'_>) -> Option<String> {
    let head = original.strip_suffix(message)?;
    if head.len() > MAX_HEAD || head.contains(['{', '}']) {
        return None;
    }
    let mut template = String::with_capacity(64);
    let mut rest = head;
    if let Some(end) = rest.find('>')
        && rest.starts_with('<')
        && end <= 4
    {
        let (priority, after) = rest.split_at_checked(end + 1)?;
        template.push_str(priority);
        rest = after;
    }
    if let Some((stamp, after)) = stamp(rest, parts.created) {
        template.push_str(&stamp);
        rest = after;
        rest = field(rest, &mut template, " ", parts.host, "{host.name}");
        rest = field(rest, &mut template, " ", parts.program, "{process.name}");
        let pid = parts.pid.map(|pid| pid.to_string());
        rest = field(rest, &mut template, "[", pid.as_deref(), "{process.pid}");
    }
    template.push_str(rest);
    (render(&template, parts)?.as_str() == head).then_some(template)
}

fn field<'h>(
    rest: &'h str,
    template: &mut String,
    before: &str,
    value: Option<&str>,
    name: &str,
) -> &'h str {
    let after = value.and_then(|value| rest.strip_prefix(before)?.strip_prefix(value));
    match after {
        Some(after) => {
            template.push_str(before);
            template.push_str(name);
            after
        }
        None => rest,
    }
}

/// The stamp at the start of a head as a template, and what follows it.
fn stamp(head: &str, created: Timestamp) -> Option<(String, &str)> {
    if let Some((text, after)) = head.split_at_checked(15)
        && text.is_char_boundary(7)
        && MONTHS.contains(&text.get(..3)?)
    {
        // The zone is what lies between the hour written and the hour meant.
        let written = clock(text.get(7..)?)?;
        let meant = created.micros().rem_euclid(Timestamp::DAY) / Timestamp::SECOND;
        let minutes = (written - meant).div_euclid(60);
        for offset in [minutes, minutes - 24 * 60, minutes + 24 * 60] {
            let template = format!("{{rfc3164{offset:+}}}");
            let parts = Parts { created, host: None, program: None, pid: None };
            if render(&template, &parts).as_deref() == Some(text) {
                return Some((template, after));
            }
        }
        return None;
    }
    iso_stamp(head)
}

fn iso_stamp(head: &str) -> Option<(String, &str)> {
    let (date, rest) = head.split_at_checked(19)?;
    if !matches!(date.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _, b'T', ..]) {
        return None;
    }
    let (digits, rest) = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            (digits, fraction.get(digits..)?)
        }
        None => (0, rest),
    };
    if digits > 6 {
        return None;
    }
    if let Some(rest) = rest.strip_prefix('Z') {
        return Some((format!("{{iso{digits}Z}}"), rest));
    }
    let (zone, rest) = rest.split_at_checked(6)?;
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let hours: i64 = zone.get(1..3)?.parse().ok()?;
    let minutes: i64 = zone.get(4..)?.parse().ok()?;
    Some((format!("{{iso{digits}{:+}}}", sign * (hours * 60 + minutes)), rest))
}

fn clock(text: &str) -> Option<i64> {
    let mut seconds = 0;
    for part in text.split(':') {
        seconds = seconds * 60 + part.parse::<i64>().ok().filter(|part| (0..=60).contains(part))?;
    }
    Some(seconds)
}

/// The text that a template makes; `None` where it names what is not there.
pub(crate) fn render(template: &str, parts: &Parts<'_>) -> Option<String> {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        out.push_str(literal);
        let (name, after) = after.split_once('}')?;
        rest = after;
        match name {
            "host.name" => out.push_str(parts.host?),
            "process.name" => out.push_str(parts.program?),
            "process.pid" => write!(out, "{}", parts.pid?).ok()?,
            _ => write_stamp(&mut out, name, parts.created)?,
        }
    }
    out.push_str(rest);
    Some(out)
}

fn write_stamp(out: &mut String, name: &str, created: Timestamp) -> Option<()> {
    if let Some(offset) = name.strip_prefix("rfc3164") {
        let local = shifted(created, offset.parse().ok()?)?.to_string();
        let month: usize = local.get(5..7)?.parse().ok()?;
        let day: u8 = local.get(8..10)?.parse().ok()?;
        let clock = local.get(11..19)?;
        return write!(out, "{} {day:>2} {clock}", MONTHS.get(month.checked_sub(1)?)?).ok();
    }
    let form = name.strip_prefix("iso")?;
    let digits: usize = form.get(..1)?.parse().ok()?;
    let zone = form.get(1..)?;
    let offset: i64 = if zone == "Z" { 0 } else { zone.parse().ok()? };
    let local = shifted(created, offset)?;
    out.push_str(local.to_string().get(..19)?);
    if digits > 0 {
        let fraction = format!("{:06}", local.micros().rem_euclid(Timestamp::SECOND));
        write!(out, ".{}", fraction.get(..digits)?).ok()?;
    }
    if zone == "Z" {
        out.push('Z');
    } else {
        let sign = if offset < 0 { '-' } else { '+' };
        write!(out, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60).ok()?;
    }
    Some(())
}

fn shifted(time: Timestamp, minutes: i64) -> Option<Timestamp> {
    (minutes.abs() <= 48 * 60).then(|| time.plus_micros(minutes * MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_become_templates_that_give_them_back() {
        let created = "2026-11-05T23:04:05.123456Z".parse().unwrap();
        let parts = Parts { created, host: Some("web1"), program: Some("sshd"), pid: Some(77) };
        for (head, expected) in [
            (
                "Nov  5 23:04:05 web1 sshd[77]: ",
                Some("{rfc3164+0} {host.name} {process.name}[{process.pid}]: "),
            ),
            (
                "<38>Nov  6 00:04:05 web1 sshd[77]: ",
                Some("<38>{rfc3164+60} {host.name} {process.name}[{process.pid}]: "),
            ),
            ("Nov  5 15:04:05 web1 other: ", Some("{rfc3164-480} {host.name} other: ")),
            (
                "2026-11-06T04:34:05.123456+05:30 web1 sshd: ",
                Some("{iso6+330} {host.name} {process.name}: "),
            ),
            ("2026-11-05T23:04:05Z web2 sshd: ", Some("{iso0Z} web2 sshd: ")),
            ("2026-11-05T20:04:05.123-03:00 x ", Some("{iso3-180} x ")),
            ("", Some("")),
            ("plain ", Some("plain ")),
            ("Nov 31 99:04:05 web1 sshd[77]: ", Some("Nov 31 99:04:05 web1 sshd[77]: ")),
            ("{host.name} ", None),
        ] {
            let original = format!("{head}the message");
            let template = template(&original, "the message", &parts);
            assert_eq!(template.as_deref(), expected, "{head}");
            if let Some(template) = template {
                assert_eq!(render(&template, &parts).as_deref(), Some(head));
            }
        }
        assert_eq!(template("a message", "other", &parts), None);
    }

    #[test]
    fn a_template_from_a_file_never_panics() {
        let created = Timestamp::MAX;
        let parts = Parts { created, host: None, program: None, pid: None };
        for template in
            ["{", "{}", "{iso}", "{iso9Z}", "{iso6}", "{rfc3164}", "{rfc3164+99999}", "{é}"]
        {
            assert_eq!(render(template, &parts), None, "{template}");
        }
    }
}
