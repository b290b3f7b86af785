//! Fields of events.

use serde_json::json;

use super::*;

fn fields(group: &str) -> serde_json::Value {
    serde_json::to_value(parse(group, Timestamp::from_seconds(0), "h")).unwrap()
}

/// Names and expected values; `null` where the field must not be there.
#[track_caller]
fn check(group: &str, expected: &[(&str, serde_json::Value)]) {
    let found = fields(group);
    for (name, value) in expected {
        assert_eq!(
            found.get(*name).unwrap_or(&serde_json::Value::Null),
            value,
            "{name}: {found:#}"
        );
    }
}

#[test]
fn a_command_is_joined_from_its_records() {
    let group = "type=SYSCALL msg=audit(1654180383.030:299896): arch=c000003e syscall=59 success=yes exit=0 a0=55c7464eed38 a1=55c7464f4fd8 a2=55c7464efca0 a3=0 items=2 ppid=722675 pid=722676 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts14 ses=3 comm=\"apt-get\" exe=\"/usr/bin/apt-get\" subj=unconfined key=\"software_mgmt\"\u{1d}ARCH=x86_64 SYSCALL=execve AUID=\"user\" UID=\"root\" GID=\"root\" EUID=\"root\"\n\
        type=EXECVE msg=audit(1654180383.030:299896): argc=3 a0=\"apt-get\" a1=\"-o\" a2=612062\n\
        type=CWD msg=audit(1654180383.030:299896): cwd=\"/home/user\"\n\
        type=PATH msg=audit(1654180383.030:299896): item=0 name=\"/usr/bin/apt-get\" inode=394263 dev=fd:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 OUID=\"root\" OGID=\"root\"\n\
        type=PATH msg=audit(1654180383.030:299896): item=1 name=\"/lib64/ld-linux-x86-64.so.2\" inode=1 dev=fd:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL\n\
        type=PROCTITLE msg=audit(1654180383.030:299896): proctitle=6170742D676574002D6F00612062\n\
        type=PARENT_INFO msg=audit(1654180383.030:299896): pid=722675 exe=\"/usr/bin/sudo\" comm=\"sudo\"";
    check(
        group,
        &[
            ("@timestamp", json!("2022-06-02T14:33:03.030000Z")),
            ("host.name", json!("h")),
            ("event.module", json!("auditd")),
            ("event.dataset", json!("auditd.log")),
            ("event.sequence", json!(299_896)),
            ("event.action", json!("executed")),
            ("event.category", json!(["process"])),
            ("event.type", json!(["start"])),
            ("event.outcome", json!("success")),
            ("process.pid", json!(722_676)),
            ("process.executable", json!("/usr/bin/apt-get")),
            ("process.name", json!("apt-get")),
            ("process.args", json!(["apt-get", "-o", "a b"])),
            ("process.command_line", json!("apt-get -o \"a b\"")),
            ("process.title", json!("apt-get -o a b")),
            ("process.working_directory", json!("/home/user")),
            ("process.tty", json!("pts14")),
            ("process.parent.pid", json!(722_675)),
            ("process.parent.executable", json!("/usr/bin/sudo")),
            ("process.parent.name", json!("sudo")),
            ("user.id", json!("0")),
            ("user.name", json!("root")),
            ("user.audit.id", json!("1000")),
            ("user.audit.name", json!("user")),
            ("file.path", json!("/usr/bin/apt-get")),
            ("file.mode", json!("0755")),
            ("file.owner", json!("root")),
            ("auditd.paths", json!(["/usr/bin/apt-get", "/lib64/ld-linux-x86-64.so.2"])),
            ("auditd.record_types", json!(["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"])),
            ("auditd.syscall", json!("execve")),
            ("auditd.key", json!(["software_mgmt"])),
            ("auditd.actor", json!("human")),
            ("auditd.data.a0", json!("apt-get")),
            ("auditd.data.a2", json!("a b")),
            ("auditd.data.a3", json!("0")),
            ("auditd.data.arch", json!("x86_64")),
            ("auditd.data.subj", json!("unconfined")),
            ("auditd.flags", json!(null)),
            ("message", json!("user as root executed apt-get -o \"a b\"")),
        ],
    );
}

