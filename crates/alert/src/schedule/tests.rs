use super::*;
use jiff::civil::{Date, Weekday, date};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn recurring(start: &str, seconds: i64, rule: &str, zone: Option<&str>) -> Schedule {
    let start = at(start);
    Schedule::new(start, start.plus_micros(seconds * Timestamp::SECOND), Some(rule), zone).unwrap()
}

/// The first beginnings of a schedule.
fn starts(schedule: &Schedule, count: usize) -> Vec<String> {
    let mut time = schedule.start().plus_micros(-1);
    let mut starts = Vec::new();
    while let Some(next) = schedule.next_start(time)
        && starts.len() < count
    {
        starts.push(next.to_string());
        time = next;
    }
    starts
}

#[test]
fn a_single_one_is_from_start_to_end() {
    let start = at("2026-11-21T10:00:00Z");
    let schedule = Schedule::new(start, start.plus_micros(60_000_000), None, None).unwrap();
    for (offset, covered) in [(-1, false), (0, true), (59_999_999, true), (60_000_000, false)] {
        assert_eq!(schedule.covers(start.plus_micros(offset)), covered, "{offset}");
    }
    assert_eq!(schedule.next_start(start.plus_micros(-1)), Some(start));
    assert_eq!(schedule.next_start(start), None);
    assert_eq!(schedule.duration(), 60);
}

#[test]
fn rules_give_the_times_that_the_calendar_has() {
    for (start, rule, expected) in [
        // A Saturday: the first Sunday is the day after.
        (
            "2026-11-21T02:00:00Z",
            "FREQ=WEEKLY;BYDAY=SU",
            &["2026-11-22T02:00:00Z", "2026-11-29T02:00:00Z"][..],
        ),
        (
            "2026-11-21T02:00:00Z",
            "RRULE:freq=daily;interval=10;count=2",
            &["2026-11-21T02:00:00Z", "2026-12-01T02:00:00Z"],
        ),
        (
            "2026-01-31T02:00:00.25Z",
            "FREQ=MONTHLY",
            &["2026-01-31T02:00:00.250000Z", "2026-03-31T02:00:00.250000Z"],
        ),
        (
            "2026-01-01T02:00:00Z",
            "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=22",
            &["2026-01-30T22:00:00Z", "2026-02-27T22:00:00Z"],
        ),
        (
            "2026-01-01T02:00:00Z",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            &["2026-01-30T02:00:00Z", "2026-02-27T02:00:00Z"],
        ),
        ("2024-02-29T00:00:00Z", "FREQ=YEARLY", &["2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"]),
        (
            "2026-11-21T10:10:00Z",
            "FREQ=HOURLY;INTERVAL=6;UNTIL=20261121T161000Z",
            &["2026-11-21T10:10:00Z", "2026-11-21T16:10:00Z"],
        ),
        (
            "2026-11-21T10:10:00Z",
            "FREQ=DAILY;UNTIL=20261122",
            &["2026-11-21T10:10:00Z", "2026-11-22T10:10:00Z"],
        ),
        (
            "2026-11-21T23:00:00Z",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA;COUNT=3",
            &["2026-11-21T23:00:00Z", "2026-11-30T23:00:00Z", "2026-12-05T23:00:00Z"],
        ),
    ] {
        let schedule = recurring(start, 60, rule, None);
        assert_eq!(starts(&schedule, expected.len()), expected, "{rule}");
        if rule.to_uppercase().contains("COUNT") || rule.contains("UNTIL") {
            assert_eq!(starts(&schedule, 100).len(), expected.len(), "{rule}");
        }
    }
}

