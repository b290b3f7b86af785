//! `bergfried scan` and `parse` over events of Windows: event logs, JSON and XML.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::process::{Done, bergfried, run_with};

/// The real logs and rules beside the checkout.
fn corpora(folder: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora").join(folder);
    if folder.exists() {
        return Some(folder.canonicalize().unwrap());
    }
    eprintln!("skipped: {} is absent", folder.display());
    None
}

fn scan(paths: &[&Path], rules: &[&Path], arguments: &[&str]) -> Done {
    let mut command = bergfried(&["scan", "--format", "json"]);
    command.args(paths).args(arguments);
    for path in rules {
        command.arg("--rules").arg(path);
    }
    run_with(command, b"")
}

fn findings(done: &Done) -> Vec<Value> {
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

#[test]
fn event_logs_give_the_same_findings_on_any_number_of_threads() {
    let (Some(logs), Some(rules)) = (corpora("evtx"), corpora("sigma/rules/windows/builtin"))
    else {
        return;
    };
    let first = scan(&[&logs], &[&rules], &["--threads", "1"]);
    assert!(findings(&first).len() > 20, "{}", first.out);
    for threads in ["1", "2", "5"] {
        let again = scan(&[&logs], &[&rules], &["--threads", threads]);
        assert_eq!(again.out, first.out, "{threads} threads");
    }
}

/// What a finding says, but for the text of its event, which differs between exports.
fn gist(finding: &Value) -> Value {
    let mut finding = finding.clone();
    for key in ["example", "event.id", "matched"] {
        finding.as_object_mut().unwrap().remove(key);
    }
    finding
}

#[test]
fn json_of_the_regression_cases_gives_the_findings_of_their_event_logs() {
    let Some(sigma) = corpora("sigma") else { return };
    let cases = std::fs::read_to_string(sigma.join("regression.jsonl")).unwrap();
    let cases: Vec<Value> = cases.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rules: Vec<PathBuf> =
        cases.iter().map(|case| sigma.join(case["rule_path"].as_str().unwrap())).collect();
    let rules: Vec<&Path> = rules.iter().map(PathBuf::as_path).collect();
    let logs: Vec<PathBuf> =
        cases.iter().map(|case| sigma.join(case["evtx"].as_str().unwrap())).collect();
    let logs: Vec<&Path> = logs.iter().map(PathBuf::as_path).collect();

    let directory = tempfile::tempdir().unwrap();
    let mut events: Vec<Value> = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let of_case = match &case["events_json"] {
            Value::Array(several) => several.clone(),
            _ => vec![case["event_json"].clone()],
        };
        // In turn as exporters write them: an object, one object a line, an array.
        let text = match number % 3 {
            0 if of_case.len() == 1 => format!("{:#}\n", of_case[0]),
            1 => of_case.iter().map(|event| format!("{event}\n")).collect(),
            _ => Value::Array(of_case.clone()).to_string(),
        };
        std::fs::write(directory.path().join(format!("{number:03}")), text).unwrap();
        events.extend(of_case);
    }
    assert!(events.len() > 100, "{}", events.len());

    let of_logs = findings(&scan(&logs, &rules, &[]));
    let of_json = findings(&scan(&[directory.path()], &rules, &[]));
    let gists = |findings: &[Value]| findings.iter().map(gist).collect::<Vec<Value>>();
    assert!(of_logs.len() >= 80, "{}", of_logs.len());
    assert_eq!(gists(&of_logs), gists(&of_json));
}

const RULE: &str = "title: Whoami\nid: 6a1b8b5e-2f86-4a2b-9d0e-0123456789ac\nlogsource:\n  \
    product: windows\n  category: process_creation\ndetection:\n  selection:\n    \
    Image|endswith: '\\whoami.exe'\n    ParentImage|endswith: '\\cmd.exe'\n  condition: selection\n\
    level: high\n";

