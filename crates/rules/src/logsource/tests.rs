//! The built-in table over events, and tables that people write.

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};

use super::*;

fn logsource(product: Option<&str>, category: Option<&str>, service: Option<&str>) -> LogSource {
    let word = |word: Option<&str>| word.map(str::to_owned);
    LogSource { product: word(product), category: word(category), service: word(service) }
}

/// `product/category/service`, `*` where there is none.
fn written(text: &str) -> LogSource {
    let mut parts = text.split('/').map(|word| (word != "*").then_some(word));
    let mut next = || parts.next().flatten();
    let (product, category) = (next(), next());
    logsource(product, category, next())
}

fn event(fields: &[(&str, &str)]) -> Event<'static> {
    let mut event = Event::new(Timestamp::from_seconds(0), "line");
    for (name, value) in fields {
        let name = match Field::from_name(name) {
            Some(field) => FieldName::Known(field),
            None => FieldName::Other(name.to_string().into()),
        };
        let value = value.parse::<i64>().map_or_else(|_| value.to_string().into(), Value::Int);
        event.set_named(name, value);
    }
    event
}

/// All log sources of the built-in table.
fn all() -> Vec<LogSource> {
    let mut all = Vec::new();
    for entry in &LogSources::default().0.entries {
        for (part, word) in &entry.words {
            let mut one = LogSource::default();
            match part {
                Part::Product => one.product = Some(word.clone()),
                Part::Category => one.category = Some(word.clone()),
                Part::Service => one.service = Some(word.clone()),
            }
            all.push(one);
        }
    }
    all
}

#[test]
fn the_built_in_table_can_be_read() {
    let text = include_str!("../../../../rules/log-sources.yml");
    let table = read::table("t", text, &BTreeMap::new());
    assert!(table.is_ok(), "{:#?}", table.err());
}

#[test]
fn events_have_the_words_of_their_source() {
    let sources = LogSources::default();
    let sysmon = ("Channel", "Microsoft-Windows-Sysmon/Operational");
    for (fields, has, has_not) in [
        (
            vec![sysmon, ("EventID", "12"), ("TargetObject", r"HKLM\x")],
            vec!["windows/registry_event/*", "windows/registry_add/sysmon", "*/registry_delete/*"],
            vec!["*/registry_set/*", "linux/*/*", "*/process_creation/*", "*/*/security"],
        ),
        (
            vec![("Channel", "Security"), ("EventID", "4688"), ("NewProcessName", r"C:\a.exe")],
            vec!["windows/process_creation/security"],
            vec!["*/*/sysmon", "linux/*/*"],
        ),
        (
            vec![("Image", r"C:\Windows\a.exe"), ("CommandLine", "a /b")],
            vec!["windows/process_creation/*"],
            vec!["linux/*/*", "*/file_event/*", "macos/*/*"],
        ),
        (
            vec![("Image", "/usr/bin/curl"), ("CommandLine", "curl -k")],
            vec!["linux/process_creation/*"],
            vec!["windows/*/*", "macos/*/*"],
        ),
        (
            vec![("Image", "/Applications/x.app/x"), ("CommandLine", "x")],
            vec!["macos/process_creation/*"],
            vec!["linux/*/*", "windows/*/*"],
        ),
        (
            vec![("Provider_Name", "Linux-Sysmon"), ("EventID", "3"), ("Image", "/usr/bin/x")],
            vec!["linux/network_connection/sysmon"],
            vec!["windows/*/*"],
        ),
        (
            vec![("process.name", "useradd"), ("event.category", "iam"), ("message", "new user")],
            vec!["linux/*/auth", "linux/*/syslog"],
            vec!["linux/*/sshd", "windows/*/*"],
        ),
        (
            vec![("event.action", "ssh_login"), ("event.category", "authentication")],
            vec!["*/*/sshd", "*/authentication/*"],
            vec!["*/*/sudo"],
        ),
        (
            vec![("type", "EXECVE"), ("a0", "cat"), ("argc", "1")],
            vec!["linux/*/auditd"],
            vec!["*/process_creation/*"],
        ),
        (
            vec![("eventSource", "iam.amazonaws.com"), ("eventName", "CreateUser")],
            vec!["aws/*/cloudtrail"],
            vec!["linux/*/*", "m365/*/*"],
        ),
        (
            vec![("logsource.product", "Windows"), ("logsource.service", "own-thing")],
            vec!["windows/*/own-thing"],
            vec!["*/process_creation/*"],
        ),
        (
            vec![
                ("logsource.product", "cisco"),
                ("message", "clear logging"),
                ("event.kind", "event"),
            ],
            vec!["cisco/*/*"],
            vec!["linux/*/*", "*/*/syslog"],
        ),
    ] {
        let event = event(&fields);
        let asked: Vec<LogSource> = has.iter().chain(&has_not).map(|text| written(text)).collect();
        let teller = Teller::new(&sources, &asked);
        let labels = teller.of(&event, &mut Told::default());
        let fits = |text: &&str| labels.contains_all(&teller.asked(&written(text)).unwrap());
        let missing: Vec<_> = has.iter().filter(|text| !fits(text)).collect();
        assert!(missing.is_empty(), "{fields:?} lacks {missing:?}");
        let wrong: Vec<_> = has_not.iter().filter(|text| fits(text)).collect();
        assert!(wrong.is_empty(), "{fields:?} has {wrong:?}");
    }
}

