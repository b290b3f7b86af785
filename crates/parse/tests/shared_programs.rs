//! What other programs of a Linux host wrote, from the folder of shared corpora beside the checkout;
//! skipped with a message where that folder is absent.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod corpora;

use std::collections::BTreeMap;

use bergfried_event::SourceKind;
use bergfried_parse::{Context, parse};
use serde_json::Value as Json;

use corpora::corpus;

fn read(line: &str) -> Json {
    let context = Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    serde_json::to_value(parse(SourceKind::File, line, &context)).unwrap()
}

fn counts(events: &[Json], name: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(event[name].as_str().unwrap_or("-").to_owned()).or_insert(0) += 1;
    }
    counts
}

#[test]
fn every_packet_of_the_firewall_lab_is_read() {
    let Some(log) = corpus("firewall/ufw_iptables_kernel.log") else { return };
    for line in log.lines() {
        let event = read(line);
        let after = |key: &str| {
            let (_, rest) = line.split_once(key)?;
            rest.split(' ').next()
        };
        let number =
            |key| after(key).map_or(Json::Null, |port| port.parse::<i64>().unwrap().into());
        let address = |key| -> Json {
            let address: std::net::IpAddr = after(key).unwrap().parse().unwrap();
            address.to_string().into()
        };
        assert_eq!(event["source.ip"], address("SRC="), "{line}");
        assert_eq!(event["destination.ip"], address("DST="), "{line}");
        assert_eq!(event["source.port"], number("SPT="), "{line}");
        assert_eq!(event["destination.port"], number("DPT="), "{line}");
        assert_eq!(event["network.transport"], after("PROTO=").unwrap().to_lowercase(), "{line}");
        let action = match line {
            line if line.contains("BLOCK]") || line.contains("DROP") => "blocked",
            line if line.contains("AUDIT]") => "audited",
            _ => "logged",
        };
        assert_eq!(event["event.action"], action, "{line}");
        assert_eq!(event["host.name"], "fwlab", "{line}");
    }
}

#[test]
fn every_alert_of_falco_has_its_rule_and_priority() {
    let Some(log) = corpus("falco/alerts.jsonl") else { return };
    for line in log.lines() {
        let source: Json = serde_json::from_str(line).unwrap();
        let event = read(line);
        assert_eq!(event["event.module"], "falco", "{line}");
        assert_eq!(event["rule.name"], source["rule"], "{line}");
        assert_eq!(event["falco.priority"], source["priority"], "{line}");
        assert_eq!(event["message"], source["output"], "{line}");
        for (name, value) in source["output_fields"].as_object().unwrap() {
            let kept = &event[format!("falco.output_fields.{name}")];
            // Names that a dot divides may come nested too; numbers with a fraction may be equal.
            assert!(kept == value || kept.as_f64() == value.as_f64(), "{name} of {line}");
        }
        for (from, to) in [
            ("proc.cmdline", "process.command_line"),
            ("user.name", "user.name"),
            ("container.id", "container.id"),
            ("k8s.pod.name", "orchestrator.resource.name"),
        ] {
            let kept = &event[format!("falco.output_fields.{from}")];
            assert!(kept.is_null() || event[to] == *kept, "{from} of {line}");
        }
    }
}

#[test]
fn every_alert_of_snort_has_its_addresses() {
    for file in ["snort/alert_fast.log", "snort/alert_pfsense_csv.log", "snort/alert_syslog.log"] {
        let Some(log) = corpus(file) else { return };
        for line in log.lines().filter(|line| !line.is_empty()) {
            let event = read(line);
            assert_eq!(event["event.module"], "snort", "{line}");
            for name in ["source.ip", "destination.ip"] {
                assert!(line.contains(event[name].as_str().unwrap()), "{name} of {line}");
            }
            assert!(line.contains(event["rule.name"].as_str().unwrap()), "{line}");
            assert!(event["event.severity"].is_i64(), "{line}");
        }
    }
}

