//! Rules of SigmaHQ for auditd, loaded from the shared corpora, meet what auditd really logs: the
//! records of one event joined, values decoded.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may stop where it stands and say why"
)]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use std::fmt::Write as _;
use std::sync::Arc;

use bergfried_rules::{RuleSet, Source};
use support::{corpus, findings, read};

/// A system call with its name's number on x86_64 and what else its record says.
fn call(number: u32, rest: &str, records: &[(&str, &str)]) -> String {
    let mut lines = format!(
        "type=SYSCALL msg=audit(1795262400.101:77): arch=c000003e syscall={number} success=yes exit=0 \
         ppid=10 pid=11 auid=1000 {rest}"
    );
    for (kind, body) in records {
        // Writing to a String cannot fail.
        let _infallible = write!(lines, "\ntype={kind} msg=audit(1795262400.101:77): {body}");
    }
    lines
}

fn command(arguments: &[&str]) -> String {
    let mut body = format!("argc={}", arguments.len());
    for (place, argument) in arguments.iter().enumerate() {
        let _infallible = write!(body, " a{place}=");
        for byte in argument.bytes() {
            let _infallible = write!(body, "{byte:02X}");
        }
    }
    call(
        59,
        "uid=0 euid=0 a0=55 a1=56 a2=57 a3=58 items=2 comm=\"x\" exe=\"/usr/bin/x\"",
        &[("EXECVE", &body)],
    )
}

#[test]
fn rules_of_sigmahq_find_what_they_look_for() {
    let path = |name: &str, kind: &str| {
        call(
            257,
            "uid=0 a0=ffffff9c a2=241 items=2 comm=\"tee\" exe=\"/usr/bin/tee\"",
            &[
                ("CWD", "cwd=\"/etc\""),
                ("PATH", "item=0 name=\"/etc/\" nametype=PARENT"),
                ("PATH", &format!("item=1 name=\"{name}\" nametype={kind}")),
            ],
        )
    };
    let service = "type=SERVICE_STOP msg=audit(1795262400.101:78): pid=1 uid=0 auid=4294967295 \
                   ses=4294967295 msg='unit=ufw comm=\"systemd\" exe=\"/lib/systemd/systemd\" \
                   hostname=? addr=? terminal=? res=success'";
    let account = "type=ADD_USER msg=audit(1795262400.101:79): pid=9 uid=0 auid=1000 ses=1 \
                   msg='op=add-user acct=\"eve\" exe=\"/usr/sbin/useradd\" res=success'";
    let benign = [
        command(&["ls", "-l"]),
        path("motd", "CREATE"),
        call(42, "uid=1000 euid=1000 comm=\"curl\" exe=\"/usr/bin/curl\"", &[]),
    ];
    for (rule, lines) in [
        ("path/lnx_auditd_ld_so_preload_mod.yml", path("ld.so.preload", "CREATE")),
        ("path/lnx_auditd_auditing_config_change.yml", path("/etc/audit/auditd.conf", "NORMAL")),
        ("path/lnx_auditd_logging_config_change.yml", path("/etc/rsyslog.conf", "NORMAL")),
        ("service_stop/lnx_auditd_disable_system_firewall.yml", service.to_owned()),
        ("syscall/lnx_auditd_create_account.yml", account.to_owned()),
        (
            "syscall/lnx_auditd_load_module_insmod.yml",
            call(313, "uid=0 comm=\"insmod\" exe=\"/usr/bin/kmod\"", &[]),
        ),
        (
            "syscall/lnx_auditd_web_rce.yml",
            call(
                59,
                "uid=33 euid=33 comm=\"sh\" exe=\"/usr/bin/dash\"",
                &[("EXECVE", "argc=1 a0=\"sh\"")],
            ),
        ),
        (
            "syscall/lnx_auditd_clean_disable_dmesg_logs_via_syslog.yml",
            call(103, "uid=0 a0=5 comm=\"dmesg\" exe=\"/usr/bin/dmesg\"", &[]),
        ),
        (
            "syscall/lnx_auditd_susp_exe_folders.yml",
            call(59, "uid=0 comm=\"x\" exe=\"/tmp/x\"", &[("EXECVE", "argc=1 a0=\"./x\"")]),
        ),
        (
            "syscall/lnx_auditd_network_service_scanning.yml",
            call(
                42,
                "uid=0 comm=\"nc\" exe=\"/usr/bin/nc.openbsd\" key=\"network_connect_4\"",
                &[],
            ),
        ),
        (
            "lnx_auditd_susp_c2_commands.yml",
            call(59, "uid=0 comm=\"nc\" exe=\"/bin/nc\" key=737573705F6163746976697479017832", &[]),
        ),
        (
            "lnx_auditd_disable_aslr_protection.yml",
            call(135, "uid=0 a0=40000 comm=\"setarch\"", &[]),
        ),
        (
            "lnx_auditd_disable_aslr_protection.yml",
            command(&["sysctl", "-w", "kernel.randomize_va_space=0"]),
        ),
        ("execve/lnx_auditd_masquerading_crond.yml", command(&["cp", "/bin/sh", "/tmp/crond"])),
        ("execve/lnx_auditd_chattr_immutable_removal.yml", command(&["chattr", "-i", "/etc/x"])),
        ("execve/lnx_auditd_modify_system_firewall.yml", command(&["ufw", "delete", "1"])),
    ] {
        let Some(path) = corpus(&format!("sigma/rules/linux/auditd/{rule}")) else { return };
        let source = Source { file: rule.to_owned(), text: read(&path) };
        let (rules, diagnostics) = RuleSet::load(vec![source]);
        assert!(diagnostics.iter().all(|said| !said.is_error()), "{rule}: {diagnostics:?}");
        let rules = Arc::new(rules);
        assert_eq!(findings(&rules, &lines).len(), 1, "{rule}\n{lines}");
        for lines in &benign {
            assert_eq!(findings(&rules, lines), [], "{rule}\n{lines}");
        }
    }
}
