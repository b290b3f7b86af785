//! What starts on an ordinary day.

use super::{
    CHROME, CODE, EXPLORER, HOST, MICROSOFT, POWERSHELL, Program, SERVICES, SHELL, program,
};

pub(in crate::events::windows) static BENIGN: &[Program] = &[
    program(
        r"C:\Windows\System32\svchost.exe",
        ["svchost.exe", "Host Process for Windows Services", MICROSOFT],
        SERVICES,
        true,
        &[
            r"C:\Windows\System32\svchost.exe -k netsvcs -p -s wuauserv",
            r"C:\Windows\system32\svchost.exe -k wsappx -p -s AppXSvc",
            r"C:\Windows\system32\svchost.exe -k LocalServiceNetworkRestricted -p -s NgcCtnrSvc",
            r"C:\Windows\System32\svchost.exe -k LocalSystemNetworkRestricted -p -s PcaSvc",
            r"C:\Windows\system32\svchost.exe -k ClipboardSvcGroup -p -s cbdhsvc_<x>",
            r"C:\Windows\system32\svchost.exe -k appmodel -p -s camsvc",
        ],
    ),
    program(
        r"C:\Windows\System32\conhost.exe",
        ["CONHOST.EXE", "Console Window Host", MICROSOFT],
        SHELL,
        true,
        &[
            r"\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1",
            r"\??\C:\Windows\system32\conhost.exe 0x4",
        ],
    ),
    program(
        r"C:\Windows\System32\backgroundTaskHost.exe",
        ["backgroundTaskHost.exe", "Background Task Host", MICROSOFT],
        HOST,
        false,
        &[
            r#""C:\Windows\system32\backgroundTaskHost.exe" -ServerName:App.AppX<x><x>.mca"#,
            r#""C:\Windows\system32\backgroundTaskHost.exe" -ServerName:CortanaUI.AppX<x><x>.mca"#,
        ],
    ),
    program(
        r"C:\Windows\System32\RuntimeBroker.exe",
        ["RuntimeBroker.exe", "Runtime Broker", MICROSOFT],
        HOST,
        false,
        &[r"C:\Windows\System32\RuntimeBroker.exe -Embedding"],
    ),
    program(
        r"C:\Windows\System32\taskhostw.exe",
        ["taskhostw.exe", "Host Process for Windows Tasks", MICROSOFT],
        HOST,
        false,
        &[
            "taskhostw.exe",
            "taskhostw.exe Install $(Arg0)",
            "taskhostw.exe SYSTEM",
            "taskhostw.exe USER",
        ],
    ),
    program(
        r"C:\Windows\System32\dllhost.exe",
        ["dllhost.exe", "COM Surrogate", MICROSOFT],
        HOST,
        false,
        &[r"C:\Windows\system32\DllHost.exe /Processid:{<guid>}"],
    ),
    program(
        r"C:\Windows\System32\SearchProtocolHost.exe",
        ["SearchProtocolHost.exe", "Microsoft Windows Search Protocol Host", MICROSOFT],
        (
            r"C:\Windows\System32\SearchIndexer.exe",
            r"C:\Windows\system32\SearchIndexer.exe /Embedding",
        ),
        true,
        &[
            r#""C:\Windows\system32\SearchProtocolHost.exe" Global\UsGthrFltPipeMssGthrPipe<n>_ Global\UsGthrCtrlFltPipeMssGthrPipe<n> 1 -2147483646 "Software\Microsoft\Windows Search" "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT; MS Search 4.0 Robot)" "C:\ProgramData\Microsoft\Search\Data\Temp\usgthrsvc" "DownLevelDaemon" "#,
        ],
    ),
    program(
        r"C:\Windows\System32\wbem\WmiPrvSE.exe",
        ["Wmiprvse.exe", "WMI Provider Host", MICROSOFT],
        HOST,
        true,
        &[
            r"C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding",
            r"C:\Windows\system32\wbem\wmiprvse.exe -Embedding",
        ],
    ),
    program(
        r"C:\Windows\System32\gpupdate.exe",
        ["GPUpdate.exe", "Microsoft Group Policy Update Utility", MICROSOFT],
        HOST,
        true,
        &[
            r#""C:\Windows\system32\gpupdate.exe" /target:computer"#,
            r#""C:\Windows\system32\gpupdate.exe" /target:user"#,
        ],
    ),
    program(
        r"C:\Windows\System32\rundll32.exe",
        ["RUNDLL32.EXE", "Windows host process (Rundll32)", MICROSOFT],
        HOST,
        false,
        &[
            r"C:\Windows\system32\rundll32.exe C:\Windows\System32\shell32.dll,SHCreateLocalServerRunDll {<guid>} -Embedding",
            r"C:\Windows\system32\rundll32.exe /d acproxy.dll,PerformAutochkOperations",
            r#""C:\Windows\System32\rundll32.exe" C:\Windows\System32\winethc.dll,ForceProxyDetectionOnNextRun"#,
        ],
    ),
    program(
        r"C:\Windows\System32\msiexec.exe",
        ["msiexec.exe", "Windows® installer", MICROSOFT],
        SERVICES,
        true,
        &[
            r"C:\Windows\system32\msiexec.exe /V",
            r"C:\Windows\System32\MsiExec.exe -Embedding <x><x><x><x> E Global\MSI0000",
            r#""C:\Windows\System32\msiexec.exe" /i "C:\ProgramData\Package Cache\{<guid>}v<n>\setup.msi" /qn /norestart /l*v C:\Windows\Temp\<word>_<n>.log"#,
        ],
    ),
    program(
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        ["chrome.exe", "Google Chrome", "Google LLC"],
        CHROME,
        false,
        &[
            r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer --lang=en-US --js-flags=--ms-user-locale= --device-scale-factor=1 --num-raster-threads=4 --renderer-client-id=<n> --launch-time-ticks=<n><n> --field-trial-handle=<n>,i,<n><n>,262144 --variations-seed-version --mojo-platform-channel-handle=<n> /prefetch:1"#,
            r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=utility --utility-sub-type=network.mojom.NetworkService --lang=en-US --service-sandbox-type=none --field-trial-handle=<n>,i,<n><n>,262144 --mojo-platform-channel-handle=<n> /prefetch:3"#,
            r#""C:\Program Files\Google\Chrome\Application\chrome.exe" --type=gpu-process --gpu-preferences=WAAAAAAAAADgAAAEAAAAAAAAAAAAAAAAAABgAAEAAAA --field-trial-handle=<n>,i,<n><n>,262144 /prefetch:2"#,
        ],
    ),
    program(
        r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
        ["msedge.exe", "Microsoft Edge", MICROSOFT],
        EXPLORER,
        false,
        &[
            r#""C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --type=renderer --extension-process --lang=de --renderer-client-id=<n> --time-ticks-at-unix-epoch=-<n><n> --mojo-platform-channel-handle=<n> /prefetch:1"#,
            r#""C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --single-argument https://intranet.example.com/<word>/<n>?id=<guid>"#,
        ],
    ),
    program(
        r"C:\Program Files (x86)\Microsoft\EdgeUpdate\MicrosoftEdgeUpdate.exe",
        ["msedgeupdate.dll", "Microsoft Edge Update", MICROSOFT],
        HOST,
        true,
        &[
            r#""C:\Program Files (x86)\Microsoft\EdgeUpdate\MicrosoftEdgeUpdate.exe" /ua /installsource scheduler"#,
            r#""C:\Program Files (x86)\Microsoft\EdgeUpdate\MicrosoftEdgeUpdate.exe" /c"#,
        ],
    ),
    program(
        r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE",
        ["Outlook.exe", "Microsoft Outlook", MICROSOFT],
        EXPLORER,
        false,
        &[
            r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE" "#,
            r#""C:\Program Files\Microsoft Office\Root\Office16\OUTLOOK.EXE" -Embedding"#,
        ],
    ),
    program(
        r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE",
        ["Excel.exe", "Microsoft Excel", MICROSOFT],
        EXPLORER,
        false,
        &[
            r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" "\\files01\share\<word>\<path>""#,
            r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /dde "C:\Users\<user>\Documents\<path>""#,
        ],
    ),
    program(
        r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE",
        ["WinWord.exe", "Microsoft Word", MICROSOFT],
        EXPLORER,
        false,
        &[
            r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\<user>\OneDrive\<word>\<path>" /o "" "#,
        ],
    ),
    program(
        r"C:\Users\Public\Teams\current\Teams.exe",
        ["Teams.exe", "Microsoft Teams", MICROSOFT],
        EXPLORER,
        false,
        &[
            r#""C:\Users\Public\Teams\current\Teams.exe" --type=renderer --autoplay-policy=no-user-gesture-required --enable-wer --ms-teams-less-cors=<n> --app-path="C:\Users\Public\Teams\resources\app.asar" --renderer-client-id=<n> --mojo-platform-channel-handle=<n> /prefetch:1"#,
        ],
    ),
    program(
        r"C:\Program Files\Microsoft OneDrive\OneDrive.exe",
        ["OneDrive.exe", "Microsoft OneDrive", MICROSOFT],
        EXPLORER,
        false,
        &[
            r#""C:\Program Files\Microsoft OneDrive\OneDrive.exe" /background"#,
            r#"/updateInstalled /background"#,
        ],
    ),
    program(
        r"C:\Program Files\Microsoft VS Code\Code.exe",
        ["electron.exe", "Visual Studio Code", MICROSOFT],
        CODE,
        false,
        &[
            r#""C:\Program Files\Microsoft VS Code\Code.exe" --type=utility --utility-sub-type=node.mojom.NodeService --lang=en-US --service-sandbox-type=none --user-data-dir="C:\Users\<user>\AppData\Roaming\Code" --mojo-platform-channel-handle=<n> --field-trial-handle=<n>,i,<n><n>,262144 /prefetch:8"#,
        ],
    ),
    program(
        r"C:\Program Files\Git\cmd\git.exe",
        ["git.exe", "Git for Windows", "The Git Development Community"],
        CODE,
        false,
        &[
            r#""C:\Program Files\Git\cmd\git.exe" status -z -uall"#,
            r#""C:\Program Files\Git\cmd\git.exe" for-each-ref --format %(refname)%00%(objectname) refs/heads/<word>-<n>"#,
            r#""C:\Program Files\Git\cmd\git.exe" config --get-all user.name"#,
            r#""C:\Program Files\Git\cmd\git.exe" fetch --prune origin <word>/<n>"#,
        ],
    ),
    program(
        r"C:\Program Files\nodejs\node.exe",
        ["node.exe", "Node.js JavaScript Runtime", "Node.js"],
        SHELL,
        false,
        &[
            r#""C:\Program Files\nodejs\node.exe" "C:\src\<word>\node_modules\.bin\..\vite\bin\vite.js" build --mode <word>"#,
            r#""node" "C:\Users\<user>\AppData\Roaming\npm\node_modules\typescript\bin\tsc" -p tsconfig.<word>.json"#,
        ],
    ),
    program(
        r"C:\Windows\System32\cmd.exe",
        ["Cmd.Exe", "Windows Command Processor", MICROSOFT],
        EXPLORER,
        false,
        &[
            r#"C:\Windows\system32\cmd.exe /c ""C:\Program Files\<word>\bin\start-<word>.bat" --port <n>""#,
            r#"C:\Windows\system32\cmd.exe /d /s /c "npm run <word> -- --id <n>""#,
            r#""C:\Windows\system32\cmd.exe" "#,
            r#"cmd /c "dir /s /b C:\data\<word> > C:\data\<word>-<n>.txt""#,
        ],
    ),
    program(
        r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
        ["PowerShell.EXE", "Windows PowerShell", MICROSOFT],
        HOST,
        true,
        &[
            r#"powershell.exe -NoProfile -File "C:\ops\scripts\collect-<word>.ps1" -Site <word> -Batch <n>"#,
            r#""C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" -Command "Get-Service | Where-Object Status -eq Stopped | Export-Csv C:\ops\<word>-<n>.csv""#,
            r#"powershell.exe -Version 5.1 -s -NoLogo -NoProfile"#,
        ],
    ),
    program(
        r"C:\Windows\System32\schtasks.exe",
        ["schtasks.exe", "Task Scheduler Configuration Tool", MICROSOFT],
        SHELL,
        true,
        &[
            r#"schtasks /query /tn "\Company\<word>-nightly" /fo LIST"#,
            r#"schtasks.exe /run /tn "\Company\<word>-<n>""#,
        ],
    ),
    program(
        r"C:\Windows\System32\sc.exe",
        ["sc.exe", "Service Control Manager Configuration Tool", MICROSOFT],
        SHELL,
        true,
        &[r"sc query <word>svc", r"sc.exe queryex type= service state= all"],
    ),
    program(
        r"C:\Windows\System32\reg.exe",
        ["reg.exe", "Registry Console Tool", MICROSOFT],
        SHELL,
        false,
        &[
            r#"reg query "HKLM\SOFTWARE\Company\<word>" /v Version"#,
            r#"reg  add "HKCU\Software\Company\<word>" /v LastRun<n> /t REG_SZ /d <n> /f"#,
        ],
    ),
    program(
        r"C:\Windows\System32\net.exe",
        ["net.exe", "Net Command", MICROSOFT],
        SHELL,
        false,
        &[r"net use \\files01\<word> /persistent:no", r"net time \\dc01"],
    ),
    program(
        r"C:\Windows\System32\tasklist.exe",
        ["tasklist.exe", "Lists the current running tasks", MICROSOFT],
        POWERSHELL,
        true,
        &[r#"tasklist /fi "imagename eq <word>.exe" /fo csv /nh"#],
    ),
    program(
        r"C:\Windows\System32\ipconfig.exe",
        ["ipconfig.exe", "IP Configuration Utility", MICROSOFT],
        SHELL,
        false,
        &["ipconfig  /flushdns", "ipconfig /registerdns"],
    ),
    program(
        r"C:\Windows\System32\robocopy.exe",
        ["robocopy.exe", "Microsoft Robocopy", MICROSOFT],
        SHELL,
        true,
        &[
            r"robocopy D:\<word>\<n> \\files01\archive\<word> /MIR /R:2 /W:5 /LOG+:C:\ops\log\<word>-<n>.log",
        ],
    ),
    program(
        r"C:\Windows\System32\notepad.exe",
        ["NOTEPAD.EXE", "Notepad", MICROSOFT],
        EXPLORER,
        false,
        &[r#""C:\Windows\system32\NOTEPAD.EXE" C:\Users\<user>\Desktop\<path>"#],
    ),
    program(
        r"C:\Program Files\7-Zip\7z.exe",
        ["7z.exe", "7-Zip Console", "Igor Pavlov"],
        SHELL,
        true,
        &[
            r#""C:\Program Files\7-Zip\7z.exe" a -tzip D:\backup\<word>-<n>.zip D:\data\<word>\ -mx=3"#,
        ],
    ),
    program(
        r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.25080.5-0\MpCmdRun.exe",
        ["MpCmdRun.exe", "Microsoft Malware Protection Command Line Utility", MICROSOFT],
        SERVICES,
        true,
        &[
            r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.25080.5-0\MpCmdRun.exe" SpyNetServiceDss -RestrictPrivileges -AccessKey <guid> -Reinvoke"#,
            r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.25080.5-0\MpCmdRun.exe" IdleTask -TaskName WdCacheMaintenance"#,
        ],
    ),
    program(
        r"C:\Program Files\Microsoft SQL Server\150\DTS\Binn\DTExec.exe",
        ["DTExec.exe", "SSIS Execution Utility", MICROSOFT],
        SERVICES,
        true,
        &[
            r#""C:\Program Files\Microsoft SQL Server\150\DTS\Binn\DTExec.exe" /ISSERVER "\SSISDB\<word>\load-<word>.dtsx" /SERVER sql01 /Par "$ServerOption::LOGGING_LEVEL(Int16)";1 /ENVREFERENCE <n>"#,
        ],
    ),
    program(
        r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\csc.exe",
        ["csc.exe", "Visual C# Command Line Compiler", MICROSOFT],
        (
            r"C:\Program Files\Company\Agent\agent.exe",
            r#""C:\Program Files\Company\Agent\agent.exe" --service"#,
        ),
        true,
        &[
            r#""C:\Windows\Microsoft.NET\Framework64\v4.0.30319\csc.exe" /noconfig /fullpaths @"C:\Windows\TEMP\<x>.cmdline""#,
        ],
    ),
    program(
        r"C:\Program Files\Zabbix Agent 2\zabbix_agent2.exe",
        ["zabbix_agent2.exe", "Zabbix agent 2", "Zabbix SIA"],
        SERVICES,
        true,
        &[
            r#""C:\Program Files\Zabbix Agent 2\zabbix_agent2.exe" -c "C:\Program Files\Zabbix Agent 2\zabbix_agent2.conf" -f=false"#,
        ],
    ),
];
