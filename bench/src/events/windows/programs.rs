//! The programs that start on an office network's Windows hosts, and how they are called.

mod attacks;
mod benign;

pub(super) use attacks::ATTACKS;
pub(super) use benign::BENIGN;

/// A program, what started it, and command lines to fill in.
pub(super) struct Program {
    pub(super) image: &'static str,
    pub(super) original: &'static str,
    pub(super) description: &'static str,
    pub(super) company: &'static str,
    pub(super) parent: &'static str,
    pub(super) parent_command: &'static str,
    /// Runs as the system rather than as a person.
    pub(super) system: bool,
    pub(super) commands: &'static [&'static str],
}

const MICROSOFT: &str = "Microsoft Corporation";
const SERVICES: (&str, &str) =
    (r"C:\Windows\System32\services.exe", r"C:\Windows\system32\services.exe");
const EXPLORER: (&str, &str) = (r"C:\Windows\explorer.exe", r"C:\Windows\Explorer.EXE");
const HOST: (&str, &str) = (
    r"C:\Windows\System32\svchost.exe",
    r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule",
);
const SHELL: (&str, &str) = (r"C:\Windows\System32\cmd.exe", r#""C:\Windows\system32\cmd.exe" "#);
const POWERSHELL: (&str, &str) = (
    r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
    r#""C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" "#,
);
const WORD: (&str, &str) = (
    r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE",
    r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\<user>\Downloads\<path>" /o """#,
);
const CHROME: (&str, &str) = (
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r#""C:\Program Files\Google\Chrome\Application\chrome.exe" "#,
);
const CODE: (&str, &str) = (
    r"C:\Program Files\Microsoft VS Code\Code.exe",
    r#""C:\Program Files\Microsoft VS Code\Code.exe" "C:\src\<word>""#,
);

const fn program(
    image: &'static str,
    about: [&'static str; 3],
    parent: (&'static str, &'static str),
    system: bool,
    commands: &'static [&'static str],
) -> Program {
    let [original, description, company] = about;
    let (parent, parent_command) = parent;
    Program { image, original, description, company, parent, parent_command, system, commands }
}

/// Never drawn; stands where a table would be empty.
pub(super) static FALLBACK: Program =
    program("System", ["-", "-", "-"], ("System", ""), true, &["-"]);
