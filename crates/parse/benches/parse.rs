//! How many lines a second are parsed, by kind of line: `cargo bench -p bergfried-parse`.

use bergfried_event::{SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use divan::counter::ItemsCount;

const LINES: usize = 10_000;

fn main() {
    divan::main();
}

fn context() -> Context<'static> {
    Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

fn numbered(form: impl Fn(usize) -> String) -> Vec<String> {
    (0..LINES).map(form).collect()
}

fn measure(bencher: divan::Bencher<'_, '_>, kind: SourceKind, lines: Vec<String>) {
    let context = context();
    bencher.counter(ItemsCount::new(lines.len())).bench(|| {
        for line in &lines {
            divan::black_box(parse(kind, line, &context));
        }
    });
}

/// The mix that a server under a password guesser writes.
#[divan::bench]
fn sshd(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        let (a, b, port) = (n % 256, n / 256, 1024 + n);
        let message = match n % 7 {
            0 => format!("Invalid user user{n} from 203.0.{b}.{a} port {port}"),
            1 => format!(
                "Failed password for invalid user user{n} from 203.0.{b}.{a} port {port} ssh2"
            ),
            2 => format!("Failed password for root from 203.0.{b}.{a} port {port} ssh2"),
            3 => format!(
                "Connection closed by authenticating user root 203.0.{b}.{a} port {port} [preauth]"
            ),
            4 => format!(
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.{b}.{a}  user=root"
            ),
            5 => {
                format!("Received disconnect from 203.0.{b}.{a} port {port}:11: Bye Bye [preauth]")
            }
            _ => "pam_unix(sshd:auth): check pass; user unknown".to_owned(),
        };
        format!("Dec 10 06:{:02}:{:02} server sshd[{port}]: {message}", n / 60 % 60, n % 60)
    });
    measure(bencher, SourceKind::File, lines);
}

#[divan::bench]
fn sudo(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            "2026-11-20T06:55:46.{n:06}+00:00 server sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt install package{n}"
        )
    });
    measure(bencher, SourceKind::File, lines);
}

#[divan::bench]
fn rfc5424(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            "<38>1 2026-11-20T06:55:46.{n:06}Z server sshd {n} - [origin@1 ip=\"10.0.0.1\"] Accepted publickey for alice from 203.0.113.7 port 50022 ssh2: ED25519 SHA256:oGr8HKa0gYzqU1iCsoLfHbLKYqCyYQcXAJw3xqHCN5Q"
        )
    });
    measure(bencher, SourceKind::File, lines);
}

#[divan::bench]
fn journald(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            "{{\"__REALTIME_TIMESTAMP\":\"17952279{n:08}\",\"_HOSTNAME\":\"server\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"_PID\":\"{n}\",\"PRIORITY\":\"6\",\"SYSLOG_FACILITY\":\"4\",\"_BOOT_ID\":\"772b1112f35d49e3a0897b552c8ff3b1\",\"MESSAGE\":\"Failed password for root from 203.0.113.7 port 50022 ssh2\"}}"
        )
    });
    measure(bencher, SourceKind::Journald, lines);
}

/// Sysmon's process creation as evtx_dump writes it, about 1.4 KB.
#[divan::bench]
fn windows_json(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            r##"{{"Event":{{"#attributes":{{"xmlns":"http://schemas.microsoft.com/win/2004/08/events/event"}},"System":{{"Provider":{{"#attributes":{{"Name":"Microsoft-Windows-Sysmon","Guid":"5770385F-C22A-43E0-BF4C-06F5698FFBD9"}}}},"EventID":1,"Version":5,"Level":4,"Task":1,"Opcode":0,"Keywords":"0x8000000000000000","TimeCreated":{{"#attributes":{{"SystemTime":"2026-11-20T21:11:02.649150Z"}}}},"EventRecordID":{n},"Correlation":null,"Execution":{{"#attributes":{{"ProcessID":3904,"ThreadID":4272}}}},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"desk","Security":{{"#attributes":{{"UserID":"S-1-5-18"}}}}}},"EventData":{{"RuleName":"-","UtcTime":"2026-11-20 21:11:02.632","ProcessGuid":"0197231E-9BE6-6934-5301-000000000B00","ProcessId":{n},"Image":"C:\\Windows\\System32\\cmd.exe","FileVersion":"10.0.26100.2454","Description":"Command Processor","Product":"Operating System","Company":"Microsoft Corporation","OriginalFileName":"Cmd.Exe","CommandLine":"C:\\Windows\\system32\\cmd.exe /d /s /c \"whoami\"","CurrentDirectory":"C:\\Users\\anna\\Downloads\\","User":"DESK\\anna","LogonId":"0x1eba8","TerminalSessionId":1,"IntegrityLevel":"Medium","Hashes":"MD5=352B525E9C26CB92693899528FE007C2,SHA256=1F1D918EC49E0B7C59B704FF412E1A6E224DA81C08CDA657E1CB482ABAAC146C","ParentProcessId":1092,"ParentImage":"C:\\Program Files\\node\\node.exe","ParentCommandLine":"node.exe start-server.js","ParentUser":"DESK\\anna"}}}}}}"##
        )
    });
    measure(bencher, SourceKind::Json, lines);
}

/// An event of a Linux host in ECS, about 0.5 KB.
#[divan::bench]
fn ecs_json(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            r#"{{"@timestamp":"2026-11-20T06:55:46.123Z","host":{{"name":"server"}},"event":{{"category":["process"],"action":"exec","outcome":"success","dataset":"auditd.log"}},"process":{{"pid":{n},"executable":"/usr/bin/curl","command_line":"curl -fsSL https://example.com/install.sh -o /tmp/install.sh","working_directory":"/home/alice","parent":{{"pid":17,"executable":"/bin/bash","command_line":"-bash"}}}},"user":{{"name":"alice","id":"1000"}},"auditd":{{"session":"3","data":{{"syscall":"execve","tty":"pts0"}}}}}}"#
        )
    });
    measure(bencher, SourceKind::Json, lines);
}

/// A line of an access log in the combined format, some with escapes in the URL.
#[divan::bench]
fn access_log(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        let path = if n % 8 == 0 { "/%2e%2e/etc/passwd?q=a+b" } else { "/assets/app.js?v=42" };
        format!(
            "203.0.{}.{} - - [21/Nov/2026:10:{:02}:{:02} +0100] \"GET {path}{n} HTTP/1.1\" 200 {n} \"https://www.example.org/start\" \"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0\"",
            n / 256,
            n % 256,
            n / 60 % 60,
            n % 60
        )
    });
    measure(bencher, SourceKind::File, lines);
}

/// The same as JSON.
#[divan::bench]
fn access_json(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| {
        format!(
            r#"{{"time_iso8601":"2026-11-21T10:00:00+01:00","remote_addr":"203.0.{}.{}","remote_user":"","request":"GET /assets/app.js?v={n} HTTP/1.1","status":200,"body_bytes_sent":{n},"http_referrer":"https://www.example.org/start","http_user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0","host":"www.example.org"}}"#,
            n / 256,
            n % 256
        )
    });
    measure(bencher, SourceKind::File, lines);
}

#[divan::bench]
fn unknown_program(bencher: divan::Bencher<'_, '_>) {
    let lines = numbered(|n| format!("Dec 10 06:55:46 server kernel: [{n}.123456] eth0: link up"));
    measure(bencher, SourceKind::File, lines);
}
