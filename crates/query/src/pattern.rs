//! Text patterns with the wildcards `*` (any run) and `?` (any one character).

use std::borrow::Cow;

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// This text.
    Literal(String),
    /// Any run of characters, also none (`*`).
    AnyRun,
    /// Exactly one character (`?`).
    AnyOne,
    /// Exactly one of [`DASHES`].
    AnyDash,
}

/// The characters that Windows programs take for one another before a parameter: hyphen, slash, en
/// dash, em dash and horizontal bar (Sigma modifiers appendix, `windash`).
pub const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// A text pattern, matched over a whole value.
///
/// Without `cased`, letters match in either case by Unicode's simple lower-casing, as Sigma asks
/// (Sigma rules specification 2.1, "Escaping" and "Case sensitivity").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    parts: Vec<Part>,
    cased: bool,
}

impl Pattern {
    /// A pattern of these parts; neighbouring literals are joined, repeated `*` become one.
    pub fn new(parts: impl IntoIterator<Item = Part>, cased: bool) -> Self {
        let mut joined: Vec<Part> = Vec::new();
        for part in parts {
            match (joined.last_mut(), part) {
                (Some(Part::Literal(before)), Part::Literal(text)) => before.push_str(&text),
                (Some(Part::AnyRun), Part::AnyRun) => {}
                (_, Part::Literal(text)) if text.is_empty() => {}
                (_, part) => joined.push(part),
            }
        }
        if !cased {
            for part in &mut joined {
                if let Part::Literal(text) = part {
                    *text = fold(text).into_owned();
                }
            }
        }
        Pattern { parts: joined, cased }
    }

    /// The pattern that only this text matches, in this case.
    pub fn exact(text: impl Into<String>) -> Self {
        Pattern::new([Part::Literal(text.into())], true)
    }

    /// The pattern that only this text matches, in any case.
    pub fn literal(text: impl Into<String>) -> Self {
        Pattern::new([Part::Literal(text.into())], false)
    }

    /// The pattern of a text in which `*` and `?` are wildcards and `\` takes away their meaning.
    ///
    /// A `\` before any other character stands for itself.
    pub fn with_wildcards(text: &str, cased: bool) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let wildcard = match character {
                '*' => Part::AnyRun,
                '?' => Part::AnyOne,
                '\\' => {
                    match characters.next_if(|next| matches!(next, '*' | '?' | '\\')) {
                        Some(escaped) => literal.push(escaped),
                        None => literal.push('\\'),
                    }
                    continue;
                }
                other => {
                    literal.push(other);
                    continue;
                }
            };
            parts.push(Part::Literal(std::mem::take(&mut literal)));
            parts.push(wildcard);
        }
        parts.push(Part::Literal(literal));
        Pattern::new(parts, cased)
    }

    /// The same pattern with any run before and after it.
    pub fn anywhere(self) -> Self {
        let cased = self.cased;
        let parts = std::iter::once(Part::AnyRun).chain(self.parts).chain([Part::AnyRun]);
        Pattern { parts: Pattern::new(parts, true).parts, cased }
    }

    /// The parts; literals are lower-cased unless the pattern is cased.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether case matters.
    pub fn is_cased(&self) -> bool {
        self.cased
    }

    /// The text of a pattern without wildcards (lower-cased unless cased).
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether the pattern has a wildcard.
    pub fn has_wildcard(&self) -> bool {
        self.as_literal().is_none()
    }

    /// Whether the whole of `text` matches. Linear in `text` times the number of parts.
    pub fn matches(&self, text: &str) -> bool {
        if self.cased { glob(&self.parts, text) } else { self.matches_folded(&fold(text)) }
    }

    /// As [`Pattern::matches`], for text that [`fold`] lower-cased already.
    pub fn matches_folded(&self, folded: &str) -> bool {
        glob(&self.parts, folded)
    }
}

/// The text in lower case, borrowed where it is already.
///
/// Each character for itself, wherever it stands: so a part of a text becomes a part of what the whole
/// becomes. Sigma has one lower case here, though it is written otherwise where it ends a word.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    } else {
        let lower = text.chars().flat_map(char::to_lowercase);
        Cow::Owned(lower.map(|character| if character == 'ς' { 'σ' } else { character }).collect())
    }
}

