//! Regular expressions over the text of a value.

use std::fmt;

use crate::needles::needles;

/// A compiled linear-time regular expression; equal where the source texts and the classes are.
///
/// A copy shares the compiled form.
#[derive(Clone)]
pub struct TextRegex {
    regex: regex::bytes::Regex,
    classes: Classes,
}

/// What `\w`, `\d`, `\s`, `\b`, `.` and case mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Classes {
    /// Characters, by Unicode's properties.
    Unicode,
    /// Bytes, by ASCII alone, as PCRE has them where it is not asked for Unicode: what is beyond
    /// ASCII is no word character and as many `.` as it has bytes in UTF-8.
    ///
    /// An expression that itself names a character beyond ASCII is taken as [`Classes::Unicode`].
    Ascii,
}

/// A regular expression that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use regular expression `{pattern}`: {reason}")]
pub struct RegexError {
    /// The expression as given.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl TextRegex {
    /// The most bytes that one compiled expression may take.
    pub const SIZE_LIMIT: usize = 8 << 20;

    /// The same for [`Classes::Ascii`], whose compiled form is a fraction of the size.
    pub const ASCII_SIZE_LIMIT: usize = 1 << 20;

    /// The most bytes of the states that one thread keeps of an expression while it matches; where
    /// more are needed, old ones are forgotten and made again.
    const STATES_LIMIT: usize = 256 << 10;

    /// Compiles an expression in the syntax of the `regex` crate (no look-around, no
    /// back-references), with Unicode's classes.
    ///
    /// # Errors
    /// Where the syntax is wrong or the compiled form is larger than the limit of its classes.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        TextRegex::with_classes(pattern, Classes::Unicode)
    }

    /// As [`TextRegex::new`], with these classes.
    ///
    /// # Errors
    /// As [`TextRegex::new`].
    pub fn with_classes(pattern: &str, classes: Classes) -> Result<Self, RegexError> {
        let classes = if names_beyond_ascii(pattern) { Classes::Unicode } else { classes };
        let size_limit = match classes {
            Classes::Unicode => Self::SIZE_LIMIT,
            Classes::Ascii => Self::ASCII_SIZE_LIMIT,
        };
        regex::bytes::RegexBuilder::new(pattern)
            .size_limit(size_limit)
            .dfa_size_limit(Self::STATES_LIMIT)
            .unicode(classes == Classes::Unicode)
            .build()
            .map(|regex| TextRegex { regex, classes })
            .map_err(|error| RegexError {
                pattern: pattern.to_owned(),
                reason: match error {
                    regex::Error::CompiledTooBig(limit) => {
                        format!("it is larger than {limit} bytes when compiled")
                    }
                    other => other.to_string().lines().last().unwrap_or_default().to_owned(),
                },
            })
    }

    /// Whether the expression finds a match somewhere in `text`. Linear in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text.as_bytes())
    }

    /// The expression's source text.
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Choices of lower-case ASCII literals: of each choice one literal is in the lower-cased text
    /// wherever the expression matches. Empty where it asks for none.
    pub fn needles(&self) -> Vec<Vec<String>> {
        needles(self.as_str(), self.classes == Classes::Unicode)
    }

    /// What its classes mean.
    pub fn classes(&self) -> Classes {
        self.classes
    }
}

/// Whether the expression says a character beyond ASCII, or a property of Unicode.
fn names_beyond_ascii(pattern: &str) -> bool {
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_ascii() {
            return true;
        }
        if character == '\\' {
            match characters.next() {
                Some('p' | 'P' | 'u' | 'U') => return true,
                Some('x') if characters.peek() == Some(&'{') => return true,
                Some(escaped) if !escaped.is_ascii() => return true,
                _ => {}
            }
        }
    }
    false
}

impl PartialEq for TextRegex {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str() && self.classes == other.classes
    }
}

impl fmt::Debug for TextRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_of_unicode_or_of_ascii() {
        for (pattern, text, unicode, ascii) in [
            (r"^\w+$", "word", true, true),
            (r"^\w+$", "größe", true, false),
            (r"^\d$", "\u{664}", true, false),
            (r"^.$", "ö", true, false),
            (r"^..$", "ö", false, true),
            (r"(?i)^K$", "\u{212a}", true, false),
            (r"[^a-z]", "ö", true, true),
            (r"gr[öü]n", "grün", true, true),
            (r"^gr.n$", "grün", true, false),
            (r"^\x{f6}$", "ö", true, true),
            (r"\bröt\b", "röt", true, true),
            (r"C:\\\\p.$", r"C:\\pö", true, false),
        ] {
            let holds = |classes| TextRegex::with_classes(pattern, classes).unwrap().is_match(text);
            assert_eq!(holds(Classes::Unicode), unicode, "{pattern} over {text}");
            assert_eq!(holds(Classes::Ascii), ascii, "{pattern} over {text} by bytes");
        }
    }

    #[test]
    fn what_is_not_linear_or_too_large_is_refused() {
        for (pattern, reason) in [
            (r"(?=a)", "look-around"),
            (r"(a)\1", "backreferences"),
            ("(?:a{1000}){1000}", "larger than"),
            ("(", "unclosed group"),
        ] {
            let error = TextRegex::with_classes(pattern, Classes::Ascii).unwrap_err();
            assert!(error.reason.contains(reason), "{}", error.reason);
        }
    }
}