#[test]
fn files_are_told_by_what_became_of_them() {
    let event = |call: &str, registers: &str, paths: &[(&str, &str)]| {
        let mut lines = format!(
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall={call} success=yes exit=0 \
             {registers} items={} pid=1 auid=4294967295 uid=33 comm=\"x\" exe=\"/x\"\n\
             type=CWD msg=audit(1.0:1): cwd=\"/srv\"",
            paths.len()
        );
        for (name, kind) in paths {
            lines.push_str(&format!(
                "\ntype=PATH msg=audit(1.0:1): item=0 name=\"{name}\" mode=0100644 nametype={kind}"
            ));
        }
        fields(&lines)
    };
    for (call, registers, paths, path, action, kind) in [
        ("87", "a0=1", &[("/srv", "PARENT"), ("a", "DELETE")][..], "/srv/a", "deleted", "deletion"),
        ("257", "a0=ffffff9c a2=0", &[("a", "NORMAL")], "/srv/a", "opened-file", "info"),
        ("257", "a0=ffffff9c a2=241", &[("a", "NORMAL")], "/srv/a", "opened-file", "change"),
        (
            "257",
            "a0=ffffff9c a2=241",
            &[("/srv", "PARENT"), ("a", "CREATE")],
            "/srv/a",
            "opened-file",
            "creation",
        ),
        ("257", "a0=5 a2=0", &[("a", "NORMAL")], "a", "opened-file", "info"),
        ("2", "a0=5 a1=2", &[("../etc/x", "NORMAL")], "/etc/x", "opened-file", "change"),
        (
            "82",
            "a0=5 a1=2",
            &[("/t", "PARENT"), ("/e", "PARENT"), ("/t/a", "DELETE"), ("/e/b", "CREATE")],
            "/e/b",
            "renamed",
            "change",
        ),
    ] {
        let found = event(call, registers, paths);
        assert_eq!(found["file.path"], path, "{call} {found:#}");
        assert_eq!(found["event.action"], action);
        assert_eq!(found["event.type"], json!([kind]), "{call} {paths:?}");
        assert_eq!(found["event.category"], json!(["file"]));
        assert_eq!(found["auditd.actor"], "agent");
        assert_eq!(found["user.audit.id"], "unset");
        assert_eq!(found.get("auditd.flags"), None);
    }
}

#[test]
fn connections_have_peers() {
    let event = |call: u32, saddr: &str, end: &str| {
        fields(&format!(
            "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall={call} {end} a0=3 pid=1 auid=1000 \
             uid=1000 comm=\"curl\" exe=\"/usr/bin/curl\" key=\"connect\"\n\
             type=SOCKADDR msg=audit(1.0:1): saddr={saddr}"
        ))
    };
    let found = event(42, "020001BBC63364070000000000000000", "success=no exit=-115");
    assert_eq!(found["destination.ip"], "198.51.100.7");
    assert_eq!(found["destination.port"], 443);
    assert_eq!(found["event.action"], "connected-to");
    assert_eq!(found["event.category"], json!(["network"]));
    assert_eq!(found["event.outcome"], "unknown");
    assert_eq!(found["auditd.exit"], "EINPROGRESS");
    assert_eq!(found["message"], "1000 connected to 198.51.100.7 by /usr/bin/curl");
    let found =
        event(43, "0A00D43100000000000000000000000000000000000000010000", "success=yes exit=5");
    assert_eq!((&found["source.ip"], &found["source.port"]), (&json!("::1"), &json!(54_321)));
    assert_eq!(found.get("destination.ip"), None);
    let found = event(42, "01002F72756E2F6E7363642F736F636B657400", "success=no exit=-2");
    assert_eq!(found["file.path"], "/run/nscd/socket");
    assert_eq!(
        (&found["event.outcome"], &found["auditd.exit"]),
        (&json!("failure"), &json!("ENOENT"))
    );
    let found = event(49, "02000050000000000000000000000000", "success=yes exit=0");
    assert_eq!(found["server.port"], 80);
    assert_eq!(found.get("destination.port"), None);
    let call = "type=SYSCALL msg=audit(1.0:1): arch=40000003 syscall=102 success=yes exit=0 a0=3\n\
                type=SOCKADDR msg=audit(1.0:1): saddr=020001BBC63364070000000000000000";
    check(
        call,
        &[
            ("destination.ip", json!("198.51.100.7")),
            ("event.action", json!("connected-to")),
            ("auditd.syscall", json!("socketcall")),
        ],
    );
    check(
        "type=SOCKADDR msg=audit(1.0:1): saddr=020001BBC63364070000000000000000",
        &[
            ("destination.ip", json!(null)),
            ("auditd.data.socket_addr", json!("198.51.100.7")),
            ("auditd.data.socket_port", json!("443")),
        ],
    );
    let found = event(42, "0200", "success=yes exit=0");
    assert_eq!(found["auditd.flags"], json!(["torn"]));
    assert_eq!(found["auditd.data.saddr"], "0200");
}

