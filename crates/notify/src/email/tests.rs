//! Mails as aiosmtpd, a real mail server, takes them, and as Python's parser reads them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::example;
use crate::notice::{Change, Notice};
use crate::sample;
use crate::send::Client;

#[derive(Deserialize)]
struct File {
    notify: Vec<Channel>,
}

/// A mail server; it ends with the test.
struct Server {
    process: Child,
    said: BufReader<ChildStdout>,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

impl Server {
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    /// None, and a word on it, where there is no Python or no index of packages.
    fn start(mode: &str, certificates: &Path) -> Option<Server> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("clients");
        let clients = root.join("tests/clients");
        let mut install = Command::new(root.join("scripts/python-client"));
        install.arg(target).arg(clients.join("smtp.txt"));
        let made = install.output().unwrap();
        if !made.status.success() {
            eprintln!("skipped: there is no aiosmtpd: {}", String::from_utf8_lossy(&made.stderr));
            return None;
        }
        let python = String::from_utf8(made.stdout).unwrap();
        let mut command = Command::new(python.trim());
        command.arg(clients.join("smtp_server.py")).arg(mode).arg(certificates);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        Some(Server { process, said, port: line.trim().parse().unwrap() })
    }

    fn mail(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn certificates() -> Option<tempfile::TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
         -subj /CN=localhost -addext subjectAltName=DNS:localhost \
         -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem";
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(directory.path());
    match command.output() {
        Ok(done) if done.status.success() => Some(directory),
        _ => {
            eprintln!("skipped: there is no openssl program");
            None
        }
    }
}

fn channel(port: u16, more: &str) -> Channel {
    let table = format!(
        "[[notify]]\nname = 'mail'\ntype = 'email'\nserver = 'localhost:{port}'\n\
         timeout_seconds = 5\nfrom = 'Bergfried Hub <hub@example.org>'\n\
         to = ['Ops Team <ops@example.org>', 'two@example.net']\n{more}"
    );
    toml::from_str::<File>(&table).unwrap().notify.remove(0)
}

fn send(
    channel: &Channel,
    message: &Message,
    memory: Option<&Memory>,
) -> Result<Option<Memory>, SendError> {
    Client::new().send(channel, message, memory, Timestamp::from_seconds(1_700_000_000))
}

fn alert(change: Change) -> Message {
    Message::Alert(Box::new(example::notice("web1", change)))
}

#[test]
fn mails_about_one_alert_are_one_thread() {
    let Some(made) = certificates() else { return };
    let Some(mut server) = Server::start("starttls-auth", made.path()) else { return };
    let ca = format!("ca = '{}'", made.path().join("cert.pem").display());
    let channel = channel(server.port, &format!("{ca}\nuser = 'hub'\npassword = 'hidden-word'"));
    let memory = send(&channel, &alert(Change::New), None).unwrap();
    let first = server.mail();
    assert_eq!(first["tls"], true);
    assert_eq!(first["user"], "hub");
    assert_eq!(first["from"], "hub@example.org");
    assert_eq!(first["to"], serde_json::json!(["ops@example.org", "two@example.net"]));
    let headers = &first["headers"];
    assert_eq!(headers["Subject"], "HIGH: SSH password guessing on web1");
    assert_eq!(headers["Date"], "Tue, 14 Nov 2023 22:13:20 +0000");
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    assert!(headers.get("References").is_none() && headers.get("In-Reply-To").is_none());
    assert!(first["text"].as_str().unwrap().contains("User: root"), "{first}");
    assert!(first["html"].as_str().unwrap().contains("<td>root</td>"), "{first}");

    let kept = send(&channel, &alert(Change::Closed), memory.as_ref()).unwrap();
    assert_eq!(kept, memory);
    let second = &server.mail()["headers"];
    assert_eq!(second["Subject"], "Re: HIGH: SSH password guessing on web1");
    assert_eq!(second["References"], headers["Message-ID"]);
    assert_eq!(second["In-Reply-To"], headers["Message-ID"]);
    assert_ne!(second["Message-ID"], headers["Message-ID"]);
    // The same message again, as after a crash, has the same id.
    send(&channel, &alert(Change::New), None).unwrap();
    assert_eq!(server.mail()["headers"]["Message-ID"], headers["Message-ID"]);
}

#[test]
fn nothing_is_sent_in_the_clear_or_to_strangers() {
    let Some(made) = certificates() else { return };
    let Some(other) = certificates() else { return };
    let Some(mut server) = Server::start("starttls-auth", made.path()) else { return };
    let ca = |of: &tempfile::TempDir| format!("ca = '{}'\n", of.path().join("cert.pem").display());
    let login = |password: &str| format!("user = 'hub'\npassword = '{password}'");
    let refused = |more: &str| {
        let error = send(&channel(server.port, more), &alert(Change::New), None).unwrap_err();
        assert!(!error.message.contains("hidden"), "{error}");
        error
    };
    let wrong = refused(&(ca(&made) + &login("hidden-but-wrong")));
    assert_eq!((wrong.retryable, wrong.message.as_str()), (false, "the mail server answered 535"));
    let stranger = refused(&(ca(&other) + &login("hidden-word")));
    assert!(stranger.retryable && stranger.message.contains("ertificate"), "{stranger}");
    let public = refused(&login("hidden-word"));
    assert!(public.message.contains("ertificate"), "{public}");
    drop(server.process.kill());
    let away = refused(&ca(&made));
    assert!(away.retryable, "{away}");
    let Some(plain) = Server::start("plain", made.path()) else { return };
    let no_tls = send(&channel(plain.port, &ca(&made)), &alert(Change::New), None).unwrap_err();
    assert!(no_tls.message.starts_with("the mail server cannot be used"), "{no_tls}");
}

#[test]
fn tls_from_the_first_byte_and_none_on_this_machine() {
    let Some(made) = certificates() else { return };
    let Some(mut wrapped) = Server::start("tls", made.path()) else { return };
    let ca = format!("security = 'tls'\nca = '{}'", made.path().join("cert.pem").display());
    send(&channel(wrapped.port, &ca), &alert(Change::New), None).unwrap();
    assert_eq!(wrapped.mail()["to"].as_array().unwrap().len(), 2);
    let Some(mut plain) = Server::start("plain", made.path()) else { return };
    let channel = channel(plain.port, "security = 'none'");
    let nasty =
        "x\r\nBcc: evil@example.com\r\n\r\n.\r\n<script>alert(1)</script> https://evil \u{202e}";
    send(&channel, &sample::hostile(nasty), None).unwrap();
    let mail = plain.mail();
    assert_eq!(mail["to"].as_array().unwrap().len(), 2, "{mail}");
    assert!(mail["headers"].get("Bcc").is_none(), "{mail}");
    let html = mail["html"].as_str().unwrap();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
    assert!(!mail["text"].as_str().unwrap().contains("https://evil"), "{mail}");
    for message in example::every_kind() {
        send(&channel, &message, None).unwrap();
        assert!(plain.mail()["text"].is_string());
    }
}

#[test]
fn what_a_mail_server_refuses() {
    let Some(made) = certificates() else { return };
    for (mode, retryable, said) in [
        ("reject", false, "the mail server answered 550: no such user here"),
        ("busy", true, "the mail server answered 451: come back later"),
    ] {
        let Some(server) = Server::start(mode, made.path()) else { return };
        let channel = channel(server.port, "security = 'none'");
        let error = send(&channel, &alert(Change::New), None).unwrap_err();
        assert_eq!((error.retryable, error.message.as_str()), (retryable, said), "{mode}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a log says: the headers are ours, and neither part has a control character.
    #[test]
    fn no_text_breaks_out_of_a_mail(text in any::<String>()) {
        let channel = channel(25, "security = 'none'");
        let crate::channel::Target::Email(email) = &channel.target else { unreachable!() };
        let message = sample::hostile(&text);
        let now = Timestamp::from_seconds(1_700_000_000);
        let (mail, _) = email.mail("mail", &message, None, now).unwrap();
        let whole = String::from_utf8(mail.formatted()).unwrap();
        let (head, _) = whole.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split_once(':').unwrap().0)
            .collect();
        let expected = [
            "From", "Date", "Message-ID", "Auto-Submitted", "To", "Subject", "MIME-Version",
            "Content-Type",
        ];
        prop_assert_eq!(names, expected);
        let outline = Outline::of(&message);
        for part in [as_text(&outline), as_html(&outline)] {
            prop_assert!(!part.replace('\n', "").contains(char::is_control), "{part:?}");
        }
        let html = as_html(&outline);
        let tags = html.split('<').skip(1).map(|tag| tag.split(['>', ' ']).next().unwrap());
        let ours = ["!DOCTYPE", "html", "body", "h2", "p", "table", "tr", "th", "td", "pre", "small"];
        for tag in tags {
            prop_assert!(ours.contains(&tag.trim_start_matches('/')), "{tag}");
        }
    }
}

#[test]
fn a_notice_without_a_link_is_a_mail_too() {
    let channel = channel(25, "security = 'none'");
    let Channel { target: crate::channel::Target::Email(email), .. } = &channel else { panic!() };
    let notice = Notice { link: None, ..example::notice("wéb1", Change::New) };
    let message = Message::Alert(Box::new(notice));
    let (mail, memory) =
        email.mail("mail", &message, None, Timestamp::from_seconds(1_700_000_000)).unwrap();
    let Memory::Email { subject, first } = memory else { panic!() };
    assert_eq!(subject, "HIGH: SSH password guessing on wéb1");
    assert!(first.starts_with('<') && first.ends_with("@example.org>"), "{first}");
    assert!(mail.formatted().is_ascii());
}
