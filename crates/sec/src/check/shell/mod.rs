//! Log text in command lines, at places where it cannot be made safe: everywhere else a value reaches
//! the shell as data, but what stands for a program, or is itself a program for another interpreter,
//! is run whatever it is.

mod line;

use std::collections::HashSet;

use super::uses::commands;
use super::variables::{actions, assigns, is_built_in};
use super::{Warnings, files};
use crate::action::{Action, CommandTemplate};
use crate::rule::RuleSet;
use crate::template::{Template, Values, Variable};
use crate::text::Text;
use line::{Word, simple_commands};

pub(super) fn check(rules: &RuleSet, warnings: &mut Warnings) {
    let tainted = tainted(rules);
    let is_data = |variable: &Variable| match variable {
        Variable::List(name) => &**name == "s" || tainted.contains(&**name),
        _ => true,
    };
    for (at, file) in files(rules) {
        for rule in file.rules() {
            for command in commands(file, rule) {
                let commands = match command {
                    CommandTemplate::Line(line) => simple_commands(&marked(line, &is_data)),
                    CommandTemplate::Arguments(arguments) => {
                        vec![arguments.iter().map(|one| Word::of(&marked(one, &is_data))).collect()]
                    }
                };
                for message in commands.iter().filter_map(|words| problem(words)) {
                    warnings.about((at, file), rule, message);
                }
            }
        }
    }
}

/// Variables of action lists that may hold text of a log line.
fn tainted(rules: &RuleSet) -> HashSet<&str> {
    let mut tainted: HashSet<&str> = HashSet::new();
    loop {
        let before = tainted.len();
        for action in files(rules).flat_map(|(_, file)| actions(file)) {
            let Some(variable) = assigns(action) else { continue };
            let data = match action {
                Action::Assign { text, .. } => text.variables().any(|part| match part {
                    Variable::List(name) => &**name == "s" || tainted.contains(&**name),
                    _ => true,
                }),
                // Numbers and truth values.
                Action::Exists { .. }
                | Action::Size { .. }
                | Action::Lifetime { .. }
                | Action::Created { .. }
                | Action::WindowOf { .. }
                | Action::Cached { .. } => false,
                _ => true,
            };
            if data {
                tainted.insert(variable);
            }
        }
        if tainted.len() == before {
            return tainted;
        }
    }
}

/// The text with a sign for each variable, as data or as what the author wrote.
pub(super) fn marked(text: &Template, is_data: &dyn Fn(&Variable) -> bool) -> Text {
    struct Marks<'m>(&'m dyn Fn(&Variable) -> bool);
    impl Values for Marks<'_> {
        fn push(&self, variable: &Variable, to: &mut Text) {
            match variable {
                // Numbers and names of days; characters that stand for themselves.
                Variable::List(name) if is_built_in(name) && &**name != "s" => {
                    to.push_trusted(b"0")
                }
                variable if (self.0)(variable) => to.push_data(b"?"),
                _ => to.push_trusted(b"0"),
            }
        }
    }
    text.expand(&Marks(is_data))
}

/// Programs whose arguments are all run by a shell or another program.
const ALL: [&str; 5] = ["eval", "ssh", "rsh", "watch", "parallel"];

/// Programs that run the word after an option with one of these letters.
const OPTION: [(&str, &[u8]); 19] = [
    ("sh", b"c"),
    ("bash", b"c"),
    ("dash", b"c"),
    ("ash", b"c"),
    ("ksh", b"c"),
    ("zsh", b"c"),
    ("csh", b"c"),
    ("tcsh", b"c"),
    ("fish", b"c"),
    ("su", b"c"),
    ("runuser", b"c"),
    ("expect", b"c"),
    ("python", b"c"),
    ("python2", b"c"),
    ("python3", b"c"),
    ("perl", b"eE"),
    ("ruby", b"e"),
    ("node", b"ep"),
    ("php", b"r"),
];

