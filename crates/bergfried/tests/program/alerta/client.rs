//! The real `alerta` command and its Python SDK, unmodified.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::Api;
use crate::support::hub::Hub;
use crate::support::process::{Done, run_with};
use crate::support::python::python;

/// The `alerta` command from PyPI, with a home directory of its own.
pub(crate) struct Client {
    python: PathBuf,
    home: tempfile::TempDir,
    endpoint: String,
    key: String,
}

impl Client {
    /// Told of the hub; None, with a word why, where it cannot be had.
    pub(crate) fn of(hub: &Hub) -> Option<Client> {
        let python = python("alerta")?;
        let endpoint = format!("{}/api", hub.url);
        Some(Client { python, home: tempfile::tempdir().unwrap(), endpoint, key: hub.key() })
    }

    /// The program `alerta`.
    pub(crate) fn program(&self) -> PathBuf {
        self.python.with_file_name("alerta")
    }

    /// A command with the client's environment. TERM and PS1 are not in it: with one of them the
    /// client reads alerts from its standard input and sends nothing that is named by options.
    pub(crate) fn command(&self, program: impl Into<PathBuf>) -> Command {
        let mut command = Command::new(program.into());
        command.env_clear().env("HOME", self.home.path()).env("LANG", "C.UTF-8");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("ALERTA_ENDPOINT", &self.endpoint).env("ALERTA_API_KEY", &self.key);
        command
    }

    /// Runs `alerta` with these arguments to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        let mut command = self.command(self.program());
        command.args(arguments);
        run_with(command, b"")
    }

    /// As [`Client::run`], which must succeed; what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {}{}", done.out, done.err);
        done.out
    }

    /// Runs Python code that has `client`, an `alertaclient.api.Client`; what it prints as JSON.
    pub(crate) fn python(&self, code: &str) -> Value {
        let whole = format!(
            "import json, os\nfrom alertaclient.api import Client\n\
             client = Client(key=os.environ['ALERTA_API_KEY'])\n{code}"
        );
        let mut command = self.command(&self.python);
        command.args(["-c", &whole]);
        let done = run_with(command, b"");
        assert_eq!(done.code, Some(0), "{code}: {}{}", done.out, done.err);
        serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("no JSON: {}", done.out))
    }
}

