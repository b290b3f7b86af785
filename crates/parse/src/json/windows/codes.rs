//! What numbers and identifiers in events of Windows stand for, by their published names: kinds of logons,
//! reasons of failures, groups, what is audited. They are the same in every language.

/// The kind of a logon.
pub(super) fn logon(number: i64) -> Option<&'static str> {
    Some(match number {
        0 => "System",
        2 => "Interactive",
        3 => "Network",
        4 => "Batch",
        5 => "Service",
        7 => "Unlock",
        8 => "NetworkCleartext",
        9 => "NewCredentials",
        10 => "RemoteInteractive",
        11 => "CachedInteractive",
        12 => "CachedRemoteInteractive",
        13 => "CachedUnlock",
        _ => return None,
    })
}

/// Why a logon failed (NTSTATUS, [MS-ERREF] 2.3.1).
pub(super) fn status(number: i64) -> Option<&'static str> {
    Some(match number {
        0xc000_005e => "no logon servers",
        0xc000_0064 => "no such user",
        0xc000_006a => "wrong password",
        0xc000_006d => "bad user name or password",
        0xc000_006e => "account restriction",
        0xc000_006f => "outside logon hours",
        0xc000_0070 => "workstation not allowed",
        0xc000_0071 => "password expired",
        0xc000_0072 => "account disabled",
        0xc000_00dc => "server in the wrong state",
        0xc000_0133 => "clocks differ",
        0xc000_015b => "logon type not granted",
        0xc000_018c => "trust relationship failed",
        0xc000_0192 => "netlogon not started",
        0xc000_0193 => "account expired",
        0xc000_0224 => "password must change",
        0xc000_0225 => "internal error",
        0xc000_0234 => "account locked out",
        0xc000_02ee => "unknown failure",
        0xc000_0413 => "authentication firewall",
        _ => return None,
    })
}

/// Why Kerberos refused (RFC 4120, section 7.5.9).
pub(super) fn kerberos(number: i64) -> Option<&'static str> {
    Some(match number {
        0x06 => "no such user",
        0x07 => "no such service",
        0x09 => "null key",
        0x0c => "account restriction",
        0x12 => "account disabled, expired or locked out",
        0x17 => "password expired",
        0x18 => "wrong password",
        0x19 => "preauthentication required",
        0x1b => "user-to-user required",
        0x1f => "integrity check failed",
        0x20 => "ticket expired",
        0x21 => "ticket not yet valid",
        0x22 => "request is a replay",
        0x25 => "clocks differ",
        0x29 => "message modified",
        _ => return None,
    })
}

/// The English name of a group whose identifier is the same everywhere ([MS-DTYP] 2.4.2.4).
pub(super) fn group(sid: &str) -> Option<&'static str> {
    if let Some(builtin) = sid.strip_prefix("S-1-5-32-") {
        return Some(match builtin {
            "544" => "Administrators",
            "545" => "Users",
            "546" => "Guests",
            "547" => "Power Users",
            "548" => "Account Operators",
            "549" => "Server Operators",
            "550" => "Print Operators",
            "551" => "Backup Operators",
            "552" => "Replicators",
            "555" => "Remote Desktop Users",
            "556" => "Network Configuration Operators",
            "557" => "Incoming Forest Trust Builders",
            "562" => "Distributed COM Users",
            "569" => "Cryptographic Operators",
            "573" => "Event Log Readers",
            "578" => "Hyper-V Administrators",
            "580" => "Remote Management Users",
            _ => return None,
        });
    }
    let (_, of_domain) = sid.strip_prefix("S-1-5-21-")?.rsplit_once('-')?;
    Some(match of_domain {
        "498" => "Enterprise Read-only Domain Controllers",
        "512" => "Domain Admins",
        "513" => "Domain Users",
        "514" => "Domain Guests",
        "515" => "Domain Computers",
        "516" => "Domain Controllers",
        "517" => "Cert Publishers",
        "518" => "Schema Admins",
        "519" => "Enterprise Admins",
        "520" => "Group Policy Creator Owners",
        "525" => "Protected Users",
        "526" => "Key Admins",
        "527" => "Enterprise Key Admins",
        "553" => "RAS and IAS Servers",
        _ => return None,
    })
}

/// What is audited ([MS-GPAC] 2.2.1.2), by the number in the first part of its identifier.
pub(super) fn subcategory(guid: &str) -> Option<&'static str> {
    let guid = guid.trim_start_matches('{').trim_end_matches('}');
    let (first, rest) = guid.split_once('-')?;
    let number = u32::from_str_radix(first, 16).ok()?;
    if !rest.eq_ignore_ascii_case("69ae-11d9-bed3-505054503030") {
        return None;
    }
    SUBCATEGORIES.get(usize::try_from(number.checked_sub(0x0cce_9210)?).ok()?).copied()
}

/// How what is audited was changed: the message numbers of event 4719.
pub(super) fn audit_change(number: &str) -> Option<&'static str> {
    Some(match number {
        "%%8448" => "success removed",
        "%%8449" => "success added",
        "%%8450" => "failure removed",
        "%%8451" => "failure added",
        _ => return None,
    })
}

const SUBCATEGORIES: [&str; 59] = [
    "Security State Change",
    "Security System Extension",
    "System Integrity",
    "IPsec Driver",
    "Other System Events",
    "Logon",
    "Logoff",
    "Account Lockout",
    "IPsec Main Mode",
    "IPsec Quick Mode",
    "IPsec Extended Mode",
    "Special Logon",
    "Other Logon/Logoff Events",
    "File System",
    "Registry",
    "Kernel Object",
    "SAM",
    "Certification Services",
    "Application Generated",
    "Handle Manipulation",
    "File Share",
    "Filtering Platform Packet Drop",
    "Filtering Platform Connection",
    "Other Object Access Events",
    "Sensitive Privilege Use",
    "Non Sensitive Privilege Use",
    "Other Privilege Use Events",
    "Process Creation",
    "Process Termination",
    "DPAPI Activity",
    "RPC Events",
    "Audit Policy Change",
    "Authentication Policy Change",
    "Authorization Policy Change",
    "MPSSVC Rule-Level Policy Change",
    "Filtering Platform Policy Change",
    "Other Policy Change Events",
    "User Account Management",
    "Computer Account Management",
    "Security Group Management",
    "Distribution Group Management",
    "Application Group Management",
    "Other Account Management Events",
    "Directory Service Access",
    "Directory Service Changes",
    "Directory Service Replication",
    "Detailed Directory Service Replication",
    "Credential Validation",
    "Kerberos Service Ticket Operations",
    "Other Account Logon Events",
    "Kerberos Authentication Service",
    "Network Policy Server",
    "Detailed File Share",
    "Removable Storage",
    "Central Policy Staging",
    "User / Device Claims",
    "Plug and Play Events",
    "Group Membership",
    "Token Right Adjusted",
];
