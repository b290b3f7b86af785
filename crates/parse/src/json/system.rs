//! The parts of a Windows event: `System`, `EventData`, `UserData`, and Winlogbeat's `winlog`.
//!
//! Their fields get the short names of the Windows event schema, whatever the exporter nests them
//! in.

use std::borrow::Cow;

use bergfried_event::Value;

use super::fields::Fields;
use super::flag::Flag;
use super::reader::{Fault, Reader};
use super::{MAX_NAME, walk};

/// Reads `Event`, `System`, `EventData` or `UserData` at the top of an object, which may be any
/// program's own fields of these names.
pub(super) fn at_top<'a>(
    reader: &mut Reader<'a>,
    key: Cow<'a, str>,
    fields: &mut Fields<'a, '_>,
) -> Result<(), Fault> {
    let first = reader.peek()?;
    match key.as_ref() {
        "Event" if first == b'{' => event(reader, fields),
        "System" if first == b'{' => system(reader, fields, true),
        "EventData" if matches!(first, b'{' | b'[') => event_data(reader, fields),
        "UserData" if first == b'{' => user_data(reader, fields),
        _ => walk::node(reader, key, &mut String::new(), 1, fields),
    }
}

fn event<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    let mut path = "Event.".to_owned();
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        let is_object = reader.peek()? == b'{';
        match key.as_ref() {
            "System" if is_object => {
                fields.windows = true;
                system(reader, fields, false)?;
            }
            "EventData" => event_data(reader, fields)?,
            "UserData" if is_object => user_data(reader, fields)?,
            "#attributes" | "EventData_attributes" | "UserData_attributes" | "@xmlns" => {
                reader.skip()?;
            }
            _ => walk::node(reader, key, &mut path, 2, fields)?,
        }
    }
    Ok(())
}

/// The elements of `System`, one of which comes first.
const ELEMENTS: [&str; 8] = [
    "Provider",
    "EventID",
    "Channel",
    "Computer",
    "Correlation",
    "EventRecordID",
    "Execution",
    "TimeCreated",
];

/// Reads `System`; where it stands at the top (`unsure`) its first element tells whether it is one.
fn system<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a, '_>,
    mut unsure: bool,
) -> Result<(), Fault> {
    let mut path = String::new();
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        if unsure {
            unsure = false;
            if !ELEMENTS.contains(&key.strip_suffix("_attributes").unwrap_or(&key)) {
                path.push_str("System.");
            }
        }
        if !path.is_empty() {
            walk::node(reader, key, &mut path, 2, fields)?;
        } else {
            fields.windows = true;
            element(reader, key, fields)?;
        }
    }
    Ok(())
}

/// Reads an element of `System`: a value, or attributes and perhaps a text.
fn element<'a>(
    reader: &mut Reader<'a>,
    key: Cow<'a, str>,
    fields: &mut Fields<'a, '_>,
) -> Result<(), Fault> {
    if reader.peek()? != b'{' {
        if let Some(value) = walk::value(reader, &key, fields)? {
            fields.add_element(key, value);
        }
        return Ok(());
    }
    // evtx_dump can write the attributes of `Provider` as `Provider_attributes`.
    let name = key.strip_suffix("_attributes").unwrap_or(&key).to_owned();
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "#attributes" if reader.peek()? == b'{' => {
                reader.enter_object()?;
                while let Some(key) = reader.key()? {
                    attribute(reader, &name, &key, fields)?;
                }
            }
            "#text" | "Value" | "content" => {
                if let Some(value) = walk::value(reader, &name, fields)? {
                    fields.add_element(Cow::Owned(name.clone()), value);
                }
            }
            key => attribute(reader, &name, key.strip_prefix('@').unwrap_or(key), fields)?,
        }
    }
    Ok(())
}

fn attribute<'a>(
    reader: &mut Reader<'a>,
    element: &str,
    key: &str,
    fields: &mut Fields<'a, '_>,
) -> Result<(), Fault> {
    let Some(name) = attribute_name(element, key) else {
        fields.drop_one(Flag::TooLong);
        return reader.skip();
    };
    if let Some(value) = walk::value(reader, &name, fields)? {
        fields.add_element(name, value);
    }
    Ok(())
}

/// Whether an attribute of a field says what it is called, not what it is.
pub(crate) fn is_named_by(attribute: &str) -> bool {
    attribute == "Name" || attribute.starts_with("xmlns")
}

/// The short name of an attribute of an element; nothing where it is longer than names are kept.
pub(crate) fn attribute_name(element: &str, attribute: &str) -> Option<Cow<'static, str>> {
    let name = match (element, attribute) {
        ("Provider", "Name") => "Provider_Name",
        ("Provider", "Guid") => "Provider_Guid",
        ("TimeCreated", "SystemTime") => "SystemTime",
        ("EventID", "Qualifiers") => "Qualifiers",
        ("Execution", "ProcessID") => "Execution_ProcessID",
        ("Execution", "ThreadID") => "Execution_ThreadID",
        ("Security", "UserID") => "UserID",
        ("Correlation", "ActivityID") => "Correlation_ActivityID",
        _ if element.len() + attribute.len() >= MAX_NAME => return None,
        _ => return Some(Cow::Owned(format!("{element}_{attribute}"))),
    };
    Some(Cow::Borrowed(name))
}

