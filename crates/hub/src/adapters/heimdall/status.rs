//! `POST /system-status` and `GET /system-status/{host}`: how a host is.
//!
//! What an agent sends becomes a record like any other, and comes back as it was sent. The status of a
//! host with an agent of Bergfried's is written in the same words.

use std::borrow::Cow;

use axum::extract::{Path, Request, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bergfried_event::{Origin, Record, SourceKind};
use bergfried_heimdall::OsType;
use bergfried_pipeline::HostState;
use bergfried_wire::MAX_RAW;
use serde_json::{Map, Value, json};

use super::hosts::{MAX_NAME, os_type};
use super::key::Keyholder;
use super::time::Shown;
use super::{PATH, key};
use crate::adapters::detail::{Detail, mistake, no_json, no_object};
use crate::error::{ApiError, blocking};
use crate::hosts::newest_status;
use crate::hosts::status::{Disk, Network, Process, Status};
use crate::intake::Piece;
use crate::router::State;
use crate::running::now;

/// How many times as much a document takes up once it is read, about.
const TREE: usize = 16;
/// Fields that are texts, in the order in which they are looked at.
const TEXTS: [&str; 2] = ["source_host", "os_type"];
/// Fields that are numbers where they are there.
const NUMBERS: [&str; 5] =
    ["cpu_usage", "cpu_count", "memory_total", "memory_used", "memory_percent"];
/// Fields that are lists where they are there.
const LISTS: [&str; 3] = ["disk_info", "network_info", "top_processes"];

pub(super) fn routes() -> Router<State> {
    Router::new().route("/system-status", post(receive)).route("/system-status/{host}", get(show))
}

async fn receive(Shared(state): Shared<State>, request: Request) -> Result<Json<Value>, Detail> {
    let mut intake = key::sent(&state, request).await?;
    if intake.body.len() > MAX_RAW {
        let message = format!("a status has at most {MAX_RAW} bytes");
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message).into());
    }
    intake.weigh(&state, intake.body.len() * TREE).await?;
    let (intake, read) = blocking(move || {
        let read = read(&intake.body);
        Ok((intake, read))
    })
    .await?;
    let (host, os) = read?;
    let origin = Origin::new(SourceKind::Heimdall, PATH, host.clone());
    let origins = vec![intake.origin("heimdall", origin)];
    let raw = Cow::Owned(intake.body.clone());
    let records = vec![(0, Record { raw, received: now(), truncated: false })];
    let outcome = intake.store(&state, Piece { origins, records, once: false }).await?;
    if let Some(error) = outcome.refused {
        return Err(error.into());
    }
    let message = format!("System status of {host} stored");
    let (hosts, peer) = (state.hosts.clone(), intake.peer);
    blocking(move || {
        hosts.heartbeat(&host, os, Some(peer.ip()), now());
        Ok(())
    })
    .await?;
    Ok(Json(json!({"success": true, "message": message})))
}

async fn show(
    _key: Keyholder,
    Shared(state): Shared<State>,
    Path(host): Path<String>,
) -> Result<Response, Detail> {
    let found = blocking(move || {
        let Some(host) = state.hosts.get(&host, now()) else { return Ok(None) };
        let status = newest_status(&state, &host)?;
        Ok(status.map(|status| document(&host, status)))
    });
    let Some(document) = found.await? else {
        let body = json!({"success": false, "message": "Host status not found"});
        return Ok((StatusCode::NOT_FOUND, Json(body)).into_response());
    };
    Ok(Json(json!({"success": true, "status": document})).into_response())
}

/// The host of a status and its system, where the body is one.
fn read(body: &[u8]) -> Result<(String, Option<OsType>), Detail> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Detail::unprocessable(vec![no_json(body, &error)]))?;
    let status = match (&value, value.get("status")) {
        (_, Some(Value::Object(status))) => status,
        (_, Some(other)) => {
            let wrong = no_object(&["body", "status"], other.clone());
            return Err(Detail::unprocessable(vec![wrong]));
        }
        (Value::Object(_), None) => {
            let place = ["body", "status"];
            let missing = mistake("missing", &place, "Field required", value);
            return Err(Detail::unprocessable(vec![missing]));
        }
        (_, None) => return Err(Detail::unprocessable(vec![no_object(&["body"], value)])),
    };
    let mut mistakes = Vec::new();
    for name in TEXTS {
        let place = ["body", "status", name];
        match status.get(name) {
            None => {
                let whole = Value::Object(status.clone());
                mistakes.push(mistake("missing", &place, "Field required", whole));
            }
            Some(Value::String(_)) => {}
            Some(other) => {
                let message = "Input should be a valid string";
                mistakes.push(mistake("string_type", &place, message, other.clone()));
            }
        }
    }
    let given = |name: &'static str| status.get(name).filter(|value| !value.is_null());
    for name in NUMBERS {
        let is_number = |value: &Value| match value {
            Value::Number(_) | Value::Bool(_) => true,
            Value::String(text) => text.trim().parse::<f64>().is_ok(),
            _ => false,
        };
        if let Some(value) = given(name).filter(|value| !is_number(value)) {
            let message = "Input should be a valid number";
            mistakes.push(mistake("float_type", &["body", "status", name], message, value.clone()));
        }
    }
    for name in LISTS {
        if let Some(value) = given(name).filter(|value| !value.is_array()) {
            let message = "Input should be a valid list";
            mistakes.push(mistake("list_type", &["body", "status", name], message, value.clone()));
        }
    }
    let word = |name: &str| status.get(name).and_then(Value::as_str).unwrap_or_default();
    let host = word("source_host");
    if mistakes.is_empty() && !(1..=MAX_NAME).contains(&host.len()) {
        let message = format!("String should have 1 to {MAX_NAME} bytes");
        let place = ["body", "status", "source_host"];
        mistakes.push(mistake("value_error", &place, &message, json!(host)));
    }
    if !mistakes.is_empty() {
        return Err(Detail::unprocessable(mistakes));
    }
    Ok((host.to_owned(), os_type(word("os_type"))))
}

