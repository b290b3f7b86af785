//! What is safe and pretty on a terminal: escaping, colours, widths.

use std::io::IsTerminal as _;

use bergfried_event::Severity;
use bergfried_notify::neutral::visible;

/// Log text made harmless: what acts on a screen or turns the reading direction is written as an
/// escape, as in messages to people.
pub(crate) fn plain(text: &str) -> String {
    visible(&text.replace('\t', " "), usize::MAX)
}

/// At most `width` characters, the last one `…` where something was left out.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// How many bytes that is, in the largest unit that it fills: `1.5 KiB`, `5.0 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [("TiB", 1_u64 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => {
            // One digit behind the point, in whole numbers.
            let tenths = u128::from(bytes) * 10 / u128::from(unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} B"),
    }
}

/// How long that is, in its largest unit and the next smaller: `42s`, `25m`, `1d 1h`.
pub(crate) fn lasting(seconds: u64) -> String {
    let (large, one, small, other) = match seconds {
        86_400.. => (86_400, 'd', 3_600, 'h'),
        3_600.. => (3_600, 'h', 60, 'm'),
        60.. => (60, 'm', 1, 's'),
        _ => return format!("{seconds}s"),
    };
    match seconds % large / small {
        0 => format!("{}{one}", seconds / large),
        rest => format!("{}{one} {rest}{other}", seconds / large),
    }
}

/// Whether standard output takes colours: a terminal, and `NO_COLOR` unset (no-color.org).
pub(crate) fn colours() -> bool {
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The width of the terminal, or 120 in a pipe.
pub(crate) fn width() -> usize {
    if !std::io::stdout().is_terminal() {
        return 120;
    }
    usize::from(console::Term::stdout().size().1).max(40)
}

/// The text in the severity's colour.
pub(crate) fn paint(severity: Severity, text: &str, colours: bool) -> String {
    if !colours {
        return text.to_owned();
    }
    let code = match severity {
        Severity::Critical => "1;97;41",
        Severity::High => "1;31",
        Severity::Medium => "33",
        Severity::Low => "36",
        Severity::Informational => "2",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// The text in bold.
pub(crate) fn bold(text: &str, colours: bool) -> String {
    if colours { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (size, expected) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_536, "1.5 KiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
    }

    #[test]
    fn hostile_text_is_harmless() {
        assert_eq!(plain("a\u{1b}[2Jb\r\u{202e}c\td"), r"a\u{1b}[2Jb\u{d}\u{202e}c d");
        assert_eq!(plain("größe ✓"), "größe ✓");
    }

    #[test]
    fn lengths_of_time_read_well() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (150, "2m 30s"), (90_000, "1d 1h"), (86_405, "1d")]
        {
            assert_eq!(lasting(seconds), text);
        }
    }

    #[test]
    fn fit_counts_characters() {
        assert_eq!(fit("größe", 5), "größe");
        assert_eq!(fit("größen", 5), "größ…");
        assert_eq!(fit("x", 0), "…");
    }
}
