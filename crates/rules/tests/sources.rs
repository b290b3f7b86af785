//! Lines as exporters write them meet rules of their log source, by the names that rules use.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may stop where it stands and say why"
)]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use std::sync::Arc;

use bergfried_rules::{RuleSet, Source};
use support::findings;

/// A log source, a selection, and lines that meet it or do not.
struct Case {
    logsource: &'static str,
    selection: &'static str,
    fires: &'static [&'static str],
    silent: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        logsource: "{category: process_creation, product: windows}",
        selection: r"Image|endswith: '\whoami.exe'",
        fires: &[
            r#"{"Image":"C:\\Windows\\whoami.exe","CommandLine":"whoami /all"}"#,
            r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing"}},"EventID":4688,"Channel":"Security"},"EventData":{"NewProcessName":"C:\\Windows\\whoami.exe"}}}"##,
            r#"{"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":"1","event_data":{"Image":"C:\\Windows\\whoami.exe"}}}"#,
            r#"{"EventID":1,"SourceName":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational","Image":"C:\\Windows\\whoami.exe"}"#,
        ],
        silent: &[
            r#"{"EventID":5,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"C:\\Windows\\whoami.exe"}"#,
            r#"{"Channel":"Application","EventID":1,"Image":"C:\\Windows\\whoami.exe"}"#,
        ],
    },
    Case {
        logsource: "{category: process_creation, product: linux}",
        selection: "Image|endswith: /whoami",
        fires: &[r#"{"Image":"/usr/bin/whoami","CommandLine":"whoami"}"#],
        silent: &[r#"{"Image":"C:\\usr/bin/whoami","CommandLine":"whoami"}"#],
    },
    Case {
        logsource: "{product: windows, service: windefend}",
        selection: r"NewValue|contains: '\Exclusions\'",
        fires: &[
            r#"{"Event":{"System":{"EventID":5007,"Channel":"Microsoft-Windows-Windows Defender/Operational"},"EventData":{"New Value":"HKLM\\x\\Exclusions\\y"}}}"#,
            r#"{"EventID":5007,"Channel":"Microsoft-Windows-Windows Defender/Operational","New_Value":"HKLM\\x\\Exclusions\\y"}"#,
        ],
        silent: &[r#"{"EventID":4657,"Channel":"Security","NewValue":"HKLM\\x\\Exclusions\\y"}"#],
    },
    Case {
        logsource: "{category: webserver}",
        selection: "{cs-method: GET, cs-uri-query|contains: ../etc/, sc-status: 200}",
        fires: &[
            r#"{"event":{"dataset":"nginx.access"},"http":{"request":{"method":"GET"},"response":{"status_code":200}},"url":{"path":"/i.php","query":"p=../etc/passwd"}}"#,
            r#"{"cs-method":"GET","cs-uri-stem":"/i.php","cs-uri-query":"p=../etc/passwd","sc-status":200}"#,
            r#"203.0.113.9 - - [21/Nov/2026:10:00:00 +0000] "GET /i.php?p=../etc/passwd HTTP/1.1" 200 5 "-" "-""#,
            r#"www.example.org:443 203.0.113.9 - - [21/Nov/2026:10:00:00 +0000] "GET /i.php?p=../etc/passwd HTTP/1.1" 200 5"#,
            r#"{"time_iso8601":"2026-11-21T10:00:00+00:00","remote_addr":"203.0.113.9","request":"GET /i.php?p=../etc/passwd HTTP/1.1","status":200}"#,
        ],
        silent: &[
            r#"{"event":{"dataset":"nginx.access"},"http":{"request":{"method":"GET"},"response":{"status_code":200}},"url":{"path":"/../etc/","query":"p=1"}}"#,
            r#"203.0.113.9 - - [21/Nov/2026:10:00:00 +0000] "GET /i.php?p=../etc/passwd HTTP/1.1" 404 5 "-" "-""#,
            r#"[21/Nov/2026:10:00:00 +0000] 203.0.113.9 TLSv1.3 AES "GET /i.php?p=../etc/passwd HTTP/1.1" 200"#,
        ],
    },
    Case {
        logsource: "{product: azure, service: auditlogs}",
        selection: "{operationName: Add member to role, properties.targetResources|contains: Administrator}",
        fires: &[
            r#"{"operationName":"Add member to role","category":"AuditLogs","properties":{"targetResources":[{"type":"User","modifiedProperties":[{"newValue":"\"Global Administrator\""}]}]}}"#,
            r#"{"operationName":"Add member to role","category":"AuditLogs","properties":{"targetResources":"[{\"displayName\":\"Administrator\"}]"}}"#,
        ],
        silent: &[
            r#"{"operationName":"Add member to role","category":"AuditLogs","properties":{"targetResources":[{"type":"User","modifiedProperties":[{"newValue":"\"Reader\""}]}]}}"#,
        ],
    },
    Case {
        logsource: "{product: zeek, service: dce_rpc}",
        selection: "{endpoint: svcctl, operation: CreateServiceW}",
        fires: &[
            r#"{"_path":"dce_rpc","uid":"C1","endpoint":"svcctl","operation":"CreateServiceW"}"#,
            r#"{"ts":1763632800.1,"uid":"C1","id.orig_h":"192.0.2.1","id.orig_p":49152,"id.resp_h":"192.0.2.2","id.resp_p":445,"endpoint":"svcctl","operation":"CreateServiceW"}"#,
        ],
        silent: &[r#"{"uid":"C1","endpoint":"svcctl","operation":"CreateServiceW"}"#],
    },
    Case {
        logsource: "{category: proxy}",
        selection: "c-uri-extension: ps1",
        fires: &[
            r#"{"event":{"module":"squid"},"url":{"original":"http://x.example/a.ps1","extension":"ps1"}}"#,
        ],
        silent: &[r#"{"event":{"module":"nginx"},"url":{"extension":"ps1"}}"#],
    },
    Case {
        logsource: "{category: dns}",
        selection: "{query|endswith: .evil.example, record_type: TXT}",
        fires: &[
            r#"{"_path":"dns","uid":"C1","query":"a.evil.example","qtype_name":"TXT"}"#,
            r#"{"event":{"category":["network"]},"dns":{"question":{"name":"a.evil.example","type":"TXT"}}}"#,
            r#"{"event_type":"dns","flow_id":1,"dns":{"type":"query","rrname":"a.evil.example","rrtype":"TXT"}}"#,
        ],
        silent: &[
            r#"{"event_type":"dns","flow_id":1,"dns":{"type":"query","rrname":"a.evil.example","rrtype":"A"}}"#,
        ],
    },
    Case {
        logsource: "{category: antivirus}",
        selection: "Signature|contains: EICAR",
        fires: &[
            r#"{"EventID":1116,"Channel":"Microsoft-Windows-Windows Defender/Operational","Threat Name":"Virus:DOS/EICAR_Test_File"}"#,
        ],
        silent: &[
            r#"{"EventID":5007,"Channel":"Microsoft-Windows-Windows Defender/Operational","Threat Name":"Virus:DOS/EICAR_Test_File"}"#,
        ],
    },
    Case {
        logsource: "{product: aws, service: cloudtrail}",
        selection: "eventName: DeleteTrail",
        fires: &[r#"{"eventSource":"cloudtrail.amazonaws.com","eventName":"DeleteTrail"}"#],
        silent: &[r#"{"eventSource":"elsewhere","eventName":"DeleteTrail"}"#],
    },
    Case {
        logsource: "{product: okta, service: okta}",
        selection: "eventtype: user.account.lock",
        fires: &[
            r#"{"eventType":"user.account.lock","displayMessage":"x","actor":{"alternateId":"a@example.org"}}"#,
        ],
        silent: &[r#"{"eventType":"user.account.lock"}"#],
    },
    Case {
        logsource: "{product: gcp, service: gcp.audit}",
        selection: "gcp.audit.method_name: storage.buckets.delete",
        fires: &[
            r#"{"protoPayload":{"serviceName":"storage.googleapis.com","methodName":"storage.buckets.delete"}}"#,
        ],
        silent: &[],
    },
    Case {
        logsource: "{product: github, service: audit}",
        selection: "action: repo.destroy",
        fires: &[r#"{"actor":"eve","action":"repo.destroy","org":"o","repo":"o/r"}"#],
        silent: &[r#"{"actor":"eve","action":"repo.destroy"}"#],
    },
    Case {
        logsource: "{product: azure, service: signinlogs}",
        selection: "ResultType: 50126",
        fires: &[
            r#"{"operationName":"Sign-in activity","category":"SignInLogs","ResultType":"50126"}"#,
        ],
        silent: &[],
    },
    Case {
        logsource: "{product: zeek, service: dns}",
        selection: "query|endswith: .example",
        fires: &[r#"{"_path":"dns","uid":"C1","id.orig_h":"192.0.2.1","query":"evil.example"}"#],
        silent: &[r#"{"_path":"http","uid":"C1","query":"evil.example"}"#],
    },
    Case {
        logsource: "{category: webserver}",
        selection: "cs-uri-query|contains: ../",
        fires: &[r#"{"cs-method":"GET","cs-uri-stem":"/x","cs-uri-query":"f=../../etc/passwd"}"#],
        silent: &[],
    },
    Case {
        logsource: "{product: linux, service: auditd}",
        selection: "{type: EXECVE, a0: nmap}",
        fires: &[
            r#"{"type":"EXECVE","argc":2,"a0":"nmap","a1":"-sS"}"#,
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=59 success=yes exit=0 a0=55 pid=2 comm=\"nmap\"\n\
             type=EXECVE msg=audit(1.0:1): argc=2 a0=6E6D6170 a1=\"-sS\"",
            "Nov 20 10:00:00 web audispd: type=EXECVE msg=audit(1.0:1): argc=1 a0=\"nmap\"",
        ],
        silent: &[
            r#"{"type":"execve","a0":"nmap"}"#,
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=59 success=yes exit=0 a0=nmap pid=2",
        ],
    },
    Case {
        logsource: "{product: linux, service: auditd}",
        selection: "{type: PATH, name: /etc/ld.so.preload, nametype: CREATE, syscall: openat, key: persistence}",
        fires: &[
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c items=2 pid=2 key=\"persistence\"\n\
             type=CWD msg=audit(1.0:1): cwd=\"/etc\"\n\
             type=PATH msg=audit(1.0:1): item=0 name=\"/etc/\" nametype=PARENT\n\
             type=PATH msg=audit(1.0:1): item=1 name=\"ld.so.preload\" nametype=CREATE",
        ],
        silent: &[],
    },
    Case {
        logsource: "{product: linux, category: process_creation}",
        selection: "{Image: /usr/bin/curl, CommandLine|contains: ' -o ', ParentImage: /usr/bin/bash, User: root}",
        fires: &[
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=2 uid=0 exe=\"/usr/bin/curl\"\n\
             type=EXECVE msg=audit(1.0:1): argc=3 a0=\"curl\" a1=\"-o\" a2=\"x\"\n\
             type=PARENT_INFO msg=audit(1.0:1): pid=1 exe=\"/usr/bin/bash\"",
        ],
        silent: &[
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=59 success=no exit=-2 ppid=1 pid=2 uid=0 exe=\"/usr/bin/curl\"\n\
             type=EXECVE msg=audit(1.0:1): argc=3 a0=\"curl\" a1=\"-o\" a2=\"x\"\n\
             type=PARENT_INFO msg=audit(1.0:1): pid=1 exe=\"/usr/bin/bash\"",
        ],
    },
    Case {
        logsource: "{product: linux, category: network_connection}",
        selection: "{Image|endswith: /bash, DestinationIp: 198.51.100.7, DestinationPort: 443}",
        fires: &[
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=42 success=yes exit=0 pid=2 exe=\"/usr/bin/bash\"\n\
             type=SOCKADDR msg=audit(1.0:1): saddr=020001BBC63364070000000000000000",
        ],
        silent: &[],
    },
    Case {
        logsource: "{product: linux, category: file_event}",
        selection: "TargetFilename: /etc/cron.d/job",
        fires: &[
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a2=241 pid=2\n\
             type=PATH msg=audit(1.0:1): item=0 name=\"/etc/cron.d/job\" nametype=NORMAL",
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=82 success=yes exit=0 pid=2\n\
             type=PATH msg=audit(1.0:1): item=0 name=\"/tmp/job\" nametype=DELETE\n\
             type=PATH msg=audit(1.0:1): item=1 name=\"/etc/cron.d/job\" nametype=CREATE",
        ],
        silent: &[
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a2=0 pid=2\n\
             type=PATH msg=audit(1.0:1): item=0 name=\"/etc/cron.d/job\" nametype=NORMAL",
        ],
    },
    Case {
        logsource: "{product: Linux, service: SSHD}",
        selection: "user.name: eve",
        fires: &[
            "Nov 20 10:00:00 web sshd[7]: Failed password for eve from 192.0.2.1 port 22 ssh2",
        ],
        silent: &["Nov 20 10:00:00 web vsftpd[7]: Failed password for eve from 192.0.2.1"],
    },
    Case {
        logsource: "{product: door, service: lock}",
        selection: "state: forced",
        fires: &[r#"{"logsource":{"product":"Door","service":["hinge","lock"]},"state":"forced"}"#],
        silent: &[r#"{"logsource":{"product":"Door"},"state":"forced"}"#],
    },
];

#[test]
fn lines_meet_the_rules_of_their_log_source() {
    for Case { logsource, selection, fires, silent } in CASES {
        let selection = selection.trim_start_matches('{').trim_end_matches('}');
        let text = format!(
            "title: t\nlogsource: {logsource}\ndetection:\n  selection:\n    {}\n  condition: selection\n",
            selection.replace(", ", "\n    ")
        );
        let (rules, _) = RuleSet::load([Source { file: "r.yml".to_owned(), text }]);
        assert_eq!(rules.len(), 1, "{logsource}");
        let rules = Arc::new(rules);
        for line in *fires {
            assert_eq!(findings(&rules, line).len(), 1, "{logsource}: {line}");
        }
        for line in *silent {
            assert_eq!(findings(&rules, line).len(), 0, "{logsource}: {line}");
        }
    }
}
