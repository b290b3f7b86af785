//! The types of audit records and their numbers.
//!
//! Names and numbers are those of the dictionary of messages in linux-audit's documentation, and of
//! `include/uapi/linux/audit.h` for types that are newer than it.

use std::fmt;

/// The type of a record, by its number; a name that nobody knows has the number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

impl RecordType {
    /// A type that is named by no number and by no known name.
    pub const UNKNOWN: RecordType = RecordType(0);
    pub(crate) const LOGIN: RecordType = RecordType(1006);
    pub(crate) const SYSCALL: RecordType = RecordType(1300);
    /// A path that a system call was about.
    pub const PATH: RecordType = RecordType(1302);
    pub(crate) const SOCKADDR: RecordType = RecordType(1306);
    pub(crate) const CWD: RecordType = RecordType(1307);
    /// The arguments of a program that is started.
    pub const EXECVE: RecordType = RecordType(1309);
    pub(crate) const EOE: RecordType = RecordType(1320);
    pub(crate) const URINGOP: RecordType = RecordType(1336);
    pub(crate) const PROCTITLE: RecordType = RecordType(1327);
    /// A line that an agent appends: what it saw of the parent process. No kernel has this number.
    pub(crate) const PARENT_INFO: RecordType = RecordType(u16::MAX);

    /// The type that a record calls itself: `SYSCALL`, `1300` or `UNKNOWN[1300]`.
    pub fn read(text: &[u8]) -> RecordType {
        match text {
            b"PATH" => RecordType::PATH,
            b"SYSCALL" => RecordType::SYSCALL,
            b"CWD" => RecordType::CWD,
            b"PROCTITLE" => RecordType::PROCTITLE,
            b"EXECVE" => RecordType::EXECVE,
            b"EOE" => RecordType::EOE,
            b"PARENT_INFO" => RecordType::PARENT_INFO,
            [b'0'..=b'9', ..] => number(text),
            _ => match text.strip_prefix(b"UNKNOWN[").and_then(|rest| rest.strip_suffix(b"]")) {
                Some(digits) => number(digits),
                None => by_name(text),
            },
        }
    }

    /// The name of the type, where it has one.
    pub fn name(self) -> Option<&'static str> {
        match self {
            RecordType::PATH => Some("PATH"),
            RecordType::SYSCALL => Some("SYSCALL"),
            RecordType::CWD => Some("CWD"),
            RecordType::PROCTITLE => Some("PROCTITLE"),
            RecordType::EXECVE => Some("EXECVE"),
            RecordType::PARENT_INFO => Some("PARENT_INFO"),
            _ => NAMES.iter().find(|(_, number)| *number == self.0).map(|(name, _)| *name),
        }
    }

    /// Whether a record of this type is an event of its own: what programs and the daemon send
    /// (1100 to 1299, 2000 and more), and answers to commands (1000 to 1099), of which only LOGIN
    /// may have a system call beside it.
    pub fn stands_alone(self) -> bool {
        self != RecordType::LOGIN
            && (matches!(self.0, 1000..1300) || (self.0 >= 2000 && self != RecordType::PARENT_INFO))
    }
}

impl fmt::Display for RecordType {
    /// The name, or `UNKNOWN[number]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "UNKNOWN[{}]", self.0),
        }
    }
}

fn number(digits: &[u8]) -> RecordType {
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    match number {
        Some(u16::MAX) | None => RecordType::UNKNOWN,
        Some(number) => RecordType(number),
    }
}

fn by_name(name: &[u8]) -> RecordType {
    let found = NAMES.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok();
    found
        .and_then(|place| NAMES.get(place))
        .map_or(RecordType::UNKNOWN, |(_, number)| RecordType(*number))
}

