//! The native batch API; see `bergfried-wire`.

use bergfried_wire::{CONTENT_TYPE, PATH, Receipt, compress, encode_header, id_to_hex};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, parse_pem};

use super::{Outcome, client, explained, is_final_refusal, retry_after};
use crate::config::Hub;
use crate::error::AgentError;
use crate::intake::fresh_id;

/// More of an answer is not read.
const MAX_ANSWER: u64 = 64 << 10;

pub(crate) struct Native {
    agent: Agent,
    url: String,
    authorization: String,
    /// The agent's own name.
    name: String,
}

impl Native {
    pub(super) fn new(hub: &Hub, name: String) -> Result<Self, AgentError> {
        let roots = hub.ca_file.as_deref().map(read_roots).transpose()?;
        Ok(Native {
            agent: client(true, roots),
            url: format!("{}{PATH}", hub.url.trim_end_matches('/')),
            authorization: format!("Bearer {}", hub.token.expose()),
            name,
        })
    }

    /// Sends a batch without records, which the hub stores nowhere.
    pub(super) fn say_alive(&self) -> Outcome {
        let batch = fresh_id().and_then(|id| {
            let mut body = Vec::new();
            encode_header(&mut body, &id, &self.name, &[]);
            let body = compress(&body).map_err(|error| std::io::Error::other(error.to_string()))?;
            Ok((id_to_hex(&id), body))
        });
        match batch {
            Ok((id, body)) => self.send(&id, &body),
            Err(error) => Outcome::Later(error.to_string(), None),
        }
    }

    pub(super) fn send(&self, batch: &str, body: &[u8]) -> Outcome {
        let sent = self
            .agent
            .post(&self.url)
            .header("Authorization", &self.authorization)
            .header("Content-Type", CONTENT_TYPE)
            .header("Content-Encoding", "zstd")
            .send(body);
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => return Outcome::Later(explained(&error), None),
        };
        let status = response.status().as_u16();
        let asked = retry_after(response.headers());
        let answer = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        if status == 200 {
            // Only the hub knows the batch's id: a proxy's friendly page is no receipt.
            let receipt =
                answer.ok().and_then(|bytes| serde_json::from_slice::<Receipt>(&bytes).ok());
            return match receipt {
                Some(receipt) if receipt.batch == batch => Outcome::Taken,
                _ => Outcome::Later("the answer is not a hub's receipt".to_owned(), None),
            };
        }
        let text = answer.unwrap_or_default();
        let text =
            String::from_utf8_lossy(text.get(..200).unwrap_or(&text)).escape_debug().to_string();
        let reason = format!("the hub answered {status}: {text}");
        if is_final_refusal(status) {
            Outcome::Refused(reason)
        } else {
            Outcome::Later(reason, asked)
        }
    }
}

fn read_roots(path: &std::path::Path) -> Result<Vec<Certificate<'static>>, AgentError> {
    let pem = std::fs::read(path).map_err(AgentError::state(path))?;
    let mut roots = Vec::new();
    for item in parse_pem(&pem) {
        if let Ok(PemItem::Certificate(certificate)) = item {
            roots.push(certificate);
        }
    }
    if roots.is_empty() {
        let reason = format!("{} holds no certificate in PEM form", path.display());
        return Err(AgentError::Config(reason));
    }
    Ok(roots)
}
