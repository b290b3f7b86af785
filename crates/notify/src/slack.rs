//! A message for a Slack incoming webhook, in Block Kit.
//!
//! Everything that comes from a log goes into `plain_text` objects, which know no formatting, links
//! or mentions, and is escaped besides. The one `mrkdwn` object is the link to the console.
//! Limits: <https://docs.slack.dev/reference/block-kit/blocks>.

use bergfried_alert::{Alert, Outcome};
use serde_json::{Value, json};

use crate::login;
use crate::neutral::slack;

const MAX_HEADER: usize = 150;
const MAX_TEXT: usize = 3000;
const MAX_FIELD: usize = 2000;
/// Slack takes 2000 characters a field; a name that long helps nobody.
const MAX_FIELD_VALUE: usize = 300;
const MAX_EXAMPLE: usize = 1000;

/// The message about a change of an alert; `url` leads to the alert in the console.
pub(crate) fn message(alert: &Alert, change: Outcome, url: Option<&str>) -> Value {
    let severity = alert.severity.name().to_uppercase();
    let title = format!("{severity}: {} on {}", alert.event, alert.resource);
    let mut blocks = vec![
        json!({ "type": "header", "text": plain_text(&title, MAX_HEADER) }),
        json!({ "type": "section", "text": plain_text(&alert.text, MAX_TEXT) }),
        json!({ "type": "section", "fields": fields(alert, change) }),
    ];
    let example = login::describe(&alert.example).unwrap_or_else(|| alert.example.clone());
    if !example.is_empty() {
        blocks.push(json!({ "type": "section", "text": plain_text(&example, MAX_EXAMPLE) }));
    }
    blocks.push(context(alert, url));
    let mut message = plain(&format!("{severity}: {}", alert.text));
    if let Some(message) = message.as_object_mut() {
        message.insert("blocks".to_owned(), Value::Array(blocks));
    }
    message
}

/// A message of one text; also what a notification on a phone shows of a message with blocks.
pub(crate) fn plain(text: &str) -> Value {
    json!({
        "text": slack(text, MAX_TEXT),
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// At most ten, as Slack allows.
fn fields(alert: &Alert, change: Outcome) -> Vec<Value> {
    let change = match change {
        Outcome::New => "new".to_owned(),
        Outcome::Repeated => "repeated".to_owned(),
        Outcome::Reopened => "reopened".to_owned(),
        Outcome::SeverityChanged { from, to } => format!("severity {from} → {to}"),
    };
    let mut fields = vec![field("Change", &change)];
    for (label, value) in [("Host", &alert.host), ("User", &alert.user), ("Source", &alert.source)]
    {
        if let Some(value) = value {
            fields.push(field(label, value));
        }
    }
    fields.push(field("Events", &alert.count.to_string()));
    fields.push(field("First seen", &alert.first_seen.to_string()));
    fields.push(field("Last seen", &alert.last_seen.to_string()));
    if !alert.techniques.is_empty() {
        fields.push(field("ATT&CK", &alert.techniques.join(", ")));
    }
    // What it was grouped by stands in the fields above.
    if !alert.matched.is_empty() && alert.matched != alert.group {
        let pair = |(name, value): &(String, String)| format!("{name}: {value}");
        let matched: Vec<String> = alert.matched.iter().map(pair).collect();
        fields.push(field("Matched", &matched.join(", ")));
    }
    if !alert.falsepositives.is_empty() {
        fields.push(field("False positives", &alert.falsepositives.join("; ")));
    }
    fields
}

fn field(label: &str, value: &str) -> Value {
    // The line break is ours, so it must not pass through the neutraliser.
    let text = format!("{}\n{}", slack(label, MAX_FIELD), slack(value, MAX_FIELD_VALUE));
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

fn context(alert: &Alert, url: Option<&str>) -> Value {
    let origin = format!("{} · rule {}", alert.environment, alert.rule_id);
    let mut elements = vec![plain_text(&origin, MAX_FIELD)];
    if let Some(url) = url {
        elements.push(json!({ "type": "mrkdwn", "text": link(url), "verbatim": true }));
    }
    json!({ "type": "context", "elements": elements })
}

fn plain_text(text: &str, limit: usize) -> Value {
    // Slack refuses an empty text.
    let text = if text.is_empty() { "-".to_owned() } else { slack(text, limit) };
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// A link to our own console; its address comes from the configuration, not from a log.
fn link(url: &str) -> String {
    let escaped =
        url.replace('&', "&amp;").replace('<', "%3C").replace('>', "%3E").replace('|', "%7C");
    format!("<{escaped}|Open in Bergfried>")
}

#[cfg(test)]
mod tests;
