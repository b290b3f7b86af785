use axum::http::HeaderValue;

use super::*;

const HOUR: i64 = 3_600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn sessions(directory: &tempfile::TempDir) -> Sessions {
    let control = Control::open(&directory.path().join("control.sqlite")).unwrap();
    Sessions::load(Arc::new(control), SessionTimes::default(), at(0)).unwrap()
}

fn open(sessions: &Sessions, user: &str, now: i64) -> String {
    let secret = sessions.open(user, [1; 32], &Origin::default(), at(now)).unwrap();
    secret.expose().to_owned()
}

#[test]
fn a_session_ends_unused_and_at_an_age() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = sessions(&directory);
    let secret = open(&sessions, "ann", 0);
    assert!(sessions.used(&secret, at(12 * HOUR - 1)).is_some());
    assert!(sessions.get(&hash(&secret), at(24 * HOUR - 2)).is_some(), "it was used meanwhile");
    assert!(sessions.used(&secret, at(24 * HOUR)).is_none(), "and not since");
    assert!(sessions.of("ann", at(24 * HOUR)).is_empty());

    let secret = open(&sessions, "ann", 0);
    for hour in (0..7 * 24).step_by(11) {
        assert!(sessions.used(&secret, at(hour * HOUR)).is_some(), "hour {hour}");
    }
    assert!(sessions.used(&secret, at(7 * 24 * HOUR)).is_none());
}

#[test]
fn sessions_last_over_a_restart_until_they_are_ended() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = {
        let sessions = sessions(&directory);
        (open(&sessions, "ann", 0), open(&sessions, "bob", 0))
    };
    {
        let sessions = sessions(&directory);
        let mut rings = sessions.watch();
        assert!(sessions.used(&one, at(1)).is_some());
        assert_eq!(sessions.end(|row| row.user == "ann").unwrap(), 1);
        assert!(rings.has_changed().unwrap());
        rings.mark_unchanged();
        assert_eq!(sessions.end(|row| row.user == "ann").unwrap(), 0);
        assert!(!rings.has_changed().unwrap());
    }
    let sessions = sessions(&directory);
    assert!(sessions.used(&one, at(2)).is_none());
    assert!(sessions.used(&other, at(2)).is_some());
    assert!(sessions.used("", at(2)).is_none());
}

#[test]
fn the_longest_unused_session_makes_room() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = sessions(&directory);
    let others = open(&sessions, "bob", 0);
    let seconds = 0..=i64::try_from(MAX_OWN).unwrap();
    let secrets: Vec<_> = seconds.map(|second| open(&sessions, "ann", second)).collect();
    let now = at(100);
    assert_eq!(sessions.of("ann", now).len(), MAX_OWN);
    assert!(sessions.used(&secrets[0], now).is_none());
    assert!(sessions.used(&secrets[1], now).is_some());
    assert!(sessions.used(&others, now).is_some(), "others keep theirs");
}

#[test]
fn a_cookie_is_read_and_written() {
    for (lines, secret) in [
        (&["bergfried_session=abc"][..], Some("abc")),
        (&["a=b; bergfried_session=abc ;c=d"], Some("abc")),
        (&["a=b", "bergfried_session=abc"], Some("abc")),
        (&["xbergfried_session=abc"], None),
        (&["bergfried_session="], None),
        (&["bergfried_session"], None),
        (&[], None),
    ] {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        assert_eq!(cookie(&headers), secret, "{lines:?}");
    }
    let secret = Secret::new("abc");
    let told = set_cookie(Some(&secret), SessionTimes::default(), true);
    let expected =
        "bergfried_session=abc; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure";
    assert_eq!(told, expected);
    assert!(set_cookie(None, SessionTimes::default(), false).contains("=; Path=/; Max-Age=0;"));
}

#[test]
fn the_token_belongs_to_one_session() {
    assert!(is_csrf_token("abc", csrf_token("abc").as_bytes()));
    for wrong in [csrf_token("abd"), String::new(), csrf_token("abc")[1..].to_owned()] {
        assert!(!is_csrf_token("abc", wrong.as_bytes()), "{wrong}");
    }
    assert_ne!(csrf_token("abc"), blake3::Hash::from(hash("abc")).to_hex().to_string());
}
