use std::collections::HashMap;

use super::*;

fn config(options: Options, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment: HashMap<&str, &str> = environment.iter().copied().collect();
    options
        .into_config(&|name| environment.get(name).map(|value| (*value).to_owned()))
        .map_err(|error| error.to_string())
}

fn file(text: &str) -> (tempfile::NamedTempFile, Options) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let options = Options { config: Some(file.path().to_path_buf()), ..Options::default() };
    (file, options)
}

#[test]
fn flags_win_over_environment_and_environment_over_the_file() {
    let text = "name = \"n\"\nfiles = [\"/f\"]\n[hub]\nurl = \"http://file\"\ntoken = \"t1\"\n";
    let hub = |config: Config| match config.protocol {
        Protocol::Native(hub) => (hub.url, hub.token.expose().to_owned()),
        Protocol::Watchtower(_) => panic!("native was expected"),
    };
    let (_file, options) = file(text);
    assert_eq!(hub(config(options.clone(), &[]).unwrap()), ("http://file".into(), "t1".into()));
    let environment = [("BERGFRIED_URL", "http://env"), ("BERGFRIED_AGENT_TOKEN", "t2\n")];
    let from_environment = config(options.clone(), &environment).unwrap();
    assert_eq!(hub(from_environment), ("http://env".into(), "t2".into()));
    let flags = Options {
        hub: Some("https://flag".to_owned()),
        file: vec!["/g".to_owned()],
        from: Some(Begin::End),
        journald: Some(Journald::Off),
        ..options
    };
    let from_flags = config(flags, &environment).unwrap();
    assert_eq!(from_flags.files, ["/g"]);
    assert_eq!((from_flags.from, from_flags.journald), (From::End, Journald::Off));
    assert_eq!(from_flags.name.as_deref(), Some("n"));
    assert_eq!(hub(from_flags).0, "https://flag");
}

