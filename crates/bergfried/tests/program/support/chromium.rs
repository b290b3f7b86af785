//! Chromium without a window, steered over its debugging pipe (the Chrome DevTools Protocol).

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::process::Process;
use super::{PATIENCE, wait_until};

pub(crate) struct Chromium {
    to: File,
    from: Receiver<Value>,
    session: Value,
    asked: u64,
    /// Exceptions and errors that the page's console showed.
    pub(crate) complaints: Vec<Value>,
    _process: Process,
}

impl Chromium {
    /// Opens the page; None where there is no Chromium.
    pub(crate) fn open(url: &str, directory: &Path) -> Option<Chromium> {
        let program =
            ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
                Command::new(name).arg("--version").output().is_ok_and(|done| done.status.success())
            })?;
        let (to, from) = (directory.join("to"), directory.join("from"));
        assert!(Command::new("mkfifo").arg(&to).arg(&from).status().unwrap().success());
        let mut command = Command::new("sh");
        command.args(["-c", "exec 3<\"$0\" 4>\"$1\"; shift; exec \"$@\""]).arg(&to).arg(&from);
        command.arg(program).args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1400,1000",
            "--remote-debugging-pipe",
        ]);
        command.arg(format!("--user-data-dir={}", directory.join("profile").display()));
        command.env("HOME", directory);
        let process = Process::spawn(&mut command);
        let to = File::options().write(true).open(to).unwrap();
        let from = BufReader::new(File::open(from).unwrap());
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for message in from.split(0).map_while(Result::ok) {
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut chromium = Chromium {
            to,
            from: receiver,
            session: Value::Null,
            asked: 0,
            complaints: Vec::new(),
            _process: process,
        };
        let target = chromium.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        chromium.session = chromium.call("Target.attachToTarget", attach)["sessionId"].clone();
        chromium.call("Runtime.enable", json!({}));
        chromium.call("Log.enable", json!({}));
        chromium.call("Page.navigate", json!({"url": url}));
        chromium.wait("document.readyState === 'complete' && location.href !== 'about:blank'");
        Some(chromium)
    }

    /// What the expression is in the page.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", parameters);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until the expression is true in the page.
    pub(crate) fn wait(&mut self, expression: &str) {
        wait_until(expression, || self.evaluate(expression) == true);
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": parameters});
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let message = self.from.recv_timeout(PATIENCE).unwrap();
            if message["id"] == self.asked {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            let entry = &message["params"]["entry"];
            if message["method"] == "Runtime.exceptionThrown" || entry["level"] == "error" {
                self.complaints.push(message);
            }
        }
    }
}
