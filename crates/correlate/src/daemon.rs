//! Becoming what the options want: another user, a process in the background.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use rustix::fs::Mode;
use rustix::process::{Gid, Uid};

use crate::options::Options;

/// Tells the process in the background that it is the one.
const MARK: &str = "BERGFRIED_CORRELATE_DETACHED";

/// Starts this program again in the background; whether this process is done.
///
/// # Errors
/// Where it cannot be started.
pub(crate) fn detach() -> io::Result<bool> {
    if env::var_os(MARK).is_some() {
        // It was started by a process of another session, so it can have one of its own.
        rustix::process::setsid()?;
        env::set_current_dir("/")?;
        return Ok(false);
    }
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let mut command = Command::new(env::current_exe()?);
    if let Some(name) = env::args_os().next() {
        command.arg0(name);
    }
    command.args(arguments).env(MARK, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn()?;
    Ok(true)
}

/// Sets the mask for the modes of new files, writes the process id and takes on another user.
///
/// # Errors
/// What cannot be done.
pub(crate) fn settle(options: &Options) -> Result<(), String> {
    if let Some(mask) = options.umask {
        rustix::process::umask(Mode::from_raw_mode(mask));
    }
    if let Some(path) = &options.pid {
        fs::write(path, format!("{}\n", std::process::id()))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    match &options.user {
        Some(user) if rustix::process::geteuid().is_root() => become_user(user, &options.groups),
        _ => Ok(()),
    }
}

fn become_user(user: &str, groups: &[String]) -> Result<(), String> {
    let fields = entry("passwd", user)?;
    let (id, own_group) = (number(&fields, 2), number(&fields, 3));
    let (Some(id), Some(own_group)) = (id, own_group) else {
        return Err(format!("cannot become {user}: its entry is not understood"));
    };
    let mut all = Vec::new();
    for group in groups {
        let fields = entry("group", group)?;
        let id = number(&fields, 2);
        all.push(id.ok_or_else(|| format!("cannot join {group}: its entry is not understood"))?);
    }
    if all.is_empty() {
        all.push(own_group);
    }
    let all: Vec<Gid> = all.into_iter().map(Gid::from_raw).collect();
    let first = all.first().copied().unwrap_or(Gid::from_raw(own_group));
    let id = Uid::from_raw(id);
    // No other thread runs yet: what holds for this one holds for the process.
    rustix::thread::set_thread_groups(&all)
        .and_then(|()| rustix::thread::set_thread_res_gid(first, first, first))
        .and_then(|()| rustix::thread::set_thread_res_uid(id, id, id))
        .map_err(|error| format!("cannot become {user}: {error}"))
}

/// The fields of an entry of the user or group database, wherever it is kept.
fn entry(database: &str, name: &str) -> Result<Vec<String>, String> {
    let split = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let text = fs::read_to_string(format!("/etc/{database}")).unwrap_or_default();
    let local =
        text.lines().map(split).find(|fields| fields.first().is_some_and(|one| one == name));
    if let Some(fields) = local {
        return Ok(fields);
    }
    let answer = Command::new("getent").args([database, "--", name]).stdin(Stdio::null()).output();
    let text = answer.ok().filter(|answer| answer.status.success()).map(|answer| answer.stdout);
    let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
    text.and_then(|text| text.lines().next().map(split))
        .ok_or_else(|| format!("there is no {name} in {database}"))
}

fn number(fields: &[String], at: usize) -> Option<u32> {
    fields.get(at)?.parse().ok()
}
