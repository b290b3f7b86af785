//! System calls.

use super::{Meaning, action};

/// What a system call means, by its name; one of no special meaning is named as it is called.
pub(crate) fn of_syscall(name: &str) -> Meaning {
    match name {
        "execve" | "execveat" => {
            Meaning { object: "file", ..action("executed").process(&["start"]) }
        }
        "connect" => action("connected-to").socket(&["connection", "start"]),
        "open" | "openat" | "openat2" | "readlink" | "readlinkat" | "open_by_handle_at" => {
            action("opened-file").file(&["info"])
        }
        "creat" => action("opened-file").file(&["creation"]),
        "truncate" | "ftruncate" | "truncate64" | "ftruncate64" | "fallocate" => {
            action("opened-file").file(&["change"])
        }
        "read" | "pread64" | "readv" => action("read-file").file(&["info"]),
        "write" | "pwrite64" | "writev" => action("wrote-to-file").file(&["change"]),
        "setxattr" | "fsetxattr" | "lsetxattr" | "removexattr" | "fremovexattr"
        | "lremovexattr" | "setxattrat" | "removexattrat" | "file_setattr" => {
            action("changed-file-attributes-of").file(&["change"])
        }
        "chmod" | "fchmod" | "fchmodat" | "fchmodat2" => {
            action("changed-file-permissions-of").file(&["change"])
        }
        "chown" | "fchown" | "fchownat" | "lchown" | "chown32" | "fchown32" | "lchown32" => {
            action("changed-file-ownership-of").file(&["change"])
        }
        "init_module" | "finit_module" => module("loaded-kernel-module", &["start"]),
        "delete_module" => module("unloaded-kernel-module", &["end"]),
        "mkdir" | "mkdirat" => action("created-directory").file(&["creation"]),
        "mount" | "move_mount" | "fsmount" => filesystem(action("mounted").file(&["creation"])),
        "umount" | "umount2" => filesystem(action("unmounted").file(&["deletion"])),
        "rename" | "renameat" | "renameat2" => action("renamed").file(&["change"]),
        "link" | "linkat" => action("linked").file(&["creation"]),
        "symlink" | "symlinkat" => action("symlinked").file(&["creation"]),
        "unlink" | "unlinkat" | "rmdir" => action("deleted").file(&["deletion"]),
        "mknod" | "mknodat" => action("make-device").file(&["creation"]),
        "access" | "faccessat" | "faccessat2" | "stat" | "stat64" | "fstat" | "fstat64"
        | "lstat" | "lstat64" | "fstatat" | "fstatat64" | "newfstatat" | "statx" | "getxattr"
        | "lgetxattr" | "fgetxattr" => action("checked-metadata-of").file(&["info"]),
        "statfs" | "fstatfs" | "statfs64" | "fstatfs64" => {
            filesystem(action("checked-filesystem-metadata-of").file(&["info"]))
        }
        "utime" | "utimes" | "futimesat" | "futimens" | "utimensat" | "utimensat_time64" => {
            action("changed-timestamp-of").file(&["info"])
        }
        "chroot" | "pivot_root" => action("changed-root-directory-to").file(&["info"]),
        "listen" => action("listen-for-connections").socket(&["start"]),
        "accept" | "accept4" => action("accepted-connection-from").socket(&["connection", "start"]),
        "bind" => action("bound-socket").socket(&["start"]),
        "recv" | "recvfrom" | "recvmsg" | "recvmmsg" => {
            action("received-from").socket(&["connection", "info"])
        }
        "send" | "sendto" | "sendmsg" | "sendmmsg" => {
            action("sent-to").socket(&["connection", "info"])
        }
        "kill" | "tkill" | "tgkill" => signal("killed-pid"),
        "ptrace" | "process_vm_writev" | "process_vm_readv" => {
            process(action("traced-process").process(&["access"]))
        }
        "setuid" | "setuid32" | "seteuid" | "setfsuid" | "setreuid" | "setgid" | "setgid32"
        | "setegid" | "setfsgid" | "setregid" | "setresuid" | "setresgid" | "setreuid32"
        | "setregid32" | "setresuid32" | "setresgid32" => {
            process(action("changed-identity-of").process(&["change"])).by(&["syscall"])
        }
        "sched_setparam" | "sched_setscheduler" | "sched_setattr" => {
            process(action("adjusted-scheduling-policy-of").process(&["change"])).by(&["syscall"])
        }
        "settimeofday" | "clock_settime" | "clock_settime64" | "stime" | "adjtimex"
        | "clock_adjtime" | "clock_adjtime64" => system("changed-system-time", &["change"]),
        "sethostname" | "setdomainname" => system("changed-system-name", &["change"]),
        "reboot" => system("rebooted-system", &["end"]),
        "mmap" | "mmap2" | "brk" => {
            Meaning { object: "memory", ..action("allocated-memory").process(&["info"]) }
        }
        _ => action("").process(&["info"]),
    }
}

const fn module(name: &'static str, kinds: &'static [&'static str]) -> Meaning {
    action(name).is(&["driver"], kinds).of("file", &["name"], &[])
}

const fn filesystem(meaning: Meaning) -> Meaning {
    Meaning { object: "filesystem", ..meaning }
}

const fn process(meaning: Meaning) -> Meaning {
    meaning.of("process", &["cmd", "exe", "comm"], &["pid"])
}

const fn signal(name: &'static str) -> Meaning {
    action(name).process(&["end"]).of("process", &["ocomm", "opid"], &["opid"])
}

const fn system(name: &'static str, kinds: &'static [&'static str]) -> Meaning {
    action(name).host(kinds).of("system", &[], &[])
}