#[test]
fn a_change_of_clocks_moves_the_moment_not_the_hour() {
    // Summer time ended on 2026-10-25 at 03:00 and began on 2026-03-29 at 02:00.
    let schedule = recurring("2026-10-24T00:30:00Z", 3_600, "FREQ=DAILY", Some("Europe/Berlin"));
    let expected = ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    assert_eq!(starts(&schedule, 3), expected);
    let schedule = recurring("2026-03-28T01:30:00Z", 3_600, "FREQ=DAILY", Some("Europe/Berlin"));
    // There is no 02:30 on the 29th: it is taken as an hour later, when the clock shows 03:30.
    let expected = ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"];
    assert_eq!(starts(&schedule, 3), expected);
    // Both of the hours that the clock calls two.
    let schedule = recurring("2026-10-24T23:10:00Z", 60, "FREQ=HOURLY", Some("Europe/Berlin"));
    let expected = [
        "2026-10-24T23:10:00Z",
        "2026-10-25T00:10:00Z",
        "2026-10-25T01:10:00Z",
        "2026-10-25T02:10:00Z",
    ];
    assert_eq!(starts(&schedule, 4), expected);
    // An occurrence lasts as long as the first, also in the night that is an hour longer.
    let schedule =
        recurring("2026-10-23T20:00:00Z", 8 * 3_600, "FREQ=DAILY", Some("Europe/Berlin"));
    assert!(schedule.covers(at("2026-10-25T03:59:59Z")));
    assert!(!schedule.covers(at("2026-10-25T04:00:00Z")));
    // A day that Samoa left out.
    let schedule = recurring("2011-12-29T12:00:00Z", 60, "FREQ=DAILY", Some("Pacific/Apia"));
    let times = starts(&schedule, 3);
    assert_eq!(times.first().map(String::as_str), Some("2011-12-29T12:00:00Z"));
    assert_eq!(times.len(), 3);
}

