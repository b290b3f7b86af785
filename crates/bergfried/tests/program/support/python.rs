//! Clients from PyPI, each in a virtual environment below the target directory.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::hub::Hub;
use super::process::run_with;

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A command that runs this script of `tests/clients` with these packages, told of the hub; None,
/// with a word why, where they cannot be had.
pub(crate) fn client(hub: &Hub, requirements: &str, script: &str) -> Option<Command> {
    let mut command = Command::new(python(requirements)?);
    command.arg(root().join("tests/clients").join(script));
    command.env("BERGFRIED_URL", &hub.url).env("BERGFRIED_TOKEN", hub.agent_token());
    Some(command)
}

/// The Python that has these packages; None, with a word why, where they cannot be had.
pub(crate) fn python(requirements: &str) -> Option<PathBuf> {
    let clients = root().join("tests/clients");
    let mut install = Command::new(root().join("scripts/python-client"));
    install.arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/clients"));
    install.arg(clients.join(format!("{requirements}.txt")));
    let done = run_with(install, b"");
    if done.code != Some(0) {
        eprintln!("skipped: {requirements} from PyPI cannot be had: {}", done.err);
        return None;
    }
    Some(PathBuf::from(done.out.trim()))
}

/// Runs it to its end; the JSON that it prints.
pub(crate) fn run_client(command: Command) -> Value {
    let done = run_with(command, b"");
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("no JSON: {}", done.out))
}