/// A status as Heimdall documents it: what its agent sent, or the same in its words.
fn document(host: &HostState, status: Status) -> Map<String, Value> {
    if let Some(sent) = status.document {
        return sent;
    }
    let percent = |part: Option<f64>| part.map(|part| (part * 1_000.0).round() / 10.0);
    let os_details = status.os.full.clone().unwrap_or_else(|| {
        let words = [&status.os.name, &status.os.version, &status.os.kernel];
        words.into_iter().flatten().cloned().collect::<Vec<_>>().join(" ")
    });
    let disk = |disk: &Disk| {
        json!({
            "device": disk.device,
            "mountpoint": disk.mount,
            "fstype": disk.kind,
            "total": disk.total,
            "used": disk.used,
            "free": disk.total.zip(disk.used).map(|(total, used)| total.saturating_sub(used)),
            "percent": percent(disk.used_part),
        })
    };
    let network = |network: &Network| {
        json!({
            "interface": network.name,
            "address": network.address,
            "bytes_sent": network.sent,
            "bytes_recv": network.received,
        })
    };
    #[expect(clippy::cast_precision_loss, reason = "a percentage of one decimal")]
    let of_memory = |used: u64| {
        let total = status.memory.total.filter(|total| *total > 0)?;
        Some(used as f64 / total as f64)
    };
    let process = |process: &Process| {
        json!({
            "pid": process.pid,
            "name": process.name,
            "username": process.user,
            "cpu_percent": percent(process.cpu),
            "memory_percent": percent(process.memory.and_then(of_memory)),
            "memory_bytes": process.memory,
        })
    };
    let values = json!({
        "source_host": host.name,
        "os_type": host.os_type.unwrap_or(OsType::Linux).name(),
        "os_details": os_details,
        "cpu_usage": percent(status.cpu.usage),
        "cpu_count": status.cpu.cores,
        "memory_total": status.memory.total,
        "memory_used": status.memory.used,
        "memory_percent": percent(status.memory.used_part),
        "disk_info": status.disks.iter().map(disk).collect::<Vec<_>>(),
        "network_info": status.networks.iter().map(network).collect::<Vec<_>>(),
        "top_processes": status.processes.iter().map(process).collect::<Vec<_>>(),
        "boot_time": status.boot_time,
        "timestamp": Shown(status.time),
    });
    match values {
        Value::Object(values) => values,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_names_its_host_and_mistakes_their_place() {
        let whole = json!({"status": {
            "source_host": "web1", "os_type": "LINUX", "cpu_usage": "12.5", "disk_info": [],
            "memory_total": null,
        }});
        let read_text = |value: &Value| read(value.to_string().as_bytes());
        assert_eq!(read_text(&whole).unwrap(), ("web1".to_owned(), Some(OsType::Linux)));
        let odd = json!({"status": {"source_host": "bsd", "os_type": "FREEBSD"}});
        assert_eq!(read_text(&odd).unwrap(), ("bsd".to_owned(), None));
        for (body, kind, place) in [
            ("{", "json_invalid", "body"),
            ("[]", "model_attributes_type", "body"),
            ("{}", "missing", "status"),
            (r#"{"status":7}"#, "model_attributes_type", "status"),
            (r#"{"status":{"os_type":"LINUX"}}"#, "missing", "source_host"),
            (r#"{"status":{"source_host":7,"os_type":"LINUX"}}"#, "string_type", "source_host"),
            (r#"{"status":{"source_host":"","os_type":"LINUX"}}"#, "value_error", "source_host"),
            (
                r#"{"status":{"source_host":"h","os_type":"LINUX","cpu_usage":"x"}}"#,
                "float_type",
                "cpu_usage",
            ),
            (
                r#"{"status":{"source_host":"h","os_type":"LINUX","disk_info":{}}}"#,
                "list_type",
                "disk_info",
            ),
        ] {
            let Err(detail) = read(body.as_bytes()) else { panic!("{body} was taken") };
            let said = format!("{detail:?}");
            for part in [kind, place] {
                assert!(said.contains(&format!("{part:?}")), "{body}: no {part} in {said}");
            }
        }
    }
}
