//! Firewalls that come as a box: the ASA of Cisco, FortiGate, Sophos and RouterOS of MikroTik, each in the
//! messages that say what became of a connection and who logged in to the box itself.
//!
//! Other messages of theirs keep their text.

mod cisco;
mod fortinet;
mod mikrotik;
mod pairs;
mod sophos;

use bergfried_event::Event;

use crate::Context;
use crate::line::Line;

pub(super) use cisco::PROGRAM as CISCO;
pub(super) use fortinet::PROGRAM as FORTINET;
pub(super) use mikrotik::PROGRAM as MIKROTIK;
pub(super) use sophos::PROGRAM as SOPHOS;

/// Reads a message of a box that names no program; true where it is one.
pub(super) fn read_bare<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    if message.starts_with("firewall,") {
        return mikrotik::read_topics(message, event);
    }
    if is_sophos(message) {
        return sophos::read_log(message, event);
    }
    is_fortinet(message) && fortinet::read_log(message, event)
}

fn is_sophos(message: &str) -> bool {
    message.starts_with("device=\"SFW\"") || message.starts_with("device_name=\"SFW\"")
}

fn is_fortinet(message: &str) -> bool {
    ["date=", "logver=", "devname="].iter().any(|key| message.starts_with(key))
}

/// A line of a box that has no header: its time stands among its pairs.
pub(super) fn line<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    if !is_sophos(text) && !is_fortinet(text) {
        return None;
    }
    let time = pairs::time(&pairs::Pairs::read(text), context)?;
    Some(Line::bare(text, time))
}

/// The parser of a program whose name says what a message is about: `%ASA-6-302013`, `firewall,info`.
pub(super) fn family(program: &str) -> Option<&'static str> {
    if let Some(code) = program.strip_prefix('%') {
        let code = code.trim_start_matches('%');
        let known = [
            "ASA-",
            "PIX-",
            "FTD-",
            "FWSM-",
            "SEC-6-IPACCESSLOG",
            "IPV6_ACL-6-ACCESSLOG",
            "SEC_LOGIN-",
        ];
        return known.iter().any(|start| code.starts_with(start)).then_some("cisco");
    }
    program.starts_with("firewall,").then_some("mikrotik")
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Field, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn source(program: Option<&str>, message: &str) -> Option<String> {
        let mut event = Event::new(Timestamp::from_seconds(0), "");
        crate::programs::read(program, None, message, &mut event);
        event.text(Field::SourceIp).map(str::to_owned)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever is typed as a name or given to a rule, the address is the peer's or none.
        #[test]
        fn no_name_moves_the_address(
            name in prop::collection::vec(prop_oneof![
                Just("\"".to_owned()),
                Just("\\".to_owned()),
                Just("\" srcip=6.6.6.6 ".to_owned()),
                Just(" : user IP = 6.6.6.6".to_owned()),
                Just(" from 6.6.6.6/6 to outside:6.6.6.6/ssh for user ".to_owned()),
                Just(" input: in:a out:b, proto TCP, 6.6.6.6:6->6.6.6.6:6, len 6".to_owned()),
                "[ -~]{0,6}",
            ], 0..5).prop_map(|pieces| pieces.concat()),
            address in any::<std::net::Ipv4Addr>(),
        ) {
            let address = address.to_string();
            let expected = Some(address.clone());
            let login = format!("Login denied from {address}/1 to outside:192.0.2.2/ssh for user \"{name}\"");
            prop_assert_eq!(&source(Some("%ASA-6-605004"), &login), &expected);
            let refused = format!(
                "AAA user authentication Rejected : reason = x : server = 192.0.2.3 : user = {name} : user IP = {address}",
            );
            prop_assert_eq!(&source(Some("%ASA-6-113005"), &refused), &expected);
            let packet = format!("firewall,info {name} input: in:ether1 out:(unknown 0), proto TCP (SYN), {address}:1->192.0.2.2:2, len 60");
            prop_assert_eq!(&source(None, &packet), &expected);
            let front = "date=2026-11-21 devid=\"F\" type=\"event\" action=\"login\" status=\"failed\"";
            let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
            let line = format!("{front} user=\"{escaped}\" srcip={address} msg=\"x\"");
            prop_assert_eq!(&source(None, &line), &expected);
            // A box that writes names as they are typed.
            let found = source(None, &format!("{front} user=\"{name}\" srcip={address} msg=\"x\""));
            prop_assert!(found.is_none() || found == expected, "{name}");
        }
    }
}