#[test]
fn what_is_no_schedule_is_refused_with_what_was_expected() {
    for (rule, zone, seconds, message) in [
        ("", None, 60, "needs FREQ"),
        ("FREQ=FORTNIGHTLY", None, 60, "expected one of HOURLY, DAILY, WEEKLY"),
        ("FREQ=SECONDLY;COUNT=999999999", None, 60, "expected one of HOURLY"),
        ("FREQ=DAILY;FREQ=DAILY", None, 60, "FREQ twice"),
        ("FREQ=DAILY;BYHOUR=1;BYHOUR=2", None, 60, "BYHOUR twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", None, 60, "not both"),
        ("FREQ=DAILY;COUNT=0", None, 60, "from 1 to 1000"),
        ("FREQ=DAILY;COUNT=1001", None, 60, "from 1 to 1000"),
        ("FREQ=DAILY;INTERVAL=-1", None, 60, "from 1 to 1000"),
        ("FREQ=DAILY;UNTIL=tomorrow", None, 60, "20271231T220000Z"),
        ("FREQ=DAILY;UNTIL=20200101", None, 60, "ends before it first comes"),
        ("FREQ=DAILY;BYDAYS=MO", None, 60, "is `BYDAY` meant?"),
        ("FREQ=YEARLY;BYWEEKNO=3", None, 60, "unknown `BYWEEKNO=3`"),
        ("FREQ=WEEKLY;BYDAY=SO", None, 60, "days such as MO,TU"),
        ("FREQ=WEEKLY;BYDAY=1SU", None, 60, "does not go with FREQ=WEEKLY"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", None, 60, "does not go with FREQ=WEEKLY"),
        ("FREQ=MONTHLY;BYDAY=54MO", None, 60, "days such as"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", None, 60, "1 to 31 or -1 to -31"),
        ("FREQ=DAILY;BYHOUR=24", None, 60, "expected 0 to 23"),
        ("FREQ=DAILY;BYSETPOS=1;BYHOUR=1", None, 60, "BYSETPOS goes with"),
        ("FREQ=MONTHLY;BYSETPOS=1", None, 60, "BYSETPOS goes with"),
        ("FREQ=DAILY;WKST=MO,TU", None, 60, "WKST is one day"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", None, 60, "no time at all"),
        ("FREQ=DAILY;\u{1b}[31m=1", None, 60, "\\u{1b}"),
        ("FREQ=DAILY", None, 86_401, "within 86400"),
        ("FREQ=DAILY", Some("Europe/Berlim"), 60, "is `Europe/Berlin` meant?"),
        ("FREQ=DAILY", Some("../../etc/passwd"), 60, "expected an IANA name"),
    ] {
        let start = at("2026-11-21T00:00:00Z");
        let end = start.plus_micros(seconds * Timestamp::SECOND);
        let error = Schedule::new(start, end, Some(rule), zone).unwrap_err().to_string();
        assert!(error.contains(message), "{rule}: {error}");
    }
    let long = format!("FREQ=DAILY{}", ";".repeat(500));
    let start = at("2026-11-21T00:00:00Z");
    assert!(Schedule::new(start, start.plus_micros(1), Some(&long), None).is_err());
    assert!(Schedule::new(start, start, None, None).is_err());
    assert!(Schedule::new(start, start.plus_micros(1), None, Some("Europe/Berlin")).is_err());
    let every_minute = (0..60).map(|minute| minute.to_string()).collect::<Vec<_>>().join(",");
    let many = format!("FREQ=YEARLY;BYDAY=MO;BYMINUTE={every_minute}");
    assert!(Schedule::new(start, start.plus_micros(1), Some(&many), None).is_err());
    let ancient = at("0001-01-01T00:00:00Z");
    assert!(Schedule::new(ancient, start, Some("FREQ=HOURLY"), None).is_err());
}

#[test]
fn is_stored_as_it_was_given() {
    let schedule = recurring("2026-11-21T00:00:00Z", 60, "FREQ=DAILY;COUNT=3", Some("Asia/Tokyo"));
    let text = serde_json::to_string(&schedule).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    let broken = text.replace("DAILY", "DAYLY");
    let error = serde_json::from_str::<Schedule>(&broken).unwrap_err().to_string();
    assert!(error.contains("expected one of HOURLY"), "{error}");
}

/// A rule as data, and day by day whether it means that day.
#[derive(Clone, Debug)]
struct Naive {
    frequency: Frequency,
    interval: i32,
    first: DateTime,
    days: Vec<Weekday>,
    months: Vec<i8>,
    month_days: Vec<i8>,
    hours: Vec<i8>,
}

const DAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

impl Naive {
    fn text(&self) -> String {
        let name = match self.frequency {
            Frequency::Hourly => "HOURLY",
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        };
        let mut text = format!("FREQ={name};INTERVAL={}", self.interval);
        let mut list = |key: &str, values: Vec<String>| {
            if !values.is_empty() {
                text.push_str(&format!(";{key}={}", values.join(",")));
            }
        };
        let numbers = |values: &[i8]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        let named = DAYS.iter().filter(|(_, day)| self.days.contains(day));
        list("BYDAY", named.map(|(name, _)| (*name).to_owned()).collect());
        list("BYMONTH", numbers(&self.months));
        list("BYMONTHDAY", numbers(&self.month_days));
        list("BYHOUR", numbers(&self.hours));
        text
    }

    /// Whether the rule means a day that is not before its first.
    fn means(&self, day: Date) -> bool {
        let first = self.first.date();
        let days = |from: Date, to: Date| (to - from).get_days();
        let distance = match self.frequency {
            Frequency::Hourly => 0,
            Frequency::Daily => days(first, day),
            Frequency::Weekly => {
                let monday =
                    |date: Date| date - i32::from(date.weekday().to_monday_zero_offset()).days();
                days(monday(first), monday(day)) / 7
            }
            Frequency::Monthly => {
                let month = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month());
                month(day) - month(first)
            }
            Frequency::Yearly => i32::from(day.year()) - i32::from(first.year()),
        };
        let negative = day.day() - day.days_in_month() - 1;
        let one_of = |list: &[i8], value: i8| list.is_empty() || list.contains(&value);
        let fixed = !self.days.is_empty() || !self.month_days.is_empty();
        distance % self.interval == 0
            && (self.days.is_empty() || self.days.contains(&day.weekday()))
            && one_of(&self.months, day.month())
            && (one_of(&self.month_days, day.day()) || self.month_days.contains(&negative))
            && (fixed
                || match self.frequency {
                    Frequency::Hourly | Frequency::Daily => true,
                    Frequency::Weekly => day.weekday() == first.weekday(),
                    Frequency::Monthly => day.day() == first.day(),
                    Frequency::Yearly => {
                        day.day() == first.day()
                            && (!self.months.is_empty() || day.month() == first.month())
                    }
                })
    }

    /// Every beginning on the days from `from` to `to`, by looking at each hour of each.
    fn starts(&self, zone: &TimeZone, from: Date, to: Date) -> Vec<Timestamp> {
        let mut starts = Vec::new();
        let mut day = from.max(self.first.date());
        while day <= to {
            for hour in 0..24 {
                let time = day.at(hour, self.first.minute(), self.first.second(), 0);
                let in_step = match self.frequency {
                    Frequency::Hourly => {
                        let hours = seconds_of(time) - seconds_of(self.first);
                        hours.rem_euclid(i64::from(self.interval) * 3_600) == 0
                    }
                    _ => !self.hours.is_empty() || hour == self.first.hour(),
                };
                let hours = self.hours.is_empty() || self.hours.contains(&hour);
                if in_step && hours && time >= self.first && self.means(day) {
                    let ambiguous = zone.to_ambiguous_timestamp(time);
                    starts.push(ambiguous.compatible().unwrap().into());
                    if self.frequency == Frequency::Hourly {
                        let later = ambiguous.later().unwrap().into();
                        let earlier: Timestamp = ambiguous.earlier().unwrap().into();
                        let fold = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
                        starts.extend(fold.then_some([earlier, later]).into_iter().flatten());
                    }
                }
            }
            day = day.tomorrow().unwrap();
        }
        starts.sort_unstable();
        starts.dedup();
        starts
    }
}

fn seconds_of(time: DateTime) -> i64 {
    time.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second()
}

fn naive() -> impl Strategy<Value = Naive> {
    let frequency = prop_oneof![
        Just(Frequency::Hourly),
        Just(Frequency::Daily),
        Just(Frequency::Weekly),
        Just(Frequency::Monthly),
        Just(Frequency::Yearly),
    ];
    let first = (0..1_500i64, 0..24i8, 0..60i8)
        .prop_map(|(days, hour, minute)| (date(2022, 1, 1) + days.days()).at(hour, minute, 0, 0));
    let some = |range: std::ops::RangeInclusive<i8>| {
        prop_oneof![
            3 => Just(Vec::new()),
            1 => proptest::collection::btree_set(range, 1..4).prop_map(|set| set.into_iter().collect()),
        ]
    };
    let days = prop_oneof![
        2 => Just(Vec::new()),
        1 => proptest::collection::btree_set(0..7i8, 1..4)
            .prop_map(|set| set.into_iter().map(|day| Weekday::from_monday_zero_offset(day).unwrap()).collect()),
    ];
    let month_days =
        some(-5..=31).prop_map(|days: Vec<i8>| days.into_iter().filter(|day| *day != 0).collect());
    let rest = (some(1..=12), month_days, some(0..=23));
    (frequency, 1..15i32, first, days, rest).prop_map(
        |(frequency, interval, first, days, (months, month_days, hours))| Naive {
            frequency,
            interval,
            first,
            days,
            months,
            month_days: if frequency == Frequency::Weekly { Vec::new() } else { month_days },
            hours,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn agrees_with_a_look_at_every_hour(
        naive in naive(),
        zone in prop_oneof![Just("UTC"), Just("Europe/Berlin"), Just("America/New_York"), Just("Australia/Lord_Howe")],
        seconds in 1..3_600i64,
        away in 0..2_000i64,
        probes in proptest::collection::vec(0..40 * 86_400i64, 8),
    ) {
        let time_zone = TimeZone::get(zone).unwrap();
        // A first time that the clock never showed is none.
        prop_assume!(!matches!(time_zone.to_ambiguous_timestamp(naive.first).offset(), AmbiguousOffset::Gap { .. }));
        let start = moment(&time_zone, naive.first).unwrap();
        let end = start.plus_micros(seconds * Timestamp::SECOND);
        let Ok(schedule) = Schedule::new(start, end, Some(&naive.text()), Some(zone)) else {
            // Only what gives nothing for a long time may be refused.
            let never = naive.starts(&time_zone, naive.first.date(), naive.first.date() + 400.days());
            prop_assert!(never.is_empty(), "{} was refused", naive.text());
            return Ok(());
        };
        let from = naive.first.date() + away.days();
        let starts = naive.starts(&time_zone, from - 3.days(), from + 43.days());
        for probe in probes {
            let time = Timestamp::from(jiff::Timestamp::from_second(seconds_of(from.at(0, 0, 0, 0)) + probe).unwrap());
            let lasts = seconds * Timestamp::SECOND;
            let covered = starts.iter().any(|start| *start <= time && time < start.plus_micros(lasts));
            prop_assert_eq!(schedule.covers(time), covered, "{} at {}", naive.text(), time);
            if let Some(next) = starts.iter().find(|start| **start > time) {
                prop_assert_eq!(schedule.next_start(time), Some(*next), "{} after {}", naive.text(), time);
                prop_assert_eq!(schedule.clone().next_start(time), Some(*next));
            }
        }
    }

    #[test]
    fn no_text_makes_it_fail(rule in "(FREQ=(HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY))?(;?(INTERVAL|COUNT|UNTIL|BYMONTH|BYMONTHDAY|BYDAY|BYHOUR|BYMINUTE|BYSETPOS|WKST)=[-+0-9TZMOUSA,]{0,12}){0,4}") {
        let start = at("2026-11-21T00:00:00Z");
        if let Ok(schedule) = Schedule::new(start, start.plus_micros(60_000_000), Some(&rule), None) {
            let next = schedule.next_start(start.plus_micros(-1)).unwrap();
            prop_assert!(schedule.covers(next));
        }
    }
}
