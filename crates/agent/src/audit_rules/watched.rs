//! What the audit rules watch: sections of rules under one key each, and why.

use Watch::{
    Calls, CallsOf32BitX86, Directory, DirectoryExcept, File, Homes, LogCalls, Own, Program,
    ReadExcept,
};

/// One thing that is watched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Watch {
    /// Changes of a file, which need not be there yet: writes, renames, removals, modes and owners.
    File(&'static str),
    /// Changes of a directory and of everything below it.
    Directory(&'static str),
    /// As [`Watch::Directory`], but not by the program that writes there every day: the kernel takes
    /// one program in a rule.
    DirectoryExcept(&'static str, &'static str),
    /// Reads of a file by processes of somebody who logged in, but not through this program.
    ReadExcept(&'static str, &'static str),
    /// Runs of a program, wherever a distribution keeps it.
    Program(&'static str),
    /// System calls, in programs of 64 and of 32 bits, with further conditions.
    Calls { names: &'static str, and: &'static str },
    /// System calls on files below /var/log that succeed, but not by logrotate. `old`: those that
    /// aarch64 does not have.
    LogCalls { names: &'static str, old: &'static str, and: &'static str },
    /// System calls that 32-bit programs of x86 make in another way.
    CallsOf32BitX86 { names: &'static str, and: &'static str },
    /// Bergfried's own files.
    Own,
    /// The keys and start-up files in everybody's home.
    Homes { names: &'static [&'static str] },
}

/// Rules under one key.
pub(super) struct Section {
    pub(super) key: &'static str,
    /// What the events mean, in whole sentences.
    pub(super) about: &'static str,
    pub(super) watches: &'static [Watch],
}

pub(super) const SECTIONS: [Section; 7] = [
    Section {
        key: "bergfried-tamper",
        about: "Somebody may be hiding something: immutable flags, the audit system, mandatory access \
                control, kernel modules, the journal and logs. Sent whoever did it.",
        watches: &[
            Program("chattr"),
            Program("auditctl"),
            Program("augenrules"),
            Program("setenforce"),
            Program("semodule"),
            Program("aa-teardown"),
            Program("aa-disable"),
            Program("apparmor_parser"),
            Directory("/etc/audit"),
            Directory("/etc/apparmor.d"),
            Directory("/etc/selinux"),
            DirectoryExcept("/var/log/audit", "auditd"),
            DirectoryExcept("/var/log/journal", "systemd-journald"),
            LogCalls {
                names: "unlinkat,renameat,renameat2,truncate",
                old: "unlink,rename",
                and: "",
            },
            // O_TRUNC: what `> /var/log/auth.log` does.
            LogCalls { names: "openat", old: "", and: " -F a2&0x200" },
            LogCalls { names: "", old: "open", and: " -F a1&0x200" },
            Calls { names: "init_module,finit_module,delete_module", and: "" },
        ],
    },
    Section {
        key: "bergfried-config",
        about: "Bergfried's own program, configuration and state changed. Sent whoever did it.",
        watches: &[Own],
    },
    Section {
        key: "bergfried-exec",
        about: "A program was run. The kernel writes its arguments and its parent's number with it.",
        watches: &[Calls { names: "execve,execveat", and: "" }],
    },
    Section {
        key: "bergfried-connect",
        about: "A connection over IPv4 or IPv6 was tried; with whom is in the record of its address.",
        watches: &[
            Calls { names: "connect", and: "-F saddr_fam=2" },
            Calls { names: "connect", and: "-F saddr_fam=10" },
            CallsOf32BitX86 { names: "socketcall", and: "-F a0=3 -F saddr_fam=2" },
            CallsOf32BitX86 { names: "socketcall", and: "-F a0=3 -F saddr_fam=10" },
        ],
    },
    Section {
        key: "bergfried-call",
        about: "Calls by which a program reaches into another or into the kernel, or measures what others \
                do: PTRACE_ATTACH and PTRACE_SEIZE, BPF_PROG_LOAD, performance counters, page faults.",
        watches: &[
            Calls { names: "ptrace", and: "-F a0=16" },
            Calls { names: "ptrace", and: "-F a0=0x4206" },
            Calls { names: "bpf", and: "-F a0=5" },
            Calls { names: "process_vm_writev,perf_event_open,userfaultfd", and: "" },
        ],
    },
    Section {
        key: "bergfried-identity",
        about: "Users, groups, their passwords, rights and keys.",
        watches: &[
            File("/etc/passwd"),
            File("/etc/shadow"),
            File("/etc/group"),
            File("/etc/gshadow"),
            File("/etc/subuid"),
            File("/etc/subgid"),
            File("/etc/security/opasswd"),
            File("/etc/sudoers"),
            Directory("/etc/sudoers.d"),
            Directory("/etc/ssh"),
            ReadExcept("/etc/shadow", "sudo"),
            Homes { names: &[".ssh"] },
        ],
    },
    Section {
        key: "bergfried-persistence",
        about: "What runs by itself: at a time, at the start of the machine, of a session or of a shell, \
                at a login, and in every program through the dynamic loader.",
        watches: &[
            File("/etc/crontab"),
            File("/etc/anacrontab"),
            Directory("/etc/cron.d"),
            Directory("/etc/cron.hourly"),
            Directory("/etc/cron.daily"),
            Directory("/etc/cron.weekly"),
            Directory("/etc/cron.monthly"),
            Directory("/var/spool/cron"),
            Directory("/var/spool/at"),
            Directory("/etc/systemd"),
            Directory("/usr/lib/systemd/system"),
            Directory("/usr/lib/systemd/user"),
            Directory("/usr/local/lib/systemd"),
            Directory("/etc/init.d"),
            File("/etc/rc.local"),
            Directory("/etc/udev/rules.d"),
            Directory("/etc/modules-load.d"),
            Directory("/etc/modprobe.d"),
            Directory("/etc/xdg/autostart"),
            Directory("/etc/NetworkManager/dispatcher.d"),
            Directory("/etc/update-motd.d"),
            File("/etc/profile"),
            Directory("/etc/profile.d"),
            File("/etc/bash.bashrc"),
            File("/etc/bashrc"),
            Directory("/etc/zsh"),
            File("/etc/environment"),
            Directory("/etc/pam.d"),
            Directory("/etc/security"),
            File("/etc/ld.so.preload"),
            File("/etc/ld.so.conf"),
            Directory("/etc/ld.so.conf.d"),
            Homes {
                names: &[
                    ".bashrc",
                    ".bash_profile",
                    ".bash_login",
                    ".profile",
                    ".zshrc",
                    ".zshenv",
                ],
            },
        ],
    },
];
