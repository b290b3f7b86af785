use super::*;

#[test]
fn mistakes_are_placed() {
    for (text, place, part) in [
        ("enviroment = 'x'", "hub.toml:1:1", "is `environment` meant?"),
        ("[[input]]\nname = 'x'\ntype = 'syslogs'", "hub.toml:3:8", "is `syslog` meant?"),
        ("[[input]]\nname='x'\ntype='syslog'\ntcq='x'", "hub.toml:4:1", "is `tcp` meant?"),
        ("\n[[input]]\nname='x'\ntype='syslog'", "hub.toml:2:1", "it listens nowhere"),
        (
            "[[input]]\nname='a'\ntype='syslog'\ntcp='[::]:1'\n[[input]]\nname='tcp'\ntype='syslog'\n\
             udp='[::]:1'\ntime_zone='Europe/Berln'",
            "hub.toml:9:1",
            "is `Europe/Berlin` meant?",
        ),
        ("[[input]]\nname='x'\ntype='syslog'\ntcp='there'", "hub.toml:4:1", "holds `there`"),
        ("[hosts]\nsilent_after = 'soon'", "hub.toml:2:16", "such as `15m`"),
        ("[hosts]\nwatch = 'some'", "hub.toml:2:9", "`agents`"),
        ("[hosts]\nmax_watched = 10001", "hub.toml:2:15", "at most 10000"),
        ("[[hosts.override]]\nhost = 'a'", "hub.toml:1:1", "`silent_after`"),
        ("environment = 1", "hub.toml:1:15", "expected a string"),
        ("\n[[notify]]\nname = 'x'\ntype = 'pager'", "hub.toml:4:8", "pager"),
        ("[[notify]]\nname='x'\ntype='slak'", "hub.toml:3:6", "is `slack` meant?"),
        ("[[notify]]\nname='x'\ntype='slack'\nurll='x'", "hub.toml:4:1", "is `url` meant?"),
        ("[[notify]]\nname='x'\ntype='slack'\n url='x'", "hub.toml:4:2", "`url` must start"),
        ("\n[[notify]]\nname='x'\ntype='email'", "hub.toml:2:1", "`server` is missing"),
        (
            "[[notify]]\nname='x'\ntype='webhook'\nurl='http://h/'\nbody='{{ titl }}'",
            "hub.toml:5:1",
            "`body` line 1: undefined value: there is no `titl`; is `title` meant?",
        ),
        (
            "[[notify]]\nname='x'\ntype='exec'\ncommand=['/bin/true']\n[[notify]]\ntype='exec'\n\
             name='x'\ncommand=['/bin/true']",
            "hub.toml:7:1",
            "two notification channels are named `x`",
        ),
        ("[[notify]]\nname='x'\ntype='exec'\ncommand='ls'", "hub.toml:4:9", "a list in brackets"),
    ] {
        let error = HubFile::parse(text, "hub.toml").unwrap_err();
        assert!(error.place.starts_with(place), "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn the_example_can_be_used_with_every_line_of_it() {
    let text = include_str!("../../../../deploy/hub.toml");
    assert_eq!(HubFile::parse(text, "hub.toml").unwrap().input.len(), 1);
    let is_key = |line: &str| {
        let word = line.split(' ').next().unwrap_or_default();
        line.starts_with("[[")
            || (line.contains(" = ")
                && word.bytes().all(|byte| b"abcdefghijklmnopqrstuvwxyz_".contains(&byte)))
    };
    let whole: String = text
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|line| is_key(line)).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(whole, text);
    HubFile::parse(&whole, "hub.toml").unwrap();
}

#[test]
fn syslog_can_be_asked_for_without_a_file() {
    let address = "127.0.0.1:514".parse().unwrap();
    let mut file = HubFile::default();
    file.add_syslog(address).unwrap();
    assert_eq!(file.input[0].name(), "syslog");
    let error = file.add_syslog(address).unwrap_err();
    assert_eq!(error.to_string(), "--syslog 127.0.0.1:514: two inputs are named `syslog`");
    let text = "[[input]]\nname='a'\ntype='syslog'\nudp='127.0.0.1:514'\n";
    let error = HubFile::parse(text, "f").unwrap().add_syslog(address).unwrap_err();
    assert!(error.message.contains("both listen on"), "{error}");
}

#[test]
fn inputs_do_not_share_a_name_or_an_address() {
    let input =
        |name, address| format!("[[input]]\nname='{name}'\ntype='syslog'\ntcp='{address}'\n");
    for (other, place, part) in [
        (input("a", "127.0.0.1:2"), "f:6:1", "two inputs are named `a`"),
        (input("b", "127.0.0.1:1"), "f:5:1", "`a` and `b` both listen on 127.0.0.1:1"),
    ] {
        let text = input("a", "127.0.0.1:1") + &other;
        let error = HubFile::parse(&text, "f").unwrap_err();
        assert_eq!(error.place, place);
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn mistakes_of_outputs_have_the_place_of_their_key() {
    let good = "[[output]]\nname = 'a'\ntype = 'file'\npath = '/srv/%{host}.log'\n";
    assert_eq!(HubFile::parse(good, "f").unwrap().outputs.len(), 1);
    for (text, place, part) in [
        (format!("{good}keep = 2"), "hub.toml:5:1", "`keep` does nothing"),
        (format!("{good}{good}"), "hub.toml:6:1", "two outputs are named `a`"),
        (format!("{good}\n[[output]]\nname='b'\ntype='syslog'"), "hub.toml:6:1", "`to`"),
        (format!("{good}  when = 'user:('"), "hub.toml:5:3", "cannot read `when`"),
        (format!("{good}pth = 'x'"), "hub.toml:5:1", "unknown field `pth`"),
        (good.replace("'file'", "'fiel'"), "hub.toml:3:8", "unknown variant `fiel`"),
    ] {
        let error = HubFile::parse(&text, "hub.toml").unwrap_err();
        assert!(error.place.starts_with(place), "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn channel_names_are_unique() {
    let one = "[[notify]]\nname='a'\ntype='slack'\nurl='https://example.org/x'\n";
    assert_eq!(HubFile::parse(one, "f").unwrap().notify.len(), 1);
    assert!(HubFile::parse(&one.repeat(2), "f").unwrap_err().message.contains("`a`"));
}

#[test]
fn searches_have_limits_that_make_sense() {
    let limits = |text: &str| HubFile::parse(text, "hub.toml").map(|file| file.search.limits());
    assert_eq!(limits("").unwrap(), SearchLimits::default());
    let told = limits("[search]\ntimeout = \"2m\"\nmemory_mib = 64").unwrap();
    let time = std::time::Duration::from_secs(120);
    assert_eq!(told, SearchLimits { time, memory: 64 << 20 });
    for (wrong, expected) in [
        ("timeout = \"0s\"", "hub.toml:2:11: `0s` is no span of time from `1s` to `1h`"),
        ("timeout = \"soon\"", "hub.toml:2:11: `soon` is no span"),
        ("memory_mib = 2", "hub.toml:2:14: `2` is not 16 to 65536"),
        ("memory = 2", "hub.toml:2:1: unknown field `memory`"),
    ] {
        let error = limits(&format!("[search]\n{wrong}\n")).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
