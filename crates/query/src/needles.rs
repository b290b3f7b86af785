//! Literals that a regular expression cannot match without.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The most literals of one choice; alternatives beyond are given up.
const MAX_CHOICES: usize = 64;

/// Choices of lower-case ASCII literals: of each choice one literal is in the lower-cased text
/// wherever the expression matches. Empty where the expression asks for none.
pub(crate) fn needles(pattern: &str, unicode: bool) -> Vec<Vec<String>> {
    let mut parser = ParserBuilder::new().unicode(unicode).utf8(false).build();
    parser.parse(pattern).map(|hir| choices(&hir)).unwrap_or_default()
}

fn choices(hir: &Hir) -> Vec<Vec<String>> {
    match hir.kind() {
        HirKind::Concat(parts) => {
            let mut found = Vec::new();
            let mut run = String::new();
            for part in parts {
                match run_of(part) {
                    Some(text) => run.push_str(&text),
                    None => {
                        add_run(&mut found, &mut run);
                        found.extend(choices(part));
                    }
                }
            }
            add_run(&mut found, &mut run);
            found
        }
        HirKind::Alternation(parts) => {
            let longest = |part: &Hir| {
                choices(part).into_iter().max_by_key(|choice| choice.iter().map(String::len).min())
            };
            let all: Option<Vec<Vec<String>>> = parts.iter().map(longest).collect();
            let all: Vec<String> = all.unwrap_or_default().into_iter().flatten().collect();
            if all.is_empty() || all.len() > MAX_CHOICES { Vec::new() } else { vec![all] }
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => choices(&repetition.sub),
        HirKind::Capture(capture) => choices(&capture.sub),
        _ => {
            let mut found = Vec::new();
            add_run(&mut found, &mut run_of(hir).unwrap_or_default());
            found
        }
    }
}

fn add_run(found: &mut Vec<Vec<String>>, run: &mut String) {
    let run = std::mem::take(run);
    if !run.is_empty() {
        found.push(vec![run]);
    }
}

/// The lower-case text of an expression that matches one ASCII text in any case.
fn run_of(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) if literal.0.is_ascii() => {
            String::from_utf8(literal.0.to_ascii_lowercase()).ok()
        }
        HirKind::Capture(capture) => run_of(&capture.sub),
        HirKind::Class(class) => one_letter(class).map(String::from),
        _ => None,
    }
}

/// The ASCII character to which all of a class lower-case; the long ſ, for one, does not to s.
fn one_letter(class: &Class) -> Option<char> {
    let mut characters: Vec<char> = Vec::new();
    match class {
        Class::Unicode(class) => {
            for range in class.ranges() {
                characters.extend((range.start()..=range.end()).take(4));
            }
        }
        Class::Bytes(class) => {
            for range in class.ranges() {
                characters.extend((range.start()..=range.end()).take(4).map(char::from));
            }
        }
    }
    let letter = characters.first()?.to_ascii_lowercase();
    let lowers = |character: &char| character.to_lowercase().eq([letter]);
    (letter.is_ascii() && characters.len() < 4 && characters.iter().all(lowers)).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_that_must_occur() {
        for (pattern, unicode, expected) in [
            (r"net\s+user\s+", false, vec![vec!["net"], vec!["user"]]),
            ("(?i)PowerShell", false, vec![vec!["powershell"]]),
            ("(?i)PowerShell", true, vec![vec!["power"], vec!["hell"]]),
            (r"\w+`(\w+|-)", false, vec![vec!["`"]]),
            ("(?i)bookmark", true, vec![vec!["bookmark"]]),
            ("ab(cd)*ef", false, vec![vec!["ab"], vec!["ef"]]),
            ("ab(?:cd|ef)+", false, vec![vec!["ab"], vec!["cd", "ef"]]),
            ("(foo|b)", false, vec![vec!["foo", "b"]]),
            ("a|b*", false, vec![]),
            (".*", false, vec![]),
            ("größe", true, vec![]),
            ("[Aa][bB]c?", false, vec![vec!["ab"]]),
            ("[ab]cd", false, vec![vec!["cd"]]),
        ] {
            assert_eq!(needles(pattern, unicode), expected, "{pattern}");
        }
    }

    proptest::proptest! {
        /// Where the expression matches, each choice has a literal in the text.
        #[test]
        fn texts_that_match_have_them(
            pattern in "(\\(\\?i\\))?([abSkK]{1,3}|\\(ab\\|S\\)|\\(ab\\|kS\\)|[aSk][+*?]|\\.){1,4}",
            text in "[abskABSKſK]{0,8}",
            unicode: bool,
        ) {
            let regex = regex::bytes::RegexBuilder::new(&pattern).unicode(unicode).build().unwrap();
            if regex.is_match(text.as_bytes()) {
                let folded = crate::fold(&text);
                for choice in needles(&pattern, unicode) {
                    proptest::prop_assert!(
                        choice.iter().any(|literal| folded.contains(literal.as_str())),
                        "{} {}", pattern, text
                    );
                }
            }
        }
    }
}
