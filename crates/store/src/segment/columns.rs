//! The columns of a segment file.

use std::sync::Arc;

use bergfried_event::{Field, Value};
use parquet::basic::{ConvertedType, Repetition, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};

/// When it happened; always there.
pub(crate) const CREATED: &str = "@timestamp";
/// When the hub took it; always there.
pub(crate) const INGESTED: &str = "event.ingested";
/// The event's id; always there.
pub(crate) const ID: &str = "event.id";
/// The message, as text.
pub(crate) const MESSAGE: &str = "message";
/// How the raw text before the message is made (see [`super::original`]).
pub(crate) const HEAD: &str = "event.original.head";
/// The raw text, where it cannot be made from other columns.
pub(crate) const ORIGINAL: &str = "event.original";
/// Every other field, as one JSON object.
pub(crate) const FIELDS: &str = "fields";

/// The columns that are always there.
pub(crate) const REQUIRED: [&str; 3] = [CREATED, INGESTED, ID];

/// Fields with a dictionary column of texts each.
pub(crate) const TEXTS: &[Field] = &[
    Field::HostName,
    Field::ProcessName,
    Field::UserName,
    Field::UserEffectiveName,
    Field::SourceIp,
    Field::SourceAddress,
    Field::DestinationIp,
    Field::EventAction,
    Field::EventCategory,
    Field::EventOutcome,
    Field::EventType,
    Field::EventReason,
    Field::EventModule,
    Field::EventDataset,
    Field::EventKind,
    Field::AgentName,
    Field::ServiceName,
    Field::NetworkTransport,
    Field::ProcessTty,
    Field::SshMethod,
    Field::SyslogFacility,
    Field::SyslogSeverity,
    Field::LogFilePath,
    Field::HeimdallEventType,
    Field::HeimdallOsType,
];

/// Fields with a column of whole numbers each.
pub(crate) const INTS: &[Field] = &[
    Field::ProcessPid,
    Field::SourcePort,
    Field::DestinationPort,
    Field::EventCount,
    Field::SyslogPriority,
    Field::LogOffset,
    Field::HeimdallSeverity,
];

/// Of [`INTS`], those whose numbers seldom repeat: a dictionary of them would be larger than they are.
pub(crate) const SCATTERED_INTS: &[Field] =
    &[Field::ProcessPid, Field::SourcePort, Field::LogOffset];

/// Fields whose values are in the filter whole, so that a search for one value can skip row groups.
pub(crate) const FILTERED: &[Field] = &[
    Field::HostName,
    Field::ProcessName,
    Field::UserName,
    Field::UserEffectiveName,
    Field::SourceIp,
    Field::SourceAddress,
    Field::DestinationIp,
    Field::EventAction,
];

/// The file's schema.
pub(crate) fn schema() -> Result<TypePtr, ParquetError> {
    let mut columns = Vec::new();
    for name in REQUIRED {
        let kind = if name == ID { ConvertedType::NONE } else { ConvertedType::TIMESTAMP_MICROS };
        columns.push(column(name, PhysicalType::INT64, kind, Repetition::REQUIRED)?);
    }
    for field in TEXTS {
        columns.push(text(field.name())?);
    }
    for field in INTS {
        let kind = ConvertedType::NONE;
        columns.push(column(field.name(), PhysicalType::INT64, kind, Repetition::OPTIONAL)?);
    }
    for name in [MESSAGE, HEAD, ORIGINAL, FIELDS] {
        columns.push(text(name)?);
    }
    let root = Type::group_type_builder("event").with_fields(columns).build()?;
    Ok(Arc::new(root))
}

fn text(name: &str) -> Result<TypePtr, ParquetError> {
    column(name, PhysicalType::BYTE_ARRAY, ConvertedType::UTF8, Repetition::OPTIONAL)
}

fn column(
    name: &str,
    physical: PhysicalType,
    converted: ConvertedType,
    repetition: Repetition,
) -> Result<TypePtr, ParquetError> {
    let column = Type::primitive_type_builder(name, physical)
        .with_converted_type(converted)
        .with_repetition(repetition)
        .build()?;
    Ok(Arc::new(column))
}

/// A value as the text that a text column holds; `None` where it must go among the other fields.
///
/// Lists of texts are held as JSON, so that a text that begins like one must go elsewhere.
pub(crate) fn to_cell<'v>(value: &'v Value<'_>) -> Option<std::borrow::Cow<'v, str>> {
    match value {
        Value::Text(text) if !text.starts_with('[') => Some(text.as_ref().into()),
        Value::List(values) if values.iter().all(|value| matches!(value, Value::Text(_))) => {
            serde_json::to_string(value).ok().map(Into::into)
        }
        _ => None,
    }
}

/// The value that [`to_cell`] made this text of; `None` where it made none such.
pub(crate) fn from_cell(cell: &str) -> Option<Value<'_>> {
    if cell.starts_with('[') {
        let json: serde_json::Value = serde_json::from_str(cell).ok()?;
        return Some(Value::from(json));
    }
    Some(Value::from(cell))
}
