//! Rows of a database of FTL's, of every version: one table `queries` of text (version 5 and before),
//! or `query_storage` with numbers that tables beside it explain, and text in rows that are older than
//! those tables (schema 12 and later).
//!
//! Never reads a view: what that does is decided by whoever made it.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};
use serde_json::{Map, Value};

use super::look::Way;
use super::place::Place;
use super::trouble::Trouble;

/// The longest text or row that SQLite itself takes up.
const LONGEST: i32 = 1 << 20;
/// The longest text of a record; names of DNS have 255 bytes, up to four times as many where escaped.
const LONGEST_TEXT: usize = 4 << 10;
/// A batch that takes longer is given up.
const LONGEST_READ: Duration = Duration::from_secs(5);
/// How many steps of SQLite's machine are between two looks at the clock.
const STEPS: i32 = 10_000;

/// A row, and the place behind it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    pub(super) place: Place,
    pub(super) fields: Map<String, Value>,
}

/// What a column holds, told by its name in the record.
struct Column {
    name: &'static str,
    /// The table beside it that explains its numbers, and which of its columns does.
    by: Option<(&'static str, &'static str)>,
}

const fn column(name: &'static str) -> Column {
    Column { name, by: None }
}

const fn explained(name: &'static str, table: &'static str, column: &'static str) -> Column {
    Column { name, by: Some((table, column)) }
}

/// The columns of all versions. The first five are in each.
const COLUMNS: [Column; 14] = [
    column("id"),
    column("timestamp"),
    column("type"),
    explained("domain", "domain_by_id", "domain"),
    explained("client", "client_by_id", "ip"),
    column("status"),
    explained("forward", "forward_by_id", "forward"),
    explained("additional_info", "addinfo_by_id", "content"),
    column("reply_type"),
    column("reply_time"),
    column("dnssec"),
    column("list_id"),
    column("regex_id"),
    column("ede"),
];
const ALWAYS: usize = 6;
const CLIENT_NAME: &str = "client_name";

/// An open database; closed again after every batch, so that its owner can always do as it likes.
pub(super) struct Database {
    connection: Connection,
    table: &'static str,
    /// `SELECT …` of all columns, up to the conditions.
    select: String,
    names: Vec<&'static str>,
}

impl Database {
    /// Opens it, for reading alone.
    pub(super) fn open(path: &Path, way: Way) -> Result<Database, Trouble> {
        // Neither takes part in what a writer does: the first takes no lock, the second those of a
        // reader of the log, and makes no file.
        let option = match way {
            Way::WithLog => "readonly_shm=1",
            Way::Unlocked | Way::Wait => "immutable=1",
        };
        let address = format!("file:{}?mode=ro&{option}", encoded(path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(address, flags)?;
        // Whoever wrote the file is not trusted with more than rows.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
        connection.busy_timeout(Duration::ZERO)?;
        let begun = Instant::now();
        let is_late = move || begun.elapsed() > LONGEST_READ;
        connection.progress_handler(STEPS, Some(is_late))?;
        connection.execute_batch(
            "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512; BEGIN",
        )?;
        let table = table(&connection)?;
        let columns = columns(&connection, table)?;
        let (select, names) = select(&connection, table, &columns)?;
        Ok(Database { connection, table, select, names })
    }

    /// The rows behind this id, the oldest first.
    pub(super) fn behind(&self, id: i64, most: usize) -> Result<Vec<Query>, Trouble> {
        let text = format!("{} WHERE q.id > ?1 ORDER BY q.id LIMIT ?2", self.select);
        let mut statement = self.connection.prepare(&text)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![id, most])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(self.query(row)?);
        }
        Ok(found)
    }

