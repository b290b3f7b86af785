//! `bergfried alerts list`.

use std::io::{BufRead as _, Write};
use std::time::Duration;

use bergfried_event::Severity;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::{Alert, Client, Stream, objects, row, severity, text};
use crate::commands::printed::Format;

/// How long to wait before a stream that ended is taken up again.
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Args, Debug)]
pub(super) struct List {
    /// Which alerts: open, closed, all, or statuses such as ack,shelved
    #[arg(long, value_name = "STATUS", default_value = "open")]
    status: String,
    /// Only alerts exactly this severe: a rule's five words, or the alert's own word
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,
    /// Only alerts at least this severe
    #[arg(long, value_name = "SEVERITY", default_value = "informational")]
    min_severity: Severity,
    /// Only of this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Only of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only with this text in a name, the sentence or the example
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only what a query finds, such as 'resource:web* AND NOT service:cron'
    #[arg(long, short = 'q', value_name = "QUERY")]
    query: Option<String>,
    /// At most so many, 1 to 1000
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    limit: usize,
    /// How to print alerts
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Go on with every alert that changes and is one of these, until Ctrl-C
    #[arg(long, conflicts_with_all = ["severity", "text"])]
    follow: bool,
}

impl Default for List {
    fn default() -> Self {
        List {
            status: "open".to_owned(),
            severity: None,
            min_severity: Severity::Informational,
            environment: None,
            service: None,
            text: None,
            query: None,
            limit: 100,
            format: Format::Table,
            follow: false,
        }
    }
}

#[derive(Deserialize)]
struct Page {
    alerts: Vec<Alert>,
}

pub(super) fn run(client: &Client, wanted: &List, out: &mut dyn Write) -> anyhow::Result<()> {
    if !wanted.follow {
        return print(&wanted.fetch(client)?, wanted.format, out);
    }
    anyhow::ensure!(
        wanted.format != Format::Json,
        "--follow never ends, so there is no array to print: use --format ndjson"
    );
    let mut after = None;
    loop {
        match wanted.follow_once(client, &mut after, out) {
            Ok(reason) => crate::complain(&format!("{reason}, going on")),
            Err(error) if crate::is_broken_pipe(&error) || after.is_none() => return Err(error),
            Err(error) => crate::complain(&format!("{error:#}, trying again")),
        }
        std::thread::sleep(PAUSE);
    }
}

fn print(alerts: &[Alert], format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    objects(alerts, format, "no alerts", row, out)
}

impl List {
    /// The statuses that are wanted; none: any.
    fn statuses(&self) -> Option<&str> {
        (self.status != "all").then_some(self.status.as_str())
    }

    fn fetch(&self, client: &Client) -> anyhow::Result<Vec<Alert>> {
        let mut parameters = vec![
            ("min_severity", self.min_severity.to_string()),
            ("limit", self.limit.to_string()),
        ];
        for (name, value) in [
            ("status", self.statuses()),
            ("severity", self.severity.as_deref()),
            ("environment", self.environment.as_deref()),
            ("service", self.service.as_deref()),
            ("text", self.text.as_deref()),
            ("q", self.query.as_deref()),
        ] {
            parameters.extend(value.map(|value| (name, value.to_owned())));
        }
        Ok(client.get::<Page>("alerts", &parameters)?.alerts)
    }

    /// Prints what comes until the stream ends, and says why it did.
    fn follow_once(
        &self,
        client: &Client,
        after: &mut Option<String>,
        out: &mut dyn Write,
    ) -> anyhow::Result<String> {
        let mut parameters = vec![("kind", "alerts".to_owned())];
        parameters.extend(self.query.clone().map(|query| ("q", query)));
        parameters.extend(after.clone().map(|after| ("after", after)));
        let is_first = after.is_none();
        let lines = client.follow("stream", &parameters)?.lines();
        let mut stream = Stream { lines, last: after.clone() };
        while let Some((event, data)) = stream.next()? {
            after.clone_from(&stream.last);
            match (event.as_str(), data) {
                // What changes from here on comes by itself; what there is comes first.
                ("ready", _) if is_first => print(&self.fetch(client)?, self.format, out)?,
                ("alert", Value::Object(alert)) if self.wants(&alert) => {
                    print(std::slice::from_ref(&alert), self.format, out)?;
                }
                ("end", data) => {
                    let reason = data.get("reason").and_then(Value::as_str).unwrap_or("it ended");
                    return Ok(crate::terminal::plain(reason));
                }
                _ => {}
            }
            out.flush()?;
        }
        Ok("the stream ended".to_owned())
    }

    /// Whether an alert of the stream is one that the list would have.
    fn wants(&self, alert: &Alert) -> bool {
        let is = |name: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| text(alert, name) == wanted)
        };
        let services = alert.get("service").and_then(Value::as_array);
        let has = |wanted: &String| {
            services.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(wanted)))
        };
        self.statuses()
            .is_none_or(|words| words.split(',').any(|word| word.trim() == text(alert, "status")))
            && severity(alert) >= self.min_severity
            && is("environment", &self.environment)
            && self.service.as_ref().is_none_or(has)
    }
}
