//! Cells of comma-separated values that are safe to open.

use std::borrow::Cow;

use bergfried_notify::neutral::visible;

/// Quoted per RFC 4180; a cell that a spreadsheet would run as a formula starts with `'`, and what
/// acts on a screen is written as an escape.
pub fn csv_cell(text: &str) -> String {
    let text = visible(&text.replace('\t', " "), usize::MAX);
    let text = match text.trim_start().starts_with(['=', '+', '-', '@']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(&*text),
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_harmless() {
        for (text, cell) in [
            ("plain", "plain"),
            ("", ""),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("=1+1", "'=1+1"),
            ("\t=1+1", "' =1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-1", "'-1"),
            ("x\u{1b}[0m\u{202e}", r"x\u{1b}[0m\u{202e}"),
            ("größe", "größe"),
        ] {
            assert_eq!(csv_cell(text), cell, "{text:?}");
        }
    }
}
