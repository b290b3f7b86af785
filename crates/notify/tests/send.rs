//! Sending over real sockets: what is a success, what is tried again, what is given up.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bergfried_event::Timestamp;
use bergfried_notify::{Channel, Client, SendError};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    notify: Vec<Channel>,
}

fn channel(kind: &str, address: &str, more: &str) -> Channel {
    let text = format!(
        "[[notify]]\nname = \"ops\"\ntype = \"{kind}\"\nurl = \"{address}/hook/SECRET\"\n\
         timeout_seconds = 1\n{more}"
    );
    toml::from_str::<File>(&text).unwrap().notify.remove(0)
}

/// A server that hands its one connection, with the request read off it, to `answer`.
fn serve(answer: impl FnOnce(TcpStream) + Send + 'static) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        sender.send(read_request(&mut stream)).unwrap();
        answer(stream);
    });
    (address, receiver)
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        request.extend(buffer.iter().take(count));
        let text = String::from_utf8_lossy(&request).into_owned();
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
            });
            body.len() >= length.unwrap_or(0)
        });
        if whole || count == 0 {
            return text;
        }
    }
}

fn send(channel: &Channel) -> Result<(), SendError> {
    let now = Timestamp::from_seconds(0);
    Client::new().send(channel, &channel.test_message(now), None, now).map(|_| ())
}

fn answered(kind: &str, answer: &'static str) -> Result<(), SendError> {
    let (address, _requests) = serve(move |mut stream| {
        stream.write_all(answer.as_bytes()).unwrap();
    });
    send(&channel(kind, &address, ""))
}

#[test]
fn the_request_is_a_json_post_with_the_configured_headers() {
    let (address, requests) = serve(|mut stream| {
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    });
    let channel = channel("webhook", &address, "headers = { X-Key = \"SECRET2\" }");
    send(&channel).unwrap();
    let request = requests.recv().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /hook/secret http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json; charset=utf-8"), "{head}");
    assert!(head.contains("x-key: secret2"), "{head}");
    assert!(head.contains("user-agent: bergfried/"), "{head}");
    let document: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(document["kind"], "test");
}

#[test]
fn answers_and_what_they_mean() {
    const SECOND: Option<Duration> = Some(Duration::from_secs(1));
    const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
    let cases = [
        ("429 Too Many Requests\r\nRetry-After: 1", "", true, SECOND, "the server answered 429"),
        ("503 Busy\r\nRetry-After: 999999", "", true, HOUR, "the server answered 503"),
        ("503 Busy\r\nRetry-After: soon", "", true, None, "the server answered 503"),
        ("500 Oops", "at /hook/SECRET", true, None, "the server answered 500"),
        ("408 Timeout", "", true, None, "the server answered 408"),
        ("404 Gone", "no_service", false, None, "the server answered 404: no_service"),
        ("400 Bad", "POST /hook/SECRET", false, None, "the server answered 400"),
        (
            "302 Found\r\nLocation: http://127.0.0.1:1/other",
            "",
            false,
            None,
            "the server answered 302, and redirects are not followed",
        ),
    ];
    for (head, body, retryable, retry_after, message) in cases {
        let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let error = answered("slack", answer.leak()).unwrap_err();
        let expected = SendError { retryable, retry_after, message: message.to_owned() };
        assert_eq!(error, expected, "{head}");
    }
    answered("slack", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    let error =
        answered("webhook", "HTTP/1.1 400 Bad\r\nContent-Length: 6\r\n\r\nsecret").unwrap_err();
    assert_eq!(error.message, "the server answered 400", "only Slack's own words are repeated");
}

#[test]
fn a_server_that_says_nothing_is_left_after_the_timeout() {
    let (release, held) = mpsc::channel::<()>();
    let (address, _requests) = serve(move |stream| {
        // Keeps the connection open until the test is over.
        held.recv().unwrap_err();
        drop(stream);
    });
    let start = Instant::now();
    let error = send(&channel("slack", &address, "")).unwrap_err();
    assert!(error.retryable);
    assert_eq!(error.message, "no answer within 1 s");
    assert!(start.elapsed() < Duration::from_secs(20));
    drop(release);
}

#[test]
fn a_server_that_drips_is_left_after_the_timeout_too() {
    let (address, _requests) = serve(|mut stream| {
        let dripping = b"HTTP/1.1 200 OK\r\n".iter().chain(b"X".iter().cycle());
        for byte in dripping {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    let start = Instant::now();
    let error = send(&channel("slack", &address, "")).unwrap_err();
    assert!(error.retryable, "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    let (address, _requests) = serve(|mut stream| {
        let head = b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000000\r\n\r\n";
        let mut alive = stream.write_all(head).is_ok();
        while alive {
            alive = stream.write_all(&[b'x'; 65_536]).is_ok();
        }
    });
    let error = send(&channel("slack", &address, "")).unwrap_err();
    assert_eq!((error.retryable, error.message.as_str()), (true, "the server answered 500"));
}

#[test]
fn failures_on_the_way_are_tried_again_and_tell_no_secret() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (hung_up, _requests) = serve(drop);
    let (garbage, _requests) = serve(|mut stream| {
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").unwrap();
    });
    let closed = format!("http://{closed}");
    let no_tls = closed.replace("http:", "https:");
    for address in [closed, no_tls, hung_up, garbage, "http://nowhere.invalid".to_owned()] {
        let error = send(&channel("slack", &address, "")).unwrap_err();
        assert!(error.retryable, "{error:?}");
        assert!(!format!("{error:?} {error}").contains("SECRET"), "{error:?}");
    }
}
