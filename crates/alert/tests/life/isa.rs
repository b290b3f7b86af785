//! The alarm model of ANSI/ISA-18.2, and severities of the user's own.

use bergfried_alert::{Machine, Model, SetStatus, Status, Step, Trend, due, step};
use bergfried_event::Severity;

use super::*;

enum Happens {
    Hear(&'static str),
    Sent(&'static str, Status),
    Do(Action),
    Refused(Action),
}

fn isa() -> Settings {
    Settings { model: Model::isa_18_2(), ..Settings::default() }
}

#[test]
fn the_ways_of_isa_18_2() {
    use Action::{Ack, Close, Shelve, Unack, Unshelve};
    use Happens::{Do, Hear, Refused, Sent};
    let cases: Vec<(&str, Vec<Happens>, Status)> = vec![
        ("normal from the start", vec![Hear("OK")], Status::Norm),
        ("an alarm", vec![Hear("High")], Status::Unacked),
        ("acknowledged", vec![Hear("High"), Do(Ack)], Status::Acked),
        ("twice", vec![Hear("High"), Do(Ack), Refused(Ack)], Status::Acked),
        ("no longer", vec![Hear("High"), Do(Ack), Do(Unack)], Status::Unacked),
        ("worse", vec![Hear("Low"), Do(Ack), Hear("High")], Status::Unacked),
        ("better", vec![Hear("High"), Do(Ack), Hear("Low")], Status::Acked),
        ("cleared", vec![Hear("High"), Do(Ack), Hear("OK")], Status::Norm),
        ("cleared unseen", vec![Hear("High"), Hear("OK")], Status::Rtnun),
        ("seen later", vec![Hear("High"), Hear("OK"), Do(Ack)], Status::Norm),
        ("back before it was seen", vec![Hear("High"), Hear("OK"), Hear("Low")], Status::Unacked),
        ("shelved", vec![Hear("High"), Do(Shelve)], Status::Shlvd),
        ("shelved whatever comes", vec![Hear("High"), Do(Shelve), Hear("OK")], Status::Shlvd),
        ("twice", vec![Hear("High"), Do(Shelve), Refused(Shelve)], Status::Shlvd),
        ("back", vec![Hear("High"), Do(Ack), Do(Shelve), Do(Unshelve)], Status::Unacked),
        ("back to normal", vec![Hear("High"), Do(Shelve), Hear("OK"), Do(Unshelve)], Status::Norm),
        ("not shelved", vec![Hear("High"), Refused(Unshelve)], Status::Unacked),
        ("suppressed", vec![Sent("High", Status::Dsupr)], Status::Dsupr),
        ("and back", vec![Sent("High", Status::Dsupr), Hear("High")], Status::Unacked),
        ("out of service", vec![Sent("High", Status::Oosrv), Refused(Ack)], Status::Oosrv),
        ("and back to normal", vec![Sent("High", Status::Oosrv), Hear("OK")], Status::Norm),
        ("nothing to see", vec![Hear("OK"), Refused(Ack), Refused(Unack)], Status::Norm),
        ("no such action", vec![Hear("High"), Refused(Close)], Status::Unacked),
        (
            "somebody else's action",
            vec![Hear("High"), Do(Action::Other("page".to_owned()))],
            Status::Unacked,
        ),
    ];
    let settings = isa();
    for (name, happens, status) in cases {
        let mut alert: Option<Alert> = None;
        for (second, what) in happens.into_iter().enumerate() {
            let seconds = second as i64;
            let said = match &what {
                Happens::Hear(severity) => Some(incoming(&settings, "hot", severity)),
                Happens::Sent(severity, status) => {
                    Some(Incoming { status: *status, ..incoming(&settings, "hot", severity) })
                }
                _ => None,
            };
            if let Some(said) = said {
                alert = Some(hear(&settings, alert.as_ref(), said, seconds).0);
            }
            let alert = alert.as_mut().unwrap();
            match what {
                Happens::Do(action) => {
                    let done = act(&settings, alert, does(action), at(seconds));
                    assert_eq!(done, Ok(()), "{name}");
                }
                Happens::Refused(action) => {
                    let done = act(&settings, alert, does(action), at(seconds));
                    assert!(done.is_err(), "{name}");
                }
                _ => {}
            }
        }
        assert_eq!(alert.unwrap().status, status, "{name}");
    }
}

#[test]
fn an_alarm_stands_until_it_is_normal_and_seen() {
    let settings = isa();
    let (mut alert, _) = hear(&settings, None, incoming(&settings, "hot", "High"), 0);
    assert_eq!((alert.trend, alert.previous_severity.as_str()), (Trend::MoreSevere, "OK"));
    assert_eq!(due(&settings, &alert), None);
    act(&settings, &mut alert, does(Action::Shelve), at(0)).unwrap();
    assert_eq!(due(&settings, &alert), Some((at(7_200), Step::Unshelve)));
    step(&settings, &mut alert, Step::Unshelve, "step".to_owned(), at(7_200));
    assert_eq!(alert.status, Status::Unacked);
    act(&settings, &mut alert, does(Action::Ack), at(7_300)).unwrap();
    let (alert, _) = hear(&settings, Some(&alert), incoming(&settings, "hot", "OK"), 7_400);
    assert_eq!(alert.trend, Trend::LessSevere);
    assert_eq!(due(&settings, &alert), Some((at(14_600), Step::Delete)));
}

#[test]
fn each_model_has_its_own_statuses() {
    for (settings, own, other) in [(Settings::default(), "ack", "ACKED"), (isa(), "ACKED", "ack")] {
        assert!(settings.model.status(own).is_ok());
        let error = settings.model.status(other).unwrap_err().to_string();
        assert!(!error.contains(&format!(" {other},")), "{error}");
        let severity = settings.model.severities[0].0.clone();
        let (mut alert, _) = hear(&settings, None, incoming(&settings, "hot", &severity), 0);
        let set = SetStatus {
            status: other.parse().unwrap(),
            text: String::new(),
            timeout: None,
            user: None,
            id: "set".to_owned(),
        };
        let before = alert.clone();
        assert!(set_status(&settings, &mut alert, set, at(1)).is_err());
        assert_eq!(alert, before);
    }
}

#[test]
fn words_of_either_model_are_understood() {
    let (alerta, isa) = (Model::alerta(), Model::isa_18_2());
    for (word, in_alerta, in_isa) in [
        ("critical", "critical", "Critical"),
        ("emerg", "critical", "Critical"),
        ("err", "major", "High"),
        ("High", "major", "High"),
        ("warn", "warning", "Low"),
        ("information", "informational", "Advisory"),
        ("ok", "ok", "OK"),
        ("normal", "normal", "OK"),
    ] {
        assert_eq!((alerta.severity(word), isa.severity(word)), (Ok(in_alerta), Ok(in_isa)));
    }
    assert!(isa.severity("security").is_err());
    for severity in Severity::ALL {
        assert_eq!(isa.as_rule(isa.of_rule(severity)), severity);
    }
    assert!(isa.code("Critical") < isa.code("OK"));
    assert_eq!(isa.code("nonsense"), u16::MAX);
    assert_eq!(Model::named("ISA_18_2").map(|model| model.machine), Some(Machine::Isa182));
    assert_eq!(Model::named("isa"), None);
}

#[test]
fn severities_of_the_users_own() {
    let words = |words: &[(&str, u16)]| -> Vec<(String, u16)> {
        words.iter().map(|(word, code)| ((*word).to_owned(), *code)).collect()
    };
    let own = words(&[("fine", 9), ("awful", 0), ("bad", 3), ("odd", 5)]);
    let model = Model::alerta().with_severities(own.clone(), None, None).unwrap();
    assert_eq!((model.normal.as_str(), model.previous.as_str()), ("fine", "fine"));
    assert_eq!(model.severities[0].0, "awful");
    let of_rules = Severity::ALL.map(|severity| model.of_rule(severity));
    assert_eq!(of_rules, ["odd", "bad", "bad", "awful", "awful"]);
    assert!(model.is_normal("fine") && !model.is_normal("odd"));
    let chosen = Model::alerta().with_severities(own.clone(), Some("odd"), Some("bad")).unwrap();
    assert_eq!((chosen.normal.as_str(), chosen.previous.as_str()), ("odd", "bad"));
    let kept = words(&[("critical", 0), ("normal", 5), ("harmless", 9), ("indeterminate", 4)]);
    let kept = Model::alerta().with_severities(kept, None, None).unwrap();
    assert_eq!((kept.normal.as_str(), kept.previous.as_str()), ("normal", "indeterminate"));
    for (severities, normal, expected) in [
        (Vec::new(), None, "without any severity"),
        (words(&[("a", 1), ("a", 2)]), None, "`a` is there twice"),
        (own, Some("good"), "the normal severity `good` is none"),
        (words(&[("", 1)]), None, "1 to 512 bytes"),
    ] {
        let error = Model::alerta().with_severities(severities, normal, None).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let settings = Settings { model, ..Settings::default() };
    let (alert, _) = hear(&settings, None, incoming(&settings, "down", "bad"), 0);
    let (alert, _) = hear(&settings, Some(&alert), incoming(&settings, "down", "fine"), 1);
    assert_eq!(alert.status, Status::Closed);
}
