//! Apache itself, from Debian: what clients send it is read from its logs, field by field.
//!
//! Skips with a message where there is no Apache.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bergfried_event::{SourceKind, Timestamp, readable};
use bergfried_parse::{Context, parse};
use serde_json::Value as Json;

const MODULES: [&str; 6] =
    ["mpm_prefork", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic"];

/// The password is `secret`.
const USERS: &str = "anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n";

const CONFIGURATION: &str = r#"
ServerName www.example.org
ErrorLog error.log
LogFormat "%h %l %u %t \"%r\" %>s %b" common
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined
LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined
LogFormat "{\"time\":\"%t\",\"remoteIP\":\"%a\",\"host\":\"%V\",\"request\":\"%r\",\"method\":\"%m\",\"user\":\"%u\",\"status\":\"%>s\",\"userAgent\":\"%{User-agent}i\",\"referer\":\"%{Referer}i\"}" json
CustomLog common.log common
CustomLog combined.log combined
CustomLog vhost.log vhost_combined
CustomLog json.log json
<Location /private>
    AuthType Basic
    AuthName x
    AuthUserFile users
    Require valid-user
</Location>
<Location /forbidden>
    Require all denied
</Location>
"#;

/// A running Apache; ends and leaves nothing when it is dropped.
struct Apache {
    process: Child,
    directory: PathBuf,
    port: u16,
}

impl Apache {
    fn start() -> Option<Apache> {
        let modules = Path::new("/usr/lib/apache2/modules");
        if !modules.is_dir() || Command::new("apache2").arg("-v").output().is_err() {
            eprintln!("skipped: there is no apache2");
            return None;
        }
        let name = format!("apache-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(directory.join("html")).unwrap();
        fs::write(directory.join("html/index.html"), "hello\n").unwrap();
        fs::write(directory.join("users"), USERS).unwrap();
        let loaded = MODULES
            .map(|name| format!("LoadModule {name}_module {}/mod_{name}.so\n", modules.display()));
        let home = directory.display();
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let configuration = format!(
                "ServerRoot {home}\nDefaultRuntimeDir {home}\nPidFile {home}/pid\n\
                 Listen 127.0.0.1:{port}\nDocumentRoot {home}/html\n{}{CONFIGURATION}",
                loaded.concat()
            );
            fs::write(directory.join("apache.conf"), configuration).unwrap();
            let process = Command::new("apache2")
                .args(["-X", "-f"])
                .arg(directory.join("apache.conf"))
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut apache = Apache { process, directory: directory.clone(), port };
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(90)
                && apache.process.try_wait().unwrap().is_none()
            {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Some(apache);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        panic!("apache2 does not start");
    }

    fn send(&self, request: &[u8]) -> Option<i64> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// The lines of a log, once there are so many: Apache writes them after it has answered. The
    /// connection that saw it start has none, or one without a request.
    fn lines(&self, log: &str, count: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let bytes = fs::read(self.directory.join(log)).unwrap_or_default();
            let text = readable(&bytes);
            let lines: Vec<String> = text
                .lines()
                .filter(|line| !line.contains("\"-\" 408") && !line.contains("\"request\":\"-\""))
                .map(str::to_owned)
                .collect();
            if lines.len() >= count || started.elapsed() > Duration::from_secs(90) {
                assert_eq!(lines.len(), count, "lines of {log}");
                return lines;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
        let _removed = fs::remove_dir_all(&self.directory);
    }
}

fn read(line: &str) -> Json {
    let context = Context {
        received: Timestamp::from_seconds(0),
        host: "web1",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    serde_json::to_value(parse(SourceKind::File, line, &context)).unwrap()
}

const FORGED: &str =
    "\" 192.0.2.66 - - [21/Nov/2026:10:00:00 +0000] \"GET /forged HTTP/1.1\" 200 \\x22 \\ é";

/// A request line, a user agent that is the referrer as well, and credentials with their user.
type Sent = (&'static str, &'static str, Option<(&'static str, &'static str)>);

const SENT: &[Sent] = &[
    ("GET /index.html?lang=de HTTP/1.1", "test/1", None),
    ("GET /any?f=..%2f..%2fetc%2fpasswd HTTP/1.1", "test/1", None),
    ("GET /caf%C3%A9 HTTP/1.1", "test/1", None),
    ("HEAD / HTTP/1.1", "test/1", None),
    ("PUT /shell.php HTTP/1.1", "test/1", None),
    ("GET /missing HTTP/1.1", FORGED, None),
    ("GET /forbidden HTTP/1.1", "test/1", None),
    ("GET /private/x HTTP/1.1", "test/1", Some(("YW5uYTp3cm9uZw==", "anna"))),
    ("GET /private/x HTTP/1.1", "test/1", Some(("YW5uYTpzZWNyZXQ=", "anna"))),
    (
        "GET /private/x HTTP/1.1",
        "test/1",
        Some((
            "ZXZlIiB3YXMgbm90IGZvdW5kIGluICJ4LCB5IFsyMS9Ob3ZdIC0gLTpw",
            "eve\" was not found in \"x, y [21/Nov] - -",
        )),
    ),
];

#[test]
fn every_request_is_read_from_each_of_its_logs() {
    let Some(apache) = Apache::start() else { return };
    let mut answers = Vec::new();
    for (line, text, login) in SENT {
        let login =
            login.map_or(String::new(), |(word, _)| format!("Authorization: Basic {word}\r\n"));
        let request = format!(
            "{line}\r\nHost: other.example\r\nConnection: close\r\nUser-Agent: {text}\r\nReferer: {text}\r\n{login}\r\n"
        );
        answers.push(apache.send(request.as_bytes()).unwrap());
    }
    for log in ["common.log", "combined.log", "vhost.log", "json.log"] {
        let lines = apache.lines(log, SENT.len());
        for (((sent, text, login), status), line) in SENT.iter().zip(&answers).zip(&lines) {
            let event = read(line);
            let (method, rest) = sent.split_once(' ').unwrap();
            let url = rest.strip_suffix(" HTTP/1.1").unwrap();
            assert_eq!(event["event.action"], "http-request", "{log}: {line}");
            assert_eq!(event["source.ip"], "127.0.0.1", "{log}: {line}");
            assert_eq!(event["http.request.method"], method, "{log}: {line}");
            assert_eq!(event["url.original"], url, "{log}: {line}");
            assert_eq!(event["http.response.status_code"], *status, "{log}: {line}");
            assert_eq!(
                event["user.name"],
                Json::from(login.map(|(_, user)| user)),
                "{log}: {line}"
            );
            assert_ne!(event["@timestamp"], "1970-01-01T00:00:00Z", "{log}: {line}");
            assert_eq!(event["host.name"], "web1", "{log}: {line}");
            // Bytes beyond ASCII stay escaped in what is no JSON.
            let whole = log != "json.log" || text.is_ascii();
            if log != "common.log" && whole {
                assert_eq!(event["user_agent.original"], *text, "{log}: {line}");
                assert_eq!(event["http.request.referrer"], *text, "{log}: {line}");
            }
            if log == "vhost.log" {
                assert_eq!(event["url.domain"], "www.example.org", "{line}");
            }
        }
    }
    let log = fs::read_to_string(apache.directory.join("error.log")).unwrap();
    let events: Vec<Json> = log.lines().map(read).collect();
    assert!(events.iter().all(|event| event["event.dataset"] == "apache.error"), "{log}");
    let failed: Vec<(&Json, &Json, &Json)> = events
        .iter()
        .filter(|event| event["event.action"] == "web_login")
        .map(|event| (&event["user.name"], &event["source.ip"], &event["event.reason"]))
        .collect();
    let address = Json::from("127.0.0.1");
    let (anna, eve) = (Json::from("anna"), Json::from(SENT.last().unwrap().2.unwrap().1));
    let (wrong, unknown) = (Json::from("password mismatch"), Json::from("unknown user"));
    assert_eq!(failed, [(&anna, &address, &wrong), (&eve, &address, &unknown)], "{log}");
    let denied = events.iter().filter(|event| event["event.action"] == "http-denied").count();
    assert_eq!(denied, 1, "{log}");
}
