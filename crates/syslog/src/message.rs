//! One message as it came, and the datagrams that hold one each.

/// One syslog message, without what ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The message: never empty, never longer than the limit, without line end at its end.
    pub bytes: &'a [u8],
    /// True where the sender's message was longer: it was over the limit, or the connection ended
    /// inside.
    pub cut: bool,
}

/// The message of a datagram (RFC 5426 section 3.1: one each), cut to `max` bytes.
///
/// Line ends and NUL bytes at its end are off; `None` where nothing is left.
pub fn datagram(bytes: &[u8], max: usize) -> Option<Message<'_>> {
    Message::of(bytes, max, false)
}

impl<'a> Message<'a> {
    /// The message of these bytes, line ends off, cut to `max`; `None` where nothing is left.
    pub(crate) fn of(bytes: &'a [u8], max: usize, cut: bool) -> Option<Self> {
        let bytes = without_end(bytes);
        let (bytes, cut) = match bytes.get(..max) {
            Some(kept) if kept.len() < bytes.len() => (without_end(kept), true),
            _ => (bytes, cut),
        };
        (!bytes.is_empty()).then_some(Message { bytes, cut })
    }
}

/// Whether a byte ends messages that carry no count: LF, and NUL, which some senders write.
pub(crate) fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

fn without_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !is_end(*byte)).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_one_message() {
        let message = |text: &'static str, cut| Some(Message { bytes: text.as_bytes(), cut });
        for (bytes, expected) in [
            ("<13>hello", message("<13>hello", false)),
            ("<13>hello\r\n\0", message("<13>hello", false)),
            ("<13>a\nb\n", message("<13>a\nb", false)),
            ("0123456789\n", message("0123456789", false)),
            ("0123456789a", message("0123456789", true)),
            ("\n\0", None),
            ("", None),
        ] {
            assert_eq!(datagram(bytes.as_bytes(), 10), expected, "{}", bytes.escape_debug());
        }
    }
}
