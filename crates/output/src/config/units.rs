//! Sizes, spans of time, modes and accounts as people write them.

use bergfried_event::Timestamp;
use bergfried_query::search::duration;

/// Bytes of `20MiB`, `20M`, `512KiB`, `1GB` or `4096`; decimal for `kB`, `MB`, `GB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (amount, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(format!("`{}` is no size, expected one such as 20MiB", shown(text))),
    };
    let bytes = amount.parse::<u64>().ok().and_then(|amount| amount.checked_mul(factor));
    bytes.ok_or_else(|| format!("`{}` is no size, expected one such as 20MiB", shown(text)))
}

/// Microseconds of `90s`, `15m`, `24h`, `7d` or `2w`.
pub(super) fn span(text: &str) -> Result<i64, String> {
    duration(text).filter(|span| *span >= Timestamp::SECOND).ok_or_else(|| {
        format!("`{}` is no span of time, expected one such as 15m, 24h or 90d", shown(text))
    })
}

/// An octal mode without the right to write for all.
pub(super) fn mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    match mode {
        None => Err(format!("`{}` is no mode, expected octal digits such as 0640", shown(text))),
        Some(mode) if mode & 0o002 != 0 => {
            Err(format!("mode {text} lets everyone write, expected one such as 0640"))
        }
        Some(mode) if mode & 0o7000 != 0 => {
            Err(format!("mode {text} has more than rights to read, write and execute"))
        }
        Some(mode) => Ok(mode),
    }
}

/// The number of an account in a file such as `/etc/passwd` (passwd(5), group(5)), or itself where
/// it is a number.
pub(super) fn account(text: &str, file: &str) -> Result<u32, String> {
    if let Ok(number) = text.parse::<u32>() {
        return Ok(number);
    }
    let lines = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot look `{}` up in {file}: {error}", shown(text)))?;
    lines
        .lines()
        .filter_map(|line| {
            let mut parts = line.split(':');
            let name = parts.next()?;
            Some((name, parts.nth(1)?.parse::<u32>().ok()?))
        })
        .find(|(name, _)| *name == text)
        .map(|(_, number)| number)
        .ok_or_else(|| {
            format!("`{}` is not in {file}; accounts kept elsewhere go by number", shown(text))
        })
}

pub(super) fn shown(text: &str) -> std::str::EscapeDebug<'_> {
    text.escape_debug()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans() {
        for (text, expected) in [
            ("20MiB", Some(20 << 20)),
            ("4096", Some(4096)),
            ("1 GB", Some(1_000_000_000)),
            ("2K", Some(2048)),
            ("", None),
            ("MiB", None),
            ("20 apples", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
        assert_eq!(span("1d"), Ok(Timestamp::DAY));
        assert!(span("0s").is_err() && span("-1d").is_err() && span("soon").is_err());
    }

    #[test]
    fn modes_that_let_all_write_are_refused() {
        assert_eq!(mode("0640"), Ok(0o640));
        assert_eq!(mode("644"), Ok(0o644));
        for bad in ["0666", "0602", "4755", "rw-r-----", "", "99"] {
            assert!(mode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn accounts_by_name_and_number() {
        assert_eq!(account("root", "/etc/passwd"), Ok(0));
        assert_eq!(account("root", "/etc/group"), Ok(0));
        assert_eq!(account("1234", "/nowhere"), Ok(1234));
        assert!(account("no-such-account", "/etc/passwd").unwrap_err().contains("/etc/passwd"));
    }
}
