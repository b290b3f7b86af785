//! Events of Linux hosts: audit records, starts of processes, and syslog, as JSON.

mod programs;

use super::World;
use super::object::Object;
use programs::{ATTACKS, BENIGN, FALLBACK, Program};

/// One event, in the proportions of a fleet of servers with an audit policy.
pub(super) fn event(object: &mut Object, world: &mut World) {
    match world.random.below(100) {
        0..35 => process_creation(object, world),
        35..55 => system_call(object, world),
        55..65 => arguments(object, world),
        65..72 => path(object, world),
        72..77 => network_connection(object, world),
        77..84 => file_event(object, world),
        _ => syslog(object, world),
    }
}

fn program(world: &mut World) -> &'static Program {
    let table = if world.attack { ATTACKS } else { BENIGN };
    let length = table.len() as u64;
    let index = world.random.below(length).min(world.random.below(length));
    table.get(usize::try_from(index).unwrap_or(0)).unwrap_or(&FALLBACK)
}

fn head(object: &mut Object, world: &World, category: &str, service: &str) {
    object.text("@timestamp", &world.now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
    object.log_source("linux", category, service);
    object.text("hostname", &format!("srv{:02}.example.com", world.host));
}

fn process_creation(object: &mut Object, world: &mut World) {
    let program = program(world);
    head(object, world, "process_creation", "sysmon");
    object.text("Channel", "Linux-Sysmon/Operational");
    object.text("Provider_Name", "Linux-Sysmon");
    object.number("EventID", 1);
    object.text("ProcessGuid", &format!("{{{}}}", world.guid()));
    object.number("ProcessId", 300 + world.random.below(4_000_000));
    object.text("Image", program.image);
    let command = world.random.pick(program.commands);
    object.text("CommandLine", &world.fill(command));
    object.text(
        "CurrentDirectory",
        world.random.pick(&["/", "/root", "/var/www/html", "/srv/app", "/home/deploy"]),
    );
    object.text("User", world.random.pick(&["root", "root", "www-data", "deploy", "postgres"]));
    object.number("LogonId", world.random.below(5000));
    object.number("TerminalSessionId", world.random.below(3));
    object.text("ParentProcessGuid", &format!("{{{}}}", world.guid()));
    object.number("ParentProcessId", 300 + world.random.below(4_000_000));
    object.text("ParentImage", program.parent);
    object.text("ParentCommandLine", program.parent);
}

fn system_call(object: &mut Object, world: &mut World) {
    let program = program(world);
    head(object, world, "", "auditd");
    object.text("type", "SYSCALL");
    object.text("audit_id", &format!("{}.123:{}", world.now.as_second(), world.record));
    object.text("arch", "c000003e");
    object.number("syscall", 59);
    object.text("SYSCALL", "execve");
    object.text("success", "yes");
    object.number("exit", 0);
    for register in ["a0", "a1", "a2", "a3"] {
        object.text(register, &world.fill("55d0<x>"));
    }
    object.number("items", 2);
    object.number("ppid", 300 + world.random.below(4_000_000));
    object.number("pid", 300 + world.random.below(4_000_000));
    for (key, id) in [("auid", 1000), ("uid", 0), ("gid", 0), ("euid", 0), ("suid", 0), ("egid", 0)]
    {
        object.number(key, id);
    }
    object.text("tty", world.random.pick(&["(none)", "pts0", "pts1"]));
    object.number("ses", world.random.below(5000));
    object.text("comm", program.image.rsplit('/').next().unwrap_or(program.image));
    object.text("exe", program.image);
    object.text("subj", "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023");
    object.text("key", world.random.pick(&["exec", "exec", "rootcmd", "(null)"]));
}

fn arguments(object: &mut Object, world: &mut World) {
    let program = program(world);
    head(object, world, "", "auditd");
    object.text("type", "EXECVE");
    object.text("audit_id", &format!("{}.123:{}", world.now.as_second(), world.record));
    let command = world.random.pick(program.commands);
    let command = world.fill(command);
    object.number("argc", command.split(' ').count() as u64);
    for (index, argument) in command.split(' ').enumerate() {
        object.text(&format!("a{index}"), argument);
    }
}

fn path(object: &mut Object, world: &mut World) {
    head(object, world, "", "auditd");
    object.text("type", "PATH");
    object.text("audit_id", &format!("{}.123:{}", world.now.as_second(), world.record));
    object.number("item", 0);
    let name = world.random.pick(if world.attack {
        &["/etc/shadow", "/root/.ssh/authorized_keys", "/etc/ld.so.preload"]
    } else {
        &[
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "/var/lib/app/<word>/<n>.db",
            "/tmp/<word>.<x>",
            "/usr/bin/<word>",
        ]
    });
    object.text("name", &world.fill(name));
    object.number("inode", world.random.below(9_000_000));
    object.text("dev", "08:01");
    object.text("mode", "0100644");
    object.number("ouid", 0);
    object.number("ogid", 0);
    object.text("rdev", "00:00");
    object.text("nametype", "NORMAL");
    object.text("cap_fp", "0");
    object.text("cap_fi", "0");
    object.text("OUID", "root");
    object.text("OGID", "root");
}

fn network_connection(object: &mut Object, world: &mut World) {
    let program = program(world);
    head(object, world, "network_connection", "sysmon");
    object.text("Channel", "Linux-Sysmon/Operational");
    object.text("Provider_Name", "Linux-Sysmon");
    object.number("EventID", 3);
    object.text("ProcessGuid", &format!("{{{}}}", world.guid()));
    object.number("ProcessId", 300 + world.random.below(4_000_000));
    object.text("Image", program.image);
    object.text("User", world.random.pick(&["root", "www-data", "deploy"]));
    object.text("Protocol", "tcp");
    object.text("Initiated", "true");
    object.text("SourceIp", &format!("10.30.0.{}", world.host + 10));
    object.number("SourcePort", 32_768 + world.random.below(28_000));
    object.text("DestinationIp", &world.random.address().to_string());
    object.text("DestinationHostname", &world.fill("<word>.example.net"));
    object.number("DestinationPort", if world.attack { 4444 } else { 443 });
}

fn file_event(object: &mut Object, world: &mut World) {
    let program = program(world);
    head(object, world, "file_event", "sysmon");
    object.text("Channel", "Linux-Sysmon/Operational");
    object.text("Provider_Name", "Linux-Sysmon");
    object.number("EventID", 11);
    object.text("ProcessGuid", &format!("{{{}}}", world.guid()));
    object.number("ProcessId", 300 + world.random.below(4_000_000));
    object.text("Image", program.image);
    let name = world.random.pick(if world.attack {
        &["/etc/cron.d/<word>", "/etc/profile.d/<word>.sh", "/tmp/.<word>/<word>.elf"]
    } else {
        &[
            "/var/log/<word>/<word>-<n>.log",
            "/var/cache/<word>/<x>",
            "/srv/app/releases/<n>/<word>.js",
        ]
    });
    object.text("TargetFilename", &world.fill(name));
    object.text("User", world.random.pick(&["root", "www-data", "deploy"]));
}

/// What a program said, with the syslog header as fields.
fn syslog(object: &mut Object, world: &mut World) {
    let (program, service, template) = match world.random.below(10) {
        0..3 => ("sshd", "sshd", world.random.pick(&[
            "Failed password for invalid user <word> from <ip> port <n> ssh2",
            "Accepted publickey for deploy from <ip> port <n> ssh2: ED25519 SHA256:<x><x><x><x><x>",
            "Disconnected from authenticating user root <ip> port <n> [preauth]",
        ])),
        3..5 => ("sudo", "sudo", "deploy : TTY=pts/1 ; PWD=/srv/app ; USER=root ; COMMAND=/usr/bin/systemctl restart <word>.service"),
        5..7 => ("CRON", "cron", "(root) CMD (/usr/local/bin/<word> --run <n> >/dev/null 2>&1)"),
        _ => ("systemd", "syslog", "<word>-<n>.service: Consumed 1.<n>s CPU time, received 12.3K IP traffic."),
    };
    let template = if world.attack {
        "pam_unix(su:auth): authentication failure; logname=deploy uid=1000 euid=0 tty=pts/1 ruser=deploy rhost=<ip> user=root"
    } else {
        template
    };
    head(object, world, "", service);
    object.text("ident", program);
    object.number("pid", 300 + world.random.below(4_000_000));
    object.text("facility", "authpriv");
    object.text("severity", "info");
    object.text("transport", "stdout");
    object.text("machine_id", "8f3a1c2b4d5e6f708192a3b4c5d6e7f8");
    object.text("boot_id", "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    object.text("cgroup", &format!("/system.slice/{program}.service"));
    object.text("message", &world.fill(template));
}
