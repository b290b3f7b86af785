//! Posts alerts to a hub over kept-alive connections, then asks for them as the web UI does.
//!
//! The requests are written by hand on plain sockets, so that the generator takes as little as it can
//! of the machine that it shares with the hub. An answer other than 2xx ends the measurement.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};

/// Measures a hub's Alerta API; prints what was measured, tabs between
#[derive(Parser, Debug)]
struct Arguments {
    /// Where the hub listens
    #[arg(long)]
    to: SocketAddr,
    /// The path that the API is under
    #[arg(long, default_value = "/api")]
    prefix: String,
    /// A file that holds a key
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Post alerts: count, seconds, alerts per second
    Post {
        /// How many
        count: u64,
        /// How many different ones these are about; fewer than the count makes duplicates
        #[arg(long)]
        distinct: u64,
        /// How many connections post at the same time
        #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
        connections: u32,
    },
    /// Get a path so often, one after the other: the middle time in milliseconds, and the slowest
    Get {
        /// The path under the prefix, with its query
        path: String,
        /// How often
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        times: u32,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let key = fs::read_to_string(&arguments.key_file)
        .with_context(|| format!("cannot read {}", arguments.key_file.display()))?;
    let hub = Hub { address: arguments.to, prefix: arguments.prefix, key: key.trim().to_owned() };
    let mut out = io::stdout();
    match arguments.command {
        Command::Post { count, distinct, connections } => {
            let seconds = hub.post(count, distinct.max(1), connections)?;
            writeln!(out, "{count}\t{seconds:.3}\t{:.0}", count as f64 / seconds)?;
        }
        Command::Get { path, times } => {
            let mut connection = hub.connect()?;
            let mut taken = Vec::with_capacity(times as usize);
            for _ in 0..times {
                let started = Instant::now();
                connection.ask("GET", &path, "")?;
                taken.push(started.elapsed().as_secs_f64() * 1e3);
            }
            taken.sort_by(f64::total_cmp);
            let middle = taken.get(taken.len() / 2).copied().unwrap_or_default();
            writeln!(out, "{middle:.2}\t{:.2}", taken.last().copied().unwrap_or_default())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Hub {
    address: SocketAddr,
    prefix: String,
    key: String,
}

impl Hub {
    fn connect(&self) -> anyhow::Result<Connection<'_>> {
        let stream = TcpStream::connect(self.address)
            .with_context(|| format!("cannot connect to {}", self.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Connection {
            hub: self,
            reader: BufReader::new(stream),
            line: String::new(),
            body: Vec::new(),
        })
    }

    /// Posts so many alerts; the time that it took, in seconds.
    fn post(&self, count: u64, distinct: u64, connections: u32) -> anyhow::Result<f64> {
        let next = AtomicU64::new(0);
        let opened: Vec<_> =
            (0..connections).map(|_| self.connect()).collect::<anyhow::Result<_>>()?;
        let started = Instant::now();
        thread::scope(|scope| {
            let next = &next;
            let workers: Vec<_> = opened
                .into_iter()
                .map(|mut connection| {
                    scope.spawn(move || {
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number >= count {
                                return Ok(());
                            }
                            connection.ask("POST", "/alert", &alert(number % distinct))?;
                        }
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(_) => bail!("a connection's thread panicked"),
            })
        })?;
        Ok(started.elapsed().as_secs_f64())
    }
}

struct Connection<'h> {
    hub: &'h Hub,
    reader: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection<'_> {
    /// Sends a request and reads its answer to the end.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<()> {
        let Hub { address, prefix, key } = self.hub;
        let request = format!(
            "{method} {prefix}{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Key {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.reader.get_mut().write_all(request.as_bytes())?;
        let status = self.next_line()?.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = None;
        loop {
            let line = self.next_line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        let Some(length) = length else { bail!("the answer {status} to {path} has no length") };
        self.body.resize(length, 0);
        self.reader.read_exact(&mut self.body)?;
        if !status.starts_with('2') {
            let answer = String::from_utf8_lossy(&self.body);
            bail!("the hub answered {status}: {answer}");
        }
        Ok(())
    }

    fn next_line(&mut self) -> anyhow::Result<&str> {
        self.line.clear();
        if self.reader.read_line(&mut self.line)? == 0 {
            bail!("the hub closed the connection");
        }
        Ok(self.line.trim_end())
    }
}

/// An alert as a monitoring script sends it.
fn alert(number: u64) -> String {
    let (host, event) = (number / 20, number % 20);
    let severity = ["critical", "major", "minor", "warning", "informational"]
        .get(usize::try_from(number % 5).unwrap_or_default())
        .copied()
        .unwrap_or_default();
    format!(
        "{{\"resource\":\"server{host:05}\",\"event\":\"Check{event:02}\",\"environment\":\
         \"Production\",\"severity\":\"{severity}\",\"service\":[\"Shop\",\"Web{}\"],\"group\":\
         \"OS\",\"value\":\"{}%\",\"text\":\"Check {event} of server{host:05} says that it is not \
         well\",\"tags\":[\"rack={}\",\"linux\"],\"attributes\":{{\"region\":\"EU\",\"owner\":\
         \"team{}\"}},\"timeout\":86400}}",
        number % 7,
        number % 100,
        number % 40,
        number % 9
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_another_alert() {
        let mut seen = std::collections::HashSet::new();
        for number in 0..2_000 {
            let alert: serde_json::Value = serde_json::from_str(&alert(number)).unwrap();
            assert!(seen.insert(format!("{} {}", alert["resource"], alert["event"])));
        }
    }
}
