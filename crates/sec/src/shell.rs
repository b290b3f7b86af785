//! Command lines that a shell may run although strangers wrote parts of them.
//!
//! What came from outside never becomes a part of the script: it goes into variables of the command's
//! environment, and the script names them, quoted as its place asks for. So it is one word or a part of
//! one, and never anything else. What a program does with its arguments is beyond that: `eval`,
//! `sh -c`, `ssh` read one of theirs as a script again.
//!
//! The shell's grammar is followed only as far as quoting goes. Where it is followed wrongly, a value
//! may be split into words or shown as the name of its variable; it is still never run.

mod place;

use crate::text::{Kind, Text};
use place::{Emit, Places};

/// The most bytes of one value: the kernel takes 128 KiB of one variable.
const VALUE: usize = 100 << 10;
/// The most bytes of all values of a command.
const VALUES: usize = 1 << 20;
/// What makes a command line one for a shell.
const META: &[u8] = b"$&*(){}[]'\";\\|?<>~`\n";

/// A command line, ready to be started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShellCommand {
    /// What a shell is given to run.
    pub script: Vec<u8>,
    /// The variables that the script names, for this command's environment.
    pub environment: Vec<(String, Vec<u8>)>,
    /// Whether a shell is needed; else [`ShellCommand::arguments`] can be started as they are.
    pub needs_shell: bool,
    /// The words of a command line that needs no shell.
    pub arguments: Vec<Vec<u8>>,
}

/// Makes a command line safe to run.
pub fn command(line: &Text) -> ShellCommand {
    let written: Vec<u8> = line
        .pieces()
        .filter(|(_, kind)| kind.is_none())
        .flat_map(|(bytes, _)| bytes.iter().copied())
        .collect();
    if needs_shell(&written) {
        scripted(line)
    } else {
        ShellCommand { arguments: words(line), ..ShellCommand::default() }
    }
}

/// Makes a command line as SEC does: values become parts of it, whatever is in them.
pub fn literal_command(line: &Text) -> ShellCommand {
    let mut script = line.bytes().to_vec();
    script.retain(|byte| *byte != 0);
    if needs_shell(&script) {
        ShellCommand { script, needs_shell: true, ..ShellCommand::default() }
    } else {
        ShellCommand { arguments: words(&Text::trusted(script)), ..ShellCommand::default() }
    }
}

/// Whether a line holds what only a shell understands, as Perl's `exec` decides it.
fn needs_shell(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let name =
        line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    line.iter().any(|byte| META.contains(byte))
        || line.get(name) == Some(&b'=')
        || (line.starts_with(b"exec") && line.get(4).is_some_and(u8::is_ascii_whitespace))
}

/// The words of a line without anything for a shell: a value is a part of one, whatever blanks it has.
fn words(line: &Text) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    for (bytes, kind) in line.pieces() {
        if let Some(kind) = kind {
            let bytes = if kind == Kind::Quoted { unquoted(bytes) } else { bytes.to_vec() };
            word.get_or_insert_default().extend(value(&bytes, VALUE));
            continue;
        }
        for byte in bytes.iter().filter(|byte| **byte != 0) {
            if byte.is_ascii_whitespace() {
                words.extend(word.take());
            } else {
                word.get_or_insert_default().push(*byte);
            }
        }
    }
    words.extend(word);
    words
}

fn scripted(line: &Text) -> ShellCommand {
    let mut places = Places::new();
    let mut environment: Vec<(String, Vec<u8>)> = Vec::new();
    let mut room = VALUES;
    for (bytes, kind) in line.pieces() {
        let Some(kind) = kind else {
            for byte in bytes.iter().filter(|byte| **byte != 0) {
                places.written(*byte);
            }
            continue;
        };
        let emit = places.before_value();
        let bytes = match (kind, emit) {
            // Between double quotes, single ones are letters.
            (Kind::Quoted, Emit::Word | Emit::InSingle | Emit::Digits) => unquoted(bytes),
            _ => bytes.to_vec(),
        };
        match emit {
            Emit::Nothing => {}
            Emit::Digits => places.put(&digits(&bytes)),
            Emit::Word | Emit::Inside | Emit::InSingle => {
                let value = value(&bytes, room.min(VALUE));
                room -= value.len();
                let name = format!("BERGFRIED_{}", environment.len() + 1);
                let (before, after) = match emit {
                    Emit::Word => ("\"", "\""),
                    Emit::InSingle => ("'\"", "\"'"),
                    _ => ("", ""),
                };
                places.put(format!("{before}${{{name}}}{after}").as_bytes());
                environment.push((name, value));
            }
        }
    }
    ShellCommand { script: places.end(), environment, needs_shell: true, arguments: Vec::new() }
}

/// What of a value a process can be given.
fn value(bytes: &[u8], most: usize) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != 0).take(most).collect()
}

/// What of a value a calculation is given: shells look into variables for more to calculate.
fn digits(bytes: &[u8]) -> Vec<u8> {
    let mut number: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(u8::is_ascii_digit)
        .skip_while(|digit| *digit == b'0')
        .take(18)
        .collect();
    if number.is_empty() {
        number.push(b'0');
    }
    if bytes.starts_with(b"-") {
        number.insert(0, b'-');
    }
    number
}

/// The value in `'…'` with each `'` as `'\''`.
fn unquoted(bytes: &[u8]) -> Vec<u8> {
    let inner = bytes.strip_prefix(b"'").and_then(|rest| rest.strip_suffix(b"'"));
    let Some(inner) = inner else { return bytes.to_vec() };
    let mut value = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(b"'\\''") {
            Some(after) => {
                value.push(b'\'');
                rest = after;
            }
            None => {
                value.push(*first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    value
}

#[cfg(test)]
mod tests;