#[test]
fn a_log_source_is_carried_needed_or_unknown() {
    let sources = LogSources::default();
    for carried in ["windows/process_creation/*", "linux/*/sshd", "zeek/*/dns", "*/proxy/*"] {
        assert_eq!(sources.carry(&written(carried)), Ok(()), "{carried}");
    }
    for (asked, expected) in [
        ("linux/*/shhd", "no source gives service `shhd`, did you mean `sshd`?"),
        ("own/*/*", "no source gives product `own` but events with `logsource.product: own`"),
        (
            "windows/*/sshd",
            "no source gives service `sshd` but events with `logsource.service: sshd`",
        ),
        ("cisco/*/bgp", "product `cisco` needs "),
        ("django/application/*", "product `django` needs the collector"),
    ] {
        let said = sources.carry(&written(asked)).unwrap_err();
        assert!(said.starts_with(expected), "{asked}: {said}");
    }
}

#[test]
fn a_persons_table_adds_and_replaces() {
    let text = "terms: {own: 'event.module:own'}\nsources:\n  - {product: own, when: $own}\n  - product: linux\n    service: sudo\n    when: ['process.name:doas', '$own']\n";
    let sources = LogSources::read("own.yml", text).unwrap();
    let teller = Teller::new(&sources, &[written("own/*/*"), written("linux/*/sudo")]);
    let sudo = teller.asked(&written("*/*/sudo")).unwrap();
    for (program, expected) in [("doas", true), ("sudo", false)] {
        let event = event(&[("process.name", program)]);
        let labels = teller.of(&event, &mut Told::default());
        assert_eq!(labels.contains_all(&sudo), expected, "{program}");
    }
    let labels = teller.of(&event(&[("event.module", "own")]), &mut Told::default());
    assert!(labels.contains_all(&teller.asked(&written("own/*/sudo")).unwrap()));
}

#[test]
fn a_table_that_cannot_be_used_is_placed() {
    for (text, expected) in [
        ("sources:\n  - {prodct: x, when: 'a:b'}\n", "t:2:"),
        ("sources:\n  - {when: 'a:b'}\n", "t:2:3: an entry must name a product, "),
        ("sources:\n  - {product: x}\n", "t:2:3: an entry must have either `when` or `needs`"),
        (
            "sources:\n  - {product: x, needs: y}\n  - {product: x, when: 'user:'}\n",
            "t:3:3: cannot read the condition: expected",
        ),
        ("sources:\n  - {product: x, when: $y}\n", "t:2:3: no term is named `y`"),
        (
            "terms: {a: $b, b: $a}\nsources:\n  - {product: x, when: $a}\n",
            "t:3:3: the condition is too long or its terms name one another",
        ),
        (
            &format!(
                "terms:\n  a: 'b:c'\n  b: '{0}'\n  c: '{1}'\n  d: '{2}'\nsources:\n  - {{product: x, when: $d}}\n",
                "$a ".repeat(4_000),
                "$b ".repeat(4_000),
                "$c ".repeat(4_000)
            ),
            "t:7:3: the condition is too long",
        ),
        ("sources:\n  - {product: x, when: []}\n", "t:2:3: `when` must hold at least one"),
    ] {
        let said = LogSources::read("t", text).unwrap_err();
        assert!(said[0].to_string().starts_with(expected), "{} {text}", said[0]);
    }
}

