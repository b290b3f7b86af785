//! The hub's HTTP listener with a certificate, and who trusts it.

use std::process::Command;

use crate::support::certificates::Certificates;
use crate::support::hub::Hub;
use crate::support::lines::break_in;
use crate::support::process::{bergfried, run_with};

#[test]
fn https_is_for_others_and_plain_http_for_this_machine() {
    let directory = tempfile::tempdir().unwrap();
    let Some(made) = Certificates::make(directory.path()) else { return };
    made.sign("hub", "DNS:localhost");
    made.sign("next", "DNS:localhost");
    let config = directory.path().join("hub.toml");
    let tls = format!(
        "[tls]\ncertificate = '{}'\nkey = '{}'\n",
        made.path("hub.pem"),
        made.path("hub.key")
    );
    std::fs::write(&config, tls).unwrap();
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    assert!(hub.process.out().contains("https://127.0.0.1:"), "{}", hub.process.out());
    assert_eq!(hub.send("1", "web", &break_in("web", "bob", "203.0.113.7")).status, 200);
    let port = hub.url.rsplit_once(':').unwrap().1;
    let url = format!("https://localhost:{port}");

    let asked = |ca: &str, more: &[&str]| {
        let mut command = bergfried(&["search", "bob", "--format", "json", "--url", &url]);
        command.env("BERGFRIED_DATA_DIR", &hub.data).args(["--ca-file", ca]).args(more);
        run_with(command, b"")
    };
    let done = asked(&made.path("ca.pem"), &[]);
    assert!(done.code == Some(0) && done.out.contains("203.0.113.7"), "{done:?}");
    let done = asked(&made.path("hub.key"), &[]);
    assert!(done.err.contains("no certificate in it"), "{done:?}");
    let mut untrusting = bergfried(&["search", "bob", "--url", &url]);
    untrusting.env("BERGFRIED_DATA_DIR", &hub.data);
    let done = run_with(untrusting, b"");
    assert!(done.code != Some(0) && done.err.contains("cannot reach the hub"), "{done:?}");

    let mut old = Command::new("openssl");
    old.args(["s_client", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", "-connect"]);
    old.arg(format!("127.0.0.1:{port}"));
    let done = run_with(old, b"");
    assert!(done.err.contains(" alert ") && done.out.contains("Cipher is (NONE)"), "{done:?}");

    let served = || {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-showcerts", "-connect", &format!("127.0.0.1:{port}")]);
        run_with(client, b"").out
    };
    assert!(served().contains("CN = hub"));
    for (from, to) in [("next.key", "hub.key"), ("next.pem", "hub.pem")] {
        std::fs::copy(made.path(from), made.path(to)).unwrap();
    }
    crate::support::wait_until("the new certificate", || served().contains("CN = next"));
}

#[test]
fn an_agent_trusts_the_ca_that_it_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let Some(made) = Certificates::make(directory.path()) else { return };
    made.sign("hub", "IP:127.0.0.1");
    let config = directory.path().join("hub.toml");
    let (certificate, key) = (made.path("hub.pem"), made.path("hub.key"));
    let tls = format!("[tls]\ncertificate = '{certificate}'\nkey = '{key}'\n");
    std::fs::write(&config, tls).unwrap();
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    let log = directory.path().join("auth.log");
    std::fs::write(&log, break_in("web", "bob", "203.0.113.7").join("\n") + "\n").unwrap();
    let url = hub.url.replace("http:", "https:");
    let mut command = bergfried(&["agent", "--hub", &url, "--from", "start", "--journald", "off"]);
    command.arg("--file").arg(&log).arg("--state-dir").arg(directory.path().join("state"));
    command.args(["--token-file", hub.data.join("agent.token").to_str().unwrap()]);
    command.args(["--ca-file", &made.path("ca.pem")]);
    let mut agent = crate::support::process::Process::spawn(&mut command);
    crate::support::wait_until("the lines", || !hub.search("203.0.113.7").is_empty());
    assert!(agent.interrupt().0.success());
}
