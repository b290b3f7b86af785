//! The program as people start it: what sec does not have, and what must hold for both.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what is wrong so")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bergfried-correlate");

/// A directory with rules.
struct Scene {
    directory: TempDir,
}

impl Scene {
    fn new(rules: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("rules.sec"), rules).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--conf=rules.sec").args(options).current_dir(self.directory.path());
        command.env_remove("SECRC").env("TZ", "UTC").stdin(Stdio::null());
        command
    }

    /// Runs over lines on standard input until they end.
    fn run(&self, options: &[&str], lines: &str) -> Output {
        let mut command = self.command(options);
        command.args(["--input=-", "--notail"]).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn shown(&self, options: &[&str], lines: &str) -> String {
        let output = self.run(options, lines);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(120), "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

const THRESHOLD: &str = "type=SingleWithThreshold\nptype=RegExp\npattern=fail (\\S+)\n\
    desc=fail $1\naction=write - %u %s\nwindow=10\nthresh=3\naction2=write - %u over %s\n\n\
    type=PairWithWindow\nptype=SubStr\npattern=begin\ndesc=late\naction=write - %u late\n\
    ptype2=SubStr\npattern2=end\ndesc2=in time\naction2=write - %u in time\nwindow=5\n";

#[test]
fn a_replay_lives_through_the_times_of_its_lines() {
    let scene = Scene::new(THRESHOLD);
    let lines = "@1000 fail a\n@1001 begin\n@1005 fail a\n@1006 end\n@1009.5 fail a\n@1010 begin\n@1100 x\n";
    let options = ["--replay", "--now=@1000"];
    let first = scene.shown(&options, lines);
    assert_eq!(first, "1006 in time\n1009 fail a\n1011 over fail a\n1016 late\n");
    assert_eq!(scene.shown(&options, lines), first);
}

#[test]
fn an_explanation_does_nothing() {
    let scene = Scene::new(
        "type=Single\nptype=RegExp\npattern=^run (.*)\ndesc=it\naction=shellcmd touch 'x $1'\n",
    );
    let text = scene.shown(&["--explain"], "run `id`\nother\n");
    let expected = "run `id`\n  matches rules.sec:1 (rule 1, Single: it)\n  \
        would run [/bin/sh] [-c] [touch 'x '\"${BERGFRIED_1}\"'']\n    BERGFRIED_1=[`id`]\n\
        other\n  matches nothing\n";
    assert_eq!(text, expected);
    assert_eq!(fs::read_dir(scene.directory.path()).unwrap().count(), 1);
}

#[test]
fn log_text_does_not_run_but_where_that_is_insisted_on() {
    let rules = "type=Single\nptype=RegExp\npattern=^((?:pam|`).*)\ndesc=it\n\
        action=shellcmd printf '[%%s]' \\'$1\\' >>out; shellcmd (echo done >>end)\n";
    let line = "pam_unix(sshd:session): `touch canary` $(touch canary) \"x\n";
    let scene = Scene::new(rules);
    scene.run(&["--intevents"], line);
    assert_eq!(text(&scene.path("out")), format!("['{}']", line.trim_end()));
    assert!(!scene.path("canary").exists());
    let literal = Scene::new(rules);
    let output = literal.run(&["--sec-shell", "--intevents"], "`touch canary`\n");
    until("the canary", || literal.path("canary").exists());
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.contains("--sec-shell: whoever writes a log"), "{warning}");
}

#[test]
fn wrong_rules_and_options_are_told_and_exit_with_1() {
    let scene = Scene::new("type=Single\nptype=Nope\npattern=x\ndesc=x\naction=none\n");
    let output = scene.run(&["--testonly"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("rules.sec:1: error: "), "{said}");
    let output = scene.run(&["--tset"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "bergfried-correlate: unknown option: tset\nTry bergfried-correlate --help\n");
}

#[test]
fn signals_restart_dump_and_end() {
    let scene = Scene::new(
        "type=Single\nptype=RegExp\npattern=^(SEC_\\w+)$\ndesc=$1\naction=write out %s\n\n\
         type=Single\nptype=RegExp\npattern=^make (\\S+)\ndesc=$1\naction=create %s\n\n\
         type=Single\nptype=SubStr\npattern=ask\ncontext=A\ndesc=there\naction=write out %s\n",
    );
    fs::write(scene.path("in"), "").unwrap();
    let options = ["--input=in", "--intevents", "--log=log", "--dump=dump", "--pid=pid"];
    let mut child = scene.command(&options).env("SECRET", "hunter2").spawn().unwrap();
    let out = scene.path("out");
    let add = |line: &str| {
        let mut file = fs::OpenOptions::new().append(true).open(scene.path("in")).unwrap();
        writeln!(file, "{line}").unwrap();
    };
    until("the start", || text(&out) == "SEC_STARTUP\n");
    assert_eq!(text(&scene.path("pid")), format!("{}\n", child.id()));
    add("make A\nask");
    until("the context", || text(&out).ends_with("there\n"));
    signal(&child, "-USR1");
    until("the dump", || text(&scene.path("dump")).contains("Events: "));
    let dump = text(&scene.path("dump"));
    assert!(dump.contains("  A: since ") && !dump.contains("hunter2"), "{dump}");
    signal(&child, "-USR2");
    until("USR2", || text(&out).ends_with("SEC_PRE_LOGROTATE\nSEC_LOGROTATE\n"));
    signal(&child, "-ABRT");
    until("ABRT", || text(&out).ends_with("SEC_PRE_SOFTRESTART\nSEC_SOFTRESTART\n"));
    add("ask");
    until("the context after ABRT", || text(&out).ends_with("there\n"));
    signal(&child, "-HUP");
    until("HUP", || text(&out).ends_with("SEC_PRE_RESTART\nSEC_RESTART\n"));
    add("ask\nmake B");
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
    assert!(text(&out).ends_with("SEC_RESTART\nSEC_SHUTDOWN\n"), "{}", text(&out));
    assert!(!scene.path("pid").exists());
}

#[test]
fn a_process_in_the_background_has_let_go_of_everything() {
    let scene = Scene::new("type=Single\nptype=SubStr\npattern=x\ndesc=x\naction=none\n");
    let at = |name: &str| scene.path(name).display().to_string();
    let options =
        [format!("--conf={}", at("rules.sec")), format!("--pid={}", at("pid")), "--detach".into()];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let output = scene.command(&options).output().unwrap();
    assert!(output.status.success());
    until("the process id", || text(&scene.path("pid")).ends_with('\n'));
    let id = text(&scene.path("pid")).trim().to_owned();
    until("the root directory", || {
        fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|path| path == Path::new("/"))
    });
    assert!(Command::new("kill").arg(&id).status().unwrap().success());
    until("its end", || !scene.path("pid").exists());
}

#[test]
fn a_reader_that_does_not_read_holds_nobody_up() {
    let scene = Scene::new(
        "type=Single\nptype=RegExp\npattern=x(.*)\ndesc=it\ncontinue=TakeNext\n\
         action=write - $1; write fifo $1\n\n\
         type=Single\nptype=SubStr\npattern=last\ndesc=it\naction=write done %s\n",
    );
    let fifo = scene.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let line = format!("x{}\n", "y".repeat(1_000));
    fs::write(scene.path("in"), line.repeat(8_000) + "last\n").unwrap();
    // The reader of the FIFO is there and never reads.
    let options = fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    let mut command = scene.command(&["--input=in", "--fromstart", "--log=log"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    until("the last line", || text(&scene.path("done")) == "it\n");
    signal(&child, "-USR1");
    let log = || text(&scene.path("log"));
    until("the log", || log().contains("standard output is not read quickly enough"));
    assert!(log().contains("fifo is not read quickly enough"));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(options);
}

#[test]
fn datagrams_reach_a_socket_that_was_made_anew() {
    let scene =
        Scene::new("type=Single\nptype=RegExp\npattern=(.*)\ndesc=$1\naction=udgram socket %s\n");
    let path = scene.path("socket");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = scene.command(&["--input=-", "--log=log"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut room = [0; 64];
    stdin.write_all(b"one\n").unwrap();
    assert_eq!(socket.recv(&mut room).unwrap(), 3);
    drop(socket);
    fs::remove_file(&path).unwrap();
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stdin.write_all(b"second\n").unwrap();
    assert_eq!(socket.recv(&mut room).unwrap(), 6);
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
}

#[test]
fn alerts_and_heartbeats_go_to_the_hub() {
    let scene = Scene::new(
        "type=Single\nptype=RegExp\npattern=alert (\\S+)\ndesc=it\n\
         action=alert severity=major resource=$1 event=Login service=ssh,pam attributes.colour=red text=%s\n\n\
         type=Single\nptype=SubStr\npattern=beat\ndesc=it\naction=heartbeat backup 600\n",
    );
    fs::write(scene.path("token"), "secret-key\n").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hub = format!("--hub=http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    let served = std::thread::spawn(move || {
        // The first attempt fails, and is made again.
        [503, 201, 201].map(|status| {
            let mut accepted = None;
            until("a request", || {
                accepted = listener.accept().ok();
                accepted.is_some()
            });
            let (stream, _) = accepted.unwrap();
            stream.set_nonblocking(false).unwrap();
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let at = head.len();
                reader.read_line(&mut head).unwrap();
                let line = head[at..].to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer =
                format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            (head, serde_json::from_slice::<serde_json::Value>(&body).unwrap())
        })
    });
    let options = [hub.as_str(), "--token-file=token", "--input=-", "--log=log"];
    let mut child = scene.command(&options).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"alert host-1\nbeat\n").unwrap();
    let [refused, (head, alert), (beat, heartbeat)] = served.join().unwrap();
    assert_eq!(refused.1, alert);
    assert!(head.starts_with("POST /api/alert HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains("authorization: key secret-key\r\n"), "{head}");
    assert_eq!(alert["resource"], "host-1");
    assert_eq!(alert["service"], serde_json::json!(["ssh", "pam"]));
    assert_eq!(alert["attributes"]["colour"], "red");
    assert_eq!(alert["attributes"]["rule"], "rules.sec:1");
    assert!(beat.starts_with("POST /api/heartbeat HTTP/1.1\r\n"), "{beat}");
    assert_eq!((&heartbeat["origin"], &heartbeat["timeout"]), (&"backup".into(), &600.into()));
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
    assert!(
        text(&scene.path("log")).contains("cannot reach the hub, trying again: it answered 503")
    );
}

#[test]
fn code_in_perl_can_end_the_program() {
    if Command::new("perl").arg("-e1").status().is_err() {
        eprintln!("skipped: perl is not installed");
        return;
    }
    let scene = Scene::new(
        "type=Single\nptype=PerlFunc\npattern=sub { $_[0] =~ /^end (\\d+)/ ? $1 : 0 }\ndesc=it\n\
         action=eval %x exit($1)\n",
    );
    let output = scene.run(&["--perl"], "other\nend 7\nend 8\n");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let refused = scene.run(&["--testonly"], "");
    assert_eq!(refused.status.code(), Some(1));
}