/// Programs whose first argument is a program, with their options that take a word.
const FIRST: [(&str, &[&str]); 7] = [
    ("awk", &["-v", "-F", "-f"]),
    ("gawk", &["-v", "-F", "-f"]),
    ("mawk", &["-v", "-F", "-f"]),
    ("nawk", &["-v", "-F", "-f"]),
    ("sed", &["-f", "-l"]),
    (".", &[]),
    ("source", &[]),
];

/// Programs whose next word that is no option is another program.
const PREFIXES: [&str; 16] = [
    "sudo", "doas", "env", "nohup", "nice", "ionice", "setsid", "timeout", "time", "exec",
    "command", "builtin", "xargs", "stdbuf", "chroot", "busybox",
];

/// Words of the shell after which a command begins.
const KEYWORDS: [&str; 10] = ["if", "then", "else", "elif", "while", "until", "do", "!", "{", "}"];

/// What is wrong with a command line.
#[cfg(test)]
pub(super) fn problems(line: &Text) -> Vec<String> {
    simple_commands(line).iter().filter_map(|words| problem(words)).collect()
}

/// What is wrong with a simple command.
fn problem(words: &[Word]) -> Option<String> {
    if let Some(place) = runs(words) {
        return Some(format!(
            "a command line has log text {place}, where it is run as a program and cannot be made safe: write the \
             program out and give the value as an argument of its own"
        ));
    }
    words.iter().any(|word| word.quoted_in_vain).then(|| {
        "a quote with a backslash in front of log text quotes nothing, the shell takes it as a character of the value (and \
         under SEC what follows as commands): write the quote without the backslash"
            .to_owned()
    })
}

/// Where log text stands that is run, if it does.
fn runs(words: &[Word]) -> Option<String> {
    let mut words = words.iter();
    let mut prefixed = false;
    let program = loop {
        let word = words.next()?;
        let text = String::from_utf8_lossy(&word.text);
        let name = text.rsplit('/').next().unwrap_or_default();
        if KEYWORDS.contains(&&*text) || is_assignment(word) {
            continue;
        }
        if PREFIXES.contains(&name) && !word.data {
            prefixed = true;
            continue;
        }
        // Options of a prefix, and numbers such as the seconds of timeout.
        if prefixed
            && (text.starts_with('-')
                || text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<f64>().is_ok())
            && !word.data
        {
            continue;
        }
        if word.data {
            return Some("in the name of the command".to_owned());
        }
        break name.to_owned();
    };
    let words: Vec<&Word> = words.collect();
    code(&program, &words)
        .into_iter()
        .any(|word| word.data)
        .then(|| format!("in a program for `{program}`"))
}

/// The words after a program's name that are programs themselves.
fn code<'w>(program: &str, words: &[&'w Word]) -> Vec<&'w Word> {
    if ALL.contains(&program) {
        return words.to_vec();
    }
    if let Some((_, letters)) = OPTION.iter().find(|(name, _)| *name == program) {
        let after = words.iter().zip(words.iter().skip(1)).filter(|(option, _)| {
            option.text.starts_with(b"-")
                && !option.text.starts_with(b"--")
                && option.text.iter().any(|byte| letters.contains(byte))
        });
        return after.map(|(_, word)| *word).collect();
    }
    let Some((_, takes)) = FIRST.iter().find(|(name, _)| *name == program) else {
        return Vec::new();
    };
    let mut before: &[u8] = b"";
    for word in words {
        let value = takes.iter().any(|option| option.as_bytes() == before);
        if value && before == b"-f" {
            // The program is in a file.
            return Vec::new();
        }
        if !value && !word.text.starts_with(b"-") {
            return vec![word];
        }
        before = if value { b"" } else { &word.text };
    }
    Vec::new()
}

fn is_assignment(word: &Word) -> bool {
    let Some(at) = memchr::memchr(b'=', &word.text) else { return false };
    let name = word.text.get(..at).unwrap_or_default();
    name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