/// Reads `EventData`: fields by name, or a list of `Data`.
fn event_data<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    fields.windows = true;
    match reader.peek()? {
        b'{' => {
            reader.enter_object()?;
            while let Some(key) = reader.key()? {
                match key.as_ref() {
                    "#attributes" => reader.skip()?,
                    "Data" => data(reader, fields)?,
                    _ => datum(reader, key, fields)?,
                }
            }
            Ok(())
        }
        b'[' => data(reader, fields),
        _ => match walk::value(reader, "EventData", fields)? {
            None | Some(Value::Null) => Ok(()),
            Some(value) => {
                fields.add_original(Cow::Borrowed("EventData"), value);
                Ok(())
            }
        },
    }
}

/// Reads `UserData`: one element with the fields in it.
fn user_data<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    fields.windows = true;
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "#attributes" => reader.skip()?,
            _ if reader.peek()? == b'{' => {
                reader.enter_object()?;
                while let Some(key) = reader.key()? {
                    if key == "#attributes" || key.ends_with("_attributes") {
                        reader.skip()?;
                    } else {
                        datum(reader, key, fields)?;
                    }
                }
            }
            _ => datum(reader, key, fields)?,
        }
    }
    Ok(())
}

/// Reads a named field: a value, or an object that has it as its text.
fn datum<'a>(
    reader: &mut Reader<'a>,
    name: Cow<'a, str>,
    fields: &mut Fields<'a, '_>,
) -> Result<(), Fault> {
    if reader.peek()? != b'{' {
        if let Some(value) = walk::value(reader, &name, fields)? {
            fields.add_original(name, value);
        }
        return Ok(());
    }
    let mut path = format!("{name}.");
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "#attributes" if reader.peek()? == b'{' => {
                reader.enter_object()?;
                while let Some(key) = reader.key()? {
                    if is_named_by(&key) {
                        reader.skip()?;
                    } else {
                        attribute(reader, &name, &key, fields)?;
                    }
                }
            }
            "#text" => {
                if let Some(value) = walk::value(reader, &name, fields)? {
                    fields.add_original(name.clone(), value);
                }
            }
            _ => walk::node(reader, key, &mut path, 4, fields)?,
        }
    }
    Ok(())
}

/// Reads `Data`: a text, an object that names itself, or a list of either.
fn data<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    match reader.peek()? {
        b'[' => {
            reader.enter_array()?;
            while reader.element()? {
                match reader.peek()? {
                    b'{' => named_data(reader, fields)?,
                    _ => unnamed_data(reader, fields)?,
                }
            }
            Ok(())
        }
        b'{' => named_data(reader, fields),
        _ => unnamed_data(reader, fields),
    }
}

fn unnamed_data<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    if let Some(value) = walk::value(reader, "Data", fields)? {
        fields.add_original(Cow::Borrowed("Data"), value);
    }
    Ok(())
}

fn named_data<'a>(reader: &mut Reader<'a>, fields: &mut Fields<'a, '_>) -> Result<(), Fault> {
    let (mut name, mut value) = (None, None);
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "Name" | "@Name" => name = text(reader, fields)?,
            "#attributes" if reader.peek()? == b'{' => {
                reader.enter_object()?;
                while let Some(key) = reader.key()? {
                    let found = text(reader, fields)?;
                    if key == "Name" {
                        name = found;
                    }
                }
            }
            "#text" | "Value" | "value" | "content" => {
                value = walk::value(reader, "Data", fields)?;
            }
            _ => walk::node(reader, key, &mut "Data.".to_owned(), 4, fields)?,
        }
    }
    // `<Data Name="X"/>` has no text, which is an empty one.
    let value = value.unwrap_or(Value::Text(Cow::Borrowed("")));
    fields.add_original(name.unwrap_or(Cow::Borrowed("Data")), value);
    Ok(())
}

/// A value that has to be text; any other is passed.
fn text<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a, '_>,
) -> Result<Option<Cow<'a, str>>, Fault> {
    match walk::value(reader, "Data", fields)? {
        Some(Value::Text(text)) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// Reads Winlogbeat's `winlog` object.
pub(super) fn winlog<'a>(
    reader: &mut Reader<'a>,
    fields: &mut Fields<'a, '_>,
) -> Result<(), Fault> {
    let mut path = "winlog.".to_owned();
    reader.enter_object()?;
    while let Some(key) = reader.key()? {
        if matches!(key.as_ref(), "event_data" | "user_data") && reader.peek()? == b'{' {
            event_data(reader, fields)?;
        } else if let Some(name) = winlog_name(&key) {
            datum(reader, Cow::Borrowed(name), fields)?;
        } else {
            walk::node(reader, key, &mut path, 2, fields)?;
        }
    }
    Ok(())
}

/// The field of the Windows event schema that Winlogbeat calls so (below `winlog.`).
pub(super) fn winlog_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "channel" => "Channel",
        "event_id" => "EventID",
        "provider_name" => "Provider_Name",
        "provider_guid" => "Provider_Guid",
        "computer_name" => "Computer",
        "record_id" => "EventRecordID",
        "task" => "Task",
        "opcode" => "Opcode",
        "keywords" => "Keywords",
        "version" => "Version",
        "activity_id" => "Correlation_ActivityID",
        "process.pid" => "Execution_ProcessID",
        "process.thread.id" => "Execution_ThreadID",
        "user.identifier" => "UserID",
        _ => return None,
    })
}
