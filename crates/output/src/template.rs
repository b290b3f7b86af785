//! Texts with `%{field}` in them: formats of lines, and paths of files.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bergfried_event::{Event, Field, FieldName, Timestamp};

use crate::name;

/// A text in which fields of an event stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(FieldName<'static>),
    Date(Vec<Date>),
}

/// A part of `%{+…}`: letters as Logstash takes them (those of Joda-Time), or text between them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Date {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Text(String),
}

impl Template {
    /// # Errors
    /// Where a `%{` has no end, names no field, or a date has letters that are not known.
    pub(crate) fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("%{") {
            let (inside, behind) = after
                .split_once('}')
                .ok_or_else(|| format!("`%{{{}` has no `}}`", after.escape_debug()))?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(match inside.strip_prefix('+') {
                Some(date) => Piece::Date(date_of(date)?),
                None if inside.trim().is_empty() => {
                    return Err("`%{}` names no field".to_owned());
                }
                None => Piece::Field(FieldName::new(inside.trim().to_owned())),
            });
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Template { pieces })
    }

    /// Whether it is the same for every event.
    pub(crate) fn is_constant(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }

    /// Appends the text for this event; a field that it does not have is the empty text.
    pub(crate) fn render(&self, event: &Event<'_>, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field(field) => out.push_str(&value(event, field).unwrap_or_default()),
                Piece::Date(parts) => render_date(parts, event.created(), out),
            }
        }
    }
}

/// A path below a directory that it cannot leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathTemplate {
    root: PathBuf,
    /// One for each name of the path below the root; none of them empty.
    names: Vec<Template>,
}

impl PathTemplate {
    /// # Errors
    /// Where the path is not absolute, has `.` or `..` in it, or no file name.
    pub(crate) fn parse(text: &str) -> Result<PathTemplate, String> {
        let shown = text.escape_debug();
        if !text.starts_with('/') {
            return Err(format!("`{shown}` must be an absolute path"));
        }
        if text.contains('\0') {
            return Err(format!("`{shown}` has a NUL in it"));
        }
        let fixed = text.find('%').unwrap_or(text.len());
        let root_ends = text.get(..fixed).and_then(|fixed| fixed.rfind('/')).unwrap_or(0);
        let (root, below) = text.split_at(root_ends);
        let root = if root.is_empty() { "/" } else { root };
        let mut names = Vec::new();
        for name in split_names(below.trim_start_matches('/')) {
            if name.is_empty() || matches!(name, "." | "..") {
                return Err(format!("`{shown}` has an empty name, `.` or `..` in it"));
            }
            names.push(Template::parse(name)?);
        }
        if names.is_empty() || text.ends_with('/') {
            return Err(format!("`{shown}` has no file name"));
        }
        if root.split('/').any(|name| matches!(name, "." | "..")) {
            return Err(format!("`{shown}` has `.` or `..` in it"));
        }
        Ok(PathTemplate { root: PathBuf::from(root), names })
    }

    /// The directory that no path leaves.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a date stands in it.
    pub(crate) fn has_date(&self) -> bool {
        let pieces = self.names.iter().flat_map(|name| &name.pieces);
        pieces.into_iter().any(|piece| matches!(piece, Piece::Date(_)))
    }

    /// How many names a path below the root has.
    pub(crate) fn depth(&self) -> usize {
        self.names.len()
    }

    /// Writes the path below the root, names parted by `/`, in place of what `out` holds. True where
    /// a value had to be changed to be part of a name.
    pub(crate) fn render(&self, event: &Event<'_>, received: Timestamp, out: &mut String) -> bool {
        out.clear();
        let mut changed = false;
        for template in &self.names {
            if !out.is_empty() {
                out.push('/');
            }
            let start = out.len();
            for piece in &template.pieces {
                match piece {
                    Piece::Text(text) => out.push_str(text),
                    Piece::Date(parts) => render_date(parts, received, out),
                    Piece::Field(field) => {
                        let value = value(event, field).unwrap_or_default();
                        let begins = out.bytes().skip(start).all(|byte| byte == b'.');
                        changed |= name::push_safe(&value, begins, out);
                    }
                }
            }
            changed |= name::shorten(start, out);
        }
        changed
    }

