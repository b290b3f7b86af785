//! `GET /install.sh`: one line of a shell that connects a host to this hub, and the program for it.
//!
//! The script needs no key, for it holds no secret; the program is given to those who have an agent's
//! token. What is put into the script stands between quotes, and nothing that could end them is.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ring::digest::{Context, SHA256};
use tokio::sync::{OnceCell, Semaphore};

use crate::auth::Agent;
use crate::error::{ApiError, blocking};
use crate::lines::Lines;
use crate::router::State;

const SCRIPT: &str = include_str!("install.sh");
const UNIT: &str = include_str!("../../../../../deploy/systemd/bergfried-agent.service");
/// How the unit starts the slim agent; here it is the whole program that is an agent.
const SLIM: &str = "/usr/local/bin/bergfried-agent --token-file %d/token";
/// The longest name of this hub that is believed.
const MAX_HOST: usize = 260;
/// How many fetch the program at once.
const DOWNLOADS: usize = 4;
const CHUNK: usize = 256 << 10;

/// What this hub hands to hosts.
pub(crate) struct Installer {
    /// The console's address as it is configured.
    console: Option<String>,
    /// SHA-256 of the program, in hex.
    digest: OnceCell<String>,
    downloads: std::sync::Arc<Semaphore>,
}

impl Installer {
    pub(crate) fn new(console: Option<String>) -> Installer {
        let downloads = std::sync::Arc::new(Semaphore::new(DOWNLOADS));
        Installer { console, digest: OnceCell::new(), downloads }
    }
}

/// `GET /install.sh`
pub(crate) async fn script(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let url = url(&state, &headers)?;
    let digest =
        state.installer.digest.get_or_try_init(|| blocking(|| digest().map_err(unreadable)));
    let script = filled(&url, digest.await?);
    let headers = [
        (header::CONTENT_TYPE, "text/x-shellscript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, script).into_response())
}

/// `GET /install/bergfried`
pub(crate) async fn program(
    _agent: Agent,
    Shared(state): Shared<State>,
) -> Result<Response, ApiError> {
    let Ok(permit) = state.installer.downloads.clone().try_acquire_owned() else {
        return Err(ApiError::later(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{DOWNLOADS} hosts fetch the program already"),
            10,
        ));
    };
    let mut file = File::open(own_program()).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let (chunks, body) = tokio::sync::mpsc::channel::<Bytes>(2);
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            match file.by_ref().take(CHUNK as u64).read_to_end(&mut chunk) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot read the hub's own program");
                    return;
                }
            }
            // Whoever fetched it has gone.
            if chunks.blocking_send(chunk.into()).is_err() {
                return;
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(Lines::new(body))).into_response())
}

/// The program that runs, also where another has taken its place on the disk since.
fn own_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { running } else { std::env::current_exe().unwrap_or(running) }
}

fn digest() -> std::io::Result<String> {
    let mut file = File::open(own_program())?;
    let mut context = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk)?;
        match chunk.get(..read) {
            Some(bytes) if read > 0 => context.update(bytes),
            _ => break,
        }
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn unreadable(error: std::io::Error) -> ApiError {
    ApiError::internal(&format_args!("cannot read the hub's own program: {error}"))
}

/// Under which address hosts reach this hub: as configured, or as whoever asks reached it.
fn url(state: &State, headers: &HeaderMap) -> Result<String, ApiError> {
    if let Some(console) = state.installer.console.as_deref().and_then(clean_url) {
        return Ok(console);
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| is_host(host)).ok_or_else(|| {
        ApiError::invalid("the header `Host` is no name of a host: set `console_url` at the hub")
    })?;
    let scheme = if state.tls.is_some() { "https" } else { "http" };
    Ok(format!("{scheme}://{host}"))
}

/// A configured address without its last slash, where it holds nothing that a script could take for
/// its own.
fn clean_url(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_path = path.bytes().all(|c| c.is_ascii_alphanumeric() || b"/._~-".contains(&c));
    (is_host(host) && is_path).then(|| url.trim_end_matches('/').to_owned())
}

/// A name or address, perhaps with a port.
fn is_host(host: &str) -> bool {
    let is_one = |c: u8| c.is_ascii_alphanumeric() || b".-:[]".contains(&c);
    (1..=MAX_HOST).contains(&host.len()) && host.bytes().all(is_one)
}

fn filled(url: &str, digest: &str) -> String {
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let start =
        format!("/usr/local/bin/bergfried agent --hub {url} --token-file %d/token@OPTIONS@");
    // Its first lines say how to install it by hand.
    let unit: Vec<&str> = UNIT.lines().filter(|line| !line.starts_with('#')).collect();
    SCRIPT
        .replace("@UNIT@", &unit.join("\n").replace(SLIM, &start))
        .replace("@URL@", url)
        .replace("@PLATFORM@", &platform)
        .replace("@DIGEST@", digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_hosts_are_put_into_the_script() {
        for host in ["hub", "hub.example.org:8000", "192.0.2.7", "[2001:db8::1]:8000"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "a b", "a'b", "$(id)", "a`id`", "a\"b", "a/b", "a\\b", "ä", "a;b", "a\nb"]
        {
            assert!(!is_host(host), "{host}");
        }
        for (url, clean) in [
            ("https://hub.example.org/", Some("https://hub.example.org")),
            ("http://hub:8000/bergfried/", Some("http://hub:8000/bergfried")),
            ("ftp://hub", None),
            ("https://hub/'$(id)'", None),
            ("https://hub/?a", None),
        ] {
            assert_eq!(clean_url(url).as_deref(), clean, "{url}");
        }
    }

    #[test]
    fn the_script_is_whole() {
        let script = filled("https://hub.example.org", &"0".repeat(64));
        for left in ["@URL@", "@PLATFORM@", "@DIGEST@", "@UNIT@"] {
            assert!(!script.contains(left), "{left}");
        }
        let start = "ExecStart=/usr/local/bin/bergfried agent --hub https://hub.example.org --token-file \
                     %d/token@OPTIONS@ --state-dir /var/lib/bergfried-agent\n";
        assert!(script.contains(start), "{script}");
        let shell = std::process::Command::new("sh").args(["-n", "-c", &script]).status().unwrap();
        assert!(shell.success());
    }
}
