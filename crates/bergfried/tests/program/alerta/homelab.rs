//! A home lab as it stands: the Simple Event Correlator reads logs and runs `alerta`, which speaks to
//! the hub through nginx, under `/api` of the web site.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::client::Client;
use crate::support::http::request;
use crate::support::hub::Hub;
use crate::support::process::Process;
use crate::support::{wait_for, wait_until};

/// Whether the program is here; where not, says so.
fn there_is(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).output().is_ok();
    if !there {
        eprintln!("skipped: there is no {program}");
    }
    there
}

/// nginx before the hub, and its address.
fn nginx(directory: &Path, hub: &Hub) -> (Process, String) {
    let home = directory.join("nginx");
    fs::create_dir(&home).unwrap();
    // Somebody else may take a port between its choice and nginx.
    wait_for("nginx", || {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};\n"))
            .concat();
        let config = format!(
            "daemon off; pid pid; error_log stderr; events {{}}\n\
             http {{ access_log off; {temporary}\
             server {{ listen 127.0.0.1:{port};\n\
             location /api {{ proxy_pass {};\n\
             proxy_set_header Host $host:$server_port;\n\
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }}\n\
             location / {{ return 204; }} }} }}\n",
            hub.url
        );
        fs::write(home.join("nginx.conf"), config).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&home).args(["-c", "nginx.conf", "-e", "stderr"]);
        let mut process = Process::spawn(&mut command);
        let url = format!("http://127.0.0.1:{port}");
        let up = || request(&url, "GET", "/", &[], b"").is_ok_and(|answer| answer.status == 204);
        wait_until("nginx's port", || process.has_ended() || up());
        (!process.has_ended()).then_some((process, url))
    })
}

#[test]
fn what_a_correlator_sees_becomes_alerts_behind_a_proxy() {
    if !there_is("sec", "--version") || !there_is("nginx", "-v") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let settings = directory.path().join("alerta.json");
    let config = json!({
        "ALLOWED_ENVIRONMENTS": ["Homelab"], "DEFAULT_ENVIRONMENT": "Homelab", "BASE_URL": "/api",
    });
    fs::write(&settings, config.to_string()).unwrap();
    let data = directory.path().join("data");
    let mut command = Hub::command(&data);
    command.arg("--alerta-config").arg(settings);
    let hub = Hub::run(command, &data);
    let Some(client) = Client::of(&hub) else { return };
    let (_nginx, site) = nginx(directory.path(), &hub);

    let (rules, log) = (directory.path().join("rules.conf"), directory.path().join("nas.log"));
    let alerta = format!("{} --endpoint-url {site}/api", client.program().display());
    let rule = |pattern: &str, action: &str| {
        format!(
            "type=Single\nptype=RegExp\npattern={pattern}\ndesc=it\naction=shellcmd {action}\n\n"
        )
    };
    let text = [
        rule(
            r"(\S+) sshd\[\d+\]: Accepted \S+ for (\w+) from ([\d.]+)",
            &format!(
                "{alerta} send --service sshd --resource \"$1\" --environment Homelab --event \
                 \"login of $2 on $1 from $3\" --correlate SEC --severity information --text '$0'"
            ),
        ),
        rule(
            r"(\S+) sshd\[\d+\]: Invalid user (\w+) from ([\d.]+)",
            &format!(
                "{alerta} send --service sshd --resource \"$1\" --environment Homelab --event \
                 \"no user $2 on $1\" --correlate SEC --severity warning --text '$0'"
            ),
        ),
        rule(
            r"(\S+) backup: hourly: done",
            &format!(
                "{alerta} heartbeat --origin $1_backup --timeout 86400 -E Homelab --severity critical"
            ),
        ),
    ];
    fs::write(&rules, text.concat()).unwrap();
    let login =
        "Nov 21 15:00:05 nas sshd[99]: Accepted publickey for ada from 192.0.2.8 port 50022";
    let lines = [
        login,
        "Nov 21 15:00:06 nas sshd[99]: Invalid user oracle from 192.0.2.7 port 50000",
        "Nov 21 15:00:07 nas backup: hourly: done",
        login,
    ];
    fs::write(&log, lines.map(|line| format!("{line}\n")).concat()).unwrap();
    let mut sec = client.command("sec");
    sec.arg(format!("--conf={}", rules.display())).arg(format!("--input={}", log.display()));
    // The whole file, and then on: what a correlator does that starts before its logs.
    sec.args(["--intevents", "--intcontexts", "--fromstart"]);
    let sec = Process::spawn(&mut sec);

    let ask = |path: &str| request(&site, "GET", &format!("/api{path}"), &[], b"").unwrap().json();
    let list = || ask("/alerts?sort-by=severity")["alerts"].as_array().unwrap().clone();
    wait_until("both alerts and the heartbeat", || {
        let alerts = list();
        alerts.len() == 2 && alerts[1]["duplicateCount"] == 1 && ask("/heartbeats")["total"] == 1
    });
    let alerts = list();
    let told = |name: &str| [&alerts[0][name], &alerts[1][name]].map(Clone::clone);
    assert_eq!(told("severity"), [json!("warning"), json!("informational")], "{}", sec.err());
    assert_eq!(told("event"), ["no user oracle on nas", "login of ada on nas from 192.0.2.8"]);
    assert_eq!(told("environment"), ["Homelab", "Homelab"]);
    assert_eq!(told("service"), [json!(["sshd"]), json!(["sshd"])]);
    assert_eq!(told("text"), [lines[1], login]);
    assert_eq!(alerts[0]["correlate"], json!(["SEC", "no user oracle on nas"]));
    assert_eq!(alerts[0]["href"], format!("/api/alert/{}", alerts[0]["id"].as_str().unwrap()));
    let heartbeat = &ask("/heartbeats")["heartbeats"][0];
    assert_eq!(
        (&heartbeat["origin"], &heartbeat["timeout"]),
        (&json!("nas_backup"), &json!(86_400))
    );
    assert_eq!(heartbeat["attributes"], json!({"environment": "Homelab", "severity": "critical"}));
}
