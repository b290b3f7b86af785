//! Posts log lines to a hub in the agent's own batches, or as events of Heimdall's agents, as fast as the
//! hub acknowledges them.
//!
//! Every batch is encoded (and, an agent's own, compressed) before the clock starts, so that what is measured is the
//! hub. Never retries: an answer other than 200 ends the measurement as an error.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bergfried_event::{Origin, Record, SourceKind, Timestamp};
use bergfried_wire::Batch;
use clap::Parser;

/// Posts a file's lines to a hub and prints: lines, batches, seconds, lines per second
#[derive(Parser, Debug)]
struct Arguments {
    /// The hub's address, such as http://127.0.0.1:8000
    #[arg(long)]
    url: String,
    /// A file that holds the agent token
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// How many lines a batch holds; an agent with a backlog closes its batches at 512 KiB
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// How many connections post at the same time, as that many agents would
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    connections: u32,
    /// Post events as Heimdall's agents do, uncompressed, each with an id
    #[arg(long)]
    heimdall: bool,
    /// The lines
    file: PathBuf,
}

/// Where to and how bodies are posted.
struct Way {
    url: String,
    headers: Vec<(&'static str, String)>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let token = fs::read_to_string(&arguments.token_file)
        .with_context(|| format!("cannot read {}", arguments.token_file.display()))?;
    let lines = fs::read(&arguments.file)
        .with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let per_batch = arguments.batch as usize;
    let (bodies, count) = match arguments.heimdall {
        true => heimdall(&lines, per_batch)?,
        false => encode(&lines, per_batch)?,
    };
    drop(lines);
    let way = Way::new(&arguments, token.trim());
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.connections)
            .map(|_| scope.spawn(|| post_all(&way, &bodies, &next)))
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => bail!("a connection's thread panicked"),
        })
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let rate = count as f64 / seconds;
    writeln!(io::stdout(), "{count}\t{}\t{seconds:.3}\t{rate:.0}", bodies.len())?;
    Ok(ExitCode::SUCCESS)
}

impl Way {
    fn new(arguments: &Arguments, token: &str) -> Way {
        let hub = arguments.url.trim_end_matches('/');
        if arguments.heimdall {
            let json = "application/json".to_owned();
            let headers = vec![("api-key", token.to_owned()), ("Content-Type", json)];
            return Way { url: format!("{hub}/ingest"), headers };
        }
        Way {
            url: format!("{hub}{}", bergfried_wire::PATH),
            headers: vec![
                ("Authorization", format!("Bearer {token}")),
                ("Content-Type", bergfried_wire::CONTENT_TYPE.to_owned()),
                ("Content-Encoding", "zstd".to_owned()),
            ],
        }
    }
}

/// The lines as bodies of `POST /ingest`, and how many lines there are.
fn heimdall(lines: &[u8], per_batch: usize) -> anyhow::Result<(Vec<Vec<u8>>, usize)> {
    let now = jiff::Timestamp::now();
    let events: Vec<serde_json::Value> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .zip(0_u128..)
        .map(|(line, number)| {
            // The clock in the id: a hub that knows the events of an earlier run takes these too.
            let id = (u128::from(now.as_microsecond().unsigned_abs()) << 64) | number;
            serde_json::json!({
                "event_id": format!("{id:032x}"), "timestamp": now, "source_host": "bench",
                "os_type": "LINUX", "event_type": "LOGIN_FAIL", "severity": 3,
                "source_ip": "203.0.113.7", "user": "root",
                "raw_message": String::from_utf8_lossy(line),
            })
        })
        .collect();
    let bodies = events.chunks(per_batch).map(|events| {
        serde_json::to_vec(&serde_json::json!({ "events": events })).map_err(anyhow::Error::from)
    });
    Ok((bodies.collect::<anyhow::Result<_>>()?, events.len()))
}

/// The lines as compressed batches, and how many lines there are.
fn encode(lines: &[u8], per_batch: usize) -> anyhow::Result<(Vec<Vec<u8>>, usize)> {
    let now = jiff::Timestamp::now().as_microsecond();
    let origin = Origin::new(SourceKind::File, "/var/log/auth.log", "bench");
    let records: Vec<Record<'_>> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| Record {
            raw: Cow::Borrowed(line),
            received: Timestamp::from_micros(now),
            truncated: false,
        })
        .collect();
    let mut bodies = Vec::new();
    for (number, chunk) in records.chunks(per_batch).enumerate() {
        // The clock in the id: a hub that stored the batches of an earlier run takes these too.
        let id = (u128::from(now.unsigned_abs()) << 64) | number as u128;
        let batch = Batch {
            id: id.to_be_bytes(),
            agent: "bench".to_owned(),
            origins: vec![origin.clone()],
            records: chunk.iter().map(|record| (0, record.clone())).collect(),
        };
        bodies.push(bergfried_wire::compress(&bergfried_wire::encode(&batch))?);
    }
    Ok((bodies, records.len()))
}

fn post_all(way: &Way, bodies: &[Vec<u8>], next: &AtomicUsize) -> anyhow::Result<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut request = agent.post(&way.url);
        for (name, value) in &way.headers {
            request = request.header(*name, value);
        }
        let mut response =
            request.send(body.as_slice()).with_context(|| format!("cannot post to {}", way.url))?;
        let status = response.status().as_u16();
        let answer = response.body_mut().read_to_string()?;
        if status != 200 {
            bail!("the hub answered {status}: {answer}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_one_batch() {
        let lines: Vec<u8> = (0..25).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let (bodies, count) = encode(&lines, 10).unwrap();
        assert_eq!((bodies.len(), count), (3, 25));
        let last = bergfried_wire::decompress(&bodies[2], 1 << 20).unwrap();
        assert_eq!(last.iter().filter(|byte| **byte == b'\n').count(), 1 + 5);
        let (bodies, count) = heimdall(&lines, 10).unwrap();
        assert_eq!((bodies.len(), count), (3, 25));
        let last: serde_json::Value = serde_json::from_slice(&bodies[2]).unwrap();
        assert_eq!(last["events"].as_array().unwrap().len(), 5);
        assert_eq!(last["events"][4]["raw_message"], "line 24");
    }
}
