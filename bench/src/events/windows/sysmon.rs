//! Sysmon: processes, connections, files, registry, DNS.

use super::super::World;
use super::super::object::Object;
use super::{System, process_guid, program, system, utc_time};
use crate::random::Random;

const fn sysmon(id: u64, category: &'static str) -> System {
    System {
        id,
        channel: "Microsoft-Windows-Sysmon/Operational",
        provider: "Microsoft-Windows-Sysmon",
        task: id,
        keywords: "0x8000000000000000",
        category,
        service: "sysmon",
    }
}

/// The hashes of a file: a program has the same ones each time it starts.
fn hashes(world: &mut World, path: &str) -> String {
    let seed = path.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte));
    let kept = std::mem::replace(&mut world.random, Random::new(seed));
    let (sha1, md5, sha256, imphash) = (world.hex(40), world.hex(32), world.hex(64), world.hex(32));
    world.random = kept;
    format!("SHA1={sha1},MD5={md5},SHA256={sha256},IMPHASH={imphash}")
}

/// Event 1.
pub(in crate::events) fn process_creation(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &sysmon(1, "process_creation"));
    utc_time(object, world);
    object.text("ProcessGuid", &process_guid(world));
    object.number("ProcessId", 4 * world.random.below(8000));
    object.text("Image", program.image);
    object.text("FileVersion", "10.0.19041.3636 (WinBuild.160101.0800)");
    object.text("Description", program.description);
    object.text("Product", "Microsoft® Windows® Operating System");
    object.text("Company", program.company);
    object.text("OriginalFileName", program.original);
    let command = world.random.pick(program.commands);
    object.text("CommandLine", &world.fill(command));
    let (account, integrity, directory) = if program.system {
        ("NT AUTHORITY\\SYSTEM".to_owned(), "System", r"C:\Windows\system32\".to_owned())
    } else {
        let user = world.user();
        (format!("CORP\\{user}"), "Medium", format!(r"C:\Users\{user}\"))
    };
    object.text("CurrentDirectory", &directory);
    object.text("User", &account);
    object.text("LogonGuid", &process_guid(world));
    object.text("LogonId", &format!("0x{:x}", world.random.below(0xff_ffff)));
    object.number("TerminalSessionId", u64::from(!program.system));
    object.text("IntegrityLevel", integrity);
    object.text("Hashes", &hashes(world, program.image));
    object.text("ParentProcessGuid", &process_guid(world));
    object.number("ParentProcessId", 4 * world.random.below(8000));
    object.text("ParentImage", program.parent);
    object.text("ParentCommandLine", &world.fill(program.parent_command));
    object.text("ParentUser", &account);
}

/// Event 3.
pub(super) fn network_connection(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &sysmon(3, "network_connection"));
    object.text("RuleName", "-");
    utc_time(object, world);
    object.text("ProcessGuid", &process_guid(world));
    object.number("ProcessId", 4 * world.random.below(8000));
    object.text("Image", program.image);
    object.text("User", &format!("CORP\\{}", world.user()));
    object.text("Protocol", "tcp");
    object.text("Initiated", "true");
    object.text("SourceIsIpv6", "false");
    object.text("SourceIp", &format!("10.20.{}.{}", world.host % 4, world.host + 10));
    object.text("SourceHostname", &format!("pc{:03}.corp.example.com", world.host));
    object.number("SourcePort", 49_152 + world.random.below(16_000));
    object.text("SourcePortName", "-");
    object.text("DestinationIsIpv6", "false");
    object.text("DestinationIp", &world.random.address().to_string());
    let word = world.fill("<word>");
    object.text("DestinationHostname", &format!("{word}.cdn.example.net"));
    let port = if world.attack { 4444 } else { 443 };
    object.number("DestinationPort", port);
    object.text("DestinationPortName", if world.attack { "-" } else { "https" });
}

/// Event 7.
pub(super) fn image_load(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &sysmon(7, "image_load"));
    object.text("RuleName", "-");
    utc_time(object, world);
    object.text("ProcessGuid", &process_guid(world));
    object.number("ProcessId", 4 * world.random.below(8000));
    object.text("Image", program.image);
    let library = world.random.pick(&[
        "bcryptprimitives.dll",
        "amsi.dll",
        "combase.dll",
        "shlwapi.dll",
        "msvcp140.dll",
        "clbcatq.dll",
        "wintrust.dll",
        "taskschd.dll",
        "dbghelp.dll",
        "vaultcli.dll",
    ]);
    object.text("ImageLoaded", &format!(r"C:\Windows\System32\{library}"));
    object.text("FileVersion", "10.0.19041.3636 (WinBuild.160101.0800)");
    object.text("Description", "Windows system library");
    object.text("Product", "Microsoft® Windows® Operating System");
    object.text("Company", "Microsoft Corporation");
    object.text("OriginalFileName", library);
    object.text("Hashes", &hashes(world, library));
    object.text("Signed", "true");
    object.text("Signature", "Microsoft Windows");
    object.text("SignatureStatus", "Valid");
    object.text("User", &format!("CORP\\{}", world.user()));
}

