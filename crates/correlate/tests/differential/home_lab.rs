//! The home-lab page's own rule file, as it stands on the page, with programs that record how it calls
//! them. The page is no part of this repository: the test reads it where it is, and skips elsewhere.

use std::collections::BTreeMap;

use super::play;
use super::scenario::Scenario;

const PAGE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/syslog-sec-alerta-homelab.md");

/// What each template variable of the page stands for.
const VALUES: [(&str, &str); 7] = [
    ("log_dir", "@DIR@/logs"),
    ("alerta_api_address", "http://127.0.0.1/api"),
    ("sec_email.from", "sec@example.org"),
    ("sec_email.to", "root@example.org"),
    ("sec_email.server", "mail.example.org"),
    ("sec_email.port", "25"),
    ("inventory_hostname", "central"),
];

/// Log files and the lines that come to them.
const LINES: [(&str, &str); 17] = [
    (
        "web1-sudo.log",
        "Dec  1 10:00:00 web1 sudo: pam_unix(sudo:auth): authentication failure; logname=joe \
         uid=1000 euid=0 tty=/dev/pts/0 ruser=joe rhost=  user=joe",
    ),
    (
        "web1-sshd.log",
        "Dec  1 10:00:01 web1 sshd[812]: pam_unix(sshd:auth): authentication failure; logname= uid=0 \
         euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root",
    ),
    (
        "web1-sshd.log",
        "Dec  1 10:00:02 web1 sshd[812]: Failed password for invalid user bob from 192.0.2.7 port \
         40112 ssh2",
    ),
    ("web1-sudo.log", "Dec  1 10:00:03 web1 login[77]: FAILED LOGIN (1) on '/dev/tty1' FOR 'x'"),
    (
        "web1-sshd.log",
        "Dec  1 10:00:04 web1 sshd[813]: pam_unix(sshd:session): session opened for user joe",
    ),
    (
        "web1-sudo.log",
        "Dec  1 10:00:05 web1 sudo: pam_unix(sudo:session): session closed for user root",
    ),
    (
        "web1-sshd.log",
        "Dec  1 10:00:06 web1 sshd[813]: Accepted publickey for joe from 192.0.2.8 port 50022 ssh2",
    ),
    (
        "pf-php-fpm.log",
        "Dec  1 10:00:07 php-fpm[350]: /index.php: webConfigurator authentication error for user \
         'admin' from: 192.0.2.9",
    ),
    (
        "pf-php-fpm.log",
        "Dec  1 10:00:08 php-fpm[350]: /index.php: webConfigurator authentication error for user \
         'admin' from: 192.0.2.9",
    ),
    (
        "pf-php-fpm.log",
        "Dec  1 10:00:09 php-fpm[350]: /index.php: Successful login for user 'admin' from: \
         192.0.2.9 (Local Database)",
    ),
    (
        "pf-sshguard.log",
        r#"Dec  1 10:00:10 sshguard[99]: Attack from \"192.0.2.7\" on service SSH with danger 10."#,
    ),
    (
        "pf-sshd.log",
        "Dec  1 10:00:11 sshd[55]: Accepted keyboard-interactive/pam for admin from 192.0.2.9 port \
         50100 ssh2",
    ),
    (
        "pf-sshd.log",
        "Dec  1 10:00:12 sshd[56]: error: PAM: Authentication error for admin from 192.0.2.9",
    ),
    (
        "web1-rsnapshot.log",
        "Dec  1 10:00:13 web1 rsnapshot[70]: /usr/bin/rsnapshot -v hourly: completed successfully",
    ),
    ("web1-sshd.log", "Dec  1 10:00:14 web1 sshd[813]: Connection closed by 192.0.2.8"),
    ("web1-sshd.log", HOSTILE),
    (
        "new2-sshd.log",
        "Dec  1 10:00:16 new2 sshd[4]: Accepted password for ann from 192.0.2.8 port 50023 ssh2",
    ),
];