/// One start of a process in the forms of several exporters.
fn forms() -> Vec<(&'static str, String)> {
    let data = json!({
        "UtcTime": "2026-03-01 10:00:00.250", "Image": r"C:\Windows\whoami.exe", "ProcessId": 77,
        "ParentImage": r"C:\Windows\cmd.exe", "User": r"CORP\anna",
    });
    let system = json!({
        "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}}, "EventID": 1,
        "TimeCreated": {"#attributes": {"SystemTime": "2026-03-01T10:00:00.250Z"}},
        "Channel": "Microsoft-Windows-Sysmon/Operational", "Computer": "desk",
    });
    let nested = json!({"Event": {"System": system, "EventData": data}});
    let winlogbeat = json!({
        "@timestamp": "2026-03-01T10:00:00.250Z", "host": {"name": "desk"},
        "winlog": {
            "channel": "Microsoft-Windows-Sysmon/Operational", "event_id": 1,
            "computer_name": "desk", "provider_name": "Microsoft-Windows-Sysmon",
            "event_data": data,
        },
    });
    let mut nxlog = data.clone();
    for (name, value) in [
        ("EventTime", json!("2026-03-01 10:00:00.250")),
        ("EventID", json!(1)),
        ("SourceName", json!("Microsoft-Windows-Sysmon")),
        ("Channel", json!("Microsoft-Windows-Sysmon/Operational")),
        ("Hostname", json!("desk")),
    ] {
        nxlog[name] = value;
    }
    let xml = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
        <Provider Name='Microsoft-Windows-Sysmon'/><EventID>1</EventID>\
        <TimeCreated SystemTime='2026-03-01T10:00:00.250Z'/>\
        <Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>desk</Computer></System>\
        <EventData><Data Name='UtcTime'>2026-03-01 10:00:00.250</Data>\
        <Data Name='Image'>C:\\Windows\\whoami.exe</Data><Data Name='ProcessId'>77</Data>\
        <Data Name='ParentImage'>C:\\Windows\\cmd.exe</Data><Data Name='User'>CORP\\anna</Data>\
        </EventData></Event>";
    vec![
        ("lines", format!("{nested}\n{nested}\n")),
        ("array", json!([nested, nested]).to_string()),
        ("pretty", format!("{nested:#}\n{nested:#}\n")),
        ("winlogbeat", format!("{winlogbeat}\n{winlogbeat}\n")),
        ("nxlog", format!("{nxlog}\n{nxlog}\n")),
        ("wevtutil", format!("{xml}\r\n{xml}\r\n")),
        ("viewer", format!("\u{feff}<?xml version=\"1.0\"?>\r\n<Events>{xml}{xml}</Events>")),
    ]
}

#[test]
fn every_export_of_an_event_is_found_by_its_rule() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("whoami.yml"), RULE).unwrap();
    let logs = directory.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    for (name, text) in forms() {
        let path = logs.join(format!("{name}.txt"));
        std::fs::write(&path, text).unwrap();
        let done = scan(&[&path], &[&rules], &[]);
        let found = findings(&done);
        assert_eq!((found.len(), done.err.as_str()), (1, ""), "{name}: {done:?}");
        assert_eq!(found[0]["count"], 2, "{name}");
        assert_eq!(found[0]["host.name"], "desk", "{name}");
        assert_eq!(found[0]["user.name"], "anna", "{name}");
        assert_eq!(found[0]["first_seen"], "2026-03-01T10:00:00.250000Z", "{name}");
    }
    std::fs::write(logs.join("auth.log"), "Mar  1 10:00:00 web sshd[1]: x\n").unwrap();
    let all = findings(&scan(&[&logs], &[&rules], &[]));
    assert_eq!((all.len(), &all[0]["count"]), (1, &json!(2 * forms().len())));
}

#[test]
fn a_log_source_that_events_do_not_show_can_be_told() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("whoami.yml");
    std::fs::write(&rules, RULE).unwrap();
    let log = directory.path().join("export.json");
    // A number that means nothing without its channel.
    let event = json!({"EventID": 9999, "Channel": "Forwarded", "Image": r"D:\whoami.exe",
        "ParentImage": r"D:\cmd.exe"});
    std::fs::write(&log, event.to_string()).unwrap();
    assert_eq!(findings(&scan(&[&log], &[&rules], &[])).len(), 0);
    let told = ["--logsource", "product=windows,category=process_creation"];
    assert_eq!(findings(&scan(&[&log], &[&rules], &told)).len(), 1);
    for (wrong, said) in [("windows", "is no part of a log source"), ("produkt=x", "unknown part")]
    {
        let done = scan(&[&log], &[&rules], &["--logsource", wrong]);
        assert!(done.code == Some(2) && done.err.contains(said), "{}", done.err);
    }
}