#[test]
fn samhains_lab_is_understood() {
    let Some(log) = corpus("lab_debian12/samhain_file.log") else { return };
    let events: Vec<Json> = log.lines().filter(|line| !line.is_empty()).map(read).collect();
    assert!(events.iter().all(|event| event["event.module"] == "samhain"));
    let signed = events.iter().filter(|event| event["event.action"] == "log-signature").count();
    let messages = log.matches("msg=<").count();
    assert_eq!(signed, messages, "one signature for each message");
    let policies: Vec<Json> =
        events.into_iter().filter(|event| event["event.kind"] == "alert").collect();
    assert_eq!(policies.len(), log.matches("msg=<POLICY").count());
    let actions = counts(&policies, "event.action");
    for (action, expected) in [
        ("created", "POLICY ADDED"),
        ("deleted", "POLICY MISSING"),
        ("service-opened", "[ServiceNew]"),
    ] {
        assert_eq!(actions.get(action).copied(), Some(log.matches(expected).count()), "{action}");
    }
    let watched = |event: &&Json| event["event.category"] == "file";
    for event in policies.iter().filter(watched) {
        assert!(event["file.path"].as_str().unwrap().starts_with("/root/lab/"), "{event}");
        let severity = event["event.original"].as_str().unwrap().split(' ').next().unwrap();
        let level = event["log.level"].as_str().unwrap();
        assert!(severity.to_lowercase().starts_with(level.get(..3).unwrap()), "{event}");
    }
    let changed = policies.iter().find(|event| event["file.path"] == "/root/lab/watch/a").unwrap();
    assert_eq!(changed["file.hash.sha1"], "2ee4317affa7ce7cc6ceab9f0f365517b0aaf838");
}

#[test]
fn rsnapshots_lab_is_understood() {
    let Some(log) = corpus("lab_debian12/rsnapshot.log") else { return };
    // A line that goes on with the one before it has no time of its own.
    let lines = log.lines().filter(|line| line.starts_with('['));
    let events: Vec<Json> = lines.map(read).collect();
    assert!(events.iter().all(|event| event["event.module"] == "rsnapshot"));
    let actions = counts(&events, "event.action");
    for (action, text) in [
        ("backup-started", ": started"),
        ("backup-completed", ": completed"),
        ("backup-failed", ": ERROR: "),
    ] {
        assert_eq!(actions.get(action).copied(), Some(log.matches(text).count()), "{action}");
    }
}

#[test]
fn sshguards_lab_is_understood() {
    let Some(log) = corpus("lab_debian12/traditional.log") else { return };
    let mut found = 0;
    for line in log.lines().filter(|line| line.contains(" sshguard[")) {
        let event = read(line);
        if line.contains("Attack from") || line.contains("Blocking") {
            let address = event["source.ip"].as_str().unwrap();
            assert!(line.contains(&format!("\"{address}")), "{line}");
            found += 1;
        }
    }
    assert!(found > 5, "only {found} lines");
}

#[test]
fn labelled_lines_of_other_guards_name_the_source() {
    let Some(text) = corpus("labelled_sample/fail2ban.jsonl") else { return };
    let mut checked = 0;
    for record in text.lines() {
        let record: Json = serde_json::from_str(record).unwrap();
        let line = record["line"].as_str().unwrap();
        match record["filter"].as_str().unwrap() {
            "portsentry" | "scanlogd" => {}
            "recidive" => {
                // That filter counts bans but those of its own jail.
                let event = read(line);
                let is_ban = event["event.action"] == "banned" && event["rule.name"] != "recidive";
                assert_eq!(Json::from(is_ban), record["expect"]["match"], "{line}");
                if !is_ban {
                    continue;
                }
            }
            _ => continue,
        }
        assert_eq!(read(line)["source.ip"], record["expect"]["host"], "{line}");
        checked += 1;
    }
    assert!(checked >= 12, "only {checked} lines");
}

