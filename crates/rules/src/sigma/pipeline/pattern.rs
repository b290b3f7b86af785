//! Regular expressions of pipelines, in linear time and of bounded size, with the replacement texts
//! of Python's `re.sub`, which the documentation of pipelines refers to.

use regex::{Captures, Regex, RegexBuilder};

/// The most bytes of a compiled expression.
const MAX_COMPILED: usize = 1 << 20;
/// The most bytes of an expression or a replacement as written.
const MAX_WRITTEN: usize = 4096;
/// The most bytes of a value after its replacements.
const MAX_REPLACED: usize = 64 << 10;

/// A regular expression that matches from the start of a text on, as Python's `re.match` does.
#[derive(Clone, Debug)]
pub(super) struct Start(Regex);

impl Start {
    pub(super) fn new(written: &str) -> Result<Start, String> {
        compile(&format!("^(?:{written})"), written).map(Start)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// What takes the place of each match of an expression.
#[derive(Clone, Debug)]
pub(super) struct Replacement {
    regex: Regex,
    template: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

impl Replacement {
    pub(super) fn new(regex: &str, template: &str) -> Result<Replacement, String> {
        if template.len() > MAX_WRITTEN {
            return Err(format!("the replacement is longer than {MAX_WRITTEN} bytes"));
        }
        let regex = compile(regex, regex)?;
        let template = pieces(template, &regex)?;
        Ok(Replacement { regex, template })
    }

    /// The text with its matches replaced; `None` where there is none.
    ///
    /// # Errors
    /// Where the text grows beyond bounds.
    pub(super) fn apply(&self, text: &str) -> Result<Option<String>, String> {
        let mut replaced = String::new();
        let mut rest = None;
        for captures in self.regex.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            let from = rest.unwrap_or(0);
            replaced.push_str(text.get(from..whole.start()).unwrap_or_default());
            self.append(&captures, &mut replaced);
            rest = Some(whole.end());
            if replaced.len() > MAX_REPLACED {
                return Err(format!("a value grows beyond {MAX_REPLACED} bytes"));
            }
        }
        Ok(rest.map(|from| {
            replaced.push_str(text.get(from..).unwrap_or_default());
            replaced
        }))
    }

    fn append(&self, captures: &Captures<'_>, replaced: &mut String) {
        for piece in &self.template {
            match piece {
                Piece::Text(text) => replaced.push_str(text),
                Piece::Group(group) => {
                    replaced.push_str(captures.get(*group).map_or("", |group| group.as_str()));
                }
            }
        }
    }
}

fn compile(expression: &str, written: &str) -> Result<Regex, String> {
    if written.len() > MAX_WRITTEN {
        return Err(format!("the regular expression is longer than {MAX_WRITTEN} bytes"));
    }
    RegexBuilder::new(expression).size_limit(MAX_COMPILED).build().map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim();
        format!("cannot use regular expression `{}`: {reason}", written.escape_debug())
    })
}

/// Reads `\1`, `\g<1>`, `\g<name>`, `\n`, `\t`, `\r` and `\\`.
fn pieces(template: &str, regex: &Regex) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut characters = template.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        let group = match characters.next() {
            Some('n') => {
                text.push('\n');
                continue;
            }
            Some('t') => {
                text.push('\t');
                continue;
            }
            Some('r') => {
                text.push('\r');
                continue;
            }
            Some('g') if characters.next_if_eq(&'<').is_some() => {
                let name: String = characters.by_ref().take_while(|next| *next != '>').collect();
                let index = name.parse().ok();
                let named = || regex.capture_names().position(|known| known == Some(&name));
                index.or_else(named).ok_or(name)
            }
            Some(digit @ '1'..='9') => {
                let second = characters.next_if(char::is_ascii_digit);
                let digits: String = [digit].into_iter().chain(second).collect();
                digits.parse().map_err(|_| digits)
            }
            Some(letter) if letter.is_ascii_alphanumeric() => {
                return Err(format!("bad escape `\\{letter}` in the replacement"));
            }
            other => {
                // As in Python, `\\` is one backslash and `\.` is both characters.
                text.push('\\');
                text.extend(other.filter(|other| *other != '\\'));
                continue;
            }
        };
        match group {
            Ok(group) if group < regex.captures_len() => {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Group(group));
            }
            Ok(group) => return Err(format!("the regular expression has no group {group}")),
            Err(name) => {
                return Err(format!(
                    "the regular expression has no group `{}`",
                    name.escape_debug()
                ));
            }
        }
    }
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_those_of_python() {
        for (regex, template, text, expected) in [
            (r"^\*\\([^\\]+)$", r"\1", r"*\malware.exe", Some("malware.exe")),
            (r"(?P<drive>[A-Z]):", r"/\g<drive>", r"C:\x", Some(r"/C\x")),
            (r"\\+", "/", r"a\\b\c", Some("a/b/c")),
            (r"a(b)?", r"[\1\g<0>]", "aab", Some("[a][bab]")),
            ("x", r"\\\.\n", "x", Some("\\\\.\n")),
            ("x*", "-", "ab", Some("-a-b-")),
            ("z", "", "abc", None),
        ] {
            let replacement = Replacement::new(regex, template).unwrap();
            assert_eq!(replacement.apply(text).unwrap().as_deref(), expected, "{regex} {template}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for (regex, template, part) in [
            ("(?=x)", "", "look-around"),
            ("(a)", r"\2", "no group 2"),
            ("(a)", r"\g<b>", "no group `b`"),
            ("a", r"\q", r"bad escape `\q`"),
            (r"\w{5000}", "", "size limit"),
        ] {
            let error = Replacement::new(regex, template).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let growing = Replacement::new("a", &"a".repeat(4000)).unwrap();
        assert!(growing.apply(&"a".repeat(100)).unwrap_err().contains("grows"));
        assert!(Start::new("b").unwrap().matches("bc"));
        assert!(!Start::new("b|c").unwrap().matches("ab"));
    }
}
