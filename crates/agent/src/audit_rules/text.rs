//! The text of the rules, for one host: what it does not have is left out, and said.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::watched::{SECTIONS, Section, Watch};

/// The first line of the file; a file that begins otherwise is somebody else's.
pub(super) const MARK: &str = "## Written by `bergfried agent audit-rules install`.";

/// Which processor's system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Arch {
    /// x86_64, and i386 for programs of 32 bits
    #[value(name = "x86_64")]
    X86_64,
    /// aarch64, and arm for programs of 32 bits
    #[value(name = "aarch64")]
    Aarch64,
}

impl Arch {
    /// Of the machine that this program was built for.
    pub(super) fn of_this_machine() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Arch::X86_64),
            "aarch64" => Some(Arch::Aarch64),
            _ => None,
        }
    }
}

/// The host that the rules are for.
pub(super) struct Host {
    pub(super) arch: Arch,
    /// `/`; another directory in tests.
    pub(super) root: PathBuf,
    /// Bergfried's own files, those that are there.
    pub(super) own: Vec<PathBuf>,
    /// The program of the agent, whose own writes are no news.
    pub(super) agent: Option<PathBuf>,
}

/// The whole file.
pub(super) fn rules(host: &Host) -> String {
    let mut text = format!(
        "{MARK}\n\
         ## It is written anew from the program each time; rules of your own belong into a file\n\
         ## beside it. Nothing here removes rules of others, sets the backlog or locks the rules.\n\
         ## A rule needs its directory: run the command again after programs were installed.\n"
    );
    for section in &SECTIONS {
        write_section(&mut text, section, host);
    }
    text
}

fn write_section(text: &mut String, section: &Section, host: &Host) {
    text.push_str(&format!("\n## {}\n", section.key));
    for line in wrapped(section.about) {
        text.push_str(&format!("## {line}\n"));
    }
    let mut absent = BTreeSet::new();
    let mut written = BTreeSet::new();
    for watch in section.watches {
        for rule in host.conditions(watch, &mut absent) {
            let rule = format!("-a always,exit {rule} -F key={}\n", section.key);
            if written.insert(rule.clone()) {
                text.push_str(&rule);
            }
        }
    }
    if !absent.is_empty() {
        let absent: Vec<&str> = absent.iter().map(String::as_str).collect();
        for line in wrapped(&format!("Not on this host: {}.", absent.join(", "))) {
            text.push_str(&format!("## {line}\n"));
        }
    }
}

impl Host {
    /// The conditions of the rules for one watch.
    fn conditions(&self, watch: &Watch, absent: &mut BTreeSet<String>) -> Vec<String> {
        match *watch {
            Watch::File(path) => self.file(path, absent).into_iter().collect(),
            Watch::Directory(path) => self.directory(path, None, absent).into_iter().collect(),
            Watch::DirectoryExcept(path, program) => {
                self.directory(path, Some(program), absent).into_iter().collect()
            }
            Watch::ReadExcept(path, program) => {
                let except = self.except(program);
                let there = self.at(path).is_file();
                let rule = format!("-F path={path} -F perm=r -F auid!=unset{except}");
                there.then_some(rule).into_iter().collect()
            }
            Watch::Program(name) => match self.program(name) {
                Some(path) => vec![format!("-F path={path} -F perm=x")],
                None => {
                    absent.insert(name.to_owned());
                    Vec::new()
                }
            },
            Watch::Calls { names, and } => self.calls(names, names, and),
            Watch::CallsOf32BitX86 { names, and } => match self.arch {
                Arch::X86_64 => vec![format!("-F arch=b32 -S {names} {and}")],
                Arch::Aarch64 => Vec::new(),
            },
            Watch::LogCalls { names, old, and } => {
                let both: Vec<&str> =
                    [names, old].into_iter().filter(|one| !one.is_empty()).collect();
                let both = both.join(",");
                let of_64 = if self.arch == Arch::X86_64 { &both } else { names };
                let except = self.except("logrotate");
                self.calls(of_64, &both, &format!("-F dir=/var/log{and} -F success=1{except}"))
            }
            Watch::Own => self.own(),
            Watch::Homes { names } => self.homes(names),
        }
    }

    fn calls(&self, of_64: &str, of_32: &str, and: &str) -> Vec<String> {
        [("b64", of_64), ("b32", of_32)]
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(arch, names)| format!("-F arch={arch} -S {names} {and}").trim_end().to_owned())
            .collect()
    }

    /// A file may appear later, its directory may not.
    fn file(&self, path: &str, absent: &mut BTreeSet<String>) -> Option<String> {
        let directory = Path::new(path).parent()?;
        if !self.root.join(directory.strip_prefix("/").unwrap_or(directory)).is_dir() {
            absent.insert(path.to_owned());
            return None;
        }
        Some(format!("-F path={path} -F perm=wa"))
    }

    fn directory(
        &self,
        path: &str,
        except: Option<&str>,
        absent: &mut BTreeSet<String>,
    ) -> Option<String> {
        if !self.at(path).is_dir() {
            absent.insert(path.to_owned());
            return None;
        }
        let except = except.map(|program| self.except(program)).unwrap_or_default();
        Some(format!("-F dir={path} -F perm=wa{except}"))
    }

    fn own(&self) -> Vec<String> {
        let agent = self.agent.as_deref().and_then(Path::to_str).filter(|path| is_plain(path));
        let but_itself = agent.map(|path| format!(" -F exe!={path}")).unwrap_or_default();
        let own = self.own.iter().filter_map(|path| path.to_str()).filter(|path| is_plain(path));
        own.map(|path| {
            let field = if Path::new(path).is_dir() { "dir" } else { "path" };
            format!("-F {field}={path} -F perm=wa{but_itself}")
        })
        .collect()
    }

    /// Of the superuser, and of everyone whose home is below /home.
    fn homes(&self, names: &[&str]) -> Vec<String> {
        let mut homes = vec!["/root".to_owned()];
        let entries = std::fs::read_dir(self.at("/home")).into_iter().flatten().flatten();
        let found =
            entries.filter_map(|entry| Some(format!("/home/{}", entry.file_name().to_str()?)));
        homes.extend(found.take(256));
        homes.sort();
        let mut rules = Vec::new();
        for home in homes.iter().filter(|home| is_plain(home) && self.at(home).is_dir()) {
            for name in names {
                let path = format!("{home}/{name}");
                let field = if self.at(&path).is_dir() { "dir" } else { "path" };
                rules.push(format!("-F {field}={path} -F perm=wa"));
            }
        }
        rules
    }

    /// ` -F exe!=…` where this host has the program.
    fn except(&self, program: &str) -> String {
        self.program(program).map(|path| format!(" -F exe!={path}")).unwrap_or_default()
    }

    /// Where a program is, behind all links: the kernel compares the file itself.
    fn program(&self, name: &str) -> Option<String> {
        const PLACES: [&str; 7] = [
            "/usr/sbin",
            "/usr/bin",
            "/sbin",
            "/bin",
            "/usr/lib/systemd",
            "/usr/lib/openssh",
            "/usr/libexec/openssh",
        ];
        let found =
            PLACES.iter().map(|place| self.at(place).join(name)).find(|path| path.is_file())?;
        let real = std::fs::canonicalize(found).ok()?;
        let root = std::fs::canonicalize(&self.root).ok()?;
        let path = Path::new("/").join(real.strip_prefix(root).ok()?);
        path.to_str().filter(|path| is_plain(path)).map(str::to_owned)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

/// Whether a path can stand in a rule: a blank would end it, and begin another condition.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\#".contains(&byte))
}

/// Text in lines of a readable length.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 96 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