/// Event 10.
pub(super) fn process_access(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &sysmon(10, "process_access"));
    object.text("RuleName", "-");
    utc_time(object, world);
    object.text("SourceProcessGUID", &process_guid(world));
    object.number("SourceProcessId", 4 * world.random.below(8000));
    object.number("SourceThreadId", 4 * world.random.below(8000));
    object.text("SourceImage", program.image);
    object.text("TargetProcessGUID", &process_guid(world));
    object.number("TargetProcessId", 4 * world.random.below(8000));
    let target = if world.attack { r"C:\Windows\System32\lsass.exe" } else { program.parent };
    object.text("TargetImage", target);
    object.text("GrantedAccess", if world.attack { "0x1410" } else { "0x1000" });
    object.text("CallTrace", &world.fill(r"C:\Windows\SYSTEM32\ntdll.dll+9d<n>|C:\Windows\System32\KERNELBASE.dll+2c<n>|C:\Windows\System32\<word>.dll+<n>|C:\Windows\System32\<word>.dll+<n>"));
    object.text("SourceUser", &format!("CORP\\{}", world.user()));
    object.text("TargetUser", "NT AUTHORITY\\SYSTEM");
}

/// Event 11.
pub(super) fn file_event(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &sysmon(11, "file_event"));
    object.text("RuleName", "-");
    utc_time(object, world);
    object.text("ProcessGuid", &process_guid(world));
    object.number("ProcessId", 4 * world.random.below(8000));
    object.text("Image", program.image);
    let path = world.random.pick(if world.attack {
        &[r"C:\Users\<user>\AppData\Roaming\Microsoft\Windows\Start Menu\Programs\Startup\<word>.vbs", r"C:\Windows\Temp\lsass_<n>.dmp"]
    } else {
        &[
            r"C:\Users\<user>\AppData\Local\Temp\<x>.tmp",
            r"C:\Users\<user>\Documents\<word>\<path>",
            r"C:\Users\<user>\AppData\Local\Google\Chrome\User Data\Default\Cache\Cache_Data\f_<x>",
            r"C:\Windows\Prefetch\<word>.EXE-<x>.pf",
            r"C:\ProgramData\<word>\log\<word>-<n>.log",
        ]
    });
    object.text("TargetFilename", &world.fill(path));
    object.text("CreationUtcTime", &world.now.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string());
    object.text("User", &format!("CORP\\{}", world.user()));
}

/// Event 13.
pub(super) fn registry_set(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &sysmon(13, "registry_set"));
    object.text("RuleName", "-");
    object.text("EventType", "SetValue");
    utc_time(object, world);
    object.text("ProcessGuid", &process_guid(world));
    object.number("ProcessId", 4 * world.random.below(8000));
    object.text("Image", program.image);
    let key = world.random.pick(if world.attack {
        &[r"HKU\S-1-5-21-<n><n>-<n>-1104\SOFTWARE\Microsoft\Windows\CurrentVersion\Run\<word>", r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\WDigest\UseLogonCredential"]
    } else {
        &[
            r"HKU\S-1-5-21-<n><n>-<n>-1104\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\RecentDocs\MRUListEx",
            r"HKLM\System\CurrentControlSet\Services\bam\State\UserSettings\S-1-5-21-<n>\<word>",
            r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tasks\{<guid>}\DynamicInfo",
            r"HKLM\System\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{<guid>}\LeaseObtainedTime",
            r"HKU\S-1-5-18\SOFTWARE\Company\<word>\LastRun",
        ]
    });
    object.text("TargetObject", &world.fill(key));
    object.text(
        "Details",
        &if world.attack {
            world.fill(r"C:\Users\Public\<word>.exe")
        } else {
            world.fill("DWORD (0x<x>)")
        },
    );
    object.text("User", "NT AUTHORITY\\SYSTEM");
}

/// Event 22.
pub(super) fn dns_query(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &sysmon(22, "dns_query"));
    object.text("RuleName", "-");
    utc_time(object, world);
    object.text("ProcessGuid", &process_guid(world));
    object.number("ProcessId", 4 * world.random.below(8000));
    let name =
        if world.attack { "<x><x>.<word>.ngrok.io" } else { "<word>-<n>.services.example.org" };
    object.text("QueryName", &world.fill(name));
    object.text("QueryStatus", "0");
    object.text(
        "QueryResults",
        &world.fill("type:  5 <word>.edge.example.net;::ffff:<ip>;::ffff:<ip>;"),
    );
    object.text("Image", program.image);
    object.text("User", &format!("CORP\\{}", world.user()));
}