#[test]
fn the_names_of_the_watchtower_agent_are_honoured() {
    let environment = [
        ("WATCHTOWER_COLLECTOR_URL", "https://c/login"),
        ("WATCHTOWER_TOKEN", "t"),
        ("WATCHTOWER_REGION", "eu"),
        ("WATCHTOWER_HOST_GROUP", "web"),
        ("WATCHTOWER_SEVERITY", "high"),
        ("WATCHTOWER_FLAGGED", "1"),
        ("WATCHTOWER_VERIFY_TLS", "false"),
        ("WATCHTOWER_SSH_UNIT", "sshd.service"),
    ];
    let options = Options { protocol: Some(Speaks::Watchtower), ..Options::default() };
    let config = config(options, &environment).unwrap();
    assert_eq!(config.journal_options().units, ["sshd.service"]);
    let Protocol::Watchtower(to) = config.protocol else { panic!("{config:?}") };
    assert_eq!((to.url.as_str(), to.severity.as_str()), ("https://c/login", "high"));
    assert_eq!((to.region.as_deref(), to.host_group.as_deref()), (Some("eu"), Some("web")));
    assert!(to.flagged && !to.verify_tls);
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let base = "[hub]\nurl = \"http://h\"\ntoken = \"t\"\n";
    for (text, expected) in [
        ("", "no address to send to"),
        ("[hub]\nurl = \"http://h\"\n", "no token"),
        ("[hub]\nurl = \"http://h\"\ntoken = \"two words\"\n", "the token holds white space"),
        (&format!("{base}url2 = 1\n"), ":4:1: unknown field `url2`"),
        (&format!("journald = \"maybe\"\n{base}"), ":1:12: unknown variant `maybe`"),
        (&format!("files = 1\n{base}"), ":1:9: invalid type"),
        (&format!("files = []\njournald = \"off\"\n{base}"), "nothing to read"),
        (&format!("{base}[spool]\nmax_bytes = 1000\n"), "at least 8388608, not 1000"),
        (&format!("{base}[journalctl]\nunits = [\"a b\"]\n"), "`a b` is no name of a unit"),
        (&format!("{base}[journalctl]\nunits = [\"a*\"]\nkernel = true\n"), "`a*` is no name"),
        (&format!("{base}[audit]\nwatched_users = [\"no-such-user\"]\n"), "`no-such-user`, whom"),
        (&format!("{base}[audit]\nfile = []\n"), "unknown field `file`"),
        (&format!("{base}[audit]\nfile = []\n"), "is `files` meant?"),
        (&format!("{base}[firewal]\n"), "is `firewall` meant?"),
        (&format!("{base}[firewall]\ntools = ['nftable']\n"), "is `nftables` meant?"),
        ("[hub", ":1:5: "),
    ] {
        let (_file, options) = file(text);
        let error = config(options, &[]).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let options = Options { protocol: Some(Speaks::Watchtower), ..Options::default() };
    let error = config(options, &[("WATCHTOWER_FLAGGED", "maybe")]).unwrap_err();
    assert!(error.contains("WATCHTOWER_FLAGGED is `maybe`, expected true or false"), "{error}");
}

#[test]
fn auditds_log_is_read_where_nobody_chose_files() {
    let base = "[hub]\nurl = \"http://h\"\ntoken = \"t\"\n";
    let watchtower = "[watchtower]\nurl = \"http://h\"\ntoken = \"t\"\n";
    for (text, files, users) in [
        (base.to_owned(), &["/var/log/audit/audit.log"][..], &[][..]),
        (format!("files = [\"/a\"]\n{base}"), &[], &[]),
        (
            format!("{base}[audit]\nfiles = [\"/b\"]\nwatched_users = [\"root\", 7]\n"),
            &["/b"],
            &[0, 7],
        ),
        (watchtower.to_owned(), &[], &[]),
    ] {
        let (_file, options) = file(&text);
        let config = config(options, &[]).unwrap();
        assert_eq!(config.audit.files, files, "{text}");
        assert_eq!(config.audit.watched_users, users, "{text}");
        assert!(config.audit.parents);
    }
}

#[test]
fn secrets_are_not_printed() {
    let config = config(
        Options { hub: Some("http://h".to_owned()), ..Options::default() },
        &[("BERGFRIED_TOKEN", "hunter2")],
    );
    assert!(!format!("{:?}", config.unwrap()).contains("hunter2"));
}

#[test]
fn the_environment_of_heimdalls_agents_serves_this_one() {
    let text = "files = [\"/f\"]\n[hub]\nurl = \"http://file\"\ntoken = \"t1\"\n\
                [pihole]\nenabled = false\n";
    let hub = |config: &Config| match &config.protocol {
        Protocol::Native(hub) => (hub.url.clone(), hub.token.expose().to_owned()),
        Protocol::Watchtower(_) => panic!("native was expected"),
    };
    let (_file, options) = file(text);
    let theirs = [
        ("SIEM_API_URL", "http://theirs:8000/ingest"),
        ("SIEM_API_KEY", "t2"),
        ("SIEM_LOG_FILES", "/a, /b/*.log"),
        ("FIREWALL_TYPE", "pfsense"),
        ("PIHOLE_DB_PATH", "/srv/FTL.db"),
    ];
    let found = config(options.clone(), &theirs).unwrap();
    assert_eq!(hub(&found), ("http://theirs:8000".into(), "t2".into()));
    assert_eq!(found.files, ["/a", "/b/*.log", "/var/log/filter.log"]);
    assert!(found.audit.files.is_empty(), "files that somebody chose");
    let database = std::path::Path::new("/srv/FTL.db");
    assert!(found.pihole.enabled && found.pihole.database == database);
    // Bergfried's own names win over theirs, and flags over all.
    let own = [theirs.as_slice(), &[("BERGFRIED_URL", "http://own"), ("BERGFRIED_TOKEN", "t3")]];
    let found = config(options.clone(), &own.concat()).unwrap();
    assert_eq!(hub(&found), ("http://own".into(), "t3".into()));
    let flags = Options { file: vec!["/g".to_owned()], ..options };
    assert_eq!(config(flags, &theirs).unwrap().files, ["/g"]);
    // The usual files stay where only the firewall's is named, each once.
    let (_file, options) = file("[hub]\nurl = \"http://h\"\ntoken = \"t\"\n");
    let found = config(options.clone(), &[("FIREWALL_TYPE", "iptables")]).unwrap();
    assert_eq!(found.files, DEFAULT_FILES);
    let found = config(options.clone(), &[("FIREWALL_LOG_PATH", "/fw.log")]).unwrap();
    assert_eq!(found.files.last().map(String::as_str), Some("/fw.log"));
    assert_eq!(found.files.len(), DEFAULT_FILES.len() + 1);
    let error = config(options, &[("FIREWALL_TYPE", "pf")]).unwrap_err();
    assert!(error.contains("expected one of generic, iptables, ufw, pfsense, opnsense"), "{error}");
    // A collector of logins knows none of it.
    let (_file, options) = file("[watchtower]\nurl = \"http://h\"\ntoken = \"t\"\n");
    assert_eq!(config(options, &theirs).unwrap().files, DEFAULT_FILES);
}

#[test]
fn events_of_windows_are_asked_for_where_a_command_is_given() {
    let base = "[hub]\nurl = \"http://h\"\ntoken = \"t\"\n";
    let read = |table: &str| {
        let (_file, options) = file(&format!("{base}{table}"));
        config(options, &[]).map(|config| config.windows)
    };
    assert!(!read("").unwrap().is_on());
    let windows = read(
        "[windows]\ncommand = [\"ssh\", \"dc1\", \"wevtutil\"]\ncode_page = \"850\"\n\
         [windows.channels]\nSecurity = [4625]\n\"A/Operational\" = []\n",
    );
    let windows = windows.unwrap();
    assert!(windows.is_on() && windows.channels["A/Operational"].is_empty());
    assert_eq!(windows.channels.len(), 2);
    for (table, said) in [
        ("[windows]\nbatch = 0\n", "windows.batch must be 1 to"),
        ("[windows]\ninterval_seconds = 0\n", "must be at least 1"),
        ("[windows]\ncommand = [\"\"]\n", "an empty word"),
        ("[windows.channels]\n", "must name 1 to"),
        ("[windows.channels]\n\"/q:x\" = []\n", "`/q:x` is no name of a channel"),
        ("[windows]\ncode_page = \"851\"\n", "unknown variant"),
        ("[windows]\ninterval = 5\n", "unknown field"),
    ] {
        let error = read(table).unwrap_err();
        assert!(error.contains(said), "{table}: {error}");
    }
}

#[test]
fn how_the_host_is_is_told_unless_files_alone_were_asked_for() {
    let base = "[hub]\nurl = \"http://h\"\ntoken = \"t\"\n";
    for (text, files, expected) in [
        (base.to_owned(), vec![], Some(60)),
        (base.to_owned(), vec!["/a".to_owned()], None),
        (format!("{base}[status]\ninterval_seconds = 9\n"), vec!["/a".to_owned()], Some(9)),
        (format!("{base}[status]\nenabled = false\n"), vec![], None),
    ] {
        let (_file, options) = file(&text);
        let status = config(Options { file: files, ..options }, &[]).unwrap().status;
        assert_eq!(status.enabled.then_some(status.interval_seconds), expected, "{text}");
    }
    let (_file, options) = file(&format!("{base}[status]\ninterval_seconds = 1\n"));
    let error = config(options, &[]).unwrap_err();
    assert!(error.contains("status.interval_seconds must be from 5 to 86400, not 1"), "{error}");
}

#[test]
fn the_log_of_macos_is_asked_for_where_a_command_is_given() {
    let base = "[hub]\nurl = \"http://h\"\ntoken = \"t\"\n";
    let read = |table: &str| {
        let (_file, options) = file(&format!("{base}[macos]\n{table}"));
        config(options, &[]).map(|config| config.macos)
    };
    assert_eq!(read("").unwrap().is_on(), cfg!(target_os = "macos"));
    let macos = read("command = [\"ssh\", \"mac1\", \"log\"]\npredicate = \"a == 1\"\n").unwrap();
    assert!(macos.is_on() && macos.predicate == "a == 1");
    assert!(!read("enabled = false\ncommand = [\"log\"]\n").unwrap().is_on());
    for (table, said) in [
        ("command = [\"\"]\n", "an empty word"),
        ("predicate = \" \"\n", "macos.predicate is empty"),
        ("predicat = \"x\"\n", "is `predicate` meant?"),
    ] {
        let error = read(table).unwrap_err();
        assert!(error.contains(said), "{table}: {error}");
    }
}

#[test]
fn a_pi_hole_that_can_never_be_read_is_refused() {
    for (table, expected) in [
        ("interval_seconds = 0", "pihole.interval_seconds must be at least 1"),
        ("database = \"pihole-FTL.db\"", "pihole.database must be an absolute path"),
    ] {
        let (_file, options) = file(&format!("[pihole]\n{table}\n"));
        let environment = [("BERGFRIED_URL", "http://h"), ("BERGFRIED_TOKEN", "t")];
        let refused = config(options, &environment).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
}
