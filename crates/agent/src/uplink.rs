//! From the spool to the hub, one batch at a time.

mod native;

use std::path::PathBuf;
use std::time::Duration;

use ureq::Agent;
use ureq::http::HeaderMap;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::backoff::{self, Backoff};
use crate::config::{Config, Protocol};
use crate::error::AgentError;
use crate::frame::Frame;
use crate::rejected;
use crate::spool::{Next, Reader};
use crate::stats::Stats;
use crate::stop::Stop;
use crate::watchtower;

pub(crate) use native::Native;

/// How long there may be nothing to send until the hub is told that the agent is alive.
const SILENCE: Duration = Duration::from_secs(60);

/// What became of a try.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The receiver has it for good.
    Taken,
    /// The receiver will never take these bytes.
    Refused(String),
    /// Not now: the reason, and how long the receiver asked to wait.
    Later(String, Option<Duration>),
}

pub(crate) struct Uplink {
    sender: Sender,
    reader: Reader,
    state_dir: PathBuf,
    stats: Stats,
    stop: Stop,
}

enum Sender {
    Native(Native),
    Watchtower(watchtower::Sender),
}

impl Uplink {
    pub(crate) fn new(
        config: &Config,
        name: String,
        reader: Reader,
        stats: &Stats,
        stop: &Stop,
    ) -> Result<Self, AgentError> {
        let sender = match &config.protocol {
            Protocol::Native(hub) => Sender::Native(Native::new(hub, name)?),
            Protocol::Watchtower(to) => Sender::Watchtower(watchtower::Sender::new(to)),
        };
        Ok(Uplink {
            sender,
            reader,
            state_dir: config.state_dir.clone(),
            stats: stats.clone(),
            stop: stop.clone(),
        })
    }

    /// Sends until it is stopped.
    pub(crate) fn run(mut self) {
        let mut disk = Backoff::default();
        while !self.stop.is_stopped() {
            let done = match self.reader.next(SILENCE) {
                Ok(Next::Batch(frame)) => self.deliver(&frame),
                Ok(Next::Nothing) => {
                    self.say_alive();
                    Ok(())
                }
                Ok(Next::Closed) => return,
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => disk.reset(),
                Err(error) => {
                    tracing::error!(%error, "cannot read the spool, trying again");
                    self.stats.spool_errors(1);
                    self.stop.wait(disk.next(None, backoff::random()));
                }
            }
        }
    }

    /// Lets the hub hear of the agent. Where it cannot, the hub is meant to notice.
    fn say_alive(&self) {
        let Sender::Native(native) = &self.sender else { return };
        match native.say_alive() {
            Outcome::Taken => {}
            Outcome::Refused(reason) | Outcome::Later(reason, _) => {
                tracing::debug!(reason, "cannot say that the agent is alive");
            }
        }
    }

    /// Tries until the batch is taken or refused, or the agent is stopped.
    fn deliver(&mut self, frame: &Frame) -> std::io::Result<()> {
        let mut pauses = Backoff::default();
        let mut last_reason = String::new();
        loop {
            let outcome = match &mut self.sender {
                Sender::Native(native) => native.send(&frame.description.batch, &frame.body),
                Sender::Watchtower(to) => to.send(frame, &mut self.reader, &self.stop)?,
            };
            match outcome {
                Outcome::Taken => {
                    if !last_reason.is_empty() {
                        tracing::info!("the hub takes batches again");
                    }
                    self.stats.batches_sent(1);
                    self.stats.records_sent(frame.description.records);
                    return self.reader.acknowledge(frame);
                }
                Outcome::Refused(reason) => {
                    self.set_aside(frame, &reason);
                    return self.reader.acknowledge(frame);
                }
                Outcome::Later(reason, asked) => {
                    if self.stop.is_stopped() {
                        return Ok(());
                    }
                    self.stats.retries(1);
                    let pause = pauses.next(asked, backoff::random());
                    if reason != last_reason {
                        tracing::warn!(reason, ?pause, "cannot send, keeping the batch");
                        last_reason = reason;
                    }
                    if self.stop.wait(pause) {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn set_aside(&self, frame: &Frame, reason: &str) {
        self.stats.batches_rejected(1);
        match rejected::keep(&self.state_dir, &frame.description.batch, &frame.body) {
            Ok(path) => {
                tracing::error!(reason, path = %path.display(), "the hub refuses a batch, set aside");
            }
            Err(error) => {
                self.stats.batches_lost(1);
                tracing::error!(reason, %error, "the hub refuses a batch, and it cannot be kept");
            }
        }
    }
}

/// An HTTP client with bounds that suit one small agent.
pub(crate) fn client(verify: bool, roots: Option<Vec<Certificate<'static>>>) -> Agent {
    let mut tls = TlsConfig::builder().disable_verification(!verify);
    if let Some(roots) = roots {
        tls = tls.root_certs(RootCerts::new_with_certs(&roots));
    }
    Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .timeout_connect(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        // A redirected POST may arrive as a GET, and the token elsewhere.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(1)
        .input_buffer_size(16 << 10)
        .output_buffer_size(16 << 10)
        .max_response_header_size(16 << 10)
        .user_agent(concat!("bergfried-agent/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build()
        .into()
}

/// Whether these bytes are not to be sent again. A wrong address or token is not their fault.
pub(crate) fn is_final_refusal(status: u16) -> bool {
    (400..500).contains(&status)
        && !matches!(status, 401 | 403 | 404 | 405 | 407 | 408 | 421 | 425 | 429)
}

/// Why nothing was sent, with a way out where certificates are the reason.
///
/// TLS errors have no type of their own here, only words.
pub(crate) fn explained(error: &ureq::Error) -> String {
    let said = error.to_string();
    match hint(&said) {
        Some(hint) => format!("{said}: {hint}"),
        None => said,
    }
}

fn hint(said: &str) -> Option<&'static str> {
    const HINTS: [(&str, &str); 3] = [
        (
            "CaUsedAsEndEntity",
            "the receiver shows a CA's own certificate; let the CA sign one for the receiver, or \
             make it with `openssl req -x509 -addext basicConstraints=critical,CA:FALSE`",
        ),
        (
            "UnknownIssuer",
            "name the CA that signed it with --ca-file, or in `ca_file` of the [hub] table",
        ),
        ("NotValidForName", "the certificate is for another host name than the address has"),
    ];
    HINTS.iter().find(|(word, _)| said.contains(word)).map(|(_, hint)| *hint)
}

/// How long the receiver asks to wait: `Retry-After` in seconds (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustls_says_has_a_way_out() {
        for (said, way_out) in [
            ("io: invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", "CA:FALSE"),
            ("io: invalid peer certificate: UnknownIssuer", "`ca_file`"),
            ("invalid peer certificate: NotValidForNameContext", "another host name"),
        ] {
            assert!(hint(said).unwrap().contains(way_out), "{said}");
        }
        assert_eq!(hint("io: Connection refused"), None);
    }
}
