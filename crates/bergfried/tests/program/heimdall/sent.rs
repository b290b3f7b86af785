//! `POST /ingest`.

use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

#[test]
fn events_are_stored_once_and_read_back_field_by_field() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let answer = ingest(&hub, &[]);
    let none = json!({"success": true, "message": "Processed 0 events", "events_processed": 0});
    assert_eq!((answer.status, answer.json()), (200, none));
    let events = [event(1, "bob", 30), event(2, "carol", 20), event(3, "dave", 10)];
    let answer = ingest(&hub, &events);
    let all = json!({"success": true, "message": "Processed 3 events", "events_processed": 3});
    assert_eq!((answer.status, answer.json()), (200, all));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let listed = get(&hub, "/events");
    let mut newest_first = events.to_vec();
    newest_first.reverse();
    assert_eq!(
        listed,
        json!({
            "success": true, "total_count": 3, "offset": 0, "limit": 1000, "count": 3,
            "events": newest_first,
        })
    );

    // Known ones are skipped, also of one body; one without an id is new each time.
    let mut without = event(9, "erin", 5);
    without.as_object_mut().unwrap().remove("event_id");
    let again = [event(1, "bob", 30), event(4, "x", 4), event(4, "y", 3), without.clone()];
    assert_eq!(
        ingest(&hub, &again).json(),
        json!({
            "success": true, "message": "Processed 2 events, 2 duplicates skipped",
            "events_processed": 2,
        })
    );
    assert_eq!(ingest(&hub, &again[..2]).json()["message"], {
        "Processed 0 events, 2 duplicates skipped"
    });
    assert_eq!(ingest(&hub, &[without]).json()["message"], "Processed 1 events");
    assert_eq!(get(&hub, "/events")["total_count"], 6);

    // The rules meet them as they meet the lines of a host.
    let found = hub.search("user:bob event.outcome:failure");
    assert_eq!((found.len(), &found[0]["host.name"]), (1, &json!("web")));
    assert_eq!(found[0]["input.name"], "heimdall");
}

#[test]
fn what_no_parser_knows_comes_back_as_it_was_sent() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let base = |number, kind: &str| with(event(number, "system", 60), "event_type", kind);
    let mut events = Vec::new();
    for (kind, number) in kinds().into_iter().zip(1..) {
        let os = ["WINDOWS", "LINUX", "PIHOLE", "MACOS", "FIREWALL"][number as usize % 5];
        let sent = with(base(number, kind), "os_type", os);
        let sent = with(sent, "raw_message", format!("something of the kind {kind}"));
        let sent = with(sent, "severity", number % 5 + 1);
        events.push(with(sent, "source_ip", "N/A"));
    }
    events.push(with(base(50, "LOGIN_FAIL"), "user", "N/A"));
    events.push(with(base(51, "LOGIN_FAIL"), "user", "CORP\\alice"));
    events.push(with(base(52, "LOGIN_FAIL"), "source_ip", "2001:db8::1"));
    events.push(with(base(53, "LOGIN_FAIL"), "source_host", "Office-PC"));
    events.push(with(
        base(54, "LOGIN_FAIL"),
        "raw_message",
        "<script>\u{1b}[31m\t\"quoted\" ünïcode",
    ));
    for sent in events.iter_mut().skip(15) {
        if sent["raw_message"].as_str().unwrap().starts_with("Failed") {
            sent["raw_message"] = json!("refused");
        }
    }
    assert_eq!(ingest(&hub, &events).json()["events_processed"], events.len());
    let listed = get(&hub, "/events");
    for sent in &events {
        let found = listed["events"].as_array().unwrap().iter();
        let found = found.clone().find(|one| one["event_id"] == sent["event_id"]).unwrap();
        assert_eq!(found, sent);
    }
}

fn kinds() -> [&'static str; 15] {
    [
        "LOGIN_FAIL",
        "LOGIN_SUCCESS",
        "SUDO_ESCALATION",
        "DNS_BLOCK",
        "CRITICAL_ERROR",
        "ACCOUNT_CREATE",
        "ACCOUNT_DELETE",
        "GROUP_ADD",
        "SERVICE_INSTALL",
        "LOG_TAMPERING",
        "CONNECTION_BLOCKED",
        "PORT_SCAN",
        "PROCESS_EXEC",
        "WEB_ATTACK",
        "SYSTEM_ALERT",
    ]
}

#[test]
fn one_bad_event_refuses_the_whole_body_and_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let mut lacking = event(4, "x", 1);
    lacking.as_object_mut().unwrap().remove("user");
    let events = [
        event(1, "bob", 3),
        with(event(2, "bob", 2), "severity", 9),
        with(event(3, "bob", 1), "os_type", "BEOS"),
        lacking.clone(),
    ];
    let answer = ingest(&hub, &events);
    let systems = "'WINDOWS', 'LINUX', 'PIHOLE', 'MACOS' or 'FIREWALL'";
    let detail = json!({"detail": [
        {
            "type": "less_than_equal", "loc": ["body", "events", 1, "severity"],
            "msg": "Input should be less than or equal to 5", "input": 9, "ctx": {"le": 5},
        },
        {
            "type": "enum", "loc": ["body", "events", 2, "os_type"],
            "msg": format!("Input should be {systems}"), "input": "BEOS",
            "ctx": {"expected": systems},
        },
        {
            "type": "missing", "loc": ["body", "events", 3, "user"], "msg": "Field required",
            "input": lacking,
        },
    ]});
    assert_eq!((answer.status, answer.json()), (422, detail));
    for body in ["", "{", "[]", "{}", "{\"events\":{}}"] {
        let answer = ask(&hub, "POST", "/ingest", body);
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.json()["detail"][0]["loc"][0], "body");
    }
    assert_eq!(hub.stored(), 0);
    // None of their ids is taken.
    assert_eq!(ingest(&hub, &events[..1]).json()["events_processed"], 1);
}

