//! Who is told of what and when, as routes say it.

use bergfried_alert::{Alert, Model};
use bergfried_event::Severity;
use bergfried_event::Timestamp;

use super::budget::Verdict;
use super::sample::alert;
use super::*;

#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    route: Vec<RouteFile>,
}

fn listeners() -> Vec<Listener> {
    let listener =
        |channel: &str, min_severity| Listener { channel: channel.to_owned(), min_severity };
    vec![
        listener("ops", Severity::Medium),
        listener("phone", Severity::Informational),
        listener("boss", Severity::Informational),
    ]
}

fn routing(text: &str) -> Result<Routing, RouteError> {
    let file: File = toml::from_str(text).unwrap();
    Routing::new(&file.route, listeners())
}

fn view(alert: &Alert, occasion: Occasion) -> View {
    View::of(&Model::alerta(), alert, occasion)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn told(routing: &Routing, alert: &Alert, occasion: Occasion) -> String {
    let plan = routing.orders(&view(alert, occasion), occasion, at("2026-11-21T12:00:00Z"));
    let order = |order: &Order| format!("{}:{}", order.route, order.channel);
    plan.orders.iter().map(order).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_a_route_can_ask_for() {
    let mut asked = alert();
    asked.customer = Some("acme".to_owned());
    for (when, takes) in [
        ("severity:high", true),
        ("severity:major", true),
        ("severity:critical", false),
        ("severity.level:>=4", true),
        ("severity.level:>4", false),
        ("environment:Production resource:web*", true),
        ("event:\"SSH password guessing\"", true),
        ("title:*guessing", true),
        ("service:sshd group:Auth", true),
        ("service:nginx", false),
        ("status:open change:new", true),
        ("text:*203.0.113.5", true),
        ("tags:lab", true),
        ("-tags:lab", false),
        ("attributes.region:eu", true),
        ("attributes.region:us", false),
        ("origin:bergfried customer:acme type:exceptionAlert", true),
        ("rule.id:7b3c rule.name:ssh*", true),
        ("user:root user.name:root", true),
        ("source.ip:203.0.113.0/24 source:203.0.113.5", true),
        ("host:web1 host.name:web1 program:sshd", true),
        ("count:>=12 value:12", true),
        ("failed logins", true),
        ("succeeded", false),
    ] {
        let text = format!("[[route]]\nname = 'r'\nchannels = ['ops']\nwhen = '{when}'");
        let expected = if takes { "r:ops" } else { "" };
        assert_eq!(told(&routing(&text).unwrap(), &asked, Occasion::New), expected, "{when}");
    }
}

#[test]
fn the_first_route_that_matches_decides_unless_it_continues() {
    let low = Alert { severity: "warning".to_owned(), ..alert() };
    let normal = Alert { severity: "normal".to_owned(), ..alert() };
    for (text, alert, occasion, expected) in [
        ("", alert(), Occasion::New, "default:ops default:phone default:boss"),
        ("", low.clone(), Occasion::New, "default:phone default:boss"),
        ("", alert(), Occasion::Resolved, ""),
        ("", alert(), Occasion::Better, ""),
        ("", alert(), Occasion::Worse, "default:ops default:phone default:boss"),
        (
            "[[route]]\nwhen='severity:high'\nchannels=['ops']\n[[route]]\nchannels=['phone']",
            alert(),
            Occasion::New,
            "route-1:ops",
        ),
        (
            "[[route]]\nwhen='severity:critical'\nchannels=['ops']\n[[route]]\nchannels=['phone']",
            alert(),
            Occasion::New,
            "route-2:phone",
        ),
        (
            "[[route]]\nchannels=['ops']\ncontinue=true\n[[route]]\nname='b'\nchannels=['phone','ops']",
            alert(),
            Occasion::New,
            "route-1:ops b:phone",
        ),
        // A route's own limit stands in the place of the channel's.
        (
            "[[route]]\nmin_severity='low'\nchannels=['ops']",
            low.clone(),
            Occasion::New,
            "route-1:ops",
        ),
        ("[[route]]\nchannels=['ops']", low.clone(), Occasion::New, ""),
        (
            "[[route]]\nmin_severity='high'\nchannels=['ops']\n[[route]]\nchannels=['phone']",
            low,
            Occasion::New,
            "route-2:phone",
        ),
        ("[[route]]\nchannels=['phone']", normal, Occasion::Resolved, "route-1:phone"),
        ("[[route]]\nchannels=['phone']\nresolved=false", alert(), Occasion::Resolved, ""),
        ("[[route]]\nchannels=['phone']", alert(), Occasion::Acknowledged, ""),
    ] {
        assert_eq!(told(&routing(text).unwrap(), &alert, occasion), expected, "{text}");
    }
}

#[test]
fn groups_wait_and_quiet_hours_hold_back() {
    let text = "[[route]]\nname='r'\nchannels=['ops']\ngroup_by=['resource']\ngroup_window='2m'\n\
                quiet_hours='22:00-07:00'\nquiet_except='severity:critical'\n\
                time_zone='Europe/Berlin'";
    let routing = routing(text).unwrap();
    let order = |severity: &str, now: &str| {
        let alert = Alert { severity: severity.to_owned(), ..alert() };
        let view = view(&alert, Occasion::New);
        let plan = routing.orders(&view, Occasion::New, at(now));
        let order = plan.orders.into_iter().next().unwrap();
        let bundle = order.bundle.unwrap();
        (order.due, bundle.title, bundle.held)
    };
    let title = || "resource web1".to_owned();
    let quiet = || "quiet hours".to_owned();
    assert_eq!(
        order("major", "2026-11-21T12:00:00Z"),
        (at("2026-11-21T12:02:00Z"), title(), false)
    );
    // Ready at 22:01 in Berlin.
    assert_eq!(order("major", "2026-11-21T20:59:00Z"), (at("2026-11-22T06:00:00Z"), quiet(), true));
    assert_eq!(
        order("critical", "2026-11-21T20:59:00Z"),
        (at("2026-11-21T21:01:00Z"), title(), false)
    );
}

#[test]
fn escalation_and_reminders_follow_the_first_message() {
    let text = "[[route]]\nname='r'\nchannels=['ops']\nremind_every='4h'\n\
                escalate=[{after='15m',channels=['phone']},{after='1h',channels=['boss','phone']}]";
    let routing = routing(text).unwrap();
    let (now, view) = (at("2026-11-21T12:00:00Z"), view(&alert(), Occasion::New));
    let plan = routing.orders(&view, Occasion::New, now);
    let timers: Vec<(TimerKind, String)> =
        plan.timers.iter().map(|timer| (timer.kind, timer.due.to_string())).collect();
    assert_eq!(
        timers,
        [
            (TimerKind::Escalate(0), "2026-11-21T12:15:00Z".to_owned()),
            (TimerKind::Escalate(1), "2026-11-21T13:00:00Z".to_owned()),
            (TimerKind::Remind, "2026-11-21T16:00:00Z".to_owned()),
        ]
    );
    let names = |plan: &Plan| -> Vec<String> {
        plan.orders.iter().map(|order| order.channel.clone()).collect()
    };
    let second = routing.due(&view, &plan.timers[1], at("2026-11-21T13:00:00Z"));
    assert_eq!(
        (names(&second), second.timers),
        (vec!["boss".to_owned(), "phone".to_owned()], vec![])
    );
    // After two days without power one reminder comes, and the next four hours later.
    let late = routing.due(&view, &plan.timers[2], at("2026-11-23T12:00:00Z"));
    assert_eq!(names(&late), ["ops"]);
    assert_eq!(late.timers.len(), 1);
    assert_eq!(late.timers[0].due, at("2026-11-23T16:00:00Z"));
    for occasion in [Occasion::Acknowledged, Occasion::Shelved, Occasion::Resolved] {
        assert!(routing.orders(&view, occasion, now).cancel, "{occasion:?}");
    }
    let other = super::tests::routing("[[route]]\nname='other'\nchannels=['ops']").unwrap();
    assert_eq!(other.due(&view, &plan.timers[0], now), Plan::default());
}

#[test]
fn an_hours_messages_have_a_limit() {
    let routing = routing("[[route]]\nname='r'\nchannels=['ops']\nmax_per_hour=3").unwrap();
    let now = at("2026-11-21T12:00:00Z");
    let ago = |minutes: i64| now.plus_micros(-minutes * 60 * Timestamp::SECOND);
    assert_eq!(routing.may_send("r", &[ago(1), ago(2)], now), Verdict::Send);
    assert_eq!(routing.may_send("r", &[ago(1), ago(2), ago(60)], now), Verdict::Send);
    let Verdict::Hold(until, bundle) = routing.may_send("r", &[ago(1), ago(50), ago(2)], now)
    else {
        panic!("a fourth message within the hour")
    };
    assert_eq!((until, bundle.held), (at("2026-11-21T12:10:00Z"), true));
    // A clock that was put back a day holds nothing back for a day.
    let ahead = now.plus_micros(Timestamp::DAY);
    let Verdict::Hold(until, _) = routing.may_send("r", &[ahead; 3], now) else {
        panic!("a fourth message within the hour")
    };
    assert_eq!(until, at("2026-11-21T13:00:00Z"));
    assert_eq!(routing.may_send("gone", &[now; 50], now), Verdict::Send);
}

#[test]
fn a_day_is_told_of_once() {
    let text = "[[route]]\nname='r'\nchannels=['ops']\ndaily_report='08:00'\n\
                time_zone='Europe/Berlin'";
    let routing = routing(text).unwrap();
    let due = |last: Option<&str>, now: &str| -> Option<(String, String, bool)> {
        let last = last.map(ToOwned::to_owned);
        let report = routing.reports(|_| last.clone(), at(now)).pop()?;
        Some((report.day, report.since.to_string(), report.told))
    };
    let some = |day: &str, since: &str, told| Some((day.to_owned(), since.to_owned(), told));
    for (last, now, expected) in [
        // First seen: nothing is told of the past, only remembered.
        (None, "2026-11-21T12:00:00Z", some("2026-11-21", "2026-11-20T07:00:00Z", false)),
        (Some("2026-11-20"), "2026-11-21T06:59:59Z", None),
        (
            Some("2026-11-20"),
            "2026-11-21T07:00:00Z",
            some("2026-11-21", "2026-11-20T07:00:00Z", true),
        ),
        (Some("2026-11-21"), "2026-11-21T07:00:01Z", None),
        // Down for four days: only the last is told of.
        (
            Some("2026-11-17"),
            "2026-11-21T09:00:00Z",
            some("2026-11-21", "2026-11-20T07:00:00Z", true),
        ),
        // The clock was put back.
        (Some("2026-11-21"), "2026-11-20T09:00:00Z", None),
        // The day on which the clock is put forward has 23 hours.
        (
            Some("2026-03-28"),
            "2026-03-29T06:00:00Z",
            some("2026-03-29", "2026-03-28T07:00:00Z", true),
        ),
    ] {
        assert_eq!(due(last, now), expected, "{last:?} {now}");
    }
    assert_eq!(routing.next_report(at("2026-11-21T07:00:00Z")), Some(at("2026-11-22T07:00:00Z")));
    assert_eq!(routing.next_report(at("2026-11-21T06:00:00Z")), Some(at("2026-11-21T07:00:00Z")));
}

#[test]
fn mistakes_name_the_key_and_what_was_meant() {
    for (text, key, part) in [
        ("channels=['opps']", Some("channels"), "there is no channel `opps`; is `ops` meant?"),
        ("channels=['ops','ops']", Some("channels"), "named twice"),
        ("channels=[]", None, "names no channel"),
        ("channels=['ops']\nwhen='severty:high'", Some("when"), "`severity`"),
        ("channels=['ops']\nwhen='user:('", Some("when"), "cannot read `when`"),
        ("channels=['ops']\ngroup_by=['resource']", Some("group_by"), "without group_window"),
        ("channels=['ops']\ngroup_window='2x'", Some("group_window"), "no span of time"),
        (
            "channels=['ops']\ngroup_by=['resorce']\ngroup_window='2m'",
            Some("group_by"),
            "`resource`",
        ),
        ("channels=['ops']\nmax_per_hour=0", Some("max_per_hour"), "from 1"),
        ("channels=['ops']\nquiet_hours='22-7'", Some("quiet_hours"), "no time of the day"),
        ("channels=['ops']\nquiet_days=['mon']", Some("quiet_days"), "without quiet_hours"),
        (
            "channels=['ops']\nquiet_hours='22:00-07:00'\nquiet_days=['mun']",
            Some("quiet_days"),
            "`mun` is no day",
        ),
        (
            "channels=['ops']\nquiet_hours='22:00-07:00'\nquiet_except='sevrity:x'",
            Some("quiet_except"),
            "`severity`",
        ),
        ("channels=['ops']\ntime_zone='Europe/Berlin'", Some("time_zone"), "does nothing"),
        (
            "channels=['ops']\ndaily_report='08:00'\ntime_zone='Europe/Berln'",
            Some("time_zone"),
            "is `Europe/Berlin` meant?",
        ),
        ("channels=['ops']\ndaily_report='8'", Some("daily_report"), "no time of the day"),
        ("channels=['ops']\nremind_every='1s'", Some("remind_every"), "not between"),
        (
            "channels=['ops']\nescalate=[{after='15m',channels=['fone']}]",
            Some("escalate"),
            "is `phone` meant?",
        ),
        (
            "channels=['ops']\nescalate=[{after='15m',channels=['phone']},{after='15m',channels=['boss']}]",
            Some("escalate"),
            "not later",
        ),
        ("channels=['ops']\nname='a b'", Some("name"), "letters"),
    ] {
        let error = routing(&format!("[[route]]\n{text}")).unwrap_err();
        assert_eq!((error.index, error.key), (0, key), "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
    let twice = "[[route]]\nname='a'\nchannels=['ops']\n".repeat(2);
    assert_eq!(routing(&twice).unwrap_err().index, 1);
}

#[test]
fn the_dry_run_says_why() {
    let text = "[[route]]\nname='crit'\nwhen='severity:critical'\nchannels=['phone']\n\
                [[route]]\nname='all'\nchannels=['ops','boss']\n[[route]]\nname='last'\nchannels=['boss']";
    let routing = routing(text).unwrap();
    let fields = [("severity", "warning"), ("service", "sshd")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let now = at("2026-11-21T12:00:00Z");
    let view = View::imagined(&Model::alerta(), &fields, now).unwrap();
    let explained = routing.explain(&view, now);
    let [crit, all, last] = &explained[..] else { panic!("{explained:?}") };
    assert!(!crit.takes && !crit.asked[0].held, "{crit:?}");
    assert!(crit.asked[0].saw.contains("warning"), "{crit:?}");
    assert!(all.takes && !all.channels[0].told && all.channels[1].told, "{all:?}");
    assert_eq!(all.channels[0].why, "it wants medium or worse, this is low");
    assert_eq!(all.channels[1].why, "at once");
    assert!(last.skipped && !last.takes);
    for (name, value, part) in
        [("severty", "x", "is `severity` meant?"), ("severity", "majr", "is `major` meant?")]
    {
        let fields = [(name.to_owned(), value.to_owned())];
        let error = View::imagined(&Model::alerta(), &fields, now).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn routes_are_described_in_words() {
    let text = "[[route]]\nname='nights'\nwhen='environment:Production'\nmin_severity='high'\n\
                channels=['ops','phone']\ncontinue=true\ngroup_by=['resource']\ngroup_window='2m'\n\
                max_per_hour=20\nquiet_hours='22:00-07:00'\nquiet_days=['tue','mon']\n\
                quiet_except='severity:critical'\ntime_zone='Europe/Berlin'\nremind_every='4h'\n\
                escalate=[{after='15m',channels=['boss']}]\ndaily_report='08:00'\nhub_status=true\n\
                [[route]]\nname='rest'\nchannels=['boss']\nresolved=false";
    let described = routing(text).unwrap().described();
    let [nights, rest] = &described[..] else { panic!("{described:?}") };
    let pairs = |route: &super::Described| -> Vec<String> {
        route.channels.iter().map(|(channel, least)| format!("{channel}>={least}")).collect()
    };
    assert_eq!(nights.route, "nights");
    assert_eq!(pairs(nights), ["ops>=high", "phone>=high"]);
    assert!(nights.when.as_deref().unwrap().contains("production"), "{nights:?}");
    assert!(
        nights.agreed[2].starts_with("quiet 22:00-07:00 on monday, tuesday Europe/Berlin, except ")
    );
    let mut agreed = nights.agreed.clone();
    agreed.remove(2);
    assert_eq!(
        agreed,
        [
            "one message for the same resource within 2 min",
            "at most 20 messages an hour",
            "boss told where nobody acknowledged it in 15 min",
            "a reminder every 4 h",
            "told when it is over",
            "a report each day at 08:00 Europe/Berlin",
            "told when the hub starts and stops",
        ]
    );
    assert!(nights.continues && !rest.continues);
    assert_eq!((rest.when.as_deref(), rest.agreed.as_slice()), (None, &[][..]));
    assert_eq!(pairs(rest), ["boss>=informational"]);
}