    /// The place behind the row of this id.
    pub(super) fn place_of(&self, id: i64) -> Result<Option<Place>, Trouble> {
        let text = format!("{} WHERE q.id = ?1", self.select);
        let mut statement = self.connection.prepare(&text)?;
        let mut rows = statement.query(params![id])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(self.query(row)?.place))
    }

    /// The id of the row that so many others are behind.
    pub(super) fn before_last(&self, others: u32) -> Result<Option<i64>, Trouble> {
        let text = format!("SELECT id FROM {} ORDER BY id DESC LIMIT 1 OFFSET ?1", self.table);
        Ok(self.connection.query_row(&text, params![others], |row| row.get(0)).optional()?)
    }

    /// The id of the last query that was asked by then.
    pub(super) fn last_by(&self, micros: i64) -> Result<Option<i64>, Trouble> {
        let text = format!(
            "SELECT id FROM {} WHERE timestamp <= ?1 ORDER BY timestamp DESC, id DESC LIMIT 1",
            self.table
        );
        // Rounding must not put the row itself behind its own time.
        #[expect(clippy::cast_precision_loss, reason = "a microsecond is finer than needed")]
        let seconds = micros.saturating_add(1) as f64 / 1e6;
        Ok(self.connection.query_row(&text, params![seconds], |row| row.get(0)).optional()?)
    }

    fn query(&self, row: &Row<'_>) -> Result<Query, Trouble> {
        let mut fields = Map::new();
        let mut micros = 0;
        let mut asked: Vec<Vec<u8>> = Vec::new();
        for (index, name) in self.names.iter().enumerate() {
            let value = row.get_ref(index)?;
            match *name {
                "timestamp" => micros = to_micros(value),
                "type" | "domain" | "client" => asked.push(to_bytes(value)),
                _ => {}
            }
            if let Some(value) = to_json(value) {
                fields.insert((*name).to_owned(), value);
            }
        }
        let asked: Vec<&[u8]> = asked.iter().map(Vec::as_slice).collect();
        Ok(Query { place: Place::new(row.get(0)?, micros, &asked), fields })
    }
}

fn table(connection: &Connection) -> Result<&'static str, Trouble> {
    // A table of SQLite's own kind has a page of its own, a virtual one none.
    let mut statement = connection.prepare(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1 AND rootpage > 0",
    )?;
    for name in ["query_storage", "queries"] {
        if statement.query_row(params![name], |row| row.get::<_, i64>(0))? == 1 {
            return Ok(name);
        }
    }
    Err(Trouble::NoQueries)
}

/// The names of a table's columns; none where there is no such table.
fn columns(connection: &Connection, table: &str) -> Result<Vec<String>, Trouble> {
    let mut statement = connection.prepare(&format!("PRAGMA table_info({table})"))?;
    let names = statement.query_map([], |row| row.get::<_, String>("name"))?;
    Ok(names.collect::<Result<_, _>>()?)
}

fn select(
    connection: &Connection,
    table: &str,
    columns: &[String],
) -> Result<(String, Vec<&'static str>), Trouble> {
    let has = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
    let (mut values, mut joins, mut names) = (Vec::new(), String::new(), Vec::new());
    for (index, column) in COLUMNS.iter().enumerate() {
        let name = column.name;
        if !has(columns, name) {
            if index < ALWAYS {
                return Err(Trouble::NoQueries);
            }
            continue;
        }
        names.push(name);
        let Some((beside, explains)) = column.by else {
            values.push(format!("q.{name}"));
            continue;
        };
        let found = self::columns(connection, beside)?;
        if !has(&found, "id") || !has(&found, explains) {
            values.push(format!("q.{name}"));
            continue;
        }
        values.push(format!("coalesce({beside}.{explains}, q.{name})"));
        joins.push_str(&format!(
            " LEFT JOIN {beside} ON typeof(q.{name}) = 'integer' AND {beside}.id = q.{name}"
        ));
        if name == "client" && has(&found, "name") {
            names.push(CLIENT_NAME);
            values.push(format!("{beside}.name"));
        }
    }
    Ok((format!("SELECT {} FROM {table} q{joins}", values.join(", ")), names))
}

fn to_micros(value: ValueRef<'_>) -> i64 {
    match value {
        ValueRef::Integer(seconds) => seconds.saturating_mul(1_000_000),
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
        ValueRef::Real(seconds) => (seconds * 1e6).round() as i64,
        _ => 0,
    }
}

fn to_bytes(value: ValueRef<'_>) -> Vec<u8> {
    match value {
        ValueRef::Null => Vec::new(),
        ValueRef::Integer(number) => number.to_string().into_bytes(),
        ValueRef::Real(number) => number.to_string().into_bytes(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
    }
}

/// As it stands in the record; null is left out.
fn to_json(value: ValueRef<'_>) -> Option<Value> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.into()),
        ValueRef::Real(number) => Some(number.into()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let bytes = bytes.get(..LONGEST_TEXT).unwrap_or(bytes);
            Some(String::from_utf8_lossy(bytes).into_owned().into())
        }
    }
}

/// The path in an address of the form `file:` (RFC 3986 section 2).
fn encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        if plain(*byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
