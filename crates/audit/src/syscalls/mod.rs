//! Names of architectures and system calls.

mod aarch64;
mod arm;
mod i386;
mod x86_64;

/// System calls from 424 on have one number on every architecture.
const SHARED_FROM: usize = 424;
static SHARED: [&str; 46] = [
    "pidfd_send_signal",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "pidfd_open",
    "clone3",
    "close_range",
    "openat2",
    "pidfd_getfd",
    "faccessat2",
    "process_madvise",
    "epoll_pwait2",
    "mount_setattr",
    "quotactl_fd",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
    "memfd_secret",
    "process_mrelease",
    "futex_waitv",
    "set_mempolicy_home_node",
    "cachestat",
    "fchmodat2",
    "map_shadow_stack",
    "futex_wake",
    "futex_wait",
    "futex_requeue",
    "statmount",
    "listmount",
    "lsm_get_self_attr",
    "lsm_set_self_attr",
    "lsm_list_modules",
    "mseal",
    "setxattrat",
    "getxattrat",
    "listxattrat",
    "removexattrat",
    "open_tree_attr",
    "file_getattr",
    "file_setattr",
];

/// What a machine is that runs under one architecture of audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Architecture {
    /// As auditd names it.
    pub(crate) name: &'static str,
    table: &'static [&'static str],
    /// Whether SOCKADDR and other structures come in its byte order.
    pub(crate) big_endian: bool,
}

impl Architecture {
    /// The architecture of a number in hexadecimal digits, as `arch=` has it
    /// (`AUDIT_ARCH_*` of `include/uapi/linux/audit.h`).
    pub(crate) fn read(digits: &str) -> Option<Architecture> {
        let number = u32::from_str_radix(digits, 16).ok()?;
        let (name, table): (&str, &[&str]) = match number & 0xffff {
            62 if number >> 31 == 1 => ("x86_64", &x86_64::NAMES),
            62 => ("x32", &x86_64::NAMES),
            3 => ("i386", &i386::NAMES),
            183 => ("aarch64", &aarch64::NAMES),
            40 => ("arm", &arm::NAMES),
            243 if number >> 31 == 1 => ("riscv64", &aarch64::NAMES),
            243 => ("riscv32", &[]),
            258 => ("loongarch64", &aarch64::NAMES),
            20 => ("ppc", &[]),
            21 if number & 0x4000_0000 != 0 => ("ppc64le", &[]),
            21 => ("ppc64", &[]),
            22 if number >> 31 == 1 => ("s390x", &[]),
            22 => ("s390", &[]),
            8 => ("mips", &[]),
            2 | 18 | 43 => ("sparc", &[]),
            50 => ("ia64", &[]),
            15 => ("parisc", &[]),
            _ => return None,
        };
        // Little-endian machines have a bit for it; without it the machine is big-endian.
        Some(Architecture { name, table, big_endian: number & 0x4000_0000 == 0 })
    }

    /// The name of a system call.
    pub(crate) fn syscall(self, number: usize) -> Option<&'static str> {
        if self.table.is_empty() {
            return None;
        }
        // Programs of x32 say so with a bit, and have the numbers of x86_64 below 512.
        let number = if self.name == "x86_64" { number & !0x4000_0000 } else { number };
        let name = match number.checked_sub(SHARED_FROM) {
            Some(place) => SHARED.get(place),
            None => self.table.get(number),
        };
        name.copied().filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_the_names_of_their_machine() {
        for (arch, machine, number, name) in [
            ("c000003e", "x86_64", 59, Some("execve")),
            ("c000003e", "x86_64", 159, Some("adjtimex")),
            ("c000003e", "x86_64", 0x4000_0000 + 2, Some("open")),
            ("c000003e", "x86_64", 437, Some("openat2")),
            ("c000003e", "x86_64", 400, None),
            ("40000003", "i386", 11, Some("execve")),
            ("40000003", "i386", 102, Some("socketcall")),
            ("c00000b7", "aarch64", 221, Some("execve")),
            ("c00000b7", "aarch64", 203, Some("connect")),
            ("c00000b7", "aarch64", 35, Some("unlinkat")),
            ("40000028", "arm", 11, Some("execve")),
            ("c0000015", "ppc64le", 11, None),
        ] {
            let found = Architecture::read(arch).unwrap();
            assert_eq!((found.name, found.syscall(number)), (machine, name), "{arch} {number}");
        }
        assert_eq!(Architecture::read("c000003e").unwrap().syscall(usize::MAX), None);
        for none in ["", "x", "ffffffffff", "0"] {
            assert_eq!(Architecture::read(none), None, "{none}");
        }
        assert!(Architecture::read("80000016").unwrap().big_endian);
    }
}