#[test]
fn labelled_lines_of_proxmox_and_suricata_have_their_packets() {
    let Some(text) = corpus("labelled_sample/crowdsec_parse.jsonl") else { return };
    for record in text.lines() {
        let record: Json = serde_json::from_str(record).unwrap();
        if record["log_type"] == "pve-firewall" {
            let line = record["line"].as_str().unwrap();
            let event = read(line);
            // The other parser takes refused packets only.
            let refused = !record["expect"]["source_ip"].is_null();
            if refused {
                assert_eq!(event["source.ip"], record["expect"]["source_ip"], "{line}");
                assert_eq!(event["destination.ip"], record["parsed"]["dst_ip"], "{line}");
            }
            let action = event["event.action"].as_str().unwrap();
            assert!(!refused || ["blocked", "rejected"].contains(&action), "{line}");
        }
    }
    let text = corpus("labelled_sample/ecs.jsonl").unwrap();
    let mut checked = 0;
    for record in text.lines() {
        let record: Json = serde_json::from_str(record).unwrap();
        let module = match record["dataset"].as_str().unwrap_or_default() {
            "wazuh-engine.suricata" => "suricata",
            "wazuh-engine.docker-listener" => "docker",
            _ => continue,
        };
        let line = record["line"].as_str().unwrap();
        let event = read(line);
        assert_eq!(event["event.module"], module, "{line}");
        for (label, name) in [("source_ip", "source.ip"), ("destination_ip", "destination.ip")] {
            if !record["expect"][label].is_null() {
                assert_eq!(event[name], record["expect"][label], "{name} of {line}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 9, "only {checked} lines");
}

#[test]
fn lines_of_pfsense_and_opnsense_have_their_packets_and_logins() {
    let Some(log) = corpus("pfsense/filterlog_rfc5424.log") else { return };
    let found: Vec<_> = log
        .lines()
        .map(|line| {
            let event = read(line);
            assert_eq!(event["event.module"], "pfsense", "{line}");
            (event["event.action"].clone(), event["source.ip"].clone(), event["rule.id"].clone())
        })
        .collect();
    let expected = [
        ("blocked", "10.170.12.50", "1535324496"),
        ("blocked", "10.170.12.50", "1535324496"),
        ("allowed", "10.170.27.50", "1534283903"),
    ];
    assert_eq!(found, expected.map(|(a, b, c)| (a.into(), b.into(), c.into())));
    let login = read(corpus("pfsense/php_fpm.log").unwrap().lines().next().unwrap());
    assert_eq!(login["event.action"], "web_login");
    assert_eq!(
        (&login["source.ip"], &login["user.name"]),
        (&"10.150.150.77".into(), &"admin".into())
    );

    let mut checked = 0;
    for record in corpus("labelled_sample/crowdsec_parse.jsonl").unwrap().lines() {
        let record: Json = serde_json::from_str(record).unwrap();
        let line = record["line"].as_str().unwrap();
        let event = read(line);
        if record["test"].as_str().unwrap().starts_with("pfsense") {
            // No label there: the addresses of TCP are the fields before the ports.
            let fields: Vec<&str> = line.rsplit("- - ").next().unwrap().split(',').collect();
            let source =
                fields.iter().position(|field| field.parse::<std::net::IpAddr>().is_ok()).unwrap();
            assert_eq!(event["event.action"], "blocked", "{line}");
            assert_eq!(event["source.ip"], fields[source], "{line}");
            assert_eq!(event["destination.ip"], fields[source + 1], "{line}");
            assert_eq!(event["source.port"].to_string(), fields[source + 2], "{line}");
            assert_eq!(event["destination.port"].to_string(), fields[source + 3], "{line}");
        } else if record["test"].as_str().unwrap().starts_with("opnsense") {
            assert_eq!(event["event.action"], "web_login", "{line}");
            assert_eq!(event["event.outcome"], "failure", "{line}");
            assert_eq!(event["source.ip"], record["expect"]["source_ip"], "{line}");
        } else {
            continue;
        }
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} lines");
}

#[test]
fn labelled_lines_of_web_servers_have_their_client_and_user() {
    let Some(text) = corpus("labelled_sample/crowdsec_parse.jsonl") else { return };
    let mut checked = 0;
    for record in text.lines() {
        let record: Json = serde_json::from_str(record).unwrap();
        let (line, expect) = (record["line"].as_str().unwrap(), &record["expect"]);
        let log = record["log_type"].as_str().unwrap();
        if !["nginx", "apache2", "nginx-proxy-manager"].contains(&log) {
            continue;
        }
        let event = read(line);
        assert_eq!(event["source.ip"], expect["source_ip"], "{line}");
        assert_eq!(event["user.name"], expect["user"], "{line}");
        if let Some(pid) = expect["pid"].as_str() {
            assert_eq!(event["process.pid"], pid.parse::<i64>().unwrap(), "{line}");
        }
        let (parsed, meta) = (&record["parsed"], &record["meta"]);
        if expect["log_type"] == "http_access-log" {
            let said = |value: &Json| if value == "-" { Json::Null } else { value.clone() };
            let status: i64 = meta["http_status"].as_str().unwrap().parse().unwrap();
            assert_eq!(event["http.response.status_code"], status, "{line}");
            assert_eq!(event["http.request.method"], said(&meta["http_verb"]), "{line}");
            assert_eq!(event["url.original"], meta["http_path"], "{line}");
            assert_eq!(event["user_agent.original"], said(&meta["http_user_agent"]), "{line}");
            if !parsed["referrer"].is_null() {
                assert_eq!(event["http.request.referrer"], said(&parsed["referrer"]), "{line}");
            }
        } else if expect["outcome"] == "failure" {
            assert_eq!(event["event.outcome"], "failure", "{line}");
            assert_eq!(event["event.category"], "authentication", "{line}");
        }
        if let Some(time) = expect["timestamp_normalised"].as_str() {
            let time: jiff::Timestamp = time.parse().unwrap();
            let read: jiff::Timestamp = event["@timestamp"].as_str().unwrap().parse().unwrap();
            assert_eq!(read, time, "{line}");
        }
        checked += 1;
    }
    assert!(checked >= 40, "only {checked} lines");
}

#[test]
fn labelled_lines_of_other_firewalls_are_understood() {
    let Some(mikrotik) = corpus("labelled_sample/crowdsec_parse.jsonl") else { return };
    let mut checked = 0;
    for record in mikrotik.lines() {
        let record: Json = serde_json::from_str(record).unwrap();
        if record["log_type"] != "mikrotik" || record["parsed"]["proto"].is_null() {
            continue;
        }
        let line = record["line"].as_str().unwrap();
        let event = read(line);
        let text = |name: &str| event[name].to_string().replace('"', "");
        for (label, name) in [
            ("source_ip", "source.ip"),
            ("src_port", "source.port"),
            ("dst_ip", "destination.ip"),
            ("dst_port", "destination.port"),
            ("length", "network.bytes"),
            ("chain", "mikrotik.chain"),
            ("if_in", "observer.ingress.interface.name"),
        ] {
            if let Some(expected) = record["parsed"][label].as_str() {
                assert_eq!(text(name), expected, "{name} of {line}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 6, "only {checked} lines");
    // What the rules of the others say of a line, by words of it that only such a line has.
    let told = [
        ("access denied by ACL", "blocked"),
        ("Deny inbound icmp src outside:1", "blocked"),
        ("Deny inbound protocol 47", "blocked"),
        ("Login denied from", "remote_login"),
        ("Login permitted from", "remote_login"),
        ("AAA user authentication Rejected", "remote_login"),
        ("type=traffic subtype=forward", "blocked"),
        ("type=utm subtype=ips", "blocked"),
    ];
    let mut found = std::collections::BTreeSet::new();
    for file in ["labelled_sample/wazuh.jsonl", "labelled_sample/ossec.jsonl"] {
        for record in corpus(file).unwrap().lines() {
            let record: Json = serde_json::from_str(record).unwrap();
            let line = record["line"].as_str().unwrap();
            for (words, action) in told.iter().filter(|(words, _)| line.contains(words)) {
                assert_eq!(read(line)["event.action"], *action, "{line}");
                found.insert(*words);
            }
        }
    }
    assert_eq!(found.len(), told.len(), "{found:?}");
}