#[test]
fn a_damaged_event_log_gives_the_rest_and_says_what_is_lost() {
    let (Some(logs), Some(rules)) = (corpora("evtx"), corpora("sigma/rules/windows/builtin"))
    else {
        return;
    };
    let mut bytes = std::fs::read(logs.join("041_Security_with_size_t.evtx")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.evtx");
    std::fs::write(&whole, &bytes).unwrap();
    let events = |path: &Path| {
        let mut command: Command = bergfried(&["parse"]);
        command.arg(path);
        let done = run_with(command, b"");
        (done.out.lines().count(), done.code, done.err)
    };
    assert_eq!(events(&whole), (636, Some(0), String::new()));
    // The third chunk is none any more.
    bytes[4096 + 2 * 65_536..][..8].fill(b'x');
    let damaged = directory.path().join("damaged.evtx");
    std::fs::write(&damaged, &bytes).unwrap();
    let (count, code, said) = events(&damaged);
    assert!(count > 500 && count < 636 && code == Some(2), "{count} {code:?}");
    let expected = format!("cannot read 1 records of {}: chunk 2: ", damaged.display());
    assert!(said.contains(&expected), "{said}");
    let done = scan(&[&damaged], &[&rules], &[]);
    assert!(done.code == Some(2) && done.err.contains(&expected), "{}", done.err);
    assert!(!findings(&done).is_empty());
}

#[test]
fn a_folder_of_everything_is_scanned_and_what_cannot_be_trusted_is_said() {
    let (Some(logs), Some(rules)) = (corpora("evtx"), corpora("sigma/rules/windows/builtin"))
    else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path();
    let cleared = std::fs::read(logs.join("002_ID104-1102-Event_log_cleared.evtx")).unwrap();
    std::fs::create_dir(folder.join("deep")).unwrap();
    // Told by what they hold, whatever they are called.
    std::fs::write(folder.join("deep/log.txt"), &cleared).unwrap();
    std::fs::write(folder.join("auth.log"), "Mar  1 10:00:00 web sshd[1]: x\n").unwrap();
    std::fs::write(folder.join("head.evtx"), &cleared[..4096]).unwrap();
    std::fs::write(folder.join("empty.evtx"), b"").unwrap();
    std::fs::write(folder.join("noise.evtx"), [0x5a; 9000]).unwrap();
    let done = scan(&[folder], &[&rules], &[]);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    let of_whole = findings(&done);
    assert!(!of_whole.is_empty());
    // Cut in the middle of a record: those before it are read.
    std::fs::write(folder.join("torn.evtx"), &cleared[..4096 + 20_000]).unwrap();
    let done = scan(&[folder], &[&rules], &[]);
    assert!(done.code == Some(2) && done.err.contains("torn.evtx: chunk 0: "), "{}", done.err);
    std::fs::remove_file(folder.join("torn.evtx")).unwrap();
    // Someone changed a name in it.
    let mut changed = cleared;
    let name: Vec<u8> = "admmig".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let at = changed.windows(name.len()).position(|bytes| bytes == name).unwrap();
    changed[at] = b'b';
    std::fs::write(folder.join("deep/log.txt"), &changed).unwrap();
    let done = scan(&[folder], &[&rules], &[]);
    assert_eq!(done.code, Some(2));
    let said = "log.txt, which were read: chunk 0: its checksum is not that of its records";
    assert!(
        done.err.contains("cannot trust 1 chunks of ") && done.err.contains(said),
        "{}",
        done.err
    );
    assert_eq!(findings(&done).len(), of_whole.len());
}

#[test]
fn records_of_an_event_log_show_their_fields() {
    let Some(logs) = corpora("evtx") else { return };
    let log =
        logs.join("001_ID4625-failed_login_with_denied_access_due_to_account_restriction.evtx");
    let bytes = std::fs::read(&log).unwrap();
    let mut command = bergfried(&["parse"]);
    command.arg(&log);
    let of_file = run_with(command, b"").out;
    let compressed = zstd::encode_all(&bytes[..], 1).unwrap();
    assert_eq!(run_with(bergfried(&["parse", "-"]), &compressed).out, of_file);
    let events: Vec<Value> =
        of_file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!(event["EventID"], 4625);
        assert_eq!(event["event.action"], "logon-failed");
        assert_eq!(event["event.outcome"], "failure");
        assert_eq!((&event["TargetUserName"], &event["user.name"]), (&json!("-"), &Value::Null));
        assert_eq!(event["host.name"], event["Computer"]);
    }
}

