//! Text that audit writes as hexadecimal digits, because it holds blanks, quotes or other bytes that
//! a field may not hold.

/// The bytes behind an even number of digits; `None` where it is none or something else.
pub(crate) fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    for pair in digits.chunks_exact(2) {
        let [high, low] = pair else { return None };
        bytes.push(value(*high)? << 4 | value(*low)?);
    }
    Some(bytes)
}

/// The value of one digit.
pub(crate) fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_become_bytes() {
        assert_eq!(decode(b"6c53"), Some(b"lS".to_vec()));
        assert_eq!(decode(b"00FFff"), Some(vec![0, 255, 255]));
        for none in [&b""[..], b"6", b"6c5", b"6x", b"-6"] {
            assert_eq!(decode(none), None, "{none:?}");
        }
    }
}
