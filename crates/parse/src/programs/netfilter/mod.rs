//! The kernel's packet filter: what `LOG` and `nft log` print about a packet, whoever asked for it
//! (UFW, iptables, nftables, firewalld, Shorewall, OpenWrt, Proxmox, UniFi).
//!
//! A line is `PREFIX IN=… OUT=… MAC=… SRC=… DST=… …`. The prefix is what the administrator chose; all
//! behind it the kernel writes in an order of its own (nf_log_syslog.c). The header is looked for from
//! the end, so that no prefix can show another one; what a packet says are numbers, addresses and the
//! names of flags, never text.

mod packet;
mod prefix;

use bergfried_event::{Event, Field, FieldName};

use super::packets::Verdict;
use super::{Program, ipfw};
use crate::Context;
use crate::line::Line;
use crate::text::number;
use packet::Packet;

pub(super) const PROGRAM: Program =
    Program { name: "netfilter", tags: &["kernel", "ulogd", "pve-firewall"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    // The kernel of FreeBSD has a packet filter of its own.
    if !ipfw::read_kernel(message, event) {
        read_packet(None, message, event);
    }
}

/// A message of a program that nobody knows, which may be a prefix that passed for one:
/// `FW-DROP-IN: IN=eth0 …`.
pub(super) fn read_unnamed<'a>(program: Option<&str>, message: &'a str, event: &mut Event<'a>) {
    if program.is_none() || message.starts_with("IN=") {
        read_packet(program, message, event);
    }
}

fn read_packet<'a>(tag: Option<&str>, message: &'a str, event: &mut Event<'a>) {
    let Some((prefix, header)) = split(message) else { return };
    let Some(packet) = Packet::read(header) else { return };
    let (prefix, description) = prefix::described(without_uptime(prefix));
    let prefix = prefix::name(prefix);
    let shown = if prefix.is_empty() { tag.unwrap_or_default() } else { prefix };
    Verdict::of(shown).push("netfilter", event);
    if !prefix.is_empty() {
        event.push(Field::RuleName, prefix);
    } else if let Some(tag) = tag {
        event.push(Field::RuleName, tag.to_owned());
        event.set(Field::ProcessName, "kernel");
    }
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        event.push_named(FieldName::Other("rule.description".into()), description);
    }
    packet.push(event);
}

/// The prefix, and the header that begins with `IN=`: the last one of a line, as what follows it is
/// the kernel's alone.
fn split(message: &str) -> Option<(&str, &str)> {
    // The kernel names both interfaces always; Proxmox leaves one out.
    let with_out = message.rmatch_indices(" OUT=").find_map(|(at, _)| {
        let before = message.get(..at)?;
        let start = before.rfind(' ').map_or(0, |space| space + 1);
        let word = before.get(start..)?;
        let inside =
            word.rfind("IN=").filter(|at| !word.get(..*at).unwrap_or("").ends_with("PHYS"))?;
        Some(start + inside)
    });
    let alone = |key: &'static str| {
        let found = message.rmatch_indices(key).find(|(at, _)| {
            let before = message.get(..*at).and_then(|before| before.bytes().next_back());
            before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'_')
        });
        found.map(|(at, _)| at)
    };
    let at = with_out.or_else(|| alone("IN=")).or_else(|| alone("OUT="))?;
    message.split_at_checked(at)
}

/// The prefix without the time since the start, `[12345.678901]`, which kernels may put in front.
fn without_uptime(prefix: &str) -> &str {
    uptime(prefix).unwrap_or(prefix)
}

fn uptime(text: &str) -> Option<&str> {
    let (inside, rest) = text.trim_start().strip_prefix('[')?.split_once(']')?;
    let (seconds, micros) = inside.trim_start().split_once('.')?;
    number(seconds.as_bytes())?;
    number(micros.as_bytes())?;
    Some(rest)
}

/// Lines without a header of syslog: as dmesg prints them, and those of Proxmox's own log.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    if text.starts_with('[') {
        let rest = uptime(text)?.trim_start();
        let mut line = Line::bare(rest, context.received);
        line.program = Some("kernel".into());
        return Some(line);
    }
    proxmox(text, context)
}

/// `101 1 tap101i0-IN 20/Jun/2022:13:12:46 +0200 policy DROP: IN=…`: the guest's number, the level,
/// the chain, and the packet.
fn proxmox<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let mut words = text.splitn(4, ' ');
    let (guest, level, chain) = (words.next()?, words.next()?, words.next()?);
    number(guest.as_bytes())?;
    let level = u8::try_from(number(level.as_bytes())?).ok().filter(|level| *level < 8)?;
    let rest = words.next()?;
    let (created, message) = crate::stamp::common_log(rest, context)?;
    if chain.is_empty() || !(message.contains("IN=") || message.contains("OUT=")) {
        return None;
    }
    let mut line = Line::bare(message.trim_start(), created.unwrap_or(context.received));
    line.program = Some("pve-firewall".into());
    line.severity = Some(level);
    Some(line)
}

#[cfg(test)]
mod tests;
