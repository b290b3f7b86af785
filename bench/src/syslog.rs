//! Sends lines as syslog to a receiver, as fast as it takes them or at a pace, and measures until the
//! receiver has them: in a hub's store, or as lines of a file.
//!
//! Everything is framed before the clock starts. Says what share of the processors it took itself.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bergfried_syslog::relp::{self, Command};
use clap::{Parser, ValueEnum};

/// How long nothing may arrive before it is taken that nothing more will.
const QUIET: Duration = Duration::from_secs(3);
/// How often the receiver is asked.
const ASK: Duration = Duration::from_millis(20);
/// How much is written to a connection at once.
const WRITE: usize = 128 << 10;
/// How many messages of a RELP connection may be without an answer.
const WINDOW: usize = 4_096;
/// How many are written at once.
const RUN: usize = 256;
/// What a RELP client offers.
const OFFERS: &[u8] = b"relp_version=0\nrelp_software=bergfried-bench\ncommands=syslog";

/// Sends a file's lines as syslog and prints: sent, arrived, seconds, arrived per second, and its own
/// share of the processor time in percent of one processor
#[derive(Parser, Debug)]
struct Arguments {
    /// Where to
    #[arg(long)]
    to: SocketAddr,
    /// How messages are told apart
    #[arg(long, value_enum, default_value_t = Framing::Lines)]
    framing: Framing,
    /// How many connections send at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    connections: u32,
    /// How many datagrams a second
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// A hub that stores them, such as http://127.0.0.1:8000
    #[arg(long, requires = "key_file")]
    hub: Option<String>,
    /// A file that holds an admin key of the hub
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// Or a file that they are written to, one a line
    #[arg(long, conflicts_with = "hub", required_unless_present = "hub")]
    into: Option<PathBuf>,
    /// The lines
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Framing {
    /// TCP, a line feed behind each
    Lines,
    /// TCP, the number of bytes before each
    Counted,
    /// UDP, a datagram each
    Datagrams,
    /// RELP, a frame each; sent are those that were answered as stored
    Relp,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let text = fs::read(&arguments.file)
        .with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let messages: Vec<Vec<u8>> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| framed(line, arguments.framing))
        .collect();
    drop(text);
    let mut receiver = Receiver::new(&arguments)?;
    let before = receiver.count()?;
    let parts = match arguments.framing {
        Framing::Lines | Framing::Counted => parts(&messages, arguments.connections as usize),
        Framing::Datagrams | Framing::Relp => Vec::new(),
    };

    let begin = Instant::now();
    let used = processor_time()?;
    let to = arguments.to;
    let sending = match arguments.framing {
        Framing::Datagrams => {
            thread::spawn(move || send_paced(&messages, to, f64::from(arguments.rate)))
        }
        Framing::Relp => {
            let connections = arguments.connections as usize;
            thread::spawn(move || send_relp(&messages, connections, to))
        }
        Framing::Lines | Framing::Counted => thread::spawn(move || send_streams(parts, to)),
    };
    let (mut arrived, mut last) = (0, begin);
    let mut sent = None;
    let mut sending = Some(sending);
    while sent.is_none_or(|sent: u64| arrived < sent) && last.elapsed() < QUIET {
        if sending.as_ref().is_some_and(thread::JoinHandle::is_finished)
            && let Some(Ok(done)) = sending.take().map(thread::JoinHandle::join)
        {
            sent = Some(done?);
        }
        let now = receiver.count()? - before;
        if now > arrived {
            (arrived, last) = (now, Instant::now());
        }
        thread::sleep(ASK);
    }
    let Some(sent) = sent else { bail!("the receiver takes nothing more") };
    let seconds = (last - begin).as_secs_f64();
    let share = (processor_time()? - used) / begin.elapsed().as_secs_f64() * 100.0;
    let rate = arrived as f64 / seconds;
    writeln!(io::stdout(), "{sent}\t{arrived}\t{seconds:.3}\t{rate:.0}\t{share:.0}")?;
    Ok(ExitCode::SUCCESS)
}

/// The line as a message of the facility auth, severity info.
fn framed(line: &[u8], framing: Framing) -> Vec<u8> {
    let mut message = b"<38>".to_vec();
    message.extend_from_slice(line);
    match framing {
        Framing::Lines => message.push(b'\n'),
        Framing::Counted => {
            let mut counted = format!("{} ", message.len()).into_bytes();
            counted.append(&mut message);
            message = counted;
        }
        Framing::Datagrams | Framing::Relp => {}
    }
    message
}

/// The messages in so many runs, each as one text, with its number of messages.
fn parts(messages: &[Vec<u8>], connections: usize) -> Vec<(Vec<u8>, u64)> {
    let each = messages.len().div_ceil(connections).max(1);
    messages.chunks(each).map(|run| (run.concat(), run.len() as u64)).collect()
}

fn send_streams(parts: Vec<(Vec<u8>, u64)>, to: SocketAddr) -> anyhow::Result<u64> {
    let senders: Vec<_> = parts
        .into_iter()
        .map(|(text, count)| {
            thread::spawn(move || -> io::Result<u64> {
                let mut stream = TcpStream::connect(to)?;
                for piece in text.chunks(WRITE) {
                    stream.write_all(piece)?;
                }
                Ok(count)
            })
        })
        .collect();
    let mut sent = 0;
    for sender in senders {
        match sender.join() {
            Ok(count) => sent += count?,
            Err(_) => bail!("a connection's thread panicked"),
        }
    }
    Ok(sent)
}

