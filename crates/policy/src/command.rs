//! The hosts that a command line reaches for: URLs wherever they stand, and what the program that runs
//! takes for a host.

use crate::host::Host;
use crate::tool::{self, Names, Tool};
use crate::{url, word};

/// How deep commands within commands (`sh -c 'sh -c "…"'`) are looked into.
const MAX_DEPTH: usize = 5;

/// Who is shown destinations.
type Found<'f> = &'f mut dyn FnMut(Host, Option<u16>);

/// The hosts of a command line that is one text.
pub(crate) fn text(text: &str, found: Found<'_>) {
    within(text, 0, found);
}

/// The hosts of a command, word by word.
pub(crate) fn command(words: &[&str], executable: Option<&str>, found: Found<'_>) {
    one(words, executable, 0, found);
}

fn within(text: &str, depth: usize, found: Found<'_>) {
    if depth >= MAX_DEPTH {
        url::within(text, found);
        return;
    }
    for words in word::commands(text) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        one(&words, None, depth, found);
    }
}

fn one(words: &[&str], executable: Option<&str>, depth: usize, found: Found<'_>) {
    let assignments = words.iter().take_while(|word| tool::is_assignment(word)).count();
    let (before, words) = words.split_at_checked(assignments).unwrap_or((&[], words));
    before.iter().for_each(|word| url::within(word, found));
    let Some((first, arguments)) = words.split_first() else { return };
    let name = tool::name_of(first);
    let executable = executable.map(tool::name_of);
    // Whoever runs a program chooses its first word; what is executed is no choice.
    let tool = executable.and_then(tool::tool).or_else(|| tool::tool(name));
    let prints = |name| tool::is_printer(name) || tool::runs_by_first_word(name);
    if tool.is_none() && tool::is_printer(name) && executable.is_none_or(prints) {
        return;
    }
    // A redirection may be all there is of a command.
    url::within(first, found);
    if tool.is_some_and(|tool| tool.names == Names::Repositories) && !connects(arguments) {
        return;
    }
    let is_shell = tool::is_shell(name) || executable.is_some_and(tool::is_shell);
    let wrapped = tool::wrapped(name, arguments).filter(|_| depth < MAX_DEPTH);
    if let Some((command, others)) = command_text(arguments).filter(|_| is_shell) {
        within(command, depth + 1, found);
        // The command has what follows it as `$0`, `$1` and so on.
        others.iter().for_each(|word| url::within(word, found));
    } else if let Some(command) = wrapped {
        let own = arguments.len() - command.len();
        arguments.iter().take(own).for_each(|word| url::within(word, found));
        match command {
            // As watch(1) takes it.
            [line] if line.contains(char::is_whitespace) => within(line, depth + 1, found),
            words => one(words, None, depth + 1, found),
        }
    } else {
        arguments.iter().for_each(|word| url::within(word, found));
    }
    if let Some(tool) = tool {
        named(tool, arguments, found);
    }
}

