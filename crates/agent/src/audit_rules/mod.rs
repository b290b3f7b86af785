//! `audit-rules`: the rules that make the kernel tell what Bergfried's rules judge.
//!
//! It writes one file of its own and asks the audit system to load it. It never changes a file or a
//! rule of anybody else.

mod text;
mod watched;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, Subcommand};

use crate::config::DEFAULT_STATE_DIR;
use crate::error::AgentError;
use crate::packages::install_one_of;
use crate::replace::replace;
use crate::search::{find, search_path};
pub use text::Arch;
use text::{Host, MARK, rules};

const FILE: &str = "50-bergfried.rules";
/// Where it lies where no other directory is named.
pub(crate) const RULES_FILE: &str = "/etc/audit/rules.d/50-bergfried.rules";
/// Where configuration, programs and units of Bergfried lie where nothing else is said.
const OWN: [&str; 8] = [
    "/etc/bergfried",
    DEFAULT_STATE_DIR,
    "/var/lib/bergfried",
    "/usr/bin/bergfried",
    "/usr/bin/bergfried-agent",
    "/usr/local/bin/bergfried",
    "/usr/local/bin/bergfried-agent",
    RULES_FILE,
];

/// Audit rules for the events that Bergfried's rules judge.
#[derive(Clone, Debug, Args)]
pub struct AuditRules {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Show the rules for this host
    Print {
        /// Show them for this processor instead of this machine's
        #[arg(long, value_enum)]
        arch: Option<Arch>,
    },
    /// Write the rules to /etc/audit/rules.d/50-bergfried.rules and load them
    Install {
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// Write the file but load nothing: for an image, or where auditd is started later
        #[arg(long)]
        no_load: bool,
        /// Directory of rule files
        #[arg(long, value_name = "DIR", default_value = "/etc/audit/rules.d")]
        directory: PathBuf,
    },
}

impl AuditRules {
    /// `own`: further files of Bergfried, such as the configuration that was named.
    pub(crate) fn run(self, own: &[PathBuf]) -> Result<(), AgentError> {
        match self.action {
            Action::Print { arch } => say(&rules(&this_host(arch, own)?)),
            Action::Install { dry_run, no_load, directory } => {
                let text = rules(&this_host(None, own)?);
                install(&directory.join(FILE), &text, dry_run, !no_load)
            }
        }
    }
}

fn this_host(arch: Option<Arch>, own: &[PathBuf]) -> Result<Host, AgentError> {
    let arch = arch.or_else(Arch::of_this_machine).ok_or_else(|| {
        let reason = "no rules are known for this processor, only for x86_64 and aarch64";
        AgentError::AuditRules(reason.to_owned())
    })?;
    let agent = std::env::current_exe().and_then(fs::canonicalize).ok();
    let mut own: Vec<PathBuf> = own.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    own.extend(OWN.iter().map(PathBuf::from).filter(|path| path.exists()));
    own.extend(agent.clone());
    own.sort();
    own.dedup();
    Ok(Host { arch, root: PathBuf::from("/"), own, agent })
}

fn install(path: &Path, text: &str, dry_run: bool, load: bool) -> Result<(), AgentError> {
    let there = match fs::read_to_string(path) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(AgentError::state(path)(error)),
    };
    if there.as_ref().is_some_and(|there| !there.starts_with(MARK)) {
        let reason = format!(
            "{} is not Bergfried's (its first line is another), and is left as it is; move it away first",
            path.display()
        );
        return Err(AgentError::AuditRules(reason));
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    if !directory.is_dir() {
        let reason = format!(
            "there is no {}: install the audit daemon first ({})",
            directory.display(),
            install_one_of("auditd", "audit")
        );
        return Err(AgentError::AuditRules(reason));
    }
    let count = text.lines().filter(|line| line.starts_with("-a ")).count();
    let is_same = there.as_deref() == Some(text);
    let loader = load.then(|| loader(path));
    if dry_run {
        let write = if is_same { "leave unchanged" } else { "write" };
        say(&format!("would {write} {} ({count} rules)\n", path.display()))?;
        return match loader {
            Some(loader) => say(&format!("would run {}\n", loader.join(" "))),
            None => Ok(()),
        };
    }
    if !is_same {
        // As readable as auditctl asks for.
        replace(path, 0o640, |out| out.write_all(text.as_bytes()))
            .map_err(AgentError::state(path))?;
    }
    let written = if is_same { "unchanged" } else { "written" };
    say(&format!("{}: {written}, {count} rules\n", path.display()))?;
    loader.map_or(Ok(()), |loader| run(&loader))
}

/// `augenrules` makes one set of all files; where it is absent this file alone is added.
fn loader(path: &Path) -> Vec<String> {
    let directories = search_path();
    let program = |name: &str| {
        let found = find(name, &directories);
        found.map_or_else(|| name.to_owned(), |path| path.display().to_string())
    };
    if find("augenrules", &directories).is_some() {
        vec![program("augenrules"), "--load".to_owned()]
    } else {
        vec![program("auditctl"), "-R".to_owned(), path.display().to_string()]
    }
}

fn run(command: &[String]) -> Result<(), AgentError> {
    let said = command.join(" ");
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| AgentError::AuditRules(format!("cannot run {said}: {error}")))?;
    if output.status.success() {
        return say(&format!("loaded by {said}\n"));
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(AgentError::AuditRules(format!(
        "{said} refuses the rules ({}): {}",
        output.status,
        errors.trim().escape_debug()
    )))
}

fn say(text: &str) -> Result<(), AgentError> {
    let said = io::stdout().lock().write_all(text.as_bytes());
    said.map_err(|source| AgentError::System { what: "write to standard output", source })
}

#[cfg(test)]
mod tests;