/// The first word of a line: the id that `alerta send` prints.
pub(crate) fn id_of(line: &str) -> String {
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn alerta_sends_alerts() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let Some(client) = Client::of(&hub) else { return };
    let api = Api::of(&hub);
    let raw = directory.path().join("raw.txt");
    std::fs::write(&raw, "line one\nline two").unwrap();
    let raw = format!("@{}", raw.display());
    #[rustfmt::skip]
    let everything = [
        "send", "-r", "web1", "-e", "NodeDown", "-E", "Production", "-s", "major",
        "-C", "NodeUp", "-C", "NodeSlow", "-S", "Web", "-S", "Shop", "-g", "Network", "-v", "99",
        "-t", "it does not answer", "-T", "dc1", "-T", "rack=3", "-A", "region=EU", "-A", "empty",
        "-O", "probe/host", "--type", "probeAlert", "--timeout", "600", "--raw-data", &raw,
    ];
    let sent = client.ok(&everything);
    assert!(sent.ends_with("(indeterminate -> major)\n"), "{sent}");
    let id = id_of(&sent);
    let alert = api.get(&format!("/alert/{id}"))["alert"].clone();
    for (name, value) in [
        ("correlate", json!(["NodeUp", "NodeSlow", "NodeDown"])),
        ("service", json!(["Web", "Shop"])),
        ("group", json!("Network")),
        ("value", json!("99")),
        ("tags", json!(["dc1", "rack=3"])),
        ("attributes", json!({"region": "EU", "ip": "127.0.0.1"})),
        ("origin", json!("probe/host")),
        ("type", json!("probeAlert")),
        ("timeout", json!(600)),
        ("rawData", json!("line one\nline two")),
    ] {
        assert_eq!(alert[name], value, "{name}");
    }
    assert_eq!(client.ok(&everything), format!("{id} (1 duplicates)\n"));
    let up = client.ok(&["send", "-r", "web1", "-e", "NodeUp", "-E", "Production", "-s", "ok"]);
    assert_eq!(up, format!("{id} (major -> ok)\n"));

    // The commands of a home lab, whose severity is an alias.
    let login = client.ok(&[
        "send",
        "--service",
        "sshd",
        "--resource",
        "nas",
        "--environment",
        "Homelab",
        "--event",
        "Accepted publickey for user ada in host nas from 192.0.2.7",
        "--correlate",
        "SEC",
        "--severity",
        "information",
        "--text",
        "'Nov 21 01:40:17 nas sshd[1]: Accepted'",
    ]);
    assert!(login.ends_with("(indeterminate -> informational)\n"), "{login}");
    let alert = api.get(&format!("/alert/{}", id_of(&login)))["alert"].clone();
    assert_eq!(alert["correlate"][0], "SEC");

    let done = client.run(&["send", "-r", "web1", "-e", "E", "-s", "baz"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.err.starts_with("ERROR: ") && done.err.contains("critical"), "{done:?}");
    let done = client.run(&["send", "-r", "web1"]);
    assert!(done.code == Some(1) && done.err.contains("`event`"), "{done:?}");
    // With a terminal the client reads its standard input instead.
    let mut command = client.command(client.program());
    command.arg("send").env("TERM", "dumb");
    let lines =
        "{\"resource\": \"a\", \"event\": \"E\"}\n{\"resource\": \"b\", \"event\": \"E\"}\n";
    let done = run_with(command, lines.as_bytes());
    assert_eq!((done.code, done.out.lines().count()), (Some(0), 2), "{done:?}");
}

#[test]
fn the_sdk_works() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let Some(client) = Client::of(&hub) else { return };
    let seen = client.python(
        "
id, alert, message = client.send_alert('web1', 'Down', environment='Production', severity='major',
    service=['Web'], tags=['dc1'], group='Servers', attributes={'a': {'b': 1}})
seen = {'sent': [alert.id == id, alert.severity, alert.repeat, message]}
one = client.get_alert(id)
seen['one'] = [one.resource, one.attributes['a'], len(one.history), one.create_time is not None]
seen['set_status'] = client.set_status(id, 'ack', 'mine', timeout=60)['status']
seen['action'] = client.action(id, 'unack')['status']
client.tag_alert(id, ['x']), client.untag_alert(id, ['dc1'])
client.update_attributes(id, {'owner': 'Ada', 'a': None})
one = client.get_alert(id)
seen['changed'] = [one.status, one.tags, sorted(one.attributes)]
seen['search'] = [len(client.search([('environment', 'Production')])), len(client.get_alerts())]
seen['history'] = sorted(h.change_type for h in client.get_history())
seen['count'] = client.get_count([('status', 'open')])
seen['top'] = [[row['event'] for row in top()] for top in
    (client.get_top10_count, client.get_top10_flapping, client.get_top10_standing)]
seen['environments'] = [row['environment'] for row in client.get_environments()]
seen['services'] = [row['service'] for row in client.get_services()]
seen['groups'] = [row['group'] for row in client.get_groups()]
seen['tags'] = [row['tag'] for row in client.get_tags()]
note = client.alert_note(id, 'first')
changed = client.update_alert_note(id, note.id, 'second')
notes = client.get_alert_notes(id)
seen['notes'] = [note.text, changed.text, [n.text for n in notes], notes[0].alert == id]
client.delete_alert_note(id, note.id)
try:
    client.action(id, 'open')
except Exception as error:
    seen['conflict'] = type(error).__name__
client.delete_alert(id)
try:
    client.get_alert(id)
except Exception as error:
    seen['gone'] = str(error)
print(json.dumps(seen))
",
    );
    assert_eq!(
        seen,
        json!({
            "sent": [true, "major", false, null],
            "one": ["web1", {"b": 1}, 1, true],
            "set_status": "ok",
            "action": "ok",
            "changed": ["open", ["x"], ["ip", "owner"]],
            "search": [1, 1],
            "history": ["new", "status", "unack"],
            "count": [1, {"major": 1}, {"open": 1}],
            "top": [["Down"], [], ["Down"]],
            "environments": ["Production"],
            "services": ["Web"],
            "groups": ["Servers"],
            "tags": ["x"],
            "notes": ["first", "second", ["second"], true],
            "conflict": "UnknownError",
            "gone": "not found",
        })
    );
}
