#![expect(clippy::print_stderr, reason = "a test that can test nothing says so")]

use std::collections::BTreeSet;

use super::*;

/// A machine as far as rules look at it.
fn host(arch: Arch, root: &Path) -> Host {
    for directory in ["etc/cron.d", "home/al/.ssh", "home/two words", "root", "usr/bin", "usr/sbin"]
    {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    for program in ["usr/bin/chattr", "usr/sbin/logrotate", "usr/sbin/xtables"] {
        fs::write(root.join(program), "").unwrap();
    }
    // What a program's link points to is what runs.
    std::os::unix::fs::symlink("xtables", root.join("usr/sbin/auditctl")).unwrap();
    fs::write(root.join("etc/shadow"), "").unwrap();
    let agent = Some(PathBuf::from("/usr/bin/bergfried-agent"));
    let own = vec![root.join("etc/cron.d"), PathBuf::from("/usr/bin/bergfried-agent")];
    Host { arch, root: root.to_path_buf(), own, agent }
}

fn rules_of(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("##") && !line.is_empty()).collect()
}

#[test]
fn the_rules_are_those_of_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let text = rules(&host(Arch::X86_64, directory.path()));
    assert!(text.starts_with(MARK));
    let found: BTreeSet<&str> = rules_of(&text).into_iter().collect();
    let own = format!(
        "-a always,exit -F dir={}/etc/cron.d -F perm=wa -F exe!=/usr/bin/bergfried-agent -F key=bergfried-config",
        directory.path().display()
    );
    for expected in [
        "-a always,exit -F path=/usr/bin/chattr -F perm=x -F key=bergfried-tamper",
        "-a always,exit -F path=/usr/sbin/xtables -F perm=x -F key=bergfried-tamper",
        "-a always,exit -F arch=b32 -S openat -F dir=/var/log -F a2&0x200 -F success=1 \
         -F exe!=/usr/sbin/logrotate -F key=bergfried-tamper",
        "-a always,exit -F arch=b64 -S execve,execveat -F key=bergfried-exec",
        "-a always,exit -F arch=b32 -S execve,execveat -F key=bergfried-exec",
        "-a always,exit -F arch=b64 -S connect -F saddr_fam=10 -F key=bergfried-connect",
        "-a always,exit -F arch=b32 -S socketcall -F a0=3 -F saddr_fam=2 -F key=bergfried-connect",
        "-a always,exit -F dir=/home/al/.ssh -F perm=wa -F key=bergfried-identity",
        "-a always,exit -F path=/root/.ssh -F perm=wa -F key=bergfried-identity",
        "-a always,exit -F path=/etc/ld.so.preload -F perm=wa -F key=bergfried-persistence",
        "-a always,exit -F path=/etc/shadow -F perm=r -F auid!=unset -F key=bergfried-identity",
        &own,
    ] {
        assert!(found.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("two words"), "a blank would begin another condition");
    assert!(!text.contains("-F dir=/etc/pam.d") && text.contains("/etc/pam.d"), "{text}");
    for rule in found {
        let allowed = rule.starts_with("-a always,exit -F ") && rule.contains(" -F key=bergfried-");
        assert!(allowed, "nothing but own rules is added: {rule}");
    }
}

#[test]
fn every_processor_knows_the_system_calls() {
    let directory = tempfile::tempdir().unwrap();
    for (arch, tables) in [
        (Arch::X86_64, [("b64", "x86_64"), ("b32", "i386")]),
        (Arch::Aarch64, [("b64", "aarch64"), ("b32", "arm")]),
    ] {
        let text = rules(&host(arch, &directory.path().join(tables[0].1)));
        let mut checked = 0;
        for rule in rules_of(&text) {
            let Some((_, names)) = rule.split_once(" -S ") else { continue };
            for name in names.split(' ').next().unwrap().split(',') {
                let table = tables.iter().find(|(bits, _)| rule.contains(&format!("arch={bits}")));
                let table = table.expect("system calls have an arch").1;
                let asked = Command::new("ausyscall").args([table, name, "--exact"]).output();
                let Ok(asked) = asked else {
                    eprintln!("ausyscall (auditd) is not installed, nothing tested");
                    return;
                };
                assert!(asked.status.success(), "{table} has no {name}: {rule}");
                checked += 1;
            }
        }
        assert!(checked > 20, "only {checked} system calls");
    }
}

#[test]
fn a_file_of_somebody_else_is_left_alone_and_ones_own_is_written_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    let text = format!("{MARK}\n-a always,exit -F key=bergfried-exec\n");
    install(&path, &text, true, false).unwrap();
    assert!(!path.exists(), "a dry run writes nothing");
    install(&path, &text, false, false).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let newer = format!("{text}-a always,exit -F key=bergfried-connect\n");
    install(&path, &newer, false, false).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
    fs::write(&path, "-w /etc/passwd -k mine\n").unwrap();
    let refused = install(&path, &text, false, false).unwrap_err().to_string();
    assert!(refused.contains("is not Bergfried's"), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "-w /etc/passwd -k mine\n");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    let nowhere = directory.path().join("no/such").join(FILE);
    let refused = install(&nowhere, &text, false, false).unwrap_err().to_string();
    assert!(refused.contains("install the audit daemon first"), "{refused}");
}

#[test]
fn a_link_where_the_file_is_written_first_leads_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    let other = directory.path().join("other");
    fs::write(&other, "precious").unwrap();
    for link in [&other, &directory.path().join("absent")] {
        std::os::unix::fs::symlink(link, path.with_extension("rules.new")).unwrap();
        install(&path, &format!("{MARK}\n# {}\n", link.display()), false, false).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
        assert!(!directory.path().join("absent").exists());
    }
}

/// Removes the rules that were loaded, however the test ends.
struct Loaded(PathBuf);

impl Drop for Loaded {
    fn drop(&mut self) {
        let text = fs::read_to_string(&self.0).unwrap();
        fs::write(&self.0, text.replace("\n-a ", "\n-d ")).unwrap();
        // Where one was refused, those before it are what was loaded: it stops there too.
        let removed = Command::new("auditctl").arg("-R").arg(&self.0).status();
        assert!(removed.is_ok(), "the rules are still loaded");
    }
}

#[test]
fn the_kernel_takes_the_rules_of_this_host() {
    let listed = Command::new("auditctl").arg("-l").output();
    let free = listed.as_ref().is_ok_and(|listed| listed.stdout.starts_with(b"No rules"));
    if !free {
        eprintln!("auditctl is absent, may not be used, or has rules already: nothing tested");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    let arch = Arch::of_this_machine().unwrap();
    let text = rules(&this_host(Some(arch), &[]).unwrap());
    fs::write(&path, &text).unwrap();
    let loaded = Loaded(path.clone());
    run(&["auditctl".to_owned(), "-R".to_owned(), path.display().to_string()]).unwrap();
    let listed = Command::new("auditctl").arg("-l").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    drop(loaded);
    let left = Command::new("auditctl").arg("-l").output().unwrap();
    assert!(left.stdout.starts_with(b"No rules"), "{}", String::from_utf8_lossy(&left.stdout));
    let ours = listed.lines().filter(|line| line.contains("bergfried-")).count();
    assert_eq!(ours, rules_of(&text).len(), "{listed}");
}
