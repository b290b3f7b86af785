//! The difference between two texts, as people know it from patches.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// How many lines of what did not change stand around what did.
const CONTEXT: usize = 2;
/// Texts that differ in everything are not searched for the shortest way for ever.
const PATIENCE: Duration = Duration::from_millis(200);

/// A unified diff of at most about `limit` bytes; what is more is counted in its last line.
pub(crate) fn unified(name: &str, before: &str, after: &str, limit: usize) -> String {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    let text = diff
        .unified_diff()
        .context_radius(CONTEXT)
        .missing_newline_hint(false)
        .header(&format!("{name} before"), &format!("{name} now"))
        .to_string();
    if text.len() <= limit {
        return text;
    }
    let end = text.get(..text.floor_char_boundary(limit)).and_then(|text| text.rfind('\n'));
    let (kept, rest) = text.split_at(end.map_or(0, |end| end + 1));
    format!("{kept}... and {} lines more\n", rest.lines().count())
}

/// The lines that came or went.
pub(crate) fn changed_lines<'a>(before: &'a str, after: &'a str) -> Vec<&'a str> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    diff.iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal)
        .map(|change| change.value().trim_end_matches('\n'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_differences_are_cut_at_a_line() {
        assert_eq!(
            unified("t", "a\nb\nc\nd\n", "a\nb\nc\ne\n", 1000),
            "--- t before\n+++ t now\n@@ -2,3 +2,3 @@\n b\n c\n-d\n+e\n"
        );
        let many: String = (0..100).map(|line| format!("{line}ä\n")).collect();
        let cut = unified("t", "", &many, 100);
        assert!(cut.len() < 140 && cut.ends_with(" lines more\n"), "{cut}");
        let kept = cut.lines().filter(|line| line.starts_with('+')).count() - 1;
        assert!(cut.ends_with(&format!("... and {} lines more\n", 100 - kept)), "{cut}");
        assert_eq!(changed_lines("a\nb\n", "b\na\n").len(), 2);
    }
}
