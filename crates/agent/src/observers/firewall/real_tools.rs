//! The real ufw, iptables and nft, in namespaces of their own: this machine's rules are never touched.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::tests::told;
use super::*;
use crate::observers::record::Record;

const NEEDED: [&str; 6] = ["ufw", "iptables", "iptables-save", "nft", "unshare", "nsenter"];

/// A process that keeps namespaces of network and mounts, with copies of ufw's settings.
struct Namespace {
    keeper: Child,
    root: tempfile::TempDir,
}

impl Namespace {
    /// None where this machine has not what it takes; then says what.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn new() -> Option<Namespace> {
        let missing =
            NEEDED.iter().find(|name| crate::search::find(name, &search_path()).is_none());
        if let Some(missing) = missing {
            eprintln!("skipped: there is no {missing} (scripts/install-test-deps)");
            return None;
        }
        let root = tempfile::tempdir().unwrap();
        // Ends with this process, whose pipe it reads.
        let script = "set -e\nmount --make-rprivate /\nmkdir \"$0/etc\"\ncp -a /etc/ufw /etc/default \"$0/etc\"\n\
            mount --bind \"$0/etc/ufw\" /etc/ufw\nmount --bind \"$0/etc/default\" /etc/default\n\
            mount -t tmpfs none /run\nip link set lo up\necho ready\nexec cat";
        let mut keeper = Command::new("unshare")
            .args(["-m", "-n", "sh", "-c", script])
            .arg(root.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let ended = keeper.wait_with_output().unwrap();
            eprintln!("skipped: {}", String::from_utf8_lossy(&ended.stderr));
            return None;
        }
        Some(Namespace { keeper, root })
    }

    /// The words that run a program there.
    fn helper(&self) -> Vec<String> {
        let process = self.keeper.id();
        let of = |kind: &str, file: &str| format!("--{kind}=/proc/{process}/ns/{file}");
        vec!["nsenter".to_owned(), of("mount", "mnt"), of("net", "net")]
    }

    fn run(&self, line: &str) {
        let helper = self.helper();
        let mut command = Command::new(&helper[0]);
        command.args(&helper[1..]).args(["sh", "-c", line]);
        let ran = command.output().unwrap();
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap();
    }
}

struct Watched<'n> {
    reader: Reader,
    known: Known,
    is_first: bool,
    namespace: &'n Namespace,
}

impl<'n> Watched<'n> {
    fn new(namespace: &'n Namespace) -> Self {
        let mut watched = Watched {
            reader: reader_of(namespace),
            known: Known::default(),
            is_first: true,
            namespace,
        };
        assert_eq!(watched.says(), [("firewall-inactive".to_owned(), "ufw".to_owned())]);
        watched
    }

    fn restart(&mut self) {
        self.reader = reader_of(self.namespace);
        self.is_first = true;
    }

    fn look(&mut self) -> Vec<Record> {
        let readings = self.reader.read(&self.known.tools, Instant::now());
        let look = Look {
            at: Timestamp::from_micros(0),
            is_first: std::mem::take(&mut self.is_first),
            unattended: &[Pattern::new("f2b-*").unwrap()],
            install: "",
        };
        self.known.judge(&readings, look)
    }

    fn says(&mut self) -> Vec<(String, String)> {
        told(&self.look())
    }

    /// What one record says after this was done.
    fn after(&mut self, line: &str) -> Record {
        self.namespace.run(line);
        let mut records = self.look();
        assert_eq!(records.len(), 1, "{line}: {records:?}");
        assert!(self.look().is_empty(), "{line} is told once");
        records.remove(0)
    }
}

fn reader_of(namespace: &Namespace) -> Reader {
    let options = FirewallOptions { command: namespace.helper(), ..FirewallOptions::default() };
    Reader::new(&options, search_path(), namespace.root.path())
}

