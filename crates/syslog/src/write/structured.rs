//! The fields of an event as structured data, RFC 5424 section 6.3.

use bergfried_event::{Event, Field, FieldName, Value};

/// The id under which the fields stand: RFC 5612 sets the number aside for examples, so that it
/// collides with no vendor's.
const ID: &str = "bergfried@32473";
/// The longest name of a parameter, section 6.3.3.
const LONGEST_NAME: usize = 32;
/// The parameter of fields whose name is none that section 6.3.3 allows; its value is
/// `name=value`.
const OTHER: &str = "field";

/// Appends one element with the fields that neither the header nor the text of the message holds, or
/// `-`.
///
/// A list is a parameter that comes several times, which section 6.3.3 allows.
pub(super) fn write(event: &Event<'_>, in_header: &[Field], out: &mut Vec<u8>) {
    let start = out.len();
    out.push(b'[');
    out.extend_from_slice(ID.as_bytes());
    let empty = out.len();
    for (name, value) in event.fields() {
        if let FieldName::Known(field) = name
            && (*field == Field::Message || in_header.contains(field))
        {
            continue;
        }
        match value {
            Value::List(values) => values.iter().for_each(|one| parameter(name.as_str(), one, out)),
            one => parameter(name.as_str(), one, out),
        }
    }
    if out.len() == empty {
        out.truncate(start);
        out.push(b'-');
    } else {
        out.push(b']');
    }
}

fn parameter(name: &str, value: &Value<'_>, out: &mut Vec<u8>) {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"');
    let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(allowed);
    out.push(b' ');
    out.extend_from_slice(if is_name { name } else { OTHER }.as_bytes());
    out.extend_from_slice(b"=\"");
    if !is_name {
        quote(name, out);
        out.push(b'=');
    }
    quote(&value.to_text(), out);
    out.push(b'"');
}

fn quote(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\' | b']') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}
