//! Sigma rules of the shapes that people write, over the fields of [`crate::lines`].

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::random::Random;

const SERVICES: &[&str] = &["sshd", "sudo", "cron", "auth"];
const WORDS: &[&str] = &[
    "backdoor",
    "mimikatz",
    "reverse",
    "tunnel",
    "exploit",
    "payload",
    "miner",
    "rootkit",
    "beacon",
    "dropper",
    "webshell",
    "keylogger",
    "overflow",
    "escape",
    "persist",
];

/// Writes `count` rules into the directory, one file each.
///
/// # Errors
/// Where the directory or a file cannot be written.
pub fn write(mut random: Random, count: u32, directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    for number in 1..=count {
        let path = directory.join(format!("generated_{number:04}.yml"));
        fs::write(&path, rule(&mut random, number))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn rule(random: &mut Random, number: u32) -> String {
    let (high, low) = (random.draw(), random.draw());
    let id = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    );
    let service = random.pick(SERVICES);
    let mut text = format!(
        "title: Generated rule {number}\nid: {id}\nstatus: test\nlevel: low\nlogsource:\n    \
         product: linux\n    service: {service}\ndetection:\n"
    );
    // Writing to a String cannot fail.
    let _infallible = write_detection(&mut text, random);
    text
}

fn write_detection(text: &mut String, random: &mut Random) -> std::fmt::Result {
    let (first, second) = (random.pick(WORDS), random.pick(WORDS));
    let number = random.below(100_000);
    match random.below(6) {
        0 => writeln!(
            text,
            "    selection:\n        message|contains:\n            - '{first}{number}'\n            \
             - '{second}-{number}'\n    condition: selection"
        ),
        1 => writeln!(
            text,
            "    selection:\n        message|contains|all:\n            - '{first}'\n            \
             - 'port {number}'\n    condition: selection"
        ),
        2 => writeln!(
            text,
            "    selection:\n        user.name|startswith: '{first}'\n        event.outcome: \
             success\n    filter:\n        source.ip|cidr: 10.0.0.0/8\n    condition: selection \
             and not filter"
        ),
        3 => writeln!(
            text,
            "    selection:\n        process.command_line|endswith:\n            - \
             '/{first}.sh'\n            - '/{second}'\n    condition: selection"
        ),
        4 => writeln!(
            text,
            "    keywords:\n        - '{first} {second}'\n        - '{second}{number}'\n    \
             condition: keywords"
        ),
        _ => writeln!(
            text,
            "    selection:\n        message|re: '{first}[0-9]{{2,6}}\\.{second}'\n    another:\n        \
             user.name: {second}{number}\n    condition: selection or another"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_differ_and_the_seed_decides_them() {
        let make = |seed| -> Vec<String> {
            let mut random = Random::new(seed);
            (1..=50).map(|number| rule(&mut random, number)).collect()
        };
        assert_eq!(make(3), make(3));
        let mut ids: Vec<String> =
            make(3).iter().map(|rule| rule.lines().nth(1).unwrap().to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 50);
    }
}