/// What the page's rules hand to a shell as it is.
const HOSTILE: &str = "Dec  1 10:00:15 web1 sshd[9]: Failed password for invalid user bob from \
     192.0.2.7 port 1 ssh2 `touch owned1` $(touch owned2) ; touch owned3";

/// The rule file and the tracker of log files, out of the page.
fn page() -> Option<(String, String)> {
    let Ok(page) = std::fs::read_to_string(PAGE) else {
        eprintln!("skipped: the home-lab page is not there");
        return None;
    };
    let mut blocks = Vec::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap();
        blocks.push((language, text));
    }
    let longest = |language: &str, holds: &str| {
        let chosen = blocks.iter().filter(|(name, text)| *name == language && text.contains(holds));
        chosen.max_by_key(|(_, text)| text.len()).unwrap().1.to_owned()
    };
    let mut rules =
        longest("ini", "LOGTRACKER").replace("{% raw %}", "").replace("{% endraw %}", "");
    for (name, value) in VALUES {
        rules = rules.replace(&format!("{{{{ {name} }}}}"), value);
    }
    // The tools are on PATH here.
    Some((rules.replace("/usr/local/bin/", ""), longest("py", "WILD")))
}

fn scenario(ours: &[&str]) -> Option<Scenario> {
    let (rules, tracker) = page()?;
    let mut files = BTreeMap::from([
        ("common-rules.conf".to_owned(), rules),
        ("bin/logtracker.py".to_owned(), tracker),
    ]);
    let mut steps = String::new();
    for (number, (file, line)) in LINES.iter().enumerate() {
        let path = format!("logs/{file}");
        let time = 2.1 + 0.1 * number as f64;
        steps.push_str(&format!("{time:.1} {path} > {}\n", line.replace('\\', "\\\\")));
        if !file.starts_with("new") {
            files.insert(path, String::new());
        }
    }
    steps.push_str("6.5 end\n");
    let mut scenario = Scenario::timed("the home-lab page", files, steps)
        .with_stubs(&["alerta", "send_email.py"], &["--intevents", "--intcontexts", "--debug=6"]);
    scenario.set_rules("common-rules.conf", &[], ours);
    Some(scenario)
}

/// With the shell as `sec` has it, everything is as with `sec`: also the alerts that die.
#[test]
fn the_home_lab_page_does_as_with_sec() {
    if let Some(scenario) = scenario(&["--sec-shell"]) {
        play::check(&[scenario]);
    }
}

/// As Bergfried is unless asked otherwise, every alert carries its line, and the line runs nothing.
#[test]
fn the_home_lab_page_is_safe() {
    let (Some(scenario), Some(ours)) = (scenario(&[]), play::ours()) else { return };
    let outcome = play::alone(&ours, &scenario);
    let owned: Vec<_> = outcome.files.keys().filter(|name| name.starts_with("owned")).collect();
    assert!(owned.is_empty(), "a line of the log made {owned:?}");
    let commands: Vec<_> =
        outcome.commands.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    for (_, line) in LINES {
        // One rule needs two, one line says nothing to any, and a heartbeat has no text.
        let silent = ["10:00:07", "10:00:08", "10:00:13", "10:00:14"];
        if !silent.iter().any(|time| line.contains(time)) {
            let text = format!(" <--text> <'{line}'>");
            let told = commands.iter().any(|it| it.starts_with("alerta ") && it.contains(&text));
            assert!(told, "no alert tells {line}\n{commands:#?}");
        }
    }
    let heartbeat = "heartbeat> <--origin> <web1_backup>";
    assert!(commands.iter().any(|it| it.contains(heartbeat)), "no heartbeat in {commands:#?}");
    let failed = "10:00:07 php-fpm[350]: /index.php: webConfigurator";
    assert!(commands.iter().any(|it| it.contains(failed)), "no threshold in {commands:#?}");
    let mails = commands.iter().filter(|it| it.starts_with("send_email.py ")).count();
    assert_eq!(mails, 6, "{commands:#?}");
}