/// Matches from left to right, going back only to the last `*`, so never exponential.
pub(crate) fn glob(parts: &[Part], text: &str) -> bool {
    match parts {
        [] => return text.is_empty(),
        [Part::Literal(literal)] => return text == literal,
        [Part::AnyRun] => return true,
        [Part::Literal(start), Part::AnyRun] => return text.starts_with(start.as_str()),
        [Part::AnyRun, Part::Literal(end)] => return text.ends_with(end.as_str()),
        [Part::AnyRun, Part::Literal(inner), Part::AnyRun] => {
            return memchr::memmem::find(text.as_bytes(), inner.as_bytes()).is_some();
        }
        _ => {}
    }
    let (mut rest_parts, mut rest_text) = (parts, text);
    let mut retry: Option<(&[Part], &str)> = None;
    loop {
        let advanced = match rest_parts.split_first() {
            None if rest_text.is_empty() => return true,
            None => None,
            Some((Part::AnyRun, after)) => {
                if after.is_empty() {
                    return true;
                }
                let Some(from) = skip_to(after, rest_text) else { return false };
                retry = Some((after, from));
                Some((after, from))
            }
            Some((Part::AnyOne, after)) => skip_one(rest_text).map(|text| (after, text)),
            Some((Part::AnyDash, after)) => {
                rest_text.strip_prefix(DASHES).map(|text| (after, text))
            }
            Some((Part::Literal(literal), after)) => {
                rest_text.strip_prefix(literal.as_str()).map(|text| (after, text))
            }
        };
        (rest_parts, rest_text) = match (advanced, &mut retry) {
            (Some(next), _) => next,
            (None, Some((after, from))) => {
                match skip_one(from).and_then(|text| skip_to(after, text)) {
                    Some(shorter) => {
                        *from = shorter;
                        (*after, shorter)
                    }
                    None => return false,
                }
            }
            (None, None) => return false,
        };
    }
}

/// The text from where these parts may match on; nothing else may where they begin with a literal.
fn skip_to<'t>(parts: &[Part], text: &'t str) -> Option<&'t str> {
    match parts.first() {
        Some(Part::Literal(literal)) => {
            let found = memchr::memmem::find(text.as_bytes(), literal.as_bytes())?;
            text.get(found..)
        }
        _ => Some(text),
    }
}

fn skip_one(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().map(|_| characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_values() {
        for (pattern, text, expected) in [
            ("root", "ROOT", true),
            ("root", "roots", false),
            ("*admin*", "the Administrator", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("*ab*ab", "abab", true),
            ("?*", "", false),
            ("*", "", true),
            ("", "", true),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"c:\x\\*", r"C:\x\y", true),
            ("ärger?", "ÄRGERß", true),
            ("*ΟΣ*", "ΚΟΣΜΟΣ", true),
            ("*ΟΣ", "κοσμος", true),
            ("ΚΟΣ*", "κοσμοσ", true),
        ] {
            assert_eq!(
                Pattern::with_wildcards(pattern, false).matches(text),
                expected,
                "{pattern} over {text}"
            );
        }
        assert!(!Pattern::with_wildcards("Root", true).matches("root"));
    }

    #[test]
    fn one_dash_stands_for_each_other() {
        let pattern = Pattern::new(
            [Part::AnyRun, Part::AnyDash, Part::Literal("Enc ".to_owned()), Part::AnyRun],
            false,
        );
        for dash in DASHES {
            assert!(pattern.matches(&format!("run --x {dash}ENC 1")), "{dash}");
        }
        assert!(!pattern.matches("run enc 1") && !pattern.matches("run \u{2010}enc 1"));
    }

    proptest::proptest! {
        /// The matcher agrees with a regular expression of the same meaning.
        #[test]
        fn agrees_with_a_regex(pattern in "[ab*?]{0,8}", text in "[abc]{0,12}") {
            let expression = pattern.chars().map(|c| match c {
                '*' => ".*".to_owned(), '?' => ".".to_owned(), c => c.to_string(),
            }).collect::<String>();
            let regex = regex::Regex::new(&format!("^{expression}$")).unwrap();
            proptest::prop_assert_eq!(
                Pattern::with_wildcards(&pattern, false).matches(&text), regex.is_match(&text));
        }
    }
}
