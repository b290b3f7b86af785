//! Which selections `1 of selection*` and the like choose (Sigma rules specification 2.1,
//! "Condition").

use rsigma_parser::SelectorPattern;

/// Whether the selector chooses the selection of this name.
///
/// `them` is "all defined search identifiers not starting with an underscore", a pattern "the same
/// […] but restricted to matching search identifiers": so `*` chooses none that starts with an
/// underscore, unless the pattern starts with one itself.
pub(super) fn chooses(selector: &SelectorPattern, name: &str) -> bool {
    match selector {
        SelectorPattern::Them => !name.starts_with('_'),
        SelectorPattern::Pattern(pattern) => {
            matches(pattern, name) && (!name.starts_with('_') || pattern.starts_with('_'))
        }
    }
}

/// "Matching is done with * wildcards (any number of characters) at arbitrary positions in the
/// pattern."
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match name.find(piece) {
            Some(at) => name = name.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_anywhere_and_underscores_hide() {
        for (pattern, name, expected) in [
            ("selection*", "selection_a", true),
            ("selection*", "selection", true),
            ("selection*", "filter", false),
            ("*_main", "filter_main", true),
            ("sel*a*b", "sel_a_x_b", true),
            ("sel*a*b", "sel_b_x_a", false),
            ("ab*ba", "aba", false),
            ("*", "anything", true),
            ("*", "_hidden", false),
            ("_h*", "_hidden", true),
            ("selection", "selection", true),
            ("selection", "selection_a", false),
        ] {
            let selector = SelectorPattern::Pattern(pattern.to_owned());
            assert_eq!(chooses(&selector, name), expected, "{pattern} {name}");
        }
        assert!(chooses(&SelectorPattern::Them, "a") && !chooses(&SelectorPattern::Them, "_a"));
    }
}
