//! The folder of shared corpora beside the checkout, which may be absent.

#![expect(clippy::print_stderr, reason = "a test says what it skips")]

use std::path::PathBuf;

/// A file of it; `None`, with a message, where that is absent.
pub(crate) fn corpus(path: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let file = root.join(path);
    match std::fs::read(&file) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            eprintln!("skipped: cannot read {}: {error}", file.display());
            None
        }
    }
}