#[test]
fn what_programs_say_of_people() {
    for (line, expected) in [
        (
            "type=USER_LOGIN msg=audit(1.0:1): pid=9 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct=28696E76616C6964207573657229 exe=\"/usr/sbin/sshd\" hostname=? addr=203.0.113.9 terminal=sshd res=failed'\u{1d}UID=\"root\" AUID=\"unset\"",
            &[
                ("event.action", json!("logged-in")),
                ("event.category", json!(["authentication"])),
                ("event.outcome", json!("failure")),
                ("user.name", json!("(invalid user)")),
                ("user.id", json!(null)),
                ("source.ip", json!("203.0.113.9")),
                ("auditd.data.uid", json!("0")),
                ("auditd.data.hostname", json!(null)),
                ("auditd.session", json!("unset")),
                ("process.executable", json!("/usr/sbin/sshd")),
            ][..],
        ),
        (
            "type=USER_AUTH msg=audit(1.0:1): user pid=3 uid=0 auid=500 subj=system_u:system_r:sshd_t:s0-s0:c0.c1023 msg='PAM: authentication acct=\"bob\" : exe=\"/usr/sbin/sshd\" (hostname=h.example, addr=198.51.100.1, terminal=ssh res=success)'",
            &[
                ("user.name", json!("bob")),
                ("source.ip", json!("198.51.100.1")),
                ("source.domain", json!("h.example")),
                ("event.outcome", json!("success")),
                ("user.selinux.domain", json!("sshd_t")),
                ("user.selinux.level", json!("s0-s0")),
                ("user.selinux.category", json!("c0.c1023")),
                ("auditd.data.terminal", json!("ssh")),
            ],
        ),
        (
            "type=ADD_USER msg=audit(1.0:1): pid=3 uid=0 auid=1000 ses=1 msg='op=adding user id=1001 exe=\"/usr/sbin/useradd\" hostname=a addr=? terminal=pts/0 res=success'",
            &[
                ("event.action", json!("added-user-account")),
                ("event.category", json!(["iam"])),
                ("event.type", json!(["user", "creation"])),
                ("user.id", json!("0")),
                ("user.name", json!("root")),
                ("user.target.id", json!("1001")),
                ("auditd.data.op", json!("adding user")),
            ],
        ),
        (
            "type=ADD_USER msg=audit(1.0:1): pid=3 uid=0 auid=1000 ses=1 msg='op=adding user id=1001 exe=\"/usr/sbin/useradd\" hostname=? addr=? terminal=pts/0 res=success'\u{1d}UID=\"root\" AUID=\"al\" ID=\"unknown(1001)\"",
            &[
                ("user.target.id", json!("1001")),
                ("user.target.name", json!(null)),
                ("user.audit.name", json!("al")),
            ],
        ),
        (
            "type=USER_MGMT msg=audit(1.0:1): pid=3 uid=0 auid=1000 ses=1 msg='op=add-user-to-group grp=\"wheel\" acct=\"eve\" exe=\"/usr/sbin/usermod\" res=success'",
            &[
                ("user.target.name", json!("eve")),
                ("user.target.group.name", json!("wheel")),
                ("event.action", json!("modified-user-account")),
            ],
        ),
        (
            "type=ADD_GROUP msg=audit(1.0:1): pid=3 uid=0 auid=1000 msg='op=add-group acct=\"g\" id=77 res=success'",
            &[("group.name", json!("g")), ("group.id", json!("77"))],
        ),
        (
            "type=USER_CMD msg=audit(1.0:1): pid=3 uid=1000 auid=1000 ses=1 msg='cwd=\"/\" cmd=6C73202D6C exe=\"/usr/bin/sudo\" terminal=pts/0 res=failed key=\"bergfried-tamper\" uid=0'",
            &[
                ("process.command_line", json!("ls -l")),
                ("event.action", json!("ran-command")),
                ("user.id", json!("1000")),
                ("auditd.data.uid", json!("0")),
                ("auditd.key", json!(null)),
                ("auditd.data.key", json!("bergfried-tamper")),
                ("event.outcome", json!("failure")),
                ("message", json!("1000 ran command ls -l, which failed")),
            ],
        ),
        (
            "type=LOGIN msg=audit(1.0:1): login pid=3 uid=0 old auid=4294967295 new auid=700 old ses=4294967295 new ses=12",
            &[
                ("event.action", json!("changed-login-id-to")),
                ("user.audit.id", json!("700")),
                ("auditd.data.old_auid", json!("unset")),
                ("auditd.session", json!("12")),
            ],
        ),
        (
            "type=SERVICE_STOP msg=audit(1.0:1): pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=auditd comm=\"systemd\" exe=\"/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'",
            &[
                ("event.action", json!("stopped-service")),
                ("auditd.data.unit", json!("auditd")),
                ("auditd.summary.object.primary", json!("auditd")),
            ],
        ),
    ] {
        check(line, expected);
    }
}

