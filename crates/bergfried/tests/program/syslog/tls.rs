//! Syslog over TLS: rsyslog's and syslog-ng's, certificates asked for, and old versions refused.

use std::io::Write as _;
use std::process::Command;

use super::shippers::syslog_ng;
use super::{address, events, hub_with, input, stamped};
use crate::support::certificates::Certificates;
use crate::support::process::{Process, run_with};
use crate::support::rsyslog::Rsyslog;
use crate::support::{wait_for, wait_until};

/// How many messages go each way.
const MESSAGES: usize = 200;

fn lines() -> Vec<Vec<u8>> {
    let line = |index| stamped(&format!("<38>{{STAMP}} web1 app[77]: message {index}\n"));
    (0..MESSAGES).map(line).collect()
}

/// An input that anyone may send to, one that asks for certificates, and one for each of these
/// certificates that may speak for `web*` alone.
fn inputs(made: &Certificates) -> String {
    let tls = format!(
        "type = 'syslog'\ntls = '127.0.0.1:0'\ncertificate = '{}'\nkey = '{}'\n",
        made.path("hub.pem"),
        made.path("hub.key")
    );
    let ca = made.path("ca.pem");
    format!(
        "[[input]]\nname = 'open'\n{tls}\
         [[input]]\nname = 'asking'\n{tls}client_ca = '{ca}'\n\
         [[input.sender]]\ncertificate = 'gate.example.org'\nhosts = ['web*']\n"
    )
}

#[test]
fn rsyslog_sends_over_tls_with_and_without_a_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let Some(made) = Certificates::make(directory.path()) else { return };
    made.sign("hub", "DNS:hub.example.org");
    made.sign("gate", "DNS:gate.example.org");
    let hub = hub_with(directory.path(), &inputs(&made));
    let port = |name| address(&hub, name, "tls").port();
    let to = |name| format!("target=\"127.0.0.1\" port=\"{}\" protocol=\"tcp\"", port(name));
    for (driver, module) in [("gtls", "lmnsd_gtls.so"), ("ossl", "lmnsd_ossl.so")] {
        let actions = format!(
            "global(defaultNetstreamDriverCAFile=\"{ca}\"\n\
                    defaultNetstreamDriverCertFile=\"{gate}.pem\"\n\
                    defaultNetstreamDriverKeyFile=\"{gate}.key\")\n\
             action(type=\"omfwd\" {open} StreamDriver=\"{driver}\" StreamDriverMode=\"1\"\n\
                    StreamDriverAuthMode=\"anon\" TCP_Framing=\"octet-counted\")\n\
             action(type=\"omfwd\" {asking} StreamDriver=\"{driver}\" StreamDriverMode=\"1\"\n\
                    StreamDriverAuthMode=\"x509/name\"\n\
                    StreamDriverPermittedPeers=\"hub.example.org\")\n",
            ca = made.path("ca.pem"),
            gate = made.path("gate"),
            open = to("open"),
            asking = to("asking"),
        );
        let at = directory.path().join(driver);
        let Some(rsyslog) = Rsyslog::start(&at, &[module], &actions) else { return };
        let before = |name| input(&hub, name)["counters"]["messages"].as_u64().unwrap();
        let counts = [before("open"), before("asking")];
        rsyslog.feed(lines());
        for (name, count) in ["open", "asking"].into_iter().zip(counts) {
            let wanted = count + MESSAGES as u64;
            wait_until(&format!("{driver} {name}"), || before(name) == wanted);
        }
    }
    for name in ["open", "asking"] {
        let arrived = events(&hub, &format!("input.name:{name}"), 2 * MESSAGES);
        for (index, event) in arrived.iter().enumerate() {
            assert_eq!(event["host.name"], "web1", "{event}");
            assert_eq!(event["message"], format!("message {}", index % MESSAGES), "{event}");
            let named =
                if name == "asking" { "gate.example.org".into() } else { serde_json::Value::Null };
            assert_eq!(event["observer.name"], named, "{event}");
        }
    }
}

