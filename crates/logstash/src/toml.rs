//! Writes TOML as a person would: comments, short tables in one line, long ones in several.

use std::fmt::Write as _;

/// How long a line may be that holds a table or a list.
const WIDTH: usize = 100;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text(String),
    Whole(i64),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Node::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Node::Text(text)
    }
}

impl From<bool> for Node {
    fn from(truth: bool) -> Self {
        Node::Bool(truth)
    }
}

impl From<i64> for Node {
    fn from(number: i64) -> Self {
        Node::Whole(number)
    }
}

/// Several texts as a list.
pub(crate) fn list(texts: impl IntoIterator<Item = String>) -> Node {
    Node::List(texts.into_iter().map(Node::Text).collect())
}

/// Several texts as a list, a single one as itself.
pub(crate) fn texts(texts: Vec<String>) -> Node {
    match <[String; 1]>::try_from(texts) {
        Ok([one]) => Node::Text(one),
        Err(several) => list(several),
    }
}

/// A table with a comment before it, its entries, and the tables of lists within it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) comment: Vec<String>,
    pub(crate) entries: Vec<(&'static str, Node)>,
    pub(crate) children: Vec<(&'static str, Table)>,
}

impl Table {
    pub(crate) fn set(&mut self, key: &'static str, value: impl Into<Node>) {
        self.entries.push((key, value.into()));
    }

    /// Sets it where there is something to set.
    pub(crate) fn set_some(&mut self, key: &'static str, value: Option<impl Into<Node>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Writes it as an element of the list of tables that `path` names.
    pub(crate) fn write(&self, path: &str, out: &mut String) {
        out.push('\n');
        for line in &self.comment {
            // A comment ends with its line, whatever a name holds.
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            push(out, format_args!("# {}\n", line.trim_end()));
        }
        push(out, format_args!("[[{path}]]\n"));
        let mut long = Vec::new();
        for (key, value) in &self.entries {
            let mut line = format!("{key} = ");
            inline(value, &mut line);
            match value {
                Node::Table(entries) if line.len() > WIDTH => long.push((key, entries)),
                Node::List(values) if line.len() > WIDTH => {
                    push(out, format_args!("{key} = "));
                    spread(values, out);
                    out.push('\n');
                }
                _ => push(out, format_args!("{line}\n")),
            }
        }
        for (key, entries) in long {
            write_long(&format!("{path}.{key}"), entries, out);
        }
        for (key, child) in &self.children {
            child.write(&format!("{path}.{key}"), out);
        }
    }
}

/// A table of its own: `[path]`.
fn write_long(path: &str, entries: &[(String, Node)], out: &mut String) {
    push(out, format_args!("[{path}]\n"));
    let mut long = Vec::new();
    for (name, value) in entries {
        let mut line = key(name);
        line.push_str(" = ");
        let start = line.len();
        inline(value, &mut line);
        match value {
            Node::Table(entries) if line.len() > WIDTH => long.push((name, entries)),
            Node::List(values) if line.len() > WIDTH => {
                line.truncate(start);
                spread(values, &mut line);
                push(out, format_args!("{line}\n"));
            }
            _ => push(out, format_args!("{line}\n")),
        }
    }
    for (name, entries) in long {
        write_long(&format!("{path}.{}", key(name)), entries, out);
    }
}

/// A list with each value on a line of its own.
fn spread(values: &[Node], out: &mut String) {
    out.push_str("[\n");
    for value in values {
        out.push_str("  ");
        inline(value, out);
        out.push_str(",\n");
    }
    out.push(']');
}

fn inline(value: &Node, out: &mut String) {
    match value {
        Node::Text(text) => out.push_str(&quoted(text, true)),
        Node::Whole(number) => push(out, format_args!("{number}")),
        Node::Bool(truth) => push(out, format_args!("{truth}")),
        Node::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                inline(value, out);
            }
            out.push(']');
        }
        Node::Table(entries) if entries.is_empty() => out.push_str("{}"),
        Node::Table(entries) => {
            out.push_str("{ ");
            for (index, (name, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                push(out, format_args!("{} = ", key(name)));
                inline(value, out);
            }
            out.push_str(" }");
        }
    }
}

/// A key, in quotation marks where it needs them.
fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { quoted(name, false) }
}

/// A text: as it is in quotation marks where that can be, else with escapes. A key may not stand
/// in three of them.
fn quoted(text: &str, may_take_three: bool) -> String {
    let plain = |c: char| !c.is_control() || c == '\t';
    if text.chars().all(plain) {
        if !text.contains(['\\', '"']) {
            return format!("\"{text}\"");
        }
        if !text.contains('\'') {
            return format!("'{text}'");
        }
        if may_take_three && !text.contains("'''") && !text.ends_with('\'') {
            return format!("'''{text}'''");
        }
    }
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if other.is_control() => {
                push(&mut out, format_args!("\\u{:04X}", u32::from(other)))
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Writing to a text cannot fail.
fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(some: Vec<(&str, Node)>) -> Node {
        Node::Table(some.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    #[test]
    fn short_tables_take_a_line_and_long_ones_their_own() {
        let mut step = Table { comment: vec!["a.conf:3: grok".to_owned()], ..Table::default() };
        let patterns = list((0..3).map(|index| format!("{index} {}", "%{DATA:x} ".repeat(5))));
        step.set("grok", entries(vec![("field", "m".into()), ("patterns", patterns)]));
        step.set("add_field", entries(vec![("a b", "it's".into()), ("c", true.into())]));
        let mut inner = Table::default();
        inner.set("drop", Node::Table(Vec::new()));
        step.children.push(("then", inner));
        let mut out = String::new();
        step.write("chain.step", &mut out);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(
            lines,
            [
                "",
                "# a.conf:3: grok",
                "[[chain.step]]",
                r#"add_field = { "a b" = "it's", c = true }"#,
                "[chain.step.grok]",
                r#"field = "m""#,
                "patterns = [",
                r#"  "0 %{DATA:x} %{DATA:x} %{DATA:x} %{DATA:x} %{DATA:x} ","#,
                r#"  "1 %{DATA:x} %{DATA:x} %{DATA:x} %{DATA:x} %{DATA:x} ","#,
                r#"  "2 %{DATA:x} %{DATA:x} %{DATA:x} %{DATA:x} %{DATA:x} ","#,
                "]",
                "",
                "[[chain.step.then]]",
                "drop = {}",
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn every_text_is_read_back(name in ".{0,20}", text in r#"(?s)(.|['"\\\n\r\t]){0,40}"#) {
            let mut table = Table { comment: vec![text.clone()], ..Table::default() };
            let long = list(vec![text.clone(); 30]);
            table.set("a", entries(vec![(&name, text.as_str().into())]));
            table.set("b", entries(vec![(&name, entries(vec![(&name, long)]))]));
            let mut out = String::new();
            table.write("x.y", &mut out);
            let read: toml::Table = toml::from_str(&out)
                .map_err(|error| proptest::test_runner::TestCaseError::fail(format!("{error}\n{out}")))?;
            let table = &read["x"]["y"][0];
            proptest::prop_assert_eq!(table["a"][&name].as_str(), Some(text.as_str()));
            proptest::prop_assert_eq!(table["b"][&name][&name][29].as_str(), Some(text.as_str()));
        }
    }
}
