//! Events, and what they are told of where they reach.

use super::*;
use crate::place::Place;
use crate::policy::Ports;
use bergfried_event::Timestamp;

fn places(texts: &[&str]) -> Places {
    texts.iter().map(|text| Place::read(text).unwrap()).collect()
}

fn judged(judge: &Judge, fields: &[(&'static str, Value<'static>)]) -> Vec<(String, String)> {
    let mut event = Event::new(Timestamp::from_seconds(0), "line");
    for (name, value) in fields {
        event.set_named(FieldName::new(*name), value.clone());
    }
    judge.apply(&mut event);
    let said = [URL_DOMAIN, UNLISTED, VERDICT, VERDICT_REASON].map(|name| {
        let value = event.get_named(&FieldName::new(name));
        value.map(|value| (name.to_owned(), value.to_text().into_owned()))
    });
    said.into_iter().flatten().collect()
}

#[test]
fn destinations_become_fields() {
    let policy = Policy {
        mode: Mode::Allowlist,
        places: places(&["github.com", "10.0.0.0/8"]),
        ports: Ports(vec![443..=443, 22..=22]),
    };
    let judge = Judge::new(places(&["github.com", "10.0.0.0/8", "192.0.2.9"]), policy);
    let args = |words: &[&str]| {
        Value::List(words.iter().map(|word| Value::from((*word).to_owned())).collect())
    };
    let curl = |url: &str| vec![("process.args", args(&["curl", url]))];
    let connect = |ip: &'static str, port: i64| {
        vec![
            ("process.pid", Value::Int(7)),
            ("destination.ip", Value::from(ip)),
            ("destination.port", Value::Int(port)),
        ]
    };
    let packet = |interface: &'static str| {
        vec![
            ("destination.ip", Value::from("203.0.113.9")),
            ("destination.port", Value::Int(443)),
            (interface, Value::from("eth0")),
        ]
    };
    let denied = |host: &str| format!("{host} is not in the allowlist");
    for (fields, expected) in [
        (curl("https://GITHUB.com./x"), "url.domain=github.com verdict=allowed".to_owned()),
        (
            curl("https://github.com@evil.com/"),
            format!(
                "url.domain=evil.com unlisted=evil.com verdict=denied reason={}",
                denied("evil.com")
            ),
        ),
        (
            vec![("process.args", args(&["curl", "https://github.com", "https://evil.com"]))],
            format!(
                "url.domain=github.com,evil.com unlisted=evil.com verdict=denied reason={}",
                denied("evil.com")
            ),
        ),
        (
            vec![("process.command_line", Value::from("curl 'evil.com'"))],
            format!(
                "url.domain=evil.com unlisted=evil.com verdict=denied reason={}",
                denied("evil.com")
            ),
        ),
        (connect("10.1.2.3", 443), "verdict=allowed".to_owned()),
        (
            connect("10.1.2.3", 80),
            "verdict=denied reason=port 80 of 10.1.2.3 is not in the allowlist".to_owned(),
        ),
        (connect("192.0.2.9", 443), format!("verdict=denied reason={}", denied("192.0.2.9"))),
        (
            connect("203.0.113.9", 443),
            format!("unlisted=203.0.113.9 verdict=denied reason={}", denied("203.0.113.9")),
        ),
        (connect("127.0.0.53", 53), "verdict=allowed".to_owned()),
        (
            packet("observer.egress.interface.name"),
            format!("unlisted=203.0.113.9 verdict=denied reason={}", denied("203.0.113.9")),
        ),
        (packet("observer.ingress.interface.name"), String::new()),
        (vec![("destination.ip", Value::from("203.0.113.9"))], String::new()),
        (vec![("destination.unlisted", Value::from("github.com"))], String::new()),
        (vec![("network_policy.verdict", Value::from("allowed"))], String::new()),
        (vec![("process.args", args(&["ls", "-la"]))], String::new()),
        (vec![("user.name", Value::from("bob"))], String::new()),
    ] {
        let said: Vec<String> = judged(&judge, &fields)
            .into_iter()
            .map(|(name, value)| {
                let name =
                    name.trim_start_matches("network_policy.").trim_start_matches("destination.");
                format!("{name}={value}")
            })
            .collect();
        assert_eq!(said.join(" "), expected, "{fields:?}");
    }
}

#[test]
fn without_a_policy_there_is_no_verdict() {
    let judge = Judge::new(places(&["<local>"]), Policy::default());
    let line = |text| vec![("process.command_line", Value::from(text))];
    assert_eq!(judged(&judge, &line("curl web1")), [("url.domain".into(), "web1".into())]);
    assert_eq!(judged(&judge, &line("curl a.org")).len(), 2);
}

#[test]
fn many_safe_hosts_hide_no_other() {
    let judge = Judge::new(places(&["*.example.org"]), Policy::default());
    let safe: Vec<String> = (0..100).map(|n| format!("http://h{n}.example.org")).collect();
    let line = format!("curl {} http://evil.com", safe.join(" "));
    let said = judged(&judge, &[("process.command_line", Value::from(line))]);
    assert_eq!(said.last().unwrap().1, "evil.com");
}
