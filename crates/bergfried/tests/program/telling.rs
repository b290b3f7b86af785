//! What people are told of agents, and over channels that are no web server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::hub::{Hub, batch_of};
use crate::support::lines::ago;
use crate::support::receiver::{Mood, Receiver};
use crate::support::{wait_for, wait_until};

fn configuration(directory: &Path, text: &str) -> PathBuf {
    let path = directory.join("hub.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn new_user(host: &str) -> String {
    format!("{} {host} useradd[9]: new user: name=eve, UID=1002, GID=1002, home=/home/eve", ago(0))
}

#[test]
fn an_agent_that_falls_silent_is_told_of_and_so_is_its_return() {
    let directory = tempfile::tempdir().unwrap();
    let hook = Receiver::start(Mood::Take);
    let text = format!(
        "[hosts]\nsilent_after = '5s'\n[[notify]]\nname = 'hook'\ntype = 'webhook'\nurl = '{}'\n\
         [[route]]\nname = 'agents'\nwhen = 'agent:*'\nchannels = ['hook']\n",
        hook.url
    );
    let data = directory.path().join("data");
    let config = configuration(directory.path(), &text);
    let hub = Hub::start_with_config(&data, &config);
    assert_eq!(hub.send("1", "web1", &[new_user("web1")]).status, 200);
    let told = hook.wait(1)[0].json.clone();
    let said = |told: &Value| json!([told["kind"], told["agent"], told["online"]]);
    assert_eq!(said(&told), json!(["agent", "web1", false]), "{told}");
    assert!(told["last_seen"].is_string(), "{told}");
    let beats = hub.get("/api/v1/heartbeats").to_string();
    assert!(beats.contains("agent/web1"), "{beats}");

    // The hub dies, and does not tell again what it told.
    hub.kill();
    let hub = Hub::start_with_config(&data, &config);
    // A batch without records is enough to be heard of; it is stored nowhere.
    let stored = hub.stored();
    assert_eq!(hub.send_body(&batch_of("2", "web1", &[])).status, 200);
    let told = hook.wait(2)[1].json.clone();
    assert_eq!(said(&told), json!(["agent", "web1", true]), "{told}");
    assert_eq!(hub.stored(), stored);
    let agents = hub.get("/api/v1/agents");
    assert_eq!(agents[0]["host"], "web1", "{agents}");
    wait_until("the alert to be closed", || {
        let alerts = hub.alerts();
        let fail = alerts.iter().find(|alert| alert["resource"] == "agent/web1");
        fail.is_some_and(|alert| alert["status"] == "closed")
    });
    // Nobody is asked for the event of a new user by this route.
    assert!(hook.got().iter().all(|webhook| webhook.json["kind"] == "agent"));
}

#[test]
fn silence_of_agents_can_be_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let watching = configuration(directory.path(), "[hosts]\nsilent_after = '1h'\n");
    let hub = Hub::start_with_config(&data, &watching);
    assert_eq!(hub.send("1", "web1", &[new_user("web1")]).status, 200);
    let beats = |hub: &Hub| hub.get("/api/v1/heartbeats").to_string();
    wait_until("the agent's heartbeat", || beats(&hub).contains("agent/web1"));
    hub.interrupt();
    let never = configuration(directory.path(), "[hosts]\nwatch = 'none'\n");
    let hub = Hub::start_with_config(&data, &never);
    assert!(!beats(&hub).contains("agent/web1"));
}

/// A mail server that takes everything, without any extension; the mails that came.
fn mail_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mails: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&mails);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), kept) = (stream, Arc::clone(&kept)) else { return };
            std::thread::spawn(move || {
                // Who hangs up is heard of by the test, which then misses a mail.
                let _ended = take_mail(stream, &kept);
            });
        }
    });
    (address, mails)
}

fn take_mail(mut stream: TcpStream, mails: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 test\r\n")?;
    while let Some(line) = lines.next() {
        let line = line?;
        let answer = match line.split(' ').next().unwrap_or_default() {
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let mut mail = String::new();
                for line in lines.by_ref() {
                    match line? {
                        end if end == "." => break,
                        line => mail.push_str(&(line + "\n")),
                    }
                }
                mails.lock().unwrap().push(mail);
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => "250 test",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}

#[test]
fn mails_and_programs_tell_of_an_alert_and_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let (server, mails) = mail_server();
    let (program, told) = (directory.path().join("tell"), directory.path().join("told"));
    let script = format!(
        "#!/bin/sh\n{{ echo \"$BERGFRIED_KIND $BERGFRIED_RESOURCE\"; cat; echo; }} >> '{}'\n",
        told.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let text = format!(
        "[[notify]]\nname = 'mail'\ntype = 'email'\nserver = '{server}'\nsecurity = 'none'\n\
         from = 'hub@example.org'\nto = ['ops@example.org']\n\
         [[notify]]\nname = 'own'\ntype = 'exec'\ncommand = ['{}']\n\
         [[route]]\nmin_severity = 'low'\nchannels = ['mail', 'own']\n",
        program.display()
    );
    let config = configuration(directory.path(), &text);
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    assert_eq!(hub.send("1", "web1", &[new_user("web1")]).status, 200);
    let mail = |number: usize| wait_for("a mail", || mails.lock().unwrap().get(number).cloned());
    let first = mail(0);
    assert!(first.contains("To: ops@example.org"), "{first}");
    assert!(first.contains("User created"), "{first}");
    let told = || std::fs::read_to_string(&told).unwrap_or_default();
    wait_until("the program", || told().contains("alert web1\n"));
    let id = hub.alerts()[0]["id"].as_str().unwrap().to_owned();
    let body: Value = serde_json::from_str(told().lines().nth(1).unwrap()).unwrap();
    assert_eq!(body["alert"]["id"], id.as_str(), "{body}");

    assert_eq!(hub.ask("POST", &format!("/api/v1/alerts/{id}/close"), "").status, 200);
    let last = mail(1);
    let header = |mail: &str, name: &str| {
        let line = mail.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.unwrap_or_else(|| panic!("no {name} in {mail}"))
    };
    let thread = header(&first, "Message-ID: ");
    assert_eq!(header(&last, "In-Reply-To: "), thread);
    wait_until("the program again", || told().matches("alert web1\n").count() == 2);
}
