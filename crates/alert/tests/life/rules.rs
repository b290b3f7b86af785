//! Each of the eleven rules of Alerta's alarm model.

use bergfried_alert::{SetStatus, Status};

use super::*;

/// What happens to an alert, one after the other.
enum Happens {
    /// It is received with this severity.
    Hear(&'static str),
    /// It is received with this severity and asks for this status.
    Sent(&'static str, Status),
    /// Somebody does this, and it makes sense.
    Do(Action),
    /// Somebody tries this, and it makes none.
    Refused(Action),
    /// Somebody sets this status.
    Set(Status),
}

fn set(status: Status) -> SetStatus {
    let id = "set".to_owned();
    SetStatus { status, text: String::new(), timeout: None, user: None, id }
}

#[test]
fn the_eleven_rules() {
    use Action::{Ack, Assign, Close, Open, Shelve, Unack, Unshelve};
    use Happens::{Do, Hear, Refused, Sent, Set};
    let other = || Action::Other("page".to_owned());
    let cases: Vec<(&str, Vec<Happens>, Status, &str)> = vec![
        ("1 unknown action", vec![Hear("major"), Do(other())], Status::Open, "major"),
        ("1 of a closed one", vec![Hear("normal"), Do(other())], Status::Closed, "normal"),
        ("2 sent", vec![Sent("major", Status::Ack)], Status::Ack, "major"),
        (
            "2 sent later",
            vec![Hear("major"), Sent("major", Status::Shelved)],
            Status::Shelved,
            "major",
        ),
        ("2 sent but normal", vec![Sent("ok", Status::Ack)], Status::Closed, "ok"),
        ("3 unack", vec![Hear("major"), Do(Ack), Do(Unack)], Status::Open, "major"),
        ("3 unack nothing", vec![Hear("major"), Refused(Unack)], Status::Open, "major"),
        ("3 unshelve", vec![Hear("major"), Do(Shelve), Do(Unshelve)], Status::Open, "major"),
        (
            "3 unshelve to ack",
            vec![Hear("major"), Do(Ack), Do(Shelve), Do(Unshelve)],
            Status::Ack,
            "major",
        ),
        (
            "3 and unack that",
            vec![Hear("major"), Do(Ack), Do(Shelve), Do(Unshelve), Do(Unack)],
            Status::Open,
            "major",
        ),
        (
            "3 unshelve nothing",
            vec![Hear("major"), Do(Ack), Refused(Unshelve)],
            Status::Ack,
            "major",
        ),
        ("4 open", vec![Hear("major"), Refused(Open)], Status::Open, "major"),
        ("4 ack", vec![Hear("major"), Do(Ack)], Status::Ack, "major"),
        ("4 shelve", vec![Hear("major"), Do(Shelve)], Status::Shelved, "major"),
        ("4 close", vec![Hear("major"), Do(Close)], Status::Closed, "normal"),
        ("5 open", vec![Hear("major"), Do(Ack), Do(Open)], Status::Open, "major"),
        ("5 ack", vec![Hear("major"), Do(Ack), Refused(Ack)], Status::Ack, "major"),
        ("5 shelve", vec![Hear("major"), Do(Ack), Do(Shelve)], Status::Shelved, "major"),
        ("5 close", vec![Hear("major"), Do(Ack), Do(Close)], Status::Closed, "normal"),
        ("5 worse", vec![Hear("major"), Do(Ack), Hear("critical")], Status::Open, "critical"),
        ("5 as bad", vec![Hear("major"), Do(Ack), Hear("major")], Status::Ack, "major"),
        (
            "5 worse before",
            vec![Hear("minor"), Hear("major"), Do(Ack), Hear("major")],
            Status::Ack,
            "major",
        ),
        ("5 less bad", vec![Hear("major"), Do(Ack), Hear("minor")], Status::Ack, "minor"),
        (
            "5 from the default",
            vec![Hear("indeterminate"), Do(Ack), Hear("major")],
            Status::Ack,
            "major",
        ),
        ("6 open", vec![Hear("major"), Do(Shelve), Do(Open)], Status::Open, "major"),
        ("6 ack", vec![Hear("major"), Do(Shelve), Refused(Ack)], Status::Shelved, "major"),
        ("6 shelve", vec![Hear("major"), Do(Shelve), Refused(Shelve)], Status::Shelved, "major"),
        ("6 close", vec![Hear("major"), Do(Shelve), Do(Close)], Status::Closed, "normal"),
        ("6 stays", vec![Hear("major"), Do(Shelve), Hear("critical")], Status::Shelved, "critical"),
        ("7 close", vec![Sent("major", Status::Blackout), Do(Close)], Status::Closed, "normal"),
        ("7 over", vec![Sent("major", Status::Blackout), Hear("major")], Status::Open, "major"),
        (
            "7 over, acked before",
            vec![Hear("major"), Do(Ack), Sent("major", Status::Blackout), Hear("major")],
            Status::Ack,
            "major",
        ),
        (
            "7 goes on",
            vec![Hear("major"), Sent("major", Status::Blackout), Sent("major", Status::Blackout)],
            Status::Blackout,
            "major",
        ),
        ("8 open", vec![Hear("major"), Do(Close), Do(Open)], Status::Open, "major"),
        ("8 ack", vec![Hear("normal"), Refused(Ack)], Status::Closed, "normal"),
        ("8 shelve", vec![Hear("normal"), Refused(Shelve)], Status::Closed, "normal"),
        ("8 close", vec![Hear("normal"), Refused(Close)], Status::Closed, "normal"),
        ("8 again", vec![Hear("major"), Hear("normal"), Hear("major")], Status::Open, "major"),
        (
            "8 shelved again",
            vec![Hear("major"), Do(Shelve), Hear("normal"), Hear("major")],
            Status::Shelved,
            "major",
        ),
        (
            "8 and unshelved",
            vec![Hear("major"), Do(Shelve), Hear("normal"), Hear("major"), Do(Unshelve)],
            Status::Open,
            "major",
        ),
        ("9 from open", vec![Hear("major"), Hear("ok")], Status::Closed, "ok"),
        ("9 from ack", vec![Hear("major"), Do(Ack), Hear("cleared")], Status::Closed, "cleared"),
        (
            "9 from shelved",
            vec![Hear("major"), Do(Shelve), Hear("normal")],
            Status::Closed,
            "normal",
        ),
        (
            "9 from blackout",
            vec![Sent("major", Status::Blackout), Hear("normal")],
            Status::Closed,
            "normal",
        ),
        (
            "9 from expired",
            vec![Hear("major"), Set(Status::Expired), Hear("normal")],
            Status::Closed,
            "normal",
        ),
        ("9 at once", vec![Hear("normal")], Status::Closed, "normal"),
        (
            "10 ack",
            vec![Hear("major"), Set(Status::Expired), Refused(Ack)],
            Status::Expired,
            "major",
        ),
        (
            "10 close",
            vec![Hear("major"), Set(Status::Expired), Refused(Close)],
            Status::Expired,
            "major",
        ),
        ("10 open", vec![Hear("major"), Set(Status::Expired), Do(Open)], Status::Open, "major"),
        (
            "10 again",
            vec![Hear("major"), Set(Status::Expired), Hear("major")],
            Status::Open,
            "major",
        ),
        ("11 repeated", vec![Hear("major"), Hear("major")], Status::Open, "major"),
        ("11 assign", vec![Hear("major"), Do(Assign)], Status::Open, "major"),
        (
            "11 assigned",
            vec![Hear("major"), Set(Status::Assign), Hear("major")],
            Status::Assign,
            "major",
        ),
        (
            "11 unknown",
            vec![Hear("major"), Set(Status::Unknown), Hear("major")],
            Status::Unknown,
            "major",
        ),
    ];
    let settings = Settings::default();
    for (name, happens, status, severity) in cases {
        let mut alert: Option<Alert> = None;
        for (second, what) in happens.into_iter().enumerate() {
            let now = at(second as i64);
            match what {
                Hear(severity) => {
                    let said = incoming(&settings, "down", severity);
                    alert = Some(hear(&settings, alert.as_ref(), said, second as i64).0);
                }
                Sent(severity, status) => {
                    let said = Incoming { status, ..incoming(&settings, "down", severity) };
                    alert = Some(hear(&settings, alert.as_ref(), said, second as i64).0);
                }
                Do(action) => {
                    let alert = alert.as_mut().unwrap();
                    act(&settings, alert, does(action), now).unwrap_or_else(|refused| {
                        panic!("{name}: {refused}");
                    });
                }
                Refused(action) => {
                    let alert = alert.as_mut().unwrap();
                    let before = alert.clone();
                    assert!(act(&settings, alert, does(action), now).is_err(), "{name}");
                    assert_eq!(*alert, before, "{name}");
                }
                Set(status) => {
                    set_status(&settings, alert.as_mut().unwrap(), set(status), now).unwrap();
                }
            }
        }
        let alert = alert.unwrap();
        assert_eq!((alert.status, alert.severity.as_str()), (status, severity), "{name}");
    }
}
