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
    assert_eq!(config.journal_options().unit.as_deref(), Some("sshd.service"));
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
fn secrets_are_not_printed() {
    let config = config(
        Options { hub: Some("http://h".to_owned()), ..Options::default() },
        &[("BERGFRIED_TOKEN", "hunter2")],
    );
    assert!(!format!("{:?}", config.unwrap()).contains("hunter2"));
}
