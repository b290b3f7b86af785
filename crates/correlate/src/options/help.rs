//! What `--help` says.

use super::words::{Kind, WORDS};

/// Where the texts of the options begin.
const COLUMN: usize = 32;
/// How long a line is at most.
const WIDTH: usize = 100;

/// What `--help` prints.
pub(crate) fn help(program: &str) -> String {
    let mut text = format!(
        "Correlate events with rule files of the Simple Event Correlator: a drop-in for sec.\n\n\
         Usage: {program} --conf=PATTERN --input=PATTERN[=CONTEXT] [OPTION]...\n\n\
         Options (-OPTION and --OPTION, =VALUE and VALUE; beginnings of names will do; of those with\n\
         [no] no before the name is the contrary):\n"
    );
    for word in WORDS {
        let name = match word.kind {
            Kind::Switch(_) => format!("  --[no]{}", word.name()),
            Kind::Lasting(_) => format!("  --{}", word.name()),
            Kind::Value(what, _) => format!("  --{}={what}", word.name()),
        };
        text.push_str(&name);
        let mut at = name.len();
        if at + 2 > COLUMN {
            text.push('\n');
            at = 0;
        }
        for part in word.help.split(' ') {
            if at > COLUMN && at + 1 + part.len() > WIDTH {
                text.push('\n');
                at = 0;
            }
            if at < COLUMN {
                text.extend(std::iter::repeat_n(' ', COLUMN - at));
                at = COLUMN;
            } else {
                text.push(' ');
                at += 1;
            }
            text.push_str(part);
            at += part.len();
        }
        text.push('\n');
    }
    text.push_str(
        "\nThe file that the environment variable SECRC names has more options, one argument a line.\n\
         Signals: HUP starts anew, ABRT reads changed rules, USR1 writes the dump, USR2 opens the log\n\
         and outputs anew, INT takes the next level of logging (in the background), TERM ends.\n\n\
         Examples:\n  ",
    );
    text.push_str(program);
    text.push_str(" --conf=/etc/sec/*.sec --input='/var/log/*.log' --log=/var/log/sec.log\n  ");
    text.push_str(program);
    text.push_str(" --conf=my.sec --input=- --notail <auth.log\n  ");
    text.push_str(program);
    text.push_str(" --conf=my.sec --input=- --notail --explain <auth.log\n");
    text
}