#[test]
fn the_table_shows_of_a_document_what_matched() {
    let directory = tempfile::tempdir().unwrap();
    let rule = directory.path().join("whoami.yml");
    std::fs::write(&rule, RULE).unwrap();
    let event = json!({
        "EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Computer": "desk",
        "Image": "C:\\Windows\\whoami.exe\u{1b}[2J\\whoami.exe",
        "ParentImage": "C:\\Windows\\cmd.exe",
    });
    let log = directory.path().join("log.json");
    std::fs::write(&log, event.to_string()).unwrap();
    let mut command = bergfried(&["scan"]);
    command.arg(&log).arg("--rules").arg(&rule);
    let done = run_with(command, b"");
    let shown = r"Image=C:\Windows\whoami.exe\u{1b}[2J\whoami.exe · ParentImage=C:\Windows\cmd.exe";
    assert!(done.out.contains(shown), "{}", done.out);
}

#[test]
fn an_event_past_the_bounds_is_counted_and_matched_on_what_was_kept() {
    let directory = tempfile::tempdir().unwrap();
    let rule = directory.path().join("whoami.yml");
    std::fs::write(&rule, RULE).unwrap();
    let mut event = json!({
        "EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational",
        "Image": "C:\\whoami.exe", "ParentImage": "C:\\cmd.exe",
    });
    for number in 0..10_000 {
        event[format!("x{number}")] = json!(number);
    }
    let deep = format!("{}1{}", r#"{"a":"#.repeat(500), "}".repeat(500));
    let log = directory.path().join("log.json");
    std::fs::write(&log, format!("{event}\n{deep}\n")).unwrap();
    let mut command = bergfried(&["scan"]);
    command.arg(&log).arg("--rules").arg(&rule);
    let done = run_with(command, b"");
    assert!(done.out.contains("Whoami"), "{}", done.out);
    assert!(done.out.contains(", 2 events kept in part"), "{}", done.out);
}

/// Which rules of the pack speak of which log of the corpus, whose names say what is in them, with the
/// number of events; no other log of it has anything that they speak of.
const SPOKEN_OF: [(&str, &[(&str, u64)]); 15] = [
    (
        "000_ID4719-Audit",
        &[("Audit policy of Windows changed", 30), ("Auditing switched off on Windows", 30)],
    ),
    (
        "002_ID104-1102",
        &[("Event log of Windows cleared", 90), ("Security log of Windows cleared", 1)],
    ),
    ("003_ID4720", &[("User created on Windows", 1)]),
    ("004_ID4732", &[("User added to a group of Windows administrators", 2)]),
    // Who recorded these cleared the log first.
    (
        "005_ID4625-OpenSSH",
        &[("Many failed Windows logons of one user", 5), ("Security log of Windows cleared", 1)],
    ),
    ("007_ID4738", &[("Protection of a Windows account removed", 1)]),
    (
        "009_ID7045",
        &[("Service installed on Windows", 6), ("Suspicious service installed on Windows", 3)],
    ),
    ("010_ID4688", &[("Security log of Windows cleared", 1)]),
    ("017_ID10-Mimikatz", &[("Memory of LSASS opened for reading", 1)]),
    ("018_ID4688", &[("Security log of Windows cleared", 1)]),
    ("019_ID4648", &[("Security log of Windows cleared", 1)]),
    ("022_ID4768-4771", &[("Password spraying against Windows", 21)]),
    ("029_ID11-LSASS", &[("Dump of LSASS written", 1)]),
    ("036_ID4656", &[("Handle of LSASS asked for", 2), ("Security log of Windows cleared", 1)]),
    (
        "037_ID4698",
        &[
            ("Scheduled task created on Windows", 1),
            ("Suspicious scheduled task created on Windows", 1),
        ],
    ),
];

#[test]
fn the_pack_speaks_of_the_logs_of_attacks_and_of_no_other() {
    let Some(folder) = corpora("evtx") else { return };
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/windows");
    let mut logs: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "evtx"));
    logs.sort();
    assert_eq!(logs.len(), 42);
    for log in &logs {
        let name = log.file_name().unwrap().to_str().unwrap();
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for finding in findings(&scan(&[log], &[&pack], &[])) {
            let rule = finding["rule.name"].as_str().unwrap().to_owned();
            *counts.entry(rule).or_default() += finding["count"].as_u64().unwrap();
        }
        let expected = SPOKEN_OF.iter().find(|(start, _)| name.starts_with(start));
        let expected = expected.map(|(_, rules)| *rules).unwrap_or_default();
        let counts: Vec<(&str, u64)> =
            counts.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
        assert_eq!(counts, expected, "{name}");
    }
}