    /// Whether a path below the root, as names, could have come of this template.
    pub(crate) fn could_be(&self, names: &[&str]) -> bool {
        names.len() == self.names.len()
            && self.names.iter().zip(names).all(|(template, name)| fits(&template.pieces, name))
    }
}

/// The names between the slashes, where `/` in `%{…}` parts nothing.
fn split_names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let (mut start, mut inside) = (0, false);
    let mut previous = ' ';
    for (place, character) in text.char_indices() {
        match character {
            '{' if previous == '%' => inside = true,
            '}' => inside = false,
            '/' if !inside => {
                names.extend(text.get(start..place));
                start = place + 1;
            }
            _ => {}
        }
        previous = character;
    }
    names.extend(text.get(start..));
    names
}

/// Whether the text has the fixed parts in their order, at both ends too; each other part stands for
/// one character or more.
fn fits(pieces: &[Piece], text: &str) -> bool {
    let (mut rest, mut open) = (text, false);
    let mut pieces = pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        let Piece::Text(fixed) = piece else {
            // One character for this part, further ones as they are needed.
            let Some(first) = rest.chars().next() else { return false };
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            open = true;
            continue;
        };
        let found = match (open, pieces.peek()) {
            (false, _) => rest.strip_prefix(fixed.as_str()),
            (true, None) => return rest.ends_with(fixed.as_str()),
            // The first place is as good as any later one.
            (true, Some(_)) => rest.split_once(fixed.as_str()).map(|(_, behind)| behind),
        };
        let Some(behind) = found else { return false };
        (rest, open) = (behind, false);
    }
    open || rest.is_empty()
}

fn value<'e>(event: &'e Event<'_>, field: &FieldName<'_>) -> Option<Cow<'e, str>> {
    match field {
        FieldName::Known(Field::Timestamp) => Some(Cow::Owned(event.created().to_string())),
        FieldName::Known(Field::EventOriginal) => Some(Cow::Borrowed(event.original())),
        field => event.get_named(field).map(bergfried_event::Value::to_text),
    }
}

fn date_of(text: &str) -> Result<Vec<Date>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = rest.chars().take_while(|character| *character == first).count();
        let length = if first.is_ascii_alphabetic() { run } else { first.len_utf8() };
        let (part, behind) = rest.split_at(length);
        parts.push(match part {
            "yyyy" | "YYYY" | "xxxx" | "uuuu" => Date::Year,
            "MM" => Date::Month,
            "dd" => Date::Day,
            "HH" => Date::Hour,
            "mm" => Date::Minute,
            "ss" => Date::Second,
            part if first.is_ascii_alphabetic() || matches!(first, '/' | '\'') => {
                return Err(format!(
                    "`{}` in `%{{+{}}}` is not known, expected yyyy, MM, dd, HH, mm, ss",
                    part.escape_debug(),
                    text.escape_debug()
                ));
            }
            part => Date::Text(part.to_owned()),
        });
        rest = behind;
    }
    if parts.is_empty() {
        return Err("`%{+}` has no date, expected one such as %{+yyyy-MM-dd}".to_owned());
    }
    Ok(parts)
}

fn render_date(parts: &[Date], at: Timestamp, out: &mut String) {
    // RFC 3339 in UTC has each part at a fixed place.
    let stamp = at.to_string();
    let part = |from: usize, to: usize| stamp.get(from..to).unwrap_or_default();
    for date in parts {
        let text = match date {
            Date::Year => part(0, 4),
            Date::Month => part(5, 7),
            Date::Day => part(8, 10),
            Date::Hour => part(11, 13),
            Date::Minute => part(14, 16),
            Date::Second => part(17, 19),
            Date::Text(text) => text,
        };
        out.push_str(text);
    }
}

