//! Names of fields: what Logstash calls them, and what they are called here.
//!
//! Logstash's `message` is the line as it was received, here `event.original`; its `host` is the
//! address that sent it, here `observer.ip`. Both hold until a filter writes to them.

use std::collections::BTreeSet;

use bergfried_event::{Field, FieldName};

/// What `message` is when the first filter sees an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Message {
    /// The received line, and no filter writes to it: it is read from `event.original`.
    #[default]
    Raw,
    /// The received line, and filters write to it: it is copied to `message` first.
    Copied,
    /// What an input took out of the line: our `message` too.
    Parsed,
}

/// How names are translated in one pipeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) message: Message,
    /// Whether events come from an input that names the fields of the envelope itself.
    pub(crate) syslog_input: bool,
    /// Whether fields are looked for under the names that standard patterns gave before ECS.
    pub(crate) legacy: bool,
    /// Whether `@timestamp` is no longer the time of receipt: an input or a filter has read it from
    /// the line.
    pub(crate) dated: bool,
    /// The dotted names that some filter writes to.
    pub(crate) written: BTreeSet<String>,
}

/// Aliases of ours that would make another field of a name that means nothing special in Logstash,
/// one that only the hub writes or that has a meaning of its own.
const OTHERS: [&str; 7] = ["file", "id", "input", "msg", "observer", "raw", "tag"];

/// What Logstash's syslog input calls the parts of the envelope.
const ENVELOPE: [(&str, &str); 8] = [
    ("facility", "log.syslog.facility.code"),
    ("facility_label", "log.syslog.facility.name"),
    ("host.hostname", "host.name"),
    ("logsource", "host.name"),
    ("priority", "log.syslog.priority"),
    ("program", "process.name"),
    ("severity", "log.syslog.severity.code"),
    ("severity_label", "log.syslog.severity.name"),
];

/// `[a][b]` and `a` as a dotted name.
pub(crate) fn dotted(reference: &str) -> String {
    let reference = reference.trim();
    match reference.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.split("][").map(str::trim).collect::<Vec<_>>().join("."),
        None => reference.to_owned(),
    }
}

impl Names {
    /// What is read where Logstash reads this.
    pub(crate) fn read(&self, reference: &str) -> String {
        let name = dotted(reference);
        if self.written.contains(&name) {
            return self.own(name);
        }
        match name.as_str() {
            "message" | "@message" if self.message == Message::Raw => "event.original".to_owned(),
            "@message" => "message".to_owned(),
            "host"
            | "host.ip"
            | "@source_host"
            | "@metadata.ip_address"
            | "@metadata.input.tcp.source.ip"
            | "@metadata.input.tcp.source.name" => "observer.ip".to_owned(),
            "path" => "log.file.path".to_owned(),
            name if self.syslog_input => {
                let known = ENVELOPE.iter().find(|(theirs, _)| *theirs == name);
                known.map_or(name, |(_, ours)| ours).to_owned()
            }
            _ => self.own(name),
        }
    }

    /// What is written where Logstash writes this.
    pub(crate) fn write(&self, reference: &str) -> String {
        self.own(dotted(reference))
    }

    /// A field of the pipeline's own, kept out of the way of those that the hub sets.
    fn own(&self, name: String) -> String {
        match name.as_str() {
            "host" | "hostname" => "host.name".to_owned(),
            other if is_reserved(other) && self.written.contains(other) => {
                format!("logstash.{other}")
            }
            _ => name,
        }
    }

    /// Texts with `%{field}` in them.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("%{") {
            out.push_str(before);
            if let Some((format, behind)) =
                after.strip_prefix('{').and_then(|inside| inside.split_once("}}"))
            {
                place(&mut out, &format!("+{format}"));
                rest = behind;
                continue;
            }
            let Some((inside, behind)) = after.split_once('}') else {
                out.push_str("%{");
                rest = after;
                continue;
            };
            match inside.strip_prefix('+') {
                Some("%s") => place(&mut out, inside),
                // Joda-Time's year of era is the year in every time that a log names.
                Some(format) => place(&mut out, &format!("+{}", format.replace('Y', "y"))),
                None if inside.is_empty() => place(&mut out, inside),
                // Here the hub's parser has read it from the line already.
                None if !self.dated && dotted(inside) == "@timestamp" => {
                    place(&mut out, "event.ingested");
                }
                None => place(&mut out, &self.read(inside)),
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }
}

fn place(out: &mut String, inside: &str) {
    out.push_str("%{");
    out.push_str(inside);
    out.push('}');
}

/// Whether the hub keeps this name for itself.
pub(crate) fn is_reserved(name: &str) -> bool {
    if OTHERS.contains(&name) || name == "host.claimed" {
        return true;
    }
    let known = FieldName::new(name.to_owned());
    matches!(
        known,
        FieldName::Known(
            Field::AgentId
                | Field::AgentName
                | Field::EventId
                | Field::EventIngested
                | Field::EventOriginal
                | Field::LogFlags
                | Field::LogSourceAddress
                | Field::ObserverIp
                | Field::ObserverName
        )
    ) || known.as_str().starts_with("input.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(written: &[&str]) -> Names {
        Names {
            written: written.iter().map(|name| (*name).to_owned()).collect(),
            ..Names::default()
        }
    }

    #[test]
    fn the_line_and_its_sender_are_found_under_our_names() {
        for (written, reference, read) in [
            (&[][..], "message", "event.original"),
            (&[], "[message]", "event.original"),
            (&[], "host", "observer.ip"),
            (&[], "[host][ip]", "observer.ip"),
            (&[], "[source][ip]", "source.ip"),
            (&[], "[@metadata][x][y]", "@metadata.x.y"),
            (&[], "type", "type"),
            (&[], "[event][original]", "event.original"),
            (&["host"], "host", "host.name"),
            (&["id"], "id", "logstash.id"),
            (&["observer.name"], "[observer][name]", "logstash.observer.name"),
            (&["observer.type"], "[observer][type]", "observer.type"),
            (&["user"], "user", "user"),
        ] {
            assert_eq!(names(written).read(reference), read, "{reference}");
        }
        let parsed = Names { message: Message::Parsed, syslog_input: true, ..Names::default() };
        assert_eq!(parsed.read("message"), "message");
        assert_eq!(parsed.read("logsource"), "host.name");
        assert_eq!(parsed.read("[severity]"), "log.syslog.severity.code");
    }

    #[test]
    fn places_in_texts_are_renamed() {
        for (text, expected) in [
            ("plain %", "plain %"),
            ("/srv/%{host}-%{syslog_program}.log", "/srv/%{observer.ip}-%{syslog_program}.log"),
            ("%{[a][b]} %{+YYYY.MM.dd}", "%{a.b} %{+yyyy.MM.dd}"),
            ("%{@timestamp}%{+%s}", "%{event.ingested}%{+%s}"),
            ("%{{yyyy-MM-dd}}!", "%{+yyyy-MM-dd}!"),
            ("%{open", "%{open"),
            ("%{}", "%{}"),
        ] {
            assert_eq!(names(&[]).text(text), expected, "{text}");
        }
    }
}