/// In the order of the names.
static NAMES: [(&str, u16); 222] = [
    ("AA", 1500),
    ("ACCT_LOCK", 1135),
    ("ACCT_UNLOCK", 1136),
    ("ADD", 1003),
    ("ADD_GROUP", 1116),
    ("ADD_RULE", 1011),
    ("ADD_USER", 1114),
    ("ANOM_ABEND", 1701),
    ("ANOM_ACCESS_FS", 2111),
    ("ANOM_ADD_ACCT", 2114),
    ("ANOM_AMTU_FAIL", 2107),
    ("ANOM_CREAT", 1703),
    ("ANOM_CRYPTO_FAIL", 2110),
    ("ANOM_DEL_ACCT", 2115),
    ("ANOM_EXEC", 2112),
    ("ANOM_LINK", 1702),
    ("ANOM_LOGIN_ACCT", 2103),
    ("ANOM_LOGIN_FAILURES", 2100),
    ("ANOM_LOGIN_LOCATION", 2104),
    ("ANOM_LOGIN_SERVICE", 2118),
    ("ANOM_LOGIN_SESSIONS", 2102),
    ("ANOM_LOGIN_TIME", 2101),
    ("ANOM_MAX_DAC", 2105),
    ("ANOM_MAX_MAC", 2106),
    ("ANOM_MK_EXEC", 2113),
    ("ANOM_MOD_ACCT", 2116),
    ("ANOM_PROMISCUOUS", 1700),
    ("ANOM_RBAC_FAIL", 2108),
    ("ANOM_RBAC_INTEGRITY_FAIL", 2109),
    ("ANOM_ROOT_TRANS", 2117),
    ("APPARMOR_ALLOWED", 1502),
    ("APPARMOR_AUDIT", 1501),
    ("APPARMOR_DENIED", 1503),
    ("APPARMOR_ERROR", 1506),
    ("APPARMOR_HINT", 1504),
    ("APPARMOR_KILL", 1507),
    ("APPARMOR_STATUS", 1505),
    ("AVC", 1400),
    ("AVC_PATH", 1402),
    ("BPF", 1334),
    ("BPRM_FCAPS", 1321),
    ("CAPSET", 1322),
    ("CHGRP_ID", 1119),
    ("CHUSER_ID", 1125),
    ("CONFIG_CHANGE", 1305),
    ("CRED_ACQ", 1103),
    ("CRED_DISP", 1104),
    ("CRED_REFR", 1110),
    ("CRYPTO_FAILURE_USER", 2405),
    ("CRYPTO_IKE_SA", 2408),
    ("CRYPTO_IPSEC_SA", 2409),
    ("CRYPTO_KEY_USER", 2404),
    ("CRYPTO_LOGIN", 2402),
    ("CRYPTO_LOGOUT", 2403),
    ("CRYPTO_PARAM_CHANGE_USER", 2401),
    ("CRYPTO_REPLAY_USER", 2406),
    ("CRYPTO_SESSION", 2407),
    ("CRYPTO_TEST_USER", 2400),
    ("CWD", 1307),
    ("DAC_CHECK", 1118),
    ("DAEMON_ABORT", 1202),
    ("DAEMON_ACCEPT", 1207),
    ("DAEMON_CLOSE", 1208),
    ("DAEMON_CONFIG", 1203),
    ("DAEMON_END", 1201),
    ("DAEMON_ERR", 1209),
    ("DAEMON_RECONFIG", 1204),
    ("DAEMON_RESUME", 1206),
    ("DAEMON_ROTATE", 1205),
    ("DAEMON_START", 1200),
    ("DEL", 1004),
    ("DEL_GROUP", 1117),
    ("DEL_RULE", 1012),
    ("DEL_USER", 1115),
    ("DEV_ALLOC", 2307),
    ("DEV_DEALLOC", 2308),
    ("DM_CTRL", 1338),
    ("DM_EVENT", 1339),
    ("EOE", 1320),
    ("EVENT_LISTENER", 1335),
    ("EXECVE", 1309),
    ("FANOTIFY", 1331),
    ("FD_PAIR", 1317),
    ("FEATURE_CHANGE", 1328),
    ("FS_INODE", 1308),
    ("FS_RELABEL", 2309),
    ("FS_WATCH", 1301),
    ("GET", 1000),
    ("GET_FEATURE", 1019),
    ("GRP_AUTH", 1126),
    ("GRP_CHAUTHTOK", 1133),
    ("GRP_MGMT", 1132),
    ("INTEGRITY_DATA", 1800),
    ("INTEGRITY_EVM_XATTR", 1806),
    ("INTEGRITY_HASH", 1803),
    ("INTEGRITY_METADATA", 1801),
    ("INTEGRITY_PCR", 1804),
    ("INTEGRITY_POLICY_RULE", 1807),
    ("INTEGRITY_RULE", 1805),
    ("INTEGRITY_STATUS", 1802),
    ("IPC", 1303),
    ("IPC_SET_PERM", 1311),
    ("IPE_ACCESS", 1420),
    ("IPE_CONFIG_CHANGE", 1421),
    ("IPE_POLICY_LOAD", 1422),
    ("KERNEL", 2000),
    ("KERNEL_OTHER", 1316),
    ("KERN_MODULE", 1330),
    ("LABEL_LEVEL_CHANGE", 2304),
    ("LABEL_OVERRIDE", 2303),
    ("LANDLOCK_ACCESS", 1423),
    ("LANDLOCK_DOMAIN", 1424),
    ("LIST", 1002),
    ("LIST_RULES", 1013),
    ("LOGIN", 1006),
    ("MAC_CALIPSO_ADD", 1418),
    ("MAC_CALIPSO_DEL", 1419),
    ("MAC_CHECK", 1134),
    ("MAC_CIPSOV4_ADD", 1407),
    ("MAC_CIPSOV4_DEL", 1408),
    ("MAC_CONFIG_CHANGE", 1405),
    ("MAC_IPSEC_ADDSA", 1411),
    ("MAC_IPSEC_ADDSPD", 1413),
    ("MAC_IPSEC_DELSA", 1412),
    ("MAC_IPSEC_DELSPD", 1414),
    ("MAC_IPSEC_EVENT", 1415),
    ("MAC_MAP_ADD", 1409),
    ("MAC_MAP_DEL", 1410),
    ("MAC_OBJ_CONTEXTS", 1426),
    ("MAC_POLICY_LOAD", 1403),
    ("MAC_STATUS", 1404),
    ("MAC_TASK_CONTEXTS", 1425),
    ("MAC_UNLBL_ALLOW", 1406),
    ("MAC_UNLBL_STCADD", 1416),
    ("MAC_UNLBL_STCDEL", 1417),
    ("MAKE_EQUIV", 1015),
    ("MMAP", 1323),
    ("MQ_GETSETATTR", 1315),
    ("MQ_NOTIFY", 1314),
    ("MQ_OPEN", 1312),
    ("MQ_SENDRECV", 1313),
    ("NETFILTER_CFG", 1325),
    ("NETFILTER_PKT", 1324),
    ("OBJ_PID", 1318),
    ("OPENAT2", 1337),
    ("PATH", 1302),
    ("PROCTITLE", 1327),
    ("REPLACE", 1329),
    ("RESP_ACCT_LOCK", 2207),
    ("RESP_ACCT_LOCK_TIMED", 2205),
    ("RESP_ACCT_REMOTE", 2204),
    ("RESP_ACCT_UNLOCK_TIMED", 2206),
    ("RESP_ALERT", 2201),
    ("RESP_ANOMALY", 2200),
    ("RESP_EXEC", 2210),
    ("RESP_HALT", 2212),
    ("RESP_KILL_PROC", 2202),
    ("RESP_ORIGIN_BLOCK", 2213),
    ("RESP_ORIGIN_BLOCK_TIMED", 2214),
    ("RESP_SEBOOL", 2209),
    ("RESP_SINGLE", 2211),
    ("RESP_TERM_ACCESS", 2203),
    ("RESP_TERM_LOCK", 2208),
    ("ROLE_ASSIGN", 2301),
    ("ROLE_MODIFY", 2311),
    ("ROLE_REMOVE", 2302),
    ("SECCOMP", 1326),
    ("SELINUX_ERR", 1401),
    ("SERVICE_START", 1130),
    ("SERVICE_STOP", 1131),
    ("SET", 1001),
    ("SET_FEATURE", 1018),
    ("SIGNAL_INFO", 1010),
    ("SOCKADDR", 1306),
    ("SOCKETCALL", 1304),
    ("SOFTWARE_UPDATE", 1138),
    ("SYSCALL", 1300),
    ("SYSTEM_BOOT", 1127),
    ("SYSTEM_RUNLEVEL", 1129),
    ("SYSTEM_SHUTDOWN", 1128),
    ("TEST", 1120),
    ("TIME_ADJNTPVAL", 1333),
    ("TIME_INJOFFSET", 1332),
    ("TRIM", 1014),
    ("TRUSTED_APP", 1121),
    ("TTY", 1319),
    ("TTY_GET", 1016),
    ("TTY_SET", 1017),
    ("URINGOP", 1336),
    ("USER", 1005),
    ("USER_ACCT", 1101),
    ("USER_AUTH", 1100),
    ("USER_AVC", 1107),
    ("USER_CHAUTHTOK", 1108),
    ("USER_CMD", 1123),
    ("USER_DEVICE", 1137),
    ("USER_END", 1106),
    ("USER_ERR", 1109),
    ("USER_LABELED_EXPORT", 2305),
    ("USER_LOGIN", 1112),
    ("USER_LOGOUT", 1113),
    ("USER_MAC_CONFIG_CHANGE", 2312),
    ("USER_MAC_POLICY_LOAD", 2310),
    ("USER_MAC_STATUS", 2313),
    ("USER_MGMT", 1102),
    ("USER_ROLE_CHANGE", 2300),
    ("USER_SELINUX_ERR", 1122),
    ("USER_START", 1105),
    ("USER_TTY", 1124),
    ("USER_UNLABELED_EXPORT", 2306),
    ("USYS_CONFIG", 1111),
    ("VIRT_CONTROL", 2500),
    ("VIRT_CREATE", 2504),
    ("VIRT_DESTROY", 2505),
    ("VIRT_INTEGRITY_CHECK", 2503),
    ("VIRT_MACHINE_ID", 2502),
    ("VIRT_MIGRATE_IN", 2506),
    ("VIRT_MIGRATE_OUT", 2507),
    ("VIRT_RESOURCE", 2501),
    ("WATCH_INS", 1007),
    ("WATCH_LIST", 1009),
    ("WATCH_REM", 1008),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_read_back() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (name, number) in NAMES {
            assert_eq!(RecordType::read(name.as_bytes()), RecordType(number), "{name}");
            assert_eq!(RecordType(number).name(), Some(name));
            assert_eq!(RecordType::read(number.to_string().as_bytes()), RecordType(number));
            let unknown = format!("UNKNOWN[{number}]");
            assert_eq!(RecordType::read(unknown.as_bytes()), RecordType(number));
        }
        for text in ["", "NOPE", "UNKNOWN[", "UNKNOWN[x]", "99999", "65535", "-1", "syscall"] {
            assert_eq!(RecordType::read(text.as_bytes()), RecordType::UNKNOWN, "{text}");
        }
        assert_eq!(RecordType(1999).to_string(), "UNKNOWN[1999]");
    }

    #[test]
    fn what_stands_alone() {
        for (name, alone) in [
            ("USER_CMD", true),
            ("DAEMON_START", true),
            ("KERNEL", true),
            ("VIRT_CONTROL", true),
            ("LOGIN", false),
            ("CONFIG_CHANGE", false),
            ("AVC", false),
            ("ANOM_ABEND", false),
            ("PARENT_INFO", false),
        ] {
            assert_eq!(RecordType::read(name.as_bytes()).stands_alone(), alone, "{name}");
        }
    }
}
