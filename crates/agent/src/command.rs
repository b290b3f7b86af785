//! Asking another program for all that it prints; [`crate::stream`] says within which bounds.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use crate::stream::{Limits, StreamError, first_line, name, run};

/// What the program prints, where it ends well. The helper's words, if any, come before the program's.
pub(crate) fn ask(
    helper: &[String],
    program: &Path,
    arguments: &[&str],
    limits: Limits,
) -> Result<String, StreamError> {
    let mut command = match helper.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(arguments);
    let mut output = Vec::new();
    let ended = run(command, &name(program), limits, None, &mut |part| {
        output.extend_from_slice(part);
        ControlFlow::Continue(())
    });
    match ended {
        Ok(()) => Ok(String::from_utf8_lossy(&output).into_owned()),
        Err(StreamError::Start { program, source }) => {
            let program = helper.first().cloned().unwrap_or(program);
            Err(StreamError::Start { program, source })
        }
        Err(StreamError::Failed { program, status, said }) if said.is_empty() => {
            let said = first_line(&output).unwrap_or_default();
            Err(StreamError::Failed { program, status, said })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), output: 1000 };

    fn sh(script: &str, limits: Limits) -> Result<String, String> {
        ask(&[], Path::new("/bin/sh"), &["-c", script], limits).map_err(|error| error.to_string())
    }

    #[test]
    fn answers_failures_and_excess_are_told_apart() {
        assert_eq!(sh("echo hallo", LIMITS).unwrap(), "hallo\n");
        assert_eq!(sh("echo no >&2; exit 3", LIMITS).unwrap_err(), "sh ended with 3: no");
        assert_eq!(
            sh("printf 'a\\033[2J\\n'; exit 1", LIMITS).unwrap_err(),
            "sh ended with 1: a[2J"
        );
        assert_eq!(sh("yes", LIMITS).unwrap_err(), "sh prints more than 1000 bytes");
        let short = Limits { time: Duration::from_millis(50), ..LIMITS };
        for script in ["yes >&2", "sleep 60", "sleep 60 & wait", "exec >&- 2>&-; sleep 60"] {
            let begun = Instant::now();
            assert_eq!(sh(script, short).unwrap_err(), "sh did not end within 0 s");
            assert!(begun.elapsed() < Duration::from_secs(45), "{script}");
        }
        let absent = ask(&[], Path::new("/nowhere/x"), &[], LIMITS).unwrap_err().to_string();
        assert!(absent.starts_with("cannot run x: No such file"), "{absent}");
        let helper = ["/nowhere/helper".to_owned()];
        let absent = ask(&helper, Path::new("/bin/sh"), &[], LIMITS).unwrap_err().to_string();
        assert!(absent.starts_with("cannot run /nowhere/helper: No such file"), "{absent}");
    }

    #[test]
    fn a_helper_comes_before_the_program_and_no_shell_reads_the_words() {
        let helper = ["/usr/bin/env".to_owned(), "A=b c".to_owned()];
        let said =
            ask(&helper, Path::new("/bin/sh"), &["-c", "echo \"$A\" \"$1\"", "-", "$(x)"], LIMITS);
        assert_eq!(said.unwrap(), "b c $(x)\n");
    }
}
