//! The rule packs of this repository, compiled in.

use crate::diagnostic::Source;

static PACKS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// The rule files under `rules/`, sorted by path.
pub fn builtin() -> Vec<Source> {
    let source =
        |(file, text): &(&str, &str)| Source { file: (*file).to_owned(), text: (*text).to_owned() };
    PACKS.iter().map(source).collect()
}
