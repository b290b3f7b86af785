use super::*;

fn read_at(text: &str, received: &str, zone: &str) -> Option<(Option<String>, String)> {
    let context = Context {
        received: received.parse().unwrap(),
        host: "h",
        time_zone: jiff::tz::TimeZone::get(zone).unwrap(),
        year: None,
    };
    read(text, &context).map(|(stamp, rest)| (stamp.map(|t| t.to_string()), rest.to_owned()))
}

#[test]
fn every_form_gives_its_time() {
    let cases = [
        ("Dec 10 06:55:46 h", "2024-12-10T06:55:46Z", " h"),
        ("Jan  2 06:55:46 h", "2025-01-02T06:55:46Z", " h"),
        ("Jan 2 06:55:46.25 h", "2025-01-02T06:55:46.250000Z", " h"),
        ("Dec 10 2019 06:55:46 h", "2019-12-10T06:55:46Z", " h"),
        ("2019 Dec 10 06:55:46 h", "2019-12-10T06:55:46Z", " h"),
        ("Tue Dec 10 06:55:46 2019 [pid 2]", "2019-12-10T06:55:46Z", " [pid 2]"),
        ("2019-12-10T06:55:46Z h", "2019-12-10T06:55:46Z", " h"),
        ("2019-12-10T06:55:46.123456+02:00 h", "2019-12-10T04:55:46.123456Z", " h"),
        ("2019-12-10T06:55:46-0130 h", "2019-12-10T08:25:46Z", " h"),
        ("2019-12-10 06:55:46,388 h", "2019-12-10T06:55:46.388000Z", " h"),
        ("2019/12/10 06:55:46 h", "2019-12-10T06:55:46Z", " h"),
        ("2019-12-10 06:55:46 +0100 h", "2019-12-10T05:55:46Z", " h"),
        ("Feb 29 01:00:00 h", "2024-02-29T01:00:00Z", " h"),
        ("Dec 10 06:55:46 +0200 h", "2024-12-10T04:55:46Z", " h"),
        ("Dec 10 2019 06:55:46.5 -01:30 h", "2019-12-10T08:25:46.500000Z", " h"),
        ("Jan  2 06:55:46 -02 h", "2025-01-02T06:55:46Z", " -02 h"),
        ("Jan  2 06:55:46 - h", "2025-01-02T06:55:46Z", " - h"),
        ("Jan  2 6:55:46 h", "2025-01-02T06:55:46Z", " h"),
        ("2019-12-10 6:55:46 h", "2019-12-10T06:55:46Z", " h"),
    ];
    for (text, time, rest) in cases {
        let expected = Some((Some(time.to_owned()), rest.to_owned()));
        assert_eq!(read_at(text, "2025-02-01T00:00:00Z", "UTC"), expected, "{text}");
    }
}

#[test]
fn dates_with_slashes_give_their_time() {
    let context = Context {
        received: "2025-02-01T00:00:00Z".parse().unwrap(),
        host: "h",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    for (text, time, rest) in [
        ("05/30-19:09:10.917356  [**]", "2024-05-30T19:09:10.917356Z", "  [**]"),
        ("09/03/21-12:37:16.5 ,1", "2021-09-03T12:37:16.500000Z", " ,1"),
        ("10/05/2010-10:08:59  x", "2010-10-05T10:08:59Z", "  x"),
        ("06/27/2014 17:51:19 x", "2014-06-27T17:51:19Z", " x"),
    ] {
        let expected = Some((time.parse().ok(), rest));
        assert_eq!(month_slash(text, &context), expected, "{text}");
    }
    for text in ["05/30", "5/30-19:09:10", "05/30/1-19:09:10 x", "05-30-19:09:10", ""] {
        assert_eq!(month_slash(text, &context), None, "{text}");
    }
    let found = common_log("20/Jun/2022:13:09:14 +0200 policy", &context);
    assert_eq!(found, Some(("2022-06-20T11:09:14Z".parse().ok(), " policy")));
    for text in ["20/Jun/2022 13:09:14", "20-Jun-2022:13:09:14", "20/Jux/2022:13:09:14", ""] {
        assert_eq!(common_log(text, &context), None, "{text}");
    }
}

#[test]
fn a_stamp_without_year_is_at_most_a_day_ahead() {
    let time = |text, received| read_at(text, received, "UTC").unwrap().0.unwrap();
    assert_eq!(time("Jan  1 00:00:30 h", "2024-12-31T23:59:58Z"), "2025-01-01T00:00:30Z");
    assert_eq!(time("Jan  2 00:00:30 h", "2024-12-31T23:59:58Z"), "2024-01-02T00:00:30Z");
    assert_eq!(time("Dec 31 23:59:59 h", "2025-01-01T00:00:01Z"), "2024-12-31T23:59:59Z");
}

#[test]
fn local_time_is_read_in_its_zone() {
    let time = |text| read_at(text, "2024-12-31T00:00:00Z", "Europe/Berlin").unwrap().0;
    assert_eq!(time("Jul  1 12:00:00 h").as_deref(), Some("2024-07-01T10:00:00Z"));
    assert_eq!(time("2024-01-01 12:00:00.5 h").as_deref(), Some("2024-01-01T11:00:00.500000Z"));
}

#[test]
fn impossible_times_are_stamps_without_a_time() {
    for text in ["Feb 31 10:00:00 h", "Dec 10 25:00:00 h", "2024-13-01T00:00:00Z h"] {
        assert_eq!(read_at(text, "2025-01-01T00:00:00Z", "UTC").unwrap().0, None, "{text}");
    }
    for text in [
        "",
        "Dec",
        "Dec 10 h",
        "December 10 06:55:46 h",
        "Dec 10 :55:46 h",
        "Dec 10 6:5:46 h",
        "10.0.0.1 - -",
        "ü2024-01-0",
    ] {
        assert_eq!(read_at(text, "2025-01-01T00:00:00Z", "UTC"), None, "{text}");
    }
}
