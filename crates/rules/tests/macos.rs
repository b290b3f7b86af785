//! What a Mac says of logins over SSH and of sudo meets the same rules as on Linux.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what is wrong")]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use support::{findings, packs};

/// An entry of its unified log, at this second.
fn entry(second: u32, program: &str, message: &str) -> String {
    format!(
        r#"{{"messageType":"Default","eventType":"logEvent","processImagePath":"{program}","timestamp":"2026-11-21 10:15:{second:02}.000000+0100","eventMessage":"{message}","processID":7}}"#
    )
}

/// The titles of what is stated.
fn titles(lines: &[String]) -> Vec<String> {
    let found = findings(&packs(), &lines.join("\n"));
    found.into_iter().map(|finding| finding.rule_name).collect()
}

#[test]
fn guesses_over_ssh_and_at_sudo_are_found_on_a_mac_too() {
    let guesses = |program: &str| -> Vec<String> {
        let guess = |second| {
            let message = format!("Failed password for root from 203.0.113.9 port 4{second} ssh2");
            entry(second, program, &message)
        };
        (0..6).map(guess).collect()
    };
    assert!(titles(&guesses("/usr/sbin/sshd")).contains(&"SSH brute force".to_owned()));
    assert_eq!(titles(&guesses("/Users/eve/sshd")), [] as [String; 0]);
    let sudo = "bob : 3 incorrect password attempts ; TTY=ttys002 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id";
    let told = titles(&[entry(1, "/usr/bin/sudo", sudo)]);
    assert!(told.contains(&"Wrong password for sudo".to_owned()), "{told:?}");
}
