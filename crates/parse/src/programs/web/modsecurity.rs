//! ModSecurity in the error log of a server: `ModSecurity: Access denied with code 403 (phase 2). …
//! [file "…"] [line "…"] [id "942100"] [msg "…"] [data "…"] [severity "CRITICAL"] … [hostname "…"]
//! [uri "…"] [unique_id "…"]`.
//!
//! What matched is a stranger's text and may look like such a list: the list is the last one that
//! begins as ModSecurity's own does, and of a key that is there twice the first counts.

use bergfried_event::{Event, Field, Value};

use super::{decoded, put, quoted, split_target};
use crate::programs::{FAILURE, outcome, peer};

/// The words for severities, by number.
const SEVERITIES: [&str; 8] =
    ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
/// The most tags of a rule that are kept.
const MOST_TAGS: usize = 32;
/// The most pairs of a list that are read, and places where one may begin that are looked at.
const MOST_PAIRS: usize = 64;
const MOST_LISTS: usize = 16;

/// Reads what ModSecurity says; false for any other message.
pub(super) fn read<'a>(said: &'a str, event: &mut Event<'a>) -> bool {
    // The client is said once more in front.
    let said = match said.strip_prefix("[client ").and_then(|rest| rest.split_once("] ")) {
        Some((client, after)) if after.starts_with("ModSecurity: ") => {
            if event.get(Field::SourceIp).is_none() {
                peer::push_address(event, client);
            }
            after
        }
        _ => said,
    };
    let Some(rest) = said.strip_prefix("ModSecurity: ") else { return false };
    let is_denied = rest.starts_with("Access denied");
    if !is_denied && !rest.starts_with("Warning. ") {
        return false;
    }
    let categories = ["intrusion_detection", "web"].map(Value::from);
    event.set(Field::EventKind, "alert");
    event.push(Field::EventCategory, Value::List(categories.to_vec()));
    event.push(Field::EventAction, "web-attack");
    event.push(Field::EventType, if is_denied { "denied" } else { "info" });
    if is_denied {
        outcome(event, FAILURE);
    }
    let list = rest.rmatch_indices("[file \"").take(MOST_LISTS).find(|(at, _)| {
        rest.get(*at..).is_some_and(|list| list.contains("] [line \"") && list.contains("] [id \""))
    });
    let Some(list) = list.and_then(|(at, _)| rest.get(at..)) else {
        event.push(Field::EventReason, rest);
        return true;
    };
    push_list(event, list);
    true
}

fn push_list<'a>(event: &mut Event<'a>, list: &'a str) {
    let mut rest = list;
    let mut tags = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for _ in 0..MOST_PAIRS {
        let Some((key, value, after)) = pair(rest) else { break };
        rest = after;
        if key == "tag" {
            if tags.len() < MOST_TAGS {
                tags.push(Value::from(quoted::plain(value)));
            }
            continue;
        }
        if value.is_empty() || seen.contains(&key) {
            continue;
        }
        seen.push(key);
        match key {
            "id" => put(event, "rule.id", value),
            "msg" => {
                event.push(Field::RuleName, quoted::plain(value));
                event.push(Field::EventReason, quoted::plain(value));
            }
            "data" => put(event, "modsecurity.data", quoted::plain(value)),
            "severity" => push_severity(event, value),
            "hostname" => put(event, "url.domain", quoted::plain(value)),
            "uri" => push_uri(event, value),
            "unique_id" => put(event, "modsecurity.unique_id", value),
            _ => {}
        }
    }
    if !tags.is_empty() {
        put(event, "modsecurity.tags", Value::List(tags));
    }
}

/// `[key "value"] `, and what follows.
fn pair(text: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = text.trim_start_matches(' ').strip_prefix('[')?.split_once(" \"")?;
    let (value, rest) = quoted::take(rest)?;
    let is_key = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_key.then_some((key, value, rest.strip_prefix(']')?))
}

/// A word, of version 3 a number.
fn push_severity(event: &mut Event<'_>, value: &str) {
    let code = match value.parse::<usize>() {
        Ok(code) => Some(code),
        Err(_) => SEVERITIES.iter().position(|word| *word == value),
    };
    if let Some(word) = code.and_then(|code| SEVERITIES.get(code)) {
        put(event, "modsecurity.severity", word.to_ascii_lowercase());
    }
}

fn push_uri<'a>(event: &mut Event<'a>, uri: &'a str) {
    put(event, "url.original", quoted::plain(uri));
    put(event, "url.path", quoted::plain(split_target(uri).0));
    if let Some(decoded) = decoded(&quoted::plain(uri)) {
        put(event, "url.decoded", decoded);
    }
}
