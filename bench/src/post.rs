//! Posts log lines to a hub in the agent's own batches, as fast as the hub acknowledges them.
//!
//! Every batch is encoded and compressed before the clock starts, so that what is measured is the
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
    /// The lines
    file: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let token = fs::read_to_string(&arguments.token_file)
        .with_context(|| format!("cannot read {}", arguments.token_file.display()))?;
    let authorization = format!("Bearer {}", token.trim());
    let lines = fs::read(&arguments.file)
        .with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let (bodies, count) = encode(&lines, arguments.batch as usize)?;
    drop(lines);

    let url = format!("{}{}", arguments.url.trim_end_matches('/'), bergfried_wire::PATH);
    let next = AtomicUsize::new(0);
    let started = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.connections)
            .map(|_| scope.spawn(|| post_all(&url, &authorization, &bodies, &next)))
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

fn post_all(
    url: &str,
    authorization: &str,
    bodies: &[Vec<u8>],
    next: &AtomicUsize,
) -> anyhow::Result<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut response = agent
            .post(url)
            .header("Authorization", authorization)
            .header("Content-Type", bergfried_wire::CONTENT_TYPE)
            .header("Content-Encoding", "zstd")
            .send(body.as_slice())
            .with_context(|| format!("cannot post to {url}"))?;
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
    }
}
