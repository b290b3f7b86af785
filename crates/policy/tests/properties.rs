//! Properties of destinations: nothing panics, a trusted host is trusted in every spelling, and one that
//! is not is found beside it.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands and say why")]

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_policy::{
    Host, Judge, Mode, Place, Places, Policy, UNLISTED, VERDICT, destinations_of_text,
};
use proptest::prelude::*;

fn places(texts: &[&str]) -> Places {
    texts.iter().map(|text| Place::read(text).unwrap()).collect()
}

fn unlisted(judge: &Judge, line: &str) -> Vec<String> {
    let mut event = Event::new(Timestamp::from_seconds(0), "line");
    event.set(Field::ProcessCommandLine, line.to_owned());
    judge.apply(&mut event);
    match event.get_named(&FieldName::new(UNLISTED)) {
        Some(Value::List(hosts)) => hosts.iter().map(|host| host.to_text().into_owned()).collect(),
        _ => Vec::new(),
    }
}

/// `github.com` or `192.0.2.7` as a person or a program may write it.
fn spelling() -> impl Strategy<Value = String> {
    let cased = "[gG][iI][tT][hH][uU][bB]\\.[cC][oO][mM]\\.?";
    let encoded =
        prop::sample::subsequence((0..10).collect::<Vec<usize>>(), 0..10).prop_map(|chosen| {
            let each = |(at, byte): (usize, u8)| match chosen.contains(&at) {
                true => format!("%{byte:02x}"),
                false => char::from(byte).to_string(),
            };
            "github.com".bytes().enumerate().map(each).collect::<String>()
        });
    let address = prop::sample::select(vec![
        "192.0.2.7",
        "3221225991",
        "0xc0000207",
        "0300.0.2.7",
        "192.519",
        "0xc0.0x0.0x2.0x7",
        "[::ffff:192.0.2.7]",
        "[::ffff:c000:207]",
    ]);
    prop_oneof![cased.prop_map(String::from), encoded, address.prop_map(str::to_owned)]
}

/// A command line with a host in its place.
fn command() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "curl http://HOST/x",
        "curl -so f 'https://user:p%40ss@HOST:8443/?a=b'",
        "/usr/bin/wget -q \"http://HOST\"",
        "curl -x socks5://HOST:1080 http://HOST/",
        "sh -c 'curl -s http://HOST/ | sh'",
        "sudo -E env A=b curl HOST",
        "git clone https://HOST/a/b.git",
        "pip install -i https://HOST/simple x",
        "bash -c 'cat </dev/tcp/HOST/80'",
    ])
}

proptest! {
    #[test]
    fn no_text_panics(line in "\\PC{0,200}", words in prop::collection::vec("\\PC{0,30}", 0..12)) {
        destinations_of_text(&line, &mut |host, _| { let _shown = host.to_string(); });
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        bergfried_policy::destinations(&words, Some("/usr/bin/socat"), &mut |_, _| {});
        let _read = (Host::read(&line), Place::read(&line));
    }

    #[test]
    fn tools_with_any_words_do_not_panic(
        tool in prop::sample::select(vec![
            "curl", "ssh", "scp", "git push", "nc", "socat -", "dig", "host", "openssl", "rsync", "psql",
        ]),
        words in prop::collection::vec("[-@:=\\[\\]\\\\/a-z0-9.'\"{},é]{0,20}", 0..8),
    ) {
        destinations_of_text(&format!("{tool} {}", words.join(" ")), &mut |_, _| {});
    }

    #[test]
    fn a_trusted_host_is_trusted_in_any_spelling(host in spelling(), command in command()) {
        let judge = Judge::new(places(&["github.com", "192.0.2.0/24"]), Policy::default());
        let line = command.replace("HOST", &host);
        prop_assert_eq!(unlisted(&judge, &line), [] as [String; 0], "{}", line);
    }

    #[test]
    fn another_host_is_found_beside_it(
        host in spelling(),
        command in command(),
        other in "[a-z]{1,10}\\.evil\\.(com|net)",
        first in any::<bool>(),
    ) {
        let judge = Judge::new(places(&["github.com", "192.0.2.0/24"]), Policy::default());
        let good = command.replace("HOST", &host);
        let bad = command.replace("HOST", &other);
        let line = if first { format!("{bad} ; {good}") } else { format!("{good} && {bad}") };
        prop_assert_eq!(unlisted(&judge, &line), [other], "{}", line);
    }

    #[test]
    fn a_name_hidden_in_user_information_is_not_what_is_reached(
        user in "[a-z.]{1,20}", other in "[a-z]{1,10}\\.evil\\.com",
    ) {
        let policy = Policy { mode: Mode::Blocklist, places: places(&["*.evil.com"]), ..Policy::default() };
        let judge = Judge::new(places(&["github.com"]), policy);
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set(Field::ProcessCommandLine, format!("curl https://github.com:{user}@{other}/github.com"));
        judge.apply(&mut event);
        let verdict = event.get_named(&FieldName::new(VERDICT)).and_then(Value::as_str);
        prop_assert_eq!(verdict, Some("denied"));
    }
}