#[test]
fn syslog_ng_sends_over_tls() {
    let directory = tempfile::tempdir().unwrap();
    let Some(made) = Certificates::make(directory.path()) else { return };
    let Some(mut command) = syslog_ng() else {
        eprintln!("skipped: there is no syslog-ng, and scripts/unpack-packages got none");
        return;
    };
    made.sign("hub", "IP:127.0.0.1");
    made.sign("gate", "DNS:gate.example.org");
    let hub = hub_with(directory.path(), &inputs(&made));
    let port = |name| address(&hub, name, "tls").port();
    let at = directory.path().display();
    let config = format!(
        "@version: 3.38\n\
         options {{ keep-hostname(yes); stats-freq(0); }};\n\
         source s {{ unix-stream(\"{at}/in\" flags(expect-hostname)); }};\n\
         destination lines {{ network(\"127.0.0.1\" port({}) transport(\"tls\")\n\
             tls(ca-file(\"{ca}\") peer-verify(required-trusted))); }};\n\
         destination rfc5425 {{ syslog(\"127.0.0.1\" port({}) transport(\"tls\")\n\
             tls(ca-file(\"{ca}\") cert-file(\"{gate}.pem\") key-file(\"{gate}.key\"))); }};\n\
         log {{ source(s); destination(lines); destination(rfc5425); }};\n",
        port("open"),
        port("asking"),
        ca = made.path("ca.pem"),
        gate = made.path("gate"),
    );
    let path = directory.path().join("syslog-ng.conf");
    std::fs::write(&path, config).unwrap();
    command.args(["--foreground", "--no-caps", "--cfgfile"]).arg(&path);
    for (option, name) in
        [("--persist-file", "persist"), ("--control", "control"), ("--pidfile", "pid")]
    {
        command.arg(option).arg(directory.path().join(name));
    }
    let _syslog_ng = Process::spawn(&mut command);
    let socket = directory.path().join("in");
    let mut stream =
        wait_for("the socket", || std::os::unix::net::UnixStream::connect(&socket).ok());
    stream.write_all(&lines().concat()).unwrap();
    for name in ["open", "asking"] {
        let arrived = events(&hub, &format!("input.name:{name}"), MESSAGES);
        for (index, event) in arrived.iter().enumerate() {
            assert_eq!(event["message"], format!("message {index}"), "{event}");
            assert_eq!(event["host.name"], "web1", "{event}");
        }
    }
}

#[test]
fn who_may_not_speak_is_refused_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let Some(made) = Certificates::make(directory.path()) else { return };
    made.sign("hub", "IP:127.0.0.1");
    made.sign("gate", "DNS:gate.example.org");
    let other = directory.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let stranger = Certificates::make(&other).unwrap();
    stranger.sign("gate", "DNS:gate.example.org");
    let hub = hub_with(directory.path(), &inputs(&made));
    let connect = |more: &[&str], line: &str| {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-quiet", "-no_ign_eof", "-connect"]);
        client.arg(address(&hub, "asking", "tls").to_string()).args(more);
        run_with(client, line.as_bytes())
    };
    let counted = |name: &str, count: u64| {
        wait_until(name, || input(&hub, "asking")["counters"][name] == count);
    };
    connect(&[], "<13>no certificate\n");
    counted("handshakes_without_certificate", 1);
    let shown = |made: &Certificates| [made.path("gate.pem"), made.path("gate.key")];
    let [certificate, key] = shown(&stranger);
    connect(&["-cert", &certificate, "-key", &key], "<13>of another CA\n");
    counted("handshakes_untrusted", 1);
    let [certificate, key] = shown(&made);
    let with = ["-cert", certificate.as_str(), "-key", &key];
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    connect(&[&with[..], &old].concat(), "<13>of an old version\n");
    counted("handshakes_incompatible", 1);
    connect(&with, "<13>Nov 21 10:00:00 web1 app: may\n<13>Nov 21 10:00:00 db1 app: may not\n");
    let arrived = events(&hub, "input.name:asking", 2);
    assert_eq!(arrived[0]["host.name"], "web1");
    assert_eq!(arrived[1]["host.name"], "gate.example.org");
    assert_eq!(arrived[1]["host.claimed"], "db1");
    assert_eq!(hub.get("/api/v1/inputs")["hosts_not_allowed"], 1);
}
