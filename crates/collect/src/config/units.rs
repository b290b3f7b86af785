//! Sizes, spans of time and modes as people write them.

use std::time::Duration;

/// Bytes of `64KiB`, `8MiB`, `1GiB`, `500B` or `4096`; decimal for `kB`, `MB`, `GB`.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (amount, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    amount.parse::<u64>().ok()?.checked_mul(factor)
}

/// A size within these bounds.
pub(super) fn size_within(key: &str, text: &str, least: u64, most: u64) -> Result<usize, String> {
    let wrong = || {
        let text = text.escape_debug();
        format!("`{key}` is `{text}`, expected a size from {} to {}", shown(least), shown(most))
    };
    let bytes = size(text).filter(|bytes| (least..=most).contains(bytes)).ok_or_else(wrong)?;
    usize::try_from(bytes).map_err(|_| wrong())
}

fn shown(bytes: u64) -> String {
    match bytes {
        bytes if bytes % (1 << 30) == 0 => format!("{}GiB", bytes >> 30),
        bytes if bytes % (1 << 20) == 0 => format!("{}MiB", bytes >> 20),
        bytes if bytes % (1 << 10) == 0 => format!("{}KiB", bytes >> 10),
        bytes => format!("{bytes}B"),
    }
}

/// `90s`, `15m`, `24h` or `7d`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let (amount, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    if !amount.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = amount.parse::<u64>().ok()?.checked_mul(seconds)?;
    (1..=366 * 86_400).contains(&seconds).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_read() {
        for (text, expected) in [
            ("64KiB", Some(65_536)),
            ("8MiB", Some(8 << 20)),
            ("480", Some(480)),
            ("2 kB", Some(2_000)),
            ("", None),
            ("KiB", None),
            ("-1", None),
            ("8 mib", None),
            ("99999999999GiB", None),
            ("é", None),
        ] {
            assert_eq!(size(text), expected, "{text}");
        }
        for (text, expected) in
            [("90s", Some(90)), ("2m", Some(120)), ("1d", Some(86_400)), ("0s", None), ("5", None)]
        {
            assert_eq!(span(text).map(|span| span.as_secs()), expected, "{text}");
        }
        assert_eq!(span("+5m"), None);
        assert_eq!(span("é"), None);
    }

    #[test]
    fn bounds_are_said() {
        let error = size_within("max_message", "2MiB", 480, 1 << 20).unwrap_err();
        assert_eq!(error, "`max_message` is `2MiB`, expected a size from 480B to 1MiB");
    }
}