#[test]
fn a_body_comes_in_any_form() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let body = |number| json!({"events": [event(number, "bob", 5)]}).to_string();
    let host = hub.url.strip_prefix("http://").unwrap();

    // In pieces.
    let mut stream = connect(&hub.url).unwrap();
    write!(
        stream,
        "POST /ingest HTTP/1.1\r\nHost: {host}\r\napi-key: {KEY}\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    )
    .unwrap();
    for piece in body(1).as_bytes().chunks(50) {
        write!(stream, "{:x}\r\n", piece.len()).unwrap();
        stream.write_all(piece).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(read_answer(stream).unwrap().status, 200);

    // As HTTP/1.0 says it, without a media type.
    let mut stream = connect(&hub.url).unwrap();
    let text = body(2);
    write!(
        stream,
        "POST /ingest HTTP/1.0\r\napi-key: {KEY}\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
    .unwrap();
    assert_eq!(read_answer(stream).unwrap().json()["events_processed"], 1);

    // One after the other over one connection.
    let mut reader = BufReader::new(connect(&hub.url).unwrap());
    for number in 3..6 {
        let text = body(number);
        let head = format!(
            "POST /ingest HTTP/1.1\r\nHost: {host}\r\napi-key: {KEY}\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        let stream: &mut TcpStream = reader.get_mut();
        stream.write_all((head + &text).as_bytes()).unwrap();
        let (status, headers) = read_head(&mut reader).unwrap();
        assert_eq!(status, 200);
        let length = headers.iter().find(|(name, _)| name == "content-length").unwrap();
        let mut answer = vec![0; length.1.parse().unwrap()];
        reader.read_exact(&mut answer).unwrap();
    }

    // Compressed.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body(6).as_bytes()).unwrap();
    let headers = [("api-key", KEY), ("Content-Encoding", "gzip")];
    let answer = request(&hub.url, "POST", "/ingest", &headers, &encoder.finish().unwrap());
    assert_eq!(answer.unwrap().json()["events_processed"], 1);
    assert_eq!(hub.stored(), 6);

    let events = vec![json!(1); 50_001];
    let answer = ingest(&hub, &events);
    assert_eq!(answer.status, 413);
    assert!(answer.json()["detail"].as_str().unwrap().contains("at most 50000 events"));
}

#[test]
fn the_limits_of_a_token_hold() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let limits = json!({"max_events_per_second": 1});
    let new = json!({"kind": "heimdall", "name": "slow", "limits": limits}).to_string();
    let key = hub.ask("POST", "/api/v1/tokens", &new).json()["secret"].as_str().unwrap().to_owned();
    let body = |numbers: std::ops::Range<u32>| {
        let events: Vec<Value> = numbers.map(|number| event(number, "bob", 5)).collect();
        json!({"events": events}).to_string()
    };
    assert_eq!(ask_with(&hub, Some(&key), "POST", "/ingest", &body(0..100)).status, 200);
    let answer = ask_with(&hub, Some(&key), "POST", "/ingest", &body(100..101));
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() > 50);
    assert!(answer.json()["detail"].as_str().unwrap().contains("limit"), "{}", answer.text());
    assert_eq!(hub.stored(), 100);
}

#[test]
fn the_same_event_of_many_requests_at_once_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let processed: u64 = thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|sender| {
                let hub = &hub;
                scope.spawn(move || {
                    // Each has some of its own, and all have the same twenty.
                    let mut numbers: Vec<u32> = (0..20).chain([100 + sender]).collect();
                    numbers.rotate_left(sender as usize);
                    let rounds = (0..5).map(|_| {
                        let events: Vec<Value> =
                            numbers.iter().map(|number| event(*number, "bob", 5)).collect();
                        ingest(hub, &events).json()["events_processed"].as_u64().unwrap()
                    });
                    rounds.sum::<u64>()
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    assert_eq!((processed, hub.stored()), (28, 28));
}

#[test]
fn ids_are_known_after_the_hub_was_killed() {
    let directory = tempfile::tempdir().unwrap();
    let events: Vec<Value> = (0..300).map(|number| event(number, "bob", 5)).collect();
    let hub = server(directory.path());
    assert_eq!(ingest(&hub, &events).json()["events_processed"], 300);
    hub.kill();
    let hub = server(directory.path());
    let more: Vec<Value> = (200..400).map(|number| event(number, "bob", 5)).collect();
    assert_eq!(
        ingest(&hub, &more).json()["message"],
        "Processed 100 events, 100 duplicates skipped"
    );
    assert_eq!(hub.stored(), 400);
}
