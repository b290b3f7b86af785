//! Values of rules as text: what the expressions of a pipeline see and give back.
//!
//! `*` and `?` are wildcards, and a `\` right before one of them takes away its meaning; a `\`
//! elsewhere is itself, so that a path reads as it stands in an event.

use rsigma_parser::{SigmaString, SpecialChar, StringPart};

/// The text of a value: `C:\Windows\*` is shown as `C:\Windows\\*` where the `*` is a wildcard.
pub(super) fn shown(value: &SigmaString) -> String {
    let mut text = String::new();
    let mut backslashes = 0;
    for part in &value.parts {
        match part {
            StringPart::Plain(plain) => {
                for character in plain.chars() {
                    match character {
                        '\\' => backslashes += 1,
                        '*' | '?' => {
                            text.push_str(&"\\".repeat(backslashes + 1));
                            backslashes = 0;
                        }
                        _ => backslashes = 0,
                    }
                    text.push(character);
                }
            }
            StringPart::Special(special) => {
                text.push_str(&"\\".repeat(backslashes));
                backslashes = 0;
                text.push(match special {
                    SpecialChar::WildcardMulti => '*',
                    SpecialChar::WildcardSingle => '?',
                });
            }
        }
    }
    text
}

/// The value that [`shown`] shows as this text.
pub(super) fn read(text: &str) -> SigmaString {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut backslashes = 0;
    for character in text.chars() {
        let special = match character {
            '*' => SpecialChar::WildcardMulti,
            '?' => SpecialChar::WildcardSingle,
            '\\' => {
                backslashes += 1;
                continue;
            }
            _ => {
                plain.push_str(&"\\".repeat(backslashes));
                backslashes = 0;
                plain.push(character);
                continue;
            }
        };
        plain.push_str(&"\\".repeat(backslashes / 2));
        if backslashes % 2 == 1 {
            plain.push(character);
        } else {
            parts.push(StringPart::Plain(std::mem::take(&mut plain)));
            parts.push(StringPart::Special(special));
        }
        backslashes = 0;
    }
    plain.push_str(&"\\".repeat(backslashes));
    parts.push(StringPart::Plain(plain));
    of_parts(&parts)
}

/// The value of these parts; neighbouring texts are joined.
pub(super) fn of_parts(parts: &[StringPart]) -> SigmaString {
    let mut written = String::new();
    for part in parts {
        match part {
            StringPart::Plain(plain) => {
                for character in plain.chars() {
                    if matches!(character, '\\' | '*' | '?') {
                        written.push('\\');
                    }
                    written.push(character);
                }
            }
            StringPart::Special(SpecialChar::WildcardMulti) => written.push('*'),
            StringPart::Special(SpecialChar::WildcardSingle) => written.push('?'),
        }
    }
    SigmaString::new(&written)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_shown_as_they_stand_in_events() {
        for (written, expected) in [
            (r"*\malware.exe", r"*\malware.exe"),
            (r"\\\\server\share", r"\\server\share"),
            (r"C:\x\\*", r"C:\x\\*"),
            (r"a\*b?", r"a\*b?"),
            ("", ""),
        ] {
            assert_eq!(shown(&SigmaString::new(written)), expected, "{written}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(written in r"[ab\\*?%]{0,12}") {
            let value = of_parts(&SigmaString::new(&written).parts);
            prop_assert_eq!(read(&shown(&value)).parts, value.parts);
        }
    }
}
