//! Texts as numbers, as Logstash's `:int` and `:float` read them (Ruby's `to_i` and `to_f`).

/// The integer at the start of a text: `+12 apples` is 12, `3.7` is 3, no digits are 0. Beyond what
/// 64 bits hold it is the nearest that they do.
pub fn integer(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = sign(text);
    let mut value: i64 = 0;
    let mut after_digit = false;
    for character in digits.chars() {
        match character.to_digit(10) {
            Some(digit) => {
                let digit = i64::from(digit);
                value = value.saturating_mul(10);
                value = if negative {
                    value.saturating_sub(digit)
                } else {
                    value.saturating_add(digit)
                };
                after_digit = true;
            }
            // Ruby allows one underscore between digits.
            None if character == '_' && after_digit => after_digit = false,
            None => break,
        }
    }
    value
}

/// The decimal number at the start of a text: `1.5s` is 1.5, no digits are 0.
pub fn float(text: &str) -> f64 {
    let text = text.trim_start();
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(end);
    end += whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction > 0 {
            end += 1 + fraction;
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + signed);
        if exponent > 0 {
            end += 1 + signed + exponent;
        }
    }
    text.get(..end).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_ruby_does() {
        for (text, expected) in [
            ("12", 12),
            ("+12 apples", 12),
            ("-3.7", -3),
            ("1_000", 1000),
            ("1__0", 1),
            ("", 0),
            ("x", 0),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(integer(text), expected, "{text}");
        }
        for (text, expected) in [
            ("1.5s", 1.5),
            (".5", 0.5),
            ("2.", 2.0),
            ("-1e3x", -1000.0),
            ("1e", 1.0),
            ("-", 0.0),
            ("", 0.0),
        ] {
            assert!((float(text) - expected).abs() < f64::EPSILON, "{text}");
        }
    }
}
