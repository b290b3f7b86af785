//! The capabilities of a file: the extended attribute `security.capability` (capabilities(7)).

use std::os::fd::AsFd;

use rustix::fs::fgetxattr;

const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// `cap_net_raw` and the like, of those that the file permits or hands on.
pub(super) fn of(file: impl AsFd) -> Vec<String> {
    let mut value = [0_u8; 64];
    // Without the attribute, and on file systems that have none, this is an error.
    let Ok(length) = fgetxattr(file, "security.capability", &mut value[..]) else {
        return Vec::new();
    };
    decode(value.get(..length).unwrap_or_default())
}

/// Reads `struct vfs_cap_data`: a word with the revision, then permitted and inheritable, of the
/// lower and (from revision 2 on) of the upper 32.
fn decode(value: &[u8]) -> Vec<String> {
    let mut words = value.chunks_exact(4).filter_map(|word| word.try_into().ok());
    let mut words = words.by_ref().map(u32::from_le_bytes).skip(1);
    let mut set = 0_u64;
    for shift in [0, 32] {
        if let (Some(permitted), Some(inheritable)) = (words.next(), words.next()) {
            set |= u64::from(permitted | inheritable) << shift;
        }
    }
    let is_set = |number: usize| set >> number & 1 == 1;
    let mut names: Vec<String> = NAMES
        .iter()
        .enumerate()
        .filter(|(number, _)| is_set(*number))
        .map(|(_, name)| format!("cap_{name}"))
        .collect();
    names.extend((NAMES.len()..64).filter(|number| is_set(*number)).map(|n| format!("cap_{n}")));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_named() {
        let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
        for (value, expected) in [
            // As `setcap cap_net_raw+ep` writes it.
            (words(&[0x0200_0001, 1 << 13, 0, 0, 0]), &["cap_net_raw"][..]),
            (
                words(&[0x0300_0000, 1 << 7, 1, 1 << 8, 0, 1000]),
                &["cap_chown", "cap_setuid", "cap_checkpoint_restore"],
            ),
            (words(&[0x0200_0000, 0, 0, 1 << 30, 0]), &["cap_62"]),
            (words(&[0x0100_0000, 1]), &[]),
            (vec![1, 2, 3], &[]),
        ] {
            assert_eq!(decode(&value), expected);
        }
    }
}
