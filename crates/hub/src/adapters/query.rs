//! Query parameters as FastAPI reads them: what it takes for a number or a truth, and what it says of
//! what is neither.

use serde_json::{Value, json};

use crate::adapters::detail::mistake;

/// A parameter's last value: of several that one counts.
pub(crate) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .filter(|(known, _)| known == name)
        .last()
        .map(|(_, value)| value.into_owned())
}

/// Reads a whole number from 1 to `most`.
///
/// # Errors
/// The entry for the list of mistakes.
pub(crate) fn in_range(name: &str, value: &str, most: i64) -> Result<i64, Value> {
    in_bounds(name, value, 1, most)
}

/// Reads a whole number from `least` to `most`.
///
/// # Errors
/// The entry for the list of mistakes.
pub(crate) fn in_bounds(name: &str, value: &str, least: i64, most: i64) -> Result<i64, Value> {
    let with_limit = |kind: &str, message: String, key: &str, limit: i64| {
        let mut entry = mistake(kind, &["query", name], &message, json!(value));
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("ctx".to_owned(), json!({key: limit}));
        }
        entry
    };
    let number = whole_number(name, value)?;
    if number < least {
        let message = format!("Input should be greater than or equal to {least}");
        return Err(with_limit("greater_than_equal", message, "ge", least));
    }
    if number > most {
        let message = format!("Input should be less than or equal to {most}");
        return Err(with_limit("less_than_equal", message, "le", most));
    }
    Ok(number)
}

/// Reads a whole number of any size; what is out of the type's range is taken for its end.
///
/// # Errors
/// The entry for the list of mistakes.
pub(crate) fn whole_number(name: &str, value: &str) -> Result<i64, Value> {
    read_number(value).ok_or_else(|| {
        mistake(
            "int_parsing",
            &["query", name],
            "Input should be a valid integer, unable to parse string as an integer",
            json!(value),
        )
    })
}

/// The number that pydantic reads in a text: spaces around it, a sign, single `_` between digits and
/// zeros after a point are no mistake.
pub(crate) fn read_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let (negative, digits) = match whole.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, whole.strip_prefix('+').unwrap_or(whole)),
    };
    let mut number = 0_i64;
    for group in digits.split('_') {
        if group.is_empty() || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        for digit in group.bytes() {
            number = number.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
        }
    }
    Some(if negative { -number } else { number })
}

/// The entry for a parameter that is no truth value.
pub(crate) fn no_bool(name: &str, value: &str) -> Value {
    mistake(
        "bool_parsing",
        &["query", name],
        "Input should be a valid boolean, unable to interpret input",
        json!(value),
    )
}

/// The entry for a parameter that is absent.
pub(crate) fn missing(name: &str) -> Value {
    mistake("missing", &["query", name], "Field required", Value::Null)
}

/// The words that pydantic takes for truth and falsehood.
pub(crate) fn read_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" | "t" => Some(true),
        "false" | "0" | "no" | "off" | "n" | "f" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_pydantic_reads_them() {
        for (text, number) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("+7", Some(7)),
            ("-7", Some(-7)),
            ("007", Some(7)),
            ("1_000", Some(1_000)),
            ("7.0", Some(7)),
            ("7.", Some(7)),
            ("99999999999999999999", Some(i64::MAX)),
            ("", None),
            ("-", None),
            ("+-7", None),
            ("7.5", None),
            ("_7", None),
            ("1__0", None),
            ("7e3", None),
            ("seven", None),
            ("٧", None),
        ] {
            assert_eq!(read_number(text), number, "{text:?}");
        }
    }

    #[test]
    fn bounds_are_named() {
        assert_eq!(in_range("limit", "1000", 1_000), Ok(1_000));
        for (value, kind, context) in [
            ("0", "greater_than_equal", json!({"ge": 1})),
            ("1001", "less_than_equal", json!({"le": 1_000})),
            ("many", "int_parsing", Value::Null),
        ] {
            let wrong = in_range("limit", value, 1_000).unwrap_err();
            assert_eq!((&wrong["type"], &wrong["ctx"]), (&json!(kind), &context), "{value}");
            assert_eq!(wrong["input"], value);
        }
    }
}