fn send_paced(messages: &[Vec<u8>], to: SocketAddr, rate: f64) -> anyhow::Result<u64> {
    let socket = UdpSocket::bind(SocketAddr::new(to.ip(), 0))?;
    let begin = Instant::now();
    let mut rest = messages.iter();
    let mut sent = 0_u64;
    loop {
        let due = begin.elapsed().as_secs_f64() * rate;
        while (sent as f64) < due {
            let Some(message) = rest.next() else { return Ok(sent) };
            socket.send_to(message, to)?;
            sent += 1;
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// Sends each connection's messages with at most [`WINDOW`] unanswered; how many were answered.
fn send_relp(messages: &[Vec<u8>], connections: usize, to: SocketAddr) -> anyhow::Result<u64> {
    let each = messages.len().div_ceil(connections).max(1);
    thread::scope(|scope| {
        let senders: Vec<_> = messages
            .chunks(each)
            .map(|messages| scope.spawn(move || send_windowed(messages, to)))
            .collect();
        let mut answered = 0;
        for sender in senders {
            match sender.join() {
                Ok(count) => answered += count?,
                Err(_) => bail!("a connection's thread panicked"),
            }
        }
        Ok(answered)
    })
}

fn send_windowed(messages: &[Vec<u8>], to: SocketAddr) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(to)?;
    let mut reader = relp::Reader::new(1 << 10);
    let mut buffer = vec![0; 64 << 10];
    let mut out = Vec::with_capacity(WRITE);
    let mut number = 1;
    relp::write_frame(&mut out, number, Command::Open, OFFERS);
    stream.write_all(&out)?;
    let mut runs = messages.chunks(RUN).peekable();
    // The first answer is to the offers.
    let (mut unanswered, mut answers) = (1, 0_u64);
    while unanswered > 0 || runs.peek().is_some() {
        while answers > 0
            && unanswered + RUN <= WINDOW
            && let Some(run) = runs.next()
        {
            out.clear();
            for message in run {
                number = relp::next_number(number);
                relp::write_frame(&mut out, number, Command::Syslog, message);
            }
            stream.write_all(&out)?;
            unanswered += run.len();
        }
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            bail!("the receiver closed with {unanswered} messages unanswered");
        }
        let mut refused = None;
        reader.push(buffer.get(..read).unwrap_or_default(), &mut |frame| {
            if frame.command == Command::Rsp && relp::status(frame.data) == Some(200) {
                unanswered = unanswered.saturating_sub(1);
                answers += 1;
            } else {
                refused = Some(String::from_utf8_lossy(frame.data).into_owned());
            }
        })?;
        if let Some(refused) = refused {
            bail!("the receiver refused: {refused}");
        }
    }
    out.clear();
    relp::write_frame(&mut out, relp::next_number(number), Command::Close, b"");
    stream.write_all(&out)?;
    // The first was to the offers.
    Ok(answers.saturating_sub(1))
}

/// Whoever says how many messages have arrived.
enum Receiver {
    Hub { agent: ureq::Agent, url: String, bearer: String },
    File { path: PathBuf, file: Option<fs::File>, lines: u64 },
}

impl Receiver {
    fn new(arguments: &Arguments) -> anyhow::Result<Receiver> {
        if let (Some(url), Some(key)) = (&arguments.hub, &arguments.key_file) {
            let key = fs::read_to_string(key)?;
            let url = format!("{}/api/v1/status", url.trim_end_matches('/'));
            let bearer = format!("Bearer {}", key.trim());
            return Ok(Receiver::Hub { agent: ureq::Agent::new_with_defaults(), url, bearer });
        }
        let Some(path) = arguments.into.clone() else { bail!("neither --hub nor --into") };
        Ok(Receiver::File { path, file: None, lines: 0 })
    }

    fn count(&mut self) -> anyhow::Result<u64> {
        match self {
            Receiver::Hub { agent, url, bearer } => {
                let request = agent.get(url.as_str()).header("Authorization", bearer.as_str());
                let status = request.call()?.body_mut().read_to_string()?;
                let status: serde_json::Value = serde_json::from_str(&status)?;
                let events = status.pointer("/store/events").and_then(serde_json::Value::as_u64);
                events.context("the hub does not say how many events it has")
            }
            Receiver::File { path, file, lines } => {
                if file.is_none() {
                    *file = fs::File::open(&*path).ok();
                }
                let Some(file) = file else { return Ok(0) };
                let mut buffer = vec![0; 1 << 20];
                loop {
                    let read = file.read(&mut buffer)?;
                    let new = buffer.get(..read).unwrap_or_default();
                    *lines += new.iter().filter(|byte| **byte == b'\n').count() as u64;
                    if read == 0 {
                        return Ok(*lines);
                    }
                }
            }
        }
    }
}

/// Seconds of processor time that this process has taken (proc_pid_stat(5), in hundredths).
fn processor_time() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat has no name")?;
    let ticks = fields.split_ascii_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_framed() {
        assert_eq!(framed(b"line", Framing::Lines), b"<38>line\n");
        assert_eq!(framed(b"line", Framing::Counted), b"8 <38>line");
        assert_eq!(framed(b"line", Framing::Datagrams), b"<38>line");
        assert_eq!(framed(b"line", Framing::Relp), b"<38>line");
    }

    #[test]
    fn every_message_is_in_one_part() {
        let messages: Vec<Vec<u8>> = (0..10).map(|n| format!("{n}\n").into_bytes()).collect();
        let parts = parts(&messages, 4);
        assert_eq!(parts.iter().map(|(_, count)| count).sum::<u64>(), 10);
        let all: Vec<u8> = parts.into_iter().flat_map(|(text, _)| text).collect();
        assert_eq!(all, messages.concat());
    }
}
