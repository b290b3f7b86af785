//! Any text as a question about alerts: an answer or an error, never a panic.

#![no_main]

use std::sync::Arc;

use bergfried_alert::query::{listing, page};
use bergfried_alert::{Alert, Settings};
use bergfried_event::Timestamp;
use libfuzzer_sys::fuzz_target;

/// One alert with something in every field that `q=` can ask for.
const ALERT: &str = r#"{"id":"0b8dc5b6","environment":"Production","resource":"web01",
"event":"HttpError","severity":"major","correlate":["HttpError","HttpOk"],"status":"open",
"service":["Web"],"group":"Web","value":"95","text":"quick brown f\u00fcchse","tags":["dc:1"],
"attributes":{"region":"EU","cpu":95.5,"list":["a",1],"nothing":null},"origin":"test",
"type":"exceptionAlert","create_time":"2026-11-21T12:00:00Z","timeout":60,"raw_data":"raw",
"customer":"Acme","duplicate_count":3,"repeat":true,"previous_severity":"minor",
"trend":"moreSevere","receive_time":"2026-11-21T12:00:00Z","last_receive_id":"7d1e",
"last_receive_time":"2026-11-21T12:00:00Z","update_time":"2026-11-21T12:00:00Z","history":[],
"revision":1}"#;

// Lines of `name=value`, as the parameters of one request.
fuzz_target!(|text: &str| {
    let parameters: Vec<(String, String)> = text
        .lines()
        .map(|line| line.split_once('=').unwrap_or(("q", line)))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let settings = Settings::default();
    let now = Timestamp::from_seconds(1_795_262_400);
    match listing(&parameters, &settings, now) {
        Ok(listing) => {
            let alert: Alert = serde_json::from_str(ALERT).expect("the alert reads");
            let alerts = [Arc::new(alert)];
            if let Ok(page) = page(alerts.iter(), &listing, &settings.model) {
                assert!(page.alerts.len() <= page.window.total);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
