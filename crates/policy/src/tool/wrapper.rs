//! Programs that run the command that stands among their words: where it begins.

/// A program, its options of one letter that take a value, and how many words stand before the command.
const WRAPPERS: &[(&str, &str, usize)] = &[
    ("sudo", "ugprtCDhRTU", 0),
    ("doas", "uC", 0),
    ("env", "uCS", 0),
    ("nohup", "", 0),
    ("timeout", "ks", 1),
    ("nice", "n", 0),
    ("ionice", "cnpPu", 0),
    ("chrt", "TPD", 1),
    ("taskset", "", 1),
    ("stdbuf", "ioe", 0),
    ("setsid", "", 0),
    ("strace", "eosapEPuI", 0),
    ("ltrace", "eosapu", 0),
    ("time", "fo", 0),
    ("xargs", "aEeIiLlnPsd", 0),
    ("parallel", "jaIS", 0),
    ("busybox", "", 0),
    ("toybox", "", 0),
    ("torsocks", "uPp", 0),
    ("torify", "", 0),
    ("proxychains", "f", 0),
    ("proxychains4", "f", 0),
    ("sshpass", "fdp", 0),
    ("unshare", "SGRw", 0),
    ("nsenter", "tSG", 0),
    ("chroot", "", 1),
    ("flock", "wE", 1),
    ("runuser", "ugGs", 0),
    ("setpriv", "", 0),
    ("systemd-run", "putEMH", 0),
    ("firejail", "", 0),
    ("unbuffer", "", 0),
    ("watch", "n", 0),
    ("exec", "a", 0),
    ("command", "", 0),
    ("builtin", "", 0),
    // Words of a shell that stand before a command.
    ("if", "", 0),
    ("then", "", 0),
    ("else", "", 0),
    ("while", "", 0),
    ("do", "", 0),
    ("!", "", 0),
    ("{", "", 0),
];

/// Long options of these programs whose value is the next word.
const LONG: &[&str] = &[
    "user",
    "group",
    "other-user",
    "host",
    "prompt",
    "role",
    "type",
    "chdir",
    "chroot",
    "unset",
    "kill-after",
    "signal",
    "adjustment",
    "class",
    "classdata",
    "input",
    "output",
    "error",
    "max-args",
    "max-procs",
    "max-lines",
    "replace",
    "delimiter",
    "arg-file",
    "target",
    "unit",
    "property",
    "setenv",
    "working-directory",
    "interval",
    "shell",
    "reuid",
    "regid",
    "wait",
    "timeout",
];

/// The command that a program of this name runs, of these words of its; `None` where it runs none.
pub(crate) fn wrapped<'w, 'a>(name: &str, arguments: &'w [&'a str]) -> Option<&'w [&'a str]> {
    let behind = |words: &[&str], skipped: usize| {
        let at = arguments.iter().position(|word| words.contains(word))?;
        arguments.get(at + skipped..)
    };
    match name {
        "find" => return behind(&["-exec", "-execdir", "-ok", "-okdir"], 1),
        // `ip netns exec NAME command`
        "ip" => return behind(&["exec"], 2),
        _ => {}
    }
    let (_, valued, mut before) = *WRAPPERS.iter().find(|(known, _, _)| *known == name)?;
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        at += 1;
        let takes_next = match word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            Some("-") => return arguments.get(at..),
            Some(option) => match option.strip_prefix('-') {
                Some(long) => LONG.contains(&long),
                // The letter that takes a value ends the letters.
                None => option.find(|letter| valued.contains(letter)) == Some(option.len() - 1),
            },
            None if super::is_assignment(word) => false,
            None if before > 0 => {
                before -= 1;
                false
            }
            None => return arguments.get(at - 1..),
        };
        at += usize::from(takes_next);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_begins_behind_options_and_their_values() {
        for (line, expected) in [
            ("sudo -u bob -E A=b curl x", Some("curl x")),
            ("sudo --user bob -- curl x", Some("curl x")),
            ("sudo -iu bob curl x", Some("curl x")),
            ("timeout -k 5 10 nc x 1", Some("nc x 1")),
            ("env -i A=b ssh x", Some("ssh x")),
            ("xargs -n1 -I {} scp {} x:", Some("scp {} x:")),
            ("find / -name curl -o -name x.org", None),
            ("find / -exec curl x ;", Some("curl x ;")),
            ("ip netns exec blue curl x", Some("curl x")),
            ("ip addr show", None),
            ("sudo -l", None),
            ("ls -la", None),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let found = wrapped(words[0], &words[1..]).map(|words| words.join(" "));
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }
}