/// The command of `-c` (also `-lc`, `--command`), which further options may come before, and the words
/// that follow it.
fn command_text<'s, 'w>(arguments: &'s [&'w str]) -> Option<(&'w str, &'s [&'w str])> {
    let is_option = |word: &&str| match word.strip_prefix('-') {
        Some("-command") => true,
        Some(letters) => !letters.starts_with('-') && letters.contains('c'),
        None => false,
    };
    let at = arguments.iter().position(is_option)?;
    let rest = arguments.get(at + 1..)?;
    let options = rest.iter().take_while(|word| word.starts_with(['-', '+'])).count();
    // Of options alone the first may be the command.
    let (command, others) = rest.get(options..)?.split_first().or_else(|| rest.split_first())?;
    Some((command, others))
}

/// Whether git connects with these words.
fn connects(arguments: &[&str]) -> bool {
    const SUBCOMMANDS: &[&str] =
        &["clone", "fetch", "pull", "push", "ls-remote", "remote", "submodule", "archive", "svn"];
    arguments.iter().any(|word| SUBCOMMANDS.contains(word))
}

/// The hosts that a program takes for such.
fn named(tool: &Tool, arguments: &[&str], found: Found<'_>) {
    let mut words = Vec::new();
    let mut listens = false;
    let mut port = tool.port;
    each(tool, arguments, &mut |piece| match piece {
        Piece::Word(word) => words.push(word),
        Piece::Flag(flag) => listens |= tool.listens.contains(&flag),
        Piece::Value(option, value) => {
            if tool.hosts.contains(&option) {
                // `-J` takes several; URLs were found before.
                for host in value.split(',').filter(|host| !host.contains("://")) {
                    url::authority(host, tool.port, found);
                }
            }
            match option {
                "p" | "P" | "port" => port = value.parse().ok().or(port),
                "resolve" | "connect-to" => redirected(option, value, found),
                "o" if tool.names == Names::Remote || tool.names == Names::Copies => {
                    setting(value, found);
                }
                "L" if tool.names == Names::Remote => forwarded(value, found),
                "e" | "rsh" if tool.names == Names::Copies => within(value, MAX_DEPTH - 1, found),
                _ => {}
            }
        }
    });
    if listens {
        return;
    }
    match tool.names {
        Names::Nothing => {}
        Names::Urls => words
            .iter()
            .filter(|word| !word.contains("://"))
            .for_each(|word| url::authority(word, port, found)),
        Names::HostAndPort => {
            let is_port = |word: &&&str| word.split('-').all(|part| part.parse::<u16>().is_ok());
            let port =
                words.iter().find(is_port).and_then(|word| word.split('-').next()?.parse().ok());
            for word in words.iter().filter(|word| !is_port(word)) {
                if let Some(host) = Host::read(word.rsplit('@').next().unwrap_or(word)) {
                    found(host, port);
                }
            }
        }
        Names::Remote => {
            if let Some(word) = words.first().filter(|word| !word.contains("://")) {
                match copied(word) {
                    // As sftp and sshfs have it.
                    Some(host) => reached(host, port, found),
                    None => url::authority(word, port, found),
                }
            }
        }
        Names::Copies => words.iter().filter_map(|word| copied(word)).for_each(|host| {
            reached(host, port, found);
        }),
        Names::Repositories => {
            // What has no dot and no user is a reference, as in `git push origin main:main`.
            let of_host = |word: &&&str| {
                word.contains('@') || word.split(':').next().is_some_and(|host| host.contains('.'))
            };
            words.iter().filter(of_host).filter_map(|word| copied(word)).for_each(|host| {
                reached(host, port, found);
            });
        }
        Names::Sockets => words.iter().for_each(|word| socket(word, found)),
        Names::BehindAt => words
            .iter()
            .filter_map(|word| word.rsplit_once('@'))
            .for_each(|(_, host)| reached(host, port, found)),
        Names::Shares => {
            let is_slash = |one: char| matches!(one, '/' | '\\');
            let share = words.first().and_then(|word| {
                word.strip_prefix(is_slash)?.strip_prefix(is_slash)?.split(is_slash).next()
            });
            if let Some(host) = share {
                reached(host, port, found);
            }
        }
        Names::SecondIsServer => {
            if let Some(server) = words.get(1) {
                reached(server, port, found);
            }
        }
        Names::AtServers => {
            words.iter().filter_map(|word| word.strip_prefix('@')).for_each(|server| {
                reached(server, port, found);
            })
        }
    }
}

fn reached(host: &str, port: Option<u16>, found: Found<'_>) {
    if let Some(host) = Host::read(host) {
        found(host, port);
    }
}

/// A piece of a command line as getopt(3) cuts it.
enum Piece<'w> {
    Word(&'w str),
    /// An option without a value, without its dashes.
    Flag(&'w str),
    /// An option and its value.
    Value(&'w str, &'w str),
}

fn each<'w>(tool: &Tool, arguments: &[&'w str], take: &mut dyn FnMut(Piece<'w>)) {
    let mut words = arguments.iter().copied();
    let mut seen = 0;
    while let Some(word) = words.next() {
        let letters = match word.strip_prefix('-') {
            Some("-") => {
                words.by_ref().for_each(|word| take(Piece::Word(word)));
                return;
            }
            Some(letters) if !letters.is_empty() => letters,
            _ => {
                seen += 1;
                take(Piece::Word(word));
                // What follows the host of ssh is run there.
                if tool.names == Names::Remote && seen == 2 {
                    return;
                }
                continue;
            }
        };
        let long = letters.strip_prefix('-');
        // Those of openssl have one dash.
        let long = long.or_else(|| tool.takes_value(letters).then_some(letters));
        if let Some(long) = long {
            match long.split_once('=') {
                Some((option, value)) => take(Piece::Value(option, value)),
                None if tool.takes_value(long) => {
                    if let Some(value) = words.next() {
                        take(Piece::Value(long, value));
                    }
                }
                None => take(Piece::Flag(long)),
            }
            continue;
        }
        for (at, letter) in letters.char_indices() {
            let end = at + letter.len_utf8();
            let option = letters.get(at..end).unwrap_or_default();
            if !tool.short.contains(letter) {
                take(Piece::Flag(option));
                continue;
            }
            let value = match letters.get(end..).filter(|rest| !rest.is_empty()) {
                Some(rest) => Some(rest),
                None => words.next(),
            };
            if let Some(value) = value {
                take(Piece::Value(option, value));
            }
            break;
        }
    }
}

/// The host of `user@host:path`, `host::module` or `user@[address]:path`.
fn copied(word: &str) -> Option<&str> {
    if word.contains("://") {
        return None;
    }
    let colon = match word.find('[') {
        Some(open) => open + word.get(open..)?.find("]:")? + 1,
        None => word.find(':')?,
    };
    let before = word.get(..colon)?;
    if before.contains('/') {
        return None;
    }
    Some(before.rsplit('@').next().unwrap_or(before)).filter(|host| !host.is_empty())
}

/// Where curl goes in place of what a URL names: `host:port:address` and `host:port:host:port`.
fn redirected(option: &str, value: &str, found: Found<'_>) {
    let rest = value.trim_start_matches(['+', '-']);
    let after_host = match rest.strip_prefix('[').and_then(|inner| inner.split_once("]:")) {
        Some((_, after)) => after,
        None => rest.split_once(':').map_or("", |(_, after)| after),
    };
    let target = after_host.split_once(':').map_or("", |(_, target)| target);
    if option == "resolve" {
        for address in target.split(',') {
            reached(address, None, found);
        }
    } else {
        url::host_and_port(target, None, found);
    }
}

/// What an option of ssh_config(5) reaches: `HostName=`, `ProxyJump=`, `ProxyCommand=`.
fn setting(value: &str, found: Found<'_>) {
    let parted = value.split_once('=').or_else(|| value.split_once(char::is_whitespace));
    let Some((key, value)) = parted else { return };
    match key.trim().to_ascii_lowercase().as_str() {
        "hostname" => reached(value.trim(), Some(22), found),
        "proxyjump" => {
            value.split(',').for_each(|host| url::authority(host.trim(), Some(22), found))
        }
        "proxycommand" => within(value, MAX_DEPTH - 1, found),
        _ => {}
    }
}

/// The host of `[bind:]port:host:port`.
fn forwarded(value: &str, found: Found<'_>) {
    let Some((before, port)) = value.rsplit_once(':') else { return };
    let host = match before.find('[').filter(|_| before.ends_with(']')) {
        Some(at) => before.get(at..),
        None => before.rsplit(':').next(),
    };
    if let (Some(host), Ok(port)) = (host, port.parse()) {
        reached(host, Some(port), found);
    }
}

/// The host of an address of socat.
fn socket(word: &str, found: Found<'_>) {
    const DIRECT: &[&str] = &[
        "tcp",
        "tcp4",
        "tcp6",
        "tcp-connect",
        "tcp4-connect",
        "tcp6-connect",
        "openssl",
        "openssl-connect",
        "ssl",
        "udp",
        "udp4",
        "udp6",
        "udp-connect",
        "udp4-connect",
        "udp6-connect",
        "udp-sendto",
        "udp4-sendto",
        "udp6-sendto",
        "udp-datagram",
        "udp4-datagram",
        "udp6-datagram",
        "sctp",
        "sctp-connect",
        "sctp4",
        "sctp6",
        "dtls",
        "openssl-dtls-client",
        "ip",
        "ip-sendto",
    ];
    const THROUGH: &[&str] =
        &["socks4", "socks4a", "socks5", "socks5-connect", "proxy", "proxy-connect"];
    let Some((kind, rest)) = word.split_once(':') else { return };
    let kind = kind.to_ascii_lowercase();
    let address = rest.split(',').next().unwrap_or(rest);
    if DIRECT.contains(&kind.as_str()) {
        url::host_and_port(address, None, found);
    } else if THROUGH.contains(&kind.as_str()) {
        let (proxy, target) = address.split_once(':').unwrap_or((address, ""));
        reached(proxy, None, found);
        url::host_and_port(target, None, found);
    }
}

#[cfg(test)]
mod tests;
