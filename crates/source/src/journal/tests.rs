use super::*;

#[test]
fn arguments_say_where_to_begin() {
    let plain = JournalOptions { directory: None, unit: None, from: From::End };
    let directed = JournalOptions {
        directory: Some("/x y".into()),
        unit: Some("ssh.service".to_owned()),
        from: From::Recent,
    };
    let common = ["--output=json", "--all", "--follow", "--quiet", "--no-pager"];
    for (options, cursor, expected) in [
        (&plain, None, vec!["--lines=0"]),
        (&plain, Some("s=1;i=2"), vec!["--no-tail", "--after-cursor=s=1;i=2"]),
        (&directed, None, vec!["--directory=/x y", "--unit=ssh.service", "--lines=10000"]),
    ] {
        assert_eq!(arguments(options, cursor), [common.to_vec(), expected].concat());
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
    let options = JournalOptions { directory: None, unit: None, from: From::Start };
    let mut journal = Journal::new(options, None, Instant::now());
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