#[test]
fn what_security_modules_say() {
    for (line, expected) in [
        (
            "type=AVC msg=audit(1.0:1): avc:  denied  { read open } for  pid=7 comm=\"httpd\" path=\"/etc/shadow\" dev=\"sda1\" ino=5 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:shadow_t:s0 tclass=file permissive=0",
            &[
                ("event.action", json!("violated-selinux-policy")),
                ("auditd.data.seresult", json!("denied")),
                ("auditd.data.seperms", json!("read,open")),
                ("auditd.data.tclass", json!("file")),
                ("file.path", json!("/etc/shadow")),
                ("process.name", json!("httpd")),
                ("auditd.category", json!("mac-decision")),
                ("auditd.actor", json!("unknown")),
            ][..],
        ),
        (
            "type=1400 audit(1.0:1): apparmor=\"DENIED\" operation=\"open\" profile=\"snap.x\" name=\"/etc/shadow\" pid=7 comm=\"x\" requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0",
            &[
                ("event.action", json!("violated-apparmor-policy")),
                ("auditd.data.apparmor", json!("DENIED")),
                ("auditd.data.profile", json!("snap.x")),
                ("auditd.summary.object.primary", json!("open")),
                ("auditd.summary.object.secondary", json!("r")),
                ("file.path", json!("/etc/shadow")),
                ("auditd.record_types", json!(["AVC"])),
            ],
        ),
        (
            "type=SECCOMP msg=audit(1.0:1): auid=1000 uid=1000 gid=1000 ses=1 pid=7 comm=\"x\" exe=\"/x\" sig=0 arch=c000003e syscall=273 compat=0 ip=0x7f461dda1444 code=0x50000",
            &[
                ("event.action", json!("violated-seccomp-policy")),
                ("auditd.syscall", json!("set_robust_list")),
                ("auditd.data.code", json!("0x50000")),
                ("event.category", json!(null)),
            ],
        ),
        (
            "type=CONFIG_CHANGE msg=audit(1.0:1): auid=0 ses=1 op=remove_rule key=\"bergfried-tamper\" list=4 res=1",
            &[
                ("event.action", json!("changed-audit-configuration")),
                ("auditd.key", json!(["bergfried-tamper"])),
                ("auditd.data.op", json!("remove_rule")),
                ("event.outcome", json!("success")),
            ],
        ),
        (
            "type=ANOM_PROMISCUOUS msg=audit(1.0:1): dev=eth0 prom=256 old_prom=0 auid=0 uid=0 gid=0 ses=1",
            &[
                ("event.kind", json!("alert")),
                ("event.category", json!(["intrusion_detection"])),
                ("auditd.summary.object.primary", json!("eth0")),
            ],
        ),
    ] {
        check(line, expected);
    }
}