/// Appends the text as one line: line ends and other control characters are escaped, a tab is not.
pub(crate) fn push_line(text: &str, out: &mut String) {
    let is_plain = |byte: u8| (b' '..0x7f).contains(&byte) || byte == b'\t';
    if text.bytes().all(is_plain) {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '\t' => out.push('\t'),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            // Some programs take these two for line ends.
            '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _infallible = write!(out, "\\u{{{:x}}}", character as u32);
            }
            control if control.is_control() => {
                let _infallible = write!(out, "\\x{:02x}", control as u32);
            }
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event<'static> {
        let mut event = Event::new(Timestamp::from_seconds(1_763_721_000), "<13>raw text");
        event.set(Field::HostName, "web1");
        event.set(Field::ProcessName, "sshd");
        event.set_named(FieldName::new("snort.id"), 7);
        event
    }

    #[test]
    fn fields_aliases_and_dates_are_filled_in() {
        for (text, expected) in [
            ("%{host} %{program}[%{snort.id}]", "web1 sshd[7]"),
            ("%{@timestamp} %{event.original}", "2025-11-21T10:30:00Z <13>raw text"),
            ("%{+yyyy.MM.dd-HH:mm:ss}", "2025.11.21-10:30:00"),
            ("%{nothing}|100% sure }", "|100% sure }"),
        ] {
            let mut out = String::new();
            Template::parse(text).unwrap().render(&event(), &mut out);
            assert_eq!(out, expected);
        }
        for bad in ["%{host", "%{}", "%{+}", "%{+DD}", "%{+yyyy/MM}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_have_a_root_and_names() {
        let received = Timestamp::from_seconds(1_763_721_000);
        for (text, root, expected) in [
            ("/srv/logs/%{host.name}-%{program}.log", "/srv/logs", "web1-sshd.log"),
            ("/srv/l-%{host}/%{+yyyy}/%{program}", "/srv", "l-web1/2025/sshd"),
            ("/var/log/all.log", "/var/log", "all.log"),
            ("/%{host}", "/", "web1"),
        ] {
            let template = PathTemplate::parse(text).unwrap();
            assert_eq!(template.root(), Path::new(root), "{text}");
            let mut out = String::new();
            assert!(!template.render(&event(), received, &mut out));
            assert_eq!(out, expected);
            let names: Vec<&str> = out.split('/').collect();
            assert!(template.could_be(&names), "{text}");
            assert!(!template.could_be(&["other", "thing", "else", "x"]), "{text}");
        }
        for bad in ["logs/x", "/srv/%{host}/", "/srv/../x", "/srv/%{host}/../x", "/a//%{x}//b"] {
            assert!(PathTemplate::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_came_of_a_template_is_told_from_other_files() {
        for (template, name, expected) in [
            ("%{host}-%{program}.log", "a-b-c.log", true),
            ("%{host}-%{program}.log", "-b.log", false),
            ("%{host}-%{program}.log", "a-.log", false),
            ("%{host}-%{program}.log", "a-b.log.gz", false),
            ("x%{a}%{b}", "xyz", true),
            ("x%{a}%{b}", "xy", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ] {
            let template = Template::parse(template).unwrap();
            assert_eq!(fits(&template.pieces, name), expected, "{name}");
        }
    }

    #[test]
    fn a_line_stays_one_line() {
        let mut out = String::new();
        push_line("a\tb\nNov 20 forged\r\u{1b}[31m\u{85}\u{2028}grüße", &mut out);
        assert_eq!(out, "a\tb\\nNov 20 forged\\r\\x1b[31m\\x85\\u{2028}grüße");
    }

    proptest::proptest! {
        #[test]
        fn no_value_leaves_the_directory(
            host in "\\PC{0,40}|[./\\x00-\\x1f-]{0,8}|.{200,400}",
            program in "[./@-]{0,4}.{0,20}",
        ) {
            let mut event = Event::new(Timestamp::from_seconds(0), "x");
            event.set(Field::HostName, host.as_str());
            event.set(Field::ProcessName, program.as_str());
            for path in ["/srv/%{host}-%{program}.log", "/srv/%{host}/%{program}", "/srv/.%{host}"] {
                let template = PathTemplate::parse(path).unwrap();
                let mut out = String::new();
                template.render(&event, Timestamp::from_seconds(0), &mut out);
                let names: Vec<&str> = out.split('/').collect();
                proptest::prop_assert_eq!(names.len(), template.depth());
                for name in names {
                    proptest::prop_assert!(!matches!(name, "" | "." | ".."), "{:?}", out);
                    proptest::prop_assert!(name.len() <= name::MAX_BYTES, "{:?}", out);
                    proptest::prop_assert!(!name.contains(['\0', '@', '\n']), "{:?}", out);
                    proptest::prop_assert!(!name.chars().any(char::is_control), "{:?}", out);
                }
            }
        }
    }
}
