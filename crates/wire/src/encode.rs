//! A batch to bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergfried_event::{Origin, Record};
use serde::Serialize;

use crate::{Batch, VERSION, id_to_hex};

#[derive(Serialize)]
struct Header<'a> {
    batch: String,
    agent: &'a str,
    version: &'a str,
    origins: &'a [Origin],
}

/// The batch as newline-delimited JSON.
pub fn encode(batch: &Batch<'_>) -> Vec<u8> {
    let bytes: usize = batch.records.iter().map(|(_, record)| record.raw.len() + 48).sum();
    let mut body = Vec::with_capacity(bytes + 256);
    encode_header(&mut body, &batch.id, &batch.agent, &batch.origins);
    for (origin, record) in &batch.records {
        encode_record(&mut body, *origin, record);
    }
    body
}

/// Appends line 1 of a batch.
pub fn encode_header(body: &mut Vec<u8>, id: &[u8; 16], agent: &str, origins: &[Origin]) {
    let header = Header { batch: id_to_hex(id), agent, version: VERSION, origins };
    write_json(body, &header);
    body.push(b'\n');
}

/// Appends the line of one record.
pub fn encode_record(body: &mut Vec<u8>, origin: u16, record: &Record<'_>) {
    body.extend_from_slice(b"{\"o\":");
    write_json(body, &origin);
    body.extend_from_slice(b",\"t\":");
    write_json(body, &record.received.micros());
    match text_worth_sending(&record.raw) {
        Some(text) => {
            body.extend_from_slice(b",\"l\":");
            write_json(body, text);
        }
        None => {
            body.extend_from_slice(b",\"b\":");
            write_json(body, &STANDARD.encode(&record.raw));
        }
    }
    if record.truncated {
        body.extend_from_slice(b",\"c\":true");
    }
    body.extend_from_slice(b"}\n");
}

/// The bytes as text, where they are UTF-8 and JSON's escapes do not swell them past base64.
fn text_worth_sending(raw: &[u8]) -> Option<&str> {
    let control = raw.iter().filter(|byte| **byte < 0x20).count();
    let quoted = raw.iter().filter(|byte| matches!(**byte, b'"' | b'\\')).count();
    // `\u001b` takes five bytes more than what it stands for, `\"` one; base64 a third.
    if raw.len() > 64 && control * 5 + quoted > raw.len() / 3 {
        return None;
    }
    std::str::from_utf8(raw).ok()
}

fn write_json<T: Serialize + ?Sized>(body: &mut Vec<u8>, value: &T) {
    // Writing to memory cannot fail, and none of these types refuses to serialize.
    let _infallible = serde_json::to_writer(body, value);
}