#[test]
fn what_is_wrong_is_said() {
    let call = "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=59 success=yes exit=0 pid=1";
    for (lines, flags) in [
        (format!("{call} comm=\"torn"), json!(["torn"])),
        (format!("{call}\ntype=EXECVE msg=audit(1"), json!(["torn"])),
        (
            format!("{call}\ntype=EXECVE msg=audit(1.0:1): argc=1000000000 a0=\"x\""),
            json!(["lying"]),
        ),
        (format!("{call}\ntype=CWD msg=audit(1.0:2): cwd=\"/\""), json!(["lying"])),
        (format!("{call} comm=61626364656"), json!(["odd"])),
        (
            format!("{call} items=2\ntype=PATH msg=audit(1.0:1): item=0 name=\"/x\""),
            json!(["incomplete"]),
        ),
        (
            "type=CWD msg=audit(1.0:1): cwd=\"/\"\ntype=PATH msg=audit(1.0:1): item=0 name=\"/x\""
                .into(),
            json!(["incomplete"]),
        ),
        (format!("{call}\n{}", format!("{call}\n").repeat(5_000)), json!(["cut"])),
    ] {
        assert_eq!(
            fields(&lines)["auditd.flags"],
            flags,
            "{}",
            lines.get(..200.min(lines.len())).unwrap()
        );
    }
    let nothing = fields("type=EXECVE msg=audit(165");
    assert_eq!(nothing["auditd.flags"], json!(["torn"]));
    assert_eq!(nothing["event.original"], "type=EXECVE msg=audit(165");
    assert_eq!(nothing["@timestamp"], "1970-01-01T00:00:00Z");
}

#[test]
fn files_have_contexts_and_mounts_a_place() {
    let call = "type=SYSCALL msg=audit(1.0:1): arch=c000003e syscall=165 success=yes exit=0 a0=1 pid=6\n\
                type=CWD msg=audit(1.0:1): cwd=\"/\"\n\
                type=PATH msg=audit(1.0:1): item=0 name=\"/dev/sdb1\" mode=060660 obj=system_u:object_r:fixed_disk_device_t:s0 nametype=NORMAL\n\
                type=PATH msg=audit(1.0:1): item=1 name=\"/mnt\" mode=040755 obj=system_u:object_r:mnt_t:s0 nametype=NORMAL";
    check(
        call,
        &[
            ("event.action", json!("mounted")),
            ("file.path", json!("/mnt")),
            ("file.selinux.domain", json!("mnt_t")),
            ("auditd.summary.object.type", json!("filesystem")),
            ("auditd.paths", json!(["/dev/sdb1", "/mnt"])),
        ],
    );
}

#[test]
fn a_node_is_the_host() {
    let found =
        fields("node=web1 type=DAEMON_START msg=audit(1.0:1): op=start ver=3.0 res=success");
    assert_eq!(found["host.name"], "web1");
    assert_eq!(found["event.action"], "started-audit");
}

#[test]
fn an_agents_line_counts_for_its_process_alone() {
    let call = "type=SYSCALL msg=audit(1.0:1): ppid=5 pid=6";
    let line =
        |pid: u32| format!("{call}\ntype=PARENT_INFO msg=audit(1.0:1): pid={pid} exe=\"/p\"");
    assert_eq!(fields(&line(5))["process.parent.executable"], "/p");
    assert_eq!(fields(&line(7)).get("process.parent.executable"), None);
    assert_eq!(fields(&line(7))["process.parent.pid"], 5);
}
