//! Reporting accepted SSH logins to a Watchtower collector.

use std::time::Duration;

use bergfried_event::{Event, Field, readable};
use bergfried_parse::{Context, parse};
use bergfried_wire as wire;
use serde::Serialize;
use ureq::Agent;

use crate::config::Watchtower;
use crate::frame::Frame;
use crate::spool::Reader;
use crate::stop::Stop;
use crate::uplink::{Outcome, client, explained, is_final_refusal, retry_after};

/// The body of `POST /login`.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Login<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    hostname: &'a str,
    user: &'a str,
    method: &'a str,
    source_ip: &'a str,
    source_port: String,
    raw_message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_group: Option<&'a str>,
    severity: &'a str,
    flagged: bool,
}

pub(crate) struct Sender {
    agent: Agent,
    to: Watchtower,
}

impl Sender {
    pub(crate) fn new(to: &Watchtower) -> Self {
        Sender { agent: client(to.verify_tls, None), to: to.clone() }
    }

    /// Sends the logins of a batch one by one; what is done is noted after each, so that a restart
    /// repeats one at most. A login that the collector finds at fault is passed over.
    pub(crate) fn send(
        &self,
        frame: &Frame,
        reader: &mut Reader,
        stop: &Stop,
    ) -> std::io::Result<Outcome> {
        let body = match wire::decompress(&frame.body, 64 << 20) {
            Ok(body) => body,
            Err(error) => return Ok(Outcome::Refused(error.to_string())),
        };
        let batch = match wire::decode(&body, &wire::Limits::default()) {
            Ok(batch) => batch,
            Err(error) => return Ok(Outcome::Refused(error.to_string())),
        };
        for (index, (origin, record)) in (0_u64..).zip(&batch.records) {
            let Some(origin) = batch.origins.get(usize::from(*origin)) else { continue };
            if index < reader.done() {
                continue;
            }
            if stop.is_stopped() {
                return Ok(Outcome::Later("the agent stops".to_owned(), None));
            }
            let text = readable(&record.raw);
            // Parsing every line is dear; each login that is looked for holds this word.
            if !text.contains("Accepted ") {
                continue;
            }
            let zone =
                origin.time_zone.as_deref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
            let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
            let context = Context {
                received: record.received,
                host: &origin.host,
                time_zone: zone,
                year: None,
            };
            let event = parse(origin.kind, &text, &context);
            let Some(login) = login(&event, &origin.host, &self.to) else { continue };
            match self.post(&login) {
                Outcome::Taken => {}
                Outcome::Refused(reason) => {
                    tracing::error!(reason, "the collector refuses a login, passed over");
                }
                later @ Outcome::Later(..) => {
                    reader.set_done(index)?;
                    return Ok(later);
                }
            }
            reader.set_done(index + 1)?;
        }
        Ok(Outcome::Taken)
    }

    fn post(&self, login: &Login<'_>) -> Outcome {
        let body = match serde_json::to_vec(login) {
            Ok(body) => body,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        let sent = self
            .agent
            .post(&self.to.url)
            .header("X-Login-Alert-Token", self.to.token.expose())
            .header("Content-Type", "application/json")
            .send(body.as_slice());
        let response = match sent {
            Ok(response) => response,
            Err(error) => return Outcome::Later(explained(&error), None),
        };
        match response.status().as_u16() {
            // Collectors answer 201; older ones 200.
            200 | 201 => Outcome::Taken,
            status if is_final_refusal(status) => {
                Outcome::Refused(format!("the collector answered {status}"))
            }
            status => {
                let asked: Option<Duration> = retry_after(response.headers());
                Outcome::Later(format!("the collector answered {status}"), asked)
            }
        }
    }
}

/// The login that the event tells of, if it is one that sshd accepted.
fn login<'a>(event: &'a Event<'_>, host: &'a str, to: &'a Watchtower) -> Option<Login<'a>> {
    let message = event.text(Field::Message)?;
    let accepted = event.text(Field::ProcessName).is_some_and(|name| name.starts_with("sshd"))
        && event.text(Field::EventOutcome) == Some("success")
        && message.starts_with("Accepted ");
    if !accepted {
        return None;
    }
    Some(Login {
        kind: "user_login",
        timestamp: event.created().to_string(),
        hostname: event.text(Field::HostName).unwrap_or(host),
        user: event.text(Field::UserName)?,
        method: event.text(Field::SshMethod).unwrap_or("unknown"),
        source_ip: event.text(Field::SourceIp).or_else(|| event.text(Field::SourceAddress))?,
        source_port: event
            .get(Field::SourcePort)
            .map(|port| port.to_text().into_owned())
            .unwrap_or_default(),
        raw_message: message,
        region: to.region.as_deref(),
        host_group: to.host_group.as_deref(),
        severity: &to.severity,
        flagged: to.flagged,
    })
}

#[cfg(test)]
mod tests;
