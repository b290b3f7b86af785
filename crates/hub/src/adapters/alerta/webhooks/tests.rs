//! Each message in `corpus/webhooks` becomes what stands beside it.
//!
//! A case is a folder with `payload.json` (or `payload.form`), `expected.json`, and `query` where the
//! address of the webhook had one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use axum::http::HeaderMap;
use bergfried_alert::Settings;
use bergfried_control::Secret;
use bergfried_event::Timestamp;
use ring::hmac;
use serde_json::{Value, json};

use super::super::wire;
use super::call::{Asked, Call, Wanted, What};
use super::{HOOKS, hook};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/webhooks")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.trim().as_bytes()).into_owned().collect()
}

fn call<'a>(
    body: &'a [u8],
    parameters: &'a [(String, String)],
    settings: &'a Settings,
) -> Call<'a> {
    static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
    let now = Timestamp::from_seconds(1_795_255_200);
    Call { body, headers: &NO_HEADERS, parameters, settings, slack_signing_secret: None, now }
}

/// What a message asks for, without the message itself.
fn shown(asked: Asked) -> Value {
    match asked {
        Asked::Alerts(alerts) => alerts
            .into_iter()
            .map(|mut alert| {
                let settings = Settings::default();
                wire::incoming(&alert, &settings, Timestamp::from_seconds(0)).unwrap();
                assert!(alert.0.remove("rawData").is_some());
                alert.0.retain(|_, value| !value.is_null());
                Value::Object(alert.0)
            })
            .collect(),
        Asked::Changes { wanted, answer } => {
            let change = |Wanted { id, what, text, user }| match what {
                What::Action(word) => json!({"id": id, "action": word, "text": text, "user": user}),
                What::Status(word) => json!({"id": id, "status": word, "text": text, "user": user}),
            };
            let answer: std::collections::BTreeMap<_, _> = answer.into_iter().collect();
            json!({"changes": wanted.into_iter().map(change).collect::<Vec<_>>(), "answer": answer})
        }
        Asked::Over(over) => {
            let attribute = format!("{}={}", over.attribute.0, over.attribute.1);
            json!({
                "over": over.event, "type": over.kind, "environment": over.environment,
                "attribute": attribute, "text": over.text,
            })
        }
        Asked::Nothing(said) => json!({"nothing": said}),
    }
}

#[test]
fn messages_become_what_stands_beside_them() {
    let settings = Settings::default();
    let mut cases = 0;
    for product in folders(&corpus()) {
        let name = product.file_name().unwrap().to_str().unwrap().to_owned();
        let (_, hook) = hook(&name).unwrap_or_else(|| panic!("{name} is no webhook"));
        for case in folders(&product) {
            let body = fs::read(case.join("payload.json"))
                .or_else(|_| fs::read(case.join("payload.form")))
                .unwrap();
            let parameters = pairs(&fs::read_to_string(case.join("query")).unwrap_or_default());
            let call = call(&body, &parameters, &settings);
            let asked = hook(&call).unwrap_or_else(|refusal| panic!("{case:?}: {refusal:?}"));
            let expected: Value =
                serde_json::from_slice(&fs::read(case.join("expected.json")).unwrap()).unwrap();
            assert_eq!(shown(asked), expected, "{case:?}");
            cases += 1;
        }
    }
    assert!(cases >= HOOKS.len());
}

#[test]
fn every_webhook_has_messages_and_refuses_what_is_none() {
    let settings = Settings::default();
    for (name, hook) in HOOKS {
        assert!(corpus().join(name).is_dir(), "no messages of {name}");
        for body in
            ["", "nonsense", "payload=nonsense", "[1]", "{}", "payload={}", "{\"event\":{}}"]
        {
            let call = call(body.as_bytes(), &[], &settings);
            let asked = hook(&call);
            let ignored = matches!(&asked, Ok(Asked::Nothing(_)));
            assert!(asked.is_err() || ignored, "{name} takes {body}: {asked:?}");
        }
    }
    assert!(hook("unknown").is_none());
}

