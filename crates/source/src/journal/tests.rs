use super::*;

fn options(units: &[&str], kernel: bool, from: From) -> JournalOptions {
    let units = units.iter().map(|unit| (*unit).to_owned()).collect();
    JournalOptions { directory: None, units, kernel, from }
}

#[test]
fn arguments_say_where_to_begin_and_what_to_show() {
    let plain = options(&[], false, From::End);
    let directed = JournalOptions {
        directory: Some("/x y".into()),
        ..options(&["ssh.service", "ssh@*"], false, From::Recent)
    };
    let kernel = options(&[], true, From::Start);
    let both = options(&["ssh", "a.b.socket"], true, From::Start);
    let common = ["--output=json", "--all", "--follow", "--quiet", "--no-pager"];
    for (options, cursor, expected) in [
        (&plain, None, vec!["--lines=0"]),
        (&plain, Some("s=1;i=2"), vec!["--no-tail", "--after-cursor=s=1;i=2"]),
        (
            &directed,
            None,
            vec!["--directory=/x y", "--lines=10000", "--unit=ssh.service", "--unit=ssh@*"],
        ),
        (&kernel, None, vec!["--no-tail", "_TRANSPORT=kernel"]),
        (
            &both,
            None,
            vec![
                "--no-tail",
                "_SYSTEMD_UNIT=ssh.service",
                "+",
                "_PID=1",
                "UNIT=ssh.service",
                "+",
                "_SYSTEMD_UNIT=a.b.socket",
                "+",
                "_PID=1",
                "UNIT=a.b.socket",
                "+",
                "_TRANSPORT=kernel",
            ],
        ),
    ] {
        assert_eq!(arguments(options, cursor), [common.to_vec(), expected].concat());
    }
}

#[test]
fn a_jump_of_the_count_is_a_gap() {
    for (before, after, missing) in [
        ("s=ab;i=f;b=1", "s=ab;i=10;b=2", None),
        ("s=ab;i=f;b=1", "s=ab;i=12;b=1", Some((0x10, 0x11))),
        ("s=ab;i=f", "s=cd;i=99", None),
        ("s=ab;i=f", "s=ab;i=3", None),
        ("s=ab;i=f", "s=ab;i=f", None),
        ("s=ab;i=ffffffffffffffff", "s=ab;i=1", None),
        ("x=ab;i=f", "x=ab;i=99", None),
        ("", "s=ab;i=1", None),
    ] {
        let found = gap(before, after).map(|gap| (gap.first, gap.last));
        assert_eq!(found, missing, "{before} {after}");
    }
    for (units, kernel, counts) in
        [(&[][..], false, true), (&["ssh"], false, false), (&[], true, false)]
    {
        let mut journal = Journal::new(options(units, kernel, From::Start), None, Instant::now());
        assert_eq!(journal.counts, counts && is_superuser());
        journal.counts &= counts;
        journal.buffer = b"{\"__CURSOR\":\"s=1;i=1\"}\n{\"__CURSOR\":\"s=1;i=4\"}\n".to_vec();
        journal.take_entries(&mut |_| Flow::More);
        let found = journal.gaps();
        assert_eq!(found.len(), usize::from(journal.counts), "{found:?}");
        assert!(journal.gaps().is_empty(), "told once");
    }
}

#[test]
fn the_cursor_is_the_journals_own() {
    for (entry, expected) in [
        (r#"{"__CURSOR":"s=1","MESSAGE":"x"}"#, Some("s=1")),
        (r#"{"MESSAGE":"\"__CURSOR\":\"s=9\"","__CURSOR":"s=2"}"#, Some("s=2")),
        // Cut: where journalctl writes it, and nowhere else.
        (r#"{"__CURSOR":"s=3","MESSAGE":"cut o"#, Some("s=3")),
        (r#"{"MESSAGE":"x","__CURSOR":"s=4","A":"cut"#, None),
        (r#"{"MESSAGE":"x"}"#, None),
        ("not JSON", None),
    ] {
        assert_eq!(cursor_of(entry.as_bytes()).as_deref(), expected, "{entry}");
    }
}

#[test]
fn entries_are_taken_in_pieces_and_long_ones_are_cut() {
    let mut journal = Journal::new(options(&[], false, From::Start), None, Instant::now());
    let mut taken = Vec::new();
    let long = format!(r#"{{"__CURSOR":"s=2","MESSAGE":"{}"}}"#, "m".repeat(2 << 20));
    let text = format!("{{\"__CURSOR\":\"s=1\"}}\n{long}\n{{\"__CURSOR\":\"s=3\"}}\n");
    for piece in text.as_bytes().chunks(50_000) {
        journal.buffer.extend_from_slice(piece);
        journal.take_entries(&mut |line| {
            taken.push((line.raw.len(), line.truncated));
            Flow::More
        });
    }
    assert_eq!(taken, [(18, false), (MAX_LINE, true), (18, false)]);
    assert_eq!(journal.changes().journal.as_deref(), Some("s=3"));
    assert!(journal.changes().is_empty());
}
