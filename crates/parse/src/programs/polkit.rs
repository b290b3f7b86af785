//! polkit: pkexec running commands as another user, and polkitd's verdicts.

use bergfried_event::{Event, Field};

use super::{FAILURE, Program, SUCCESS, classify, outcome, pam, push_text};

pub(super) const PROGRAM: Program = Program { name: "polkit", tags: &["pkexec", "polkitd"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if !executed(message, event) && !authenticated(message, event) {
        pam::read_text(Some("polkit-1"), message, event);
    }
}

/// `bob: Executing command [USER=root] [TTY=/dev/pts/1] [CWD=/home/bob] [COMMAND=/usr/bin/id]`.
fn executed<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some((user, rest)) = message.split_once(": ") else { return false };
    let Some((said, pairs)) = rest.split_once(" [USER=") else { return false };
    classify(event, "process", "executed-command");
    push_text(event, Field::UserName, user);
    if said == "Executing command" {
        outcome(event, SUCCESS);
    } else {
        outcome(event, FAILURE);
        event.push(Field::EventReason, said);
    }
    let (target, rest) = pairs.split_once("] [TTY=").unwrap_or((pairs, ""));
    push_text(event, Field::UserEffectiveName, target);
    let (tty, rest) = rest.split_once("] [CWD=").unwrap_or((rest, ""));
    push_text(event, Field::ProcessTty, tty);
    let (directory, command) = rest.split_once("] [COMMAND=").unwrap_or((rest, ""));
    push_text(event, Field::ProcessWorkingDirectory, directory);
    push_text(event, Field::ProcessCommandLine, command.strip_suffix(']').unwrap_or(command));
    true
}

/// `Operator of unix-session:1 successfully authenticated as unix-user:root to gain … for action
/// A for unix-process:1:2 [cmd] (owned by unix-user:bob)`, or `… FAILED to authenticate …`.
fn authenticated<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some(rest) = message.strip_prefix("Operator of ") else { return false };
    let (result, rest) = if let Some((_, rest)) = rest.split_once(" successfully authenticated ") {
        (SUCCESS, rest)
    } else if let Some((_, rest)) = rest.split_once(" FAILED to authenticate ") {
        (FAILURE, rest)
    } else {
        return false;
    };
    classify(event, "authentication", "authentication");
    outcome(event, result);
    if let Some((_, owner)) = rest.rsplit_once("(owned by unix-user:") {
        push_text(event, Field::UserName, owner.trim_end_matches(')'));
    }
    if let Some(target) = rest.strip_prefix("as unix-user:") {
        push_text(event, Field::UserEffectiveName, target.split(' ').next().unwrap_or_default());
    }
    if let Some((_, action)) = rest.split_once(" for action ") {
        push_text(event, Field::EventReason, action.split(' ').next().unwrap_or_default());
    }
    true
}
