//! An alert for tests.

use std::collections::BTreeMap;

use bergfried_alert::{Alert, Evidence, Status, Trend};
use bergfried_event::Timestamp;

pub(crate) fn alert() -> Alert {
    let time = Timestamp::from_seconds(1_700_000_000);
    Alert {
        id: "0190f1a2-0000-4000-8000-000000000007".to_owned(),
        environment: "Production".to_owned(),
        resource: "web1".to_owned(),
        event: "SSH password guessing".to_owned(),
        severity: "major".to_owned(),
        correlate: Vec::new(),
        status: Status::Open,
        service: vec!["sshd".to_owned()],
        group: "Auth".to_owned(),
        value: Some("12".to_owned()),
        text: "12 failed logins from 203.0.113.5".to_owned(),
        tags: vec!["lab".to_owned()],
        attributes: BTreeMap::from([("region".to_owned(), "eu".into())]),
        origin: "bergfried".to_owned(),
        kind: "exceptionAlert".to_owned(),
        create_time: time,
        timeout: 86_400,
        raw_data: None,
        customer: None,
        duplicate_count: 0,
        repeat: false,
        previous_severity: "indeterminate".to_owned(),
        trend: Trend::MoreSevere,
        receive_time: time,
        last_receive_id: "1".to_owned(),
        last_receive_time: time,
        update_time: time,
        history: Vec::new(),
        notes: Vec::new(),
        holds: Vec::new(),
        evidence: Some(Box::new(Evidence {
            rule_id: "7b3c".to_owned(),
            count: 12,
            host: Some("web1".to_owned()),
            user: Some("root".to_owned()),
            source: Some("203.0.113.5".to_owned()),
            program: Some("sshd".to_owned()),
            ..Evidence::default()
        })),
        revision: 1,
    }
}