#[test]
fn parameters_say_what_the_product_does_not_know() {
    let settings = Settings::default();
    let read = |query: &str, state: &str| {
        let body = json!({"check_name": "shop", "current_state": state}).to_string();
        let parameters = pairs(query);
        let call = call(body.as_bytes(), &parameters, &settings);
        let Asked::Alerts(alerts) = super::pingdom::read(&call).unwrap() else {
            panic!("no alert")
        };
        wire::incoming(&alerts[0], &settings, Timestamp::from_seconds(0))
    };
    let query = "environment=Dev&service=Shop,Web&group=G&origin=O&customer=C&timeout=60&tags=a,b\
                 &severity=minor&api-key=secret";
    let said = read(query, "DOWN").unwrap();
    assert_eq!((said.environment.as_str(), said.severity.as_str()), ("Dev", "minor"));
    assert_eq!((said.service.join(" "), said.tags.join(" ")), ("Shop Web".into(), "a b".into()));
    assert_eq!((said.group.as_str(), said.origin.as_str(), said.timeout), ("G", "O", 60));
    assert_eq!(said.customer.as_deref(), Some("C"));
    // What is over stays over.
    assert_eq!(read(query, "UP").unwrap().severity, "normal");
    assert_eq!(read("", "DOWN").unwrap().environment, "Production");
    assert!(read("timeout=soon", "DOWN").unwrap_err().message().contains("`timeout`"));
    assert!(read("severity=bad", "DOWN").unwrap_err().message().contains("unknown severity"));
}

#[test]
fn with_a_secret_only_what_slack_signed_lately_is_taken() {
    let settings = Settings::default();
    let body = fs::read(corpus().join("slack/block/payload.form")).unwrap();
    let secret = Secret::new("8f742231b10e8888abcd99yyyzzz85a5");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let now = Timestamp::from_seconds(1_795_255_200);
    let ask = |time: &str, signed: &[u8], prefix: &str, secret| {
        let tag = hmac::sign(&key, &[b"v0:", time.as_bytes(), b":", signed].concat());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut headers = HeaderMap::new();
        headers.insert("x-slack-request-timestamp", time.parse().unwrap());
        headers.insert("x-slack-signature", format!("{prefix}{hex}").parse().unwrap());
        let call = Call {
            headers: &headers,
            slack_signing_secret: secret,
            now,
            ..call(&body, &[], &settings)
        };
        super::slack::read(&call).map_err(|refusal| refusal.status().as_u16())
    };
    for (time, good) in [
        ("1795255200", true),
        ("1795254900", true),
        ("1795255500", true),
        ("1795254899", false),
        ("1795255501", false),
        ("0", false),
        ("99999999999999999999", false),
        ("-1", false),
        ("now", false),
    ] {
        assert_eq!(ask(time, &body, "v0=", Some(&secret)).is_ok(), good, "{time}");
    }
    for (signed, prefix) in [(&b"other"[..], "v0="), (&body, "v1="), (&body, ""), (&body, "v0=00")]
    {
        assert_eq!(ask("1795255200", signed, prefix, Some(&secret)).unwrap_err(), 401, "{prefix}");
    }
    let unsigned = Call { slack_signing_secret: Some(&secret), now, ..call(&body, &[], &settings) };
    assert_eq!(super::slack::read(&unsigned).unwrap_err().status().as_u16(), 401);
    // Where no secret is known, no signature is asked for.
    assert!(ask("0", b"other", "v0=", None).is_ok());
}

#[test]
fn what_is_long_is_cut_and_what_is_much_is_refused() {
    let settings = Settings::default();
    let long = "ß".repeat(200_000);
    let body = json!({
        "check_name": "shop", "current_state": "DOWN", "long_description": long,
        "description": long, "tags": vec!["x"; 5_000],
    });
    let body = body.to_string();
    let Asked::Alerts(alerts) =
        super::pingdom::read(&call(body.as_bytes(), &[], &settings)).unwrap()
    else {
        panic!("no alert")
    };
    let mut said = wire::incoming(&alerts[0], &settings, Timestamp::from_seconds(0)).unwrap();
    said.cut();
    said.check().unwrap();
    assert!(said.text.starts_with('ß') && said.raw_data.unwrap().len() > 200_000);

    let many = |count| json!({"alerts": vec![json!({"labels": {}}); count]}).to_string();
    for (count, good) in [(1_000, true), (1_001, false)] {
        let (body, name) = (many(count), "prometheus");
        let (_, hook) = hook(name).unwrap();
        assert_eq!(hook(&call(body.as_bytes(), &[], &settings)).is_ok(), good, "{count}");
    }
}

#[test]
fn what_is_no_alert_of_alertmanager_is_refused() {
    let settings = Settings::default();
    for name in ["prometheus", "grafana"] {
        let (_, hook) = hook(name).unwrap();
        for alert in [json!(1), json!({}), json!({"labels": "x"}), json!(null)] {
            let good = json!({"labels": {"alertname": "Down"}});
            let body = json!({"alerts": [good, alert]}).to_string();
            let refused = hook(&call(body.as_bytes(), &[], &settings)).unwrap_err();
            assert!(refused.message().contains("`labels`"), "{name}: {}", refused.message());
        }
    }
}