proptest::proptest! {
    /// Looking at atoms once and remembering tells what walking every condition tells.
    #[test]
    fn words_are_those_whose_conditions_hold(
        fields in proptest::collection::vec((proptest::sample::select(NAMES), proptest::sample::select(VALUES)), 0..12),
    ) {
        let sources = LogSources::default();
        let teller = Teller::new(&sources, &all());
        let event = event(&fields);
        let mut told = Told::default();
        let labels = teller.of(&event, &mut told);
        proptest::prop_assert_eq!(labels, teller.of(&event, &mut told));
        for logsource in all() {
            let (part, word) = logsource.words().next().unwrap();
            let holds = |entry: &Entry| match &entry.comes {
                Comes::When(condition) => condition.matches(&event),
                Comes::Needs(_) => false,
            };
            let expected = sources.giving(part, word).any(holds);
            let told = labels.contains_all(&teller.asked(&logsource).unwrap());
            proptest::prop_assert_eq!(told, expected, "{}", logsource);
        }
    }
}

const NAMES: &[&str] = &[
    "Channel",
    "Provider_Name",
    "EventID",
    "Image",
    "CommandLine",
    "TargetObject",
    "EventType",
    "process.name",
    "process.executable",
    "event.category",
    "event.type",
    "message",
    "type",
    "a0",
    "eventSource",
    "operationName",
    "category",
    "_path",
    "host.os.type",
    "Details",
    "NewProcessName",
];
const VALUES: &[&str] = &[
    "Security",
    "microsoft-windows-sysmon/operational",
    "Linux-Sysmon/Operational",
    "1",
    "13",
    "4688",
    "/usr/bin/x",
    r"C:\x.exe",
    "sshd",
    "process",
    "network",
    "EXECVE",
    "Administrative",
    "iam.amazonaws.com",
    "dns",
    "windows",
    "SetValue",
    "über",
    r"\REGISTRY\MACHINE",
    "",
];

/// The log sources of Sigma's taxonomy appendix, from the cells `product: x<br>service: y`.
#[test]
#[expect(clippy::print_stderr, reason = "says what is skipped")]
fn every_log_source_of_the_taxonomy_is_known() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(
        "../../../shared/corpora/sigma/specification/specification/sigma-appendix-taxonomy.md",
    );
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not here", path.display());
        return;
    };
    let sources = LogSources::default();
    let mut count = 0;
    for cell in text.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('|')) {
        let mut asked = LogSource::default();
        for pair in cell.trim().split("<br>") {
            match pair.split_once(": ") {
                Some(("product", word)) => asked.product = Some(word.to_owned()),
                Some(("category", word)) => asked.category = Some(word.to_owned()),
                Some(("service", word)) => asked.service = Some(word.to_owned()),
                _ => {}
            }
        }
        if asked != LogSource::default() {
            count += 1;
            let said = sources.carry(&asked).err().unwrap_or_default();
            assert!(!said.starts_with("no source gives"), "{asked}: {said}");
        }
    }
    assert!(count > 100, "{count}");
}

/// Log sources that rules of SigmaHQ name beyond the taxonomy appendix.
#[test]
fn log_sources_of_sigmahq_are_known() {
    let sources = LogSources::default();
    for asked in [
        "*/antivirus/*",
        "*/*/apache",
        "*/*/netflow",
        "*/*/nginx",
        "apache/*/access",
        "aws/*/cloudtrail",
        "azure/*/azureactivity",
        "cisco/*/syslog",
        "fortigate/*/event",
        "fortinet/*/event",
        "fortios/*/sslvpnd",
        "jvm/application/*",
        "kubernetes/application/audit",
        "kubernetes/*/audit",
        "linux/file_delete/*",
        "linux/process_termination/*",
        "linux/*/modsecurity",
        "macos/network_connection/*",
        "macos/process_creation/*",
        "nodejs/application/*",
        "nginx/*/*",
        "opencanary/application/*",
        "paloalto/file_event/globalprotect",
        "qualys/application/*",
        "velocity/application/*",
        "windows/file_block/*",
        "windows/file_rename/*",
        "windows/raw_access_read/*",
        "windows/*/iis",
        "windows/*/microsoft-servicebus-client",
        "windows/*/smbclient-connectivity",
        "windows/*/terminalservices-localsessionmanager",
        "zeek/*/smb_files",
        "okta/*/okta",
        "onelogin/*/onelogin.events",
        "m365/*/threat_management",
        "gcp/*/google_workspace.admin",
        "github/*/audit",
        "bitbucket/*/audit",
        "cisco/*/duo",
    ] {
        let said = sources.carry(&written(asked)).err().unwrap_or_default();
        assert!(!said.starts_with("no source gives"), "{asked}: {said}");
    }
}
