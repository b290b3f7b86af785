//! Walks an object of JSON and hands every value to [`Fields`] as it comes, without a tree.

use std::borrow::Cow;

use bergfried_event::Value;

use super::fields::Fields;
use super::flag::Flag;
use super::reader::{Fault, Reader};
use super::system;
use super::{MAX_DEPTH, MAX_NAME};

/// Reads the one object of a text into the fields.
pub(super) fn object<'a>(text: &'a str, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    let mut reader = Reader::new(text);
    let mut path = String::new();
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "__REALTIME_TIMESTAMP" => return Err(Fault::Journal),
            "Event" | "System" | "EventData" | "UserData" => {
                system::at_top(&mut reader, key, fields)?;
            }
            "winlog" if reader.peek()? == b'{' => system::winlog(&mut reader, fields)?,
            _ => node(&mut reader, short(key), &mut path, 1, fields)?,
        }
    }
    reader.end()
}

/// Names that exporters put before the fields of a Windows event when they flatten it.
const PREFIXES: [&str; 4] =
    ["winlog.event_data.", "winlog.user_data.", "Event.EventData.", "Event.System."];

/// A flattened name without the prefix that says where in a Windows event it stood.
fn short(key: Cow<'_, str>) -> Cow<'_, str> {
    if !key.starts_with(['w', 'E']) {
        return key;
    }
    if let Some(name) = key.strip_prefix("winlog.").and_then(system::winlog_name) {
        return Cow::Borrowed(name);
    }
    if let Some(name) = key.strip_prefix("Event.System.")
        && let Some((element, attribute)) = name.split_once('.')
    {
        return match attribute.strip_prefix("#attributes.").unwrap_or(attribute) {
            "#text" => Cow::Owned(element.to_owned()),
            attribute => match system::attribute_name(element, attribute) {
                Some(name) => name,
                None => key,
            },
        };
    }
    let Some(prefix) = PREFIXES.iter().find(|prefix| key.starts_with(**prefix)) else { return key };
    match key {
        Cow::Borrowed(key) => Cow::Borrowed(key.get(prefix.len()..).unwrap_or(key)),
        Cow::Owned(key) => Cow::Owned(key.get(prefix.len()..).unwrap_or(&key).to_owned()),
    }
}

/// Reads a value of any shape that stands under `path` (names above, each with a dot) and `key`.
pub(super) fn node<'a>(
    reader: &mut Reader<'a>,
    key: Cow<'a, str>,
    path: &mut String,
    depth: usize,
    fields: &mut Fields<'a, '_>,
) -> Result<(), Fault> {
    if path.len() + key.len() > MAX_NAME {
        fields.drop_one(Flag::TooLong);
        return reader.skip();
    }
    match reader.peek()? {
        b'{' | b'[' if depth >= MAX_DEPTH => {
            fields.drop_one(Flag::TooDeep);
            reader.skip()
        }
        b'{' => nested(reader, &key, path, depth, fields),
        b'[' => {
            let mut list = Vec::new();
            let objects = elements(reader, &key, path, depth, fields, &mut list)?;
            if !list.is_empty() || !objects {
                add(key, path, Value::List(list), fields);
            }
            Ok(())
        }
        _ => {
            let value = reader.plain()?;
            if let Some(value) = fields.admit(value) {
                add(key, path, value, fields);
            }
            Ok(())
        }
    }
}

fn add<'a>(key: Cow<'a, str>, path: &mut String, value: Value<'a>, fields: &mut Fields<'a, '_>) {
    if path.is_empty() {
        fields.add(key, value);
    } else {
        let length = path.len();
        path.push_str(&key);
        fields.add_path(path, value);
        path.truncate(length);
    }
}

fn nested<'a>(
    reader: &mut Reader<'a>,
    key: &str,
    path: &mut String,
    depth: usize,
    fields: &mut Fields<'a, '_>,
) -> Result<(), Fault> {
    let length = path.len();
    path.push_str(key);
    path.push('.');
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        node(reader, key, path, depth + 1, fields)?;
    }
    path.truncate(length);
    Ok(())
}

/// Reads an array: plain elements, those of arrays in it too, join the list; the fields of objects
/// go under the array's name. Tells whether there were objects.
fn elements<'a>(
    reader: &mut Reader<'a>,
    key: &str,
    path: &mut String,
    depth: usize,
    fields: &mut Fields<'a, '_>,
    list: &mut Vec<Value<'a>>,
) -> Result<bool, Fault> {
    let mut objects = false;
    reader.enter_array()?;
    while reader.element()? {
        match reader.peek()? {
            b'{' | b'[' if depth + 1 >= MAX_DEPTH => {
                fields.drop_one(Flag::TooDeep);
                reader.skip()?;
            }
            b'{' => {
                objects = true;
                nested(reader, key, path, depth + 1, fields)?;
            }
            b'[' => objects |= elements(reader, key, path, depth + 1, fields, list)?,
            _ => {
                let value = reader.plain()?;
                list.extend(fields.admit(value));
            }
        }
    }
    Ok(objects)
}

/// A plain value or a list as the value of `key`; the fields of objects go under its name.
pub(super) fn value<'a>(
    reader: &mut Reader<'a>,
    key: &str,
    fields: &mut Fields<'a, '_>,
) -> Result<Option<Value<'a>>, Fault> {
    match reader.peek()? {
        b'{' => nested(reader, key, &mut String::new(), 4, fields).map(|()| None),
        b'[' => {
            let mut list = Vec::new();
            let objects = elements(reader, key, &mut String::new(), 4, fields, &mut list)?;
            Ok((!list.is_empty() || !objects).then_some(Value::List(list)))
        }
        _ => {
            let value = reader.plain()?;
            Ok(fields.admit(value))
        }
    }
}