fn is(record: &Record, action: &str, tool: &str) {
    assert_eq!(record.get("event.action"), &format!("firewall-{action}"), "{record:?}");
    assert_eq!(record.get("firewall.product"), tool, "{record:?}");
}

fn diff(record: &Record) -> &str {
    record.get("firewall.diff").as_str().unwrap()
}

#[test]
fn what_people_do_with_the_real_tools_is_told_once_each() {
    let Some(namespace) = Namespace::new() else { return };
    let mut host = Watched::new(&namespace);

    is(&host.after("ufw --force enable"), "enabled", "ufw");
    let record = host.after("ufw allow 8080/tcp comment web");
    is(&record, "changed", "ufw");
    assert!(diff(&record).contains("+8080/tcp "), "{}", diff(&record));
    assert!(diff(&record).contains("+ip filter ufw-user-input: "), "{}", diff(&record));
    assert!(!diff(&record).contains("nftables"), "the same rules are not told twice");

    // Packets are counted, nobody is told.
    namespace.run("bash -c ': > /dev/udp/127.0.0.1/9'; iptables -L -v -n; ip6tables -t nat -L");
    assert_eq!(host.says(), []);

    let record = host.after("iptables -I INPUT -s 203.0.113.9 -j ACCEPT");
    is(&record, "changed", "iptables");
    assert_eq!(record.get("firewall.unattended"), false);
    let record = host.after("iptables -N f2b-sshd; iptables -A f2b-sshd -s 203.0.113.5 -j REJECT");
    assert_eq!(record.get("firewall.unattended"), true, "{record:?}");

    let table = "nft 'add table inet t; add chain inet t in { type filter hook input priority 10; policy \
        accept; }; add rule inet t in tcp dport 1 counter drop; add rule inet t in tcp dport 2 drop'";
    is(&host.after(table), "enabled", "nftables");
    let turned = "nft 'flush chain inet t in; add rule inet t in tcp dport 2 drop; add rule inet t in tcp \
        dport 1 counter drop'";
    let record = host.after(turned);
    is(&record, "changed", "nftables");
    assert_eq!(record.get("firewall.places"), &serde_json::json!(["inet t in"]));

    // The elements of a set have no order.
    host.after(
        "nft 'add set inet t s { type ipv4_addr; }; add element inet t s { 10.0.0.1, 10.0.0.2 }'",
    );
    namespace.run("nft 'flush set inet t s; add element inet t s { 10.0.0.2 }; add element inet t s { 10.0.0.1 }'");
    assert_eq!(host.says(), []);
    is(&host.after("nft delete table inet t"), "disabled", "nftables");

    // Below ufw, which still believes that it is on.
    let record = host.after("iptables -P INPUT ACCEPT; iptables -F INPUT");
    is(&record, "disabled", "iptables");
    let message = record.get("message").as_str().unwrap();
    assert!(message.contains("(ip)"), "{message}");
    is(&host.after("ufw reload"), "changed", "iptables");
    is(&host.after("ufw --force disable"), "disabled", "ufw");

    namespace.run("ufw --force enable");
    host.restart();
    let record = host.look().remove(0);
    is(&record, "enabled", "ufw");
    assert_eq!(record.get("firewall.while_down"), true);
}

#[test]
fn files_of_the_real_ufw_say_what_it_says() {
    let Some(namespace) = Namespace::new() else { return };
    let read = |root: &Path| {
        let text = |name: &str| std::fs::read_to_string(root.join("etc").join(name)).unwrap();
        let rules = ["ufw/user.rules", "ufw/user6.rules"].map(text);
        ufw::state_of_files(&text("ufw/ufw.conf"), &text("default/ufw"), &rules)
    };
    let off = read(namespace.root.path());
    assert!(!off.is_active());
    namespace.run("ufw --force enable && ufw allow 22/tcp");
    let on = read(namespace.root.path());
    assert!(on.is_active());
    assert!(on.text.contains("### tuple ### allow tcp 22 "), "{}", on.text);
}
