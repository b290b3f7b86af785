//! The `alerta` command manages keys, users, groups, permissions and customers, and logs people in.

use serde_json::json;

use super::accounts::start;
use super::client::Client;
use crate::support::hub::Hub;
use crate::support::process::run_with;

#[test]
fn people_log_in_with_the_command_line_client() {
    let directory = tempfile::tempdir().unwrap();
    let hub = start(&directory.path().join("data"), &json!({"AUTH_REQUIRED": true}), &[]);
    let Some(client) = Client::of(&hub) else { return };
    let run = |arguments: &[&str], input: &str| {
        // In a session without a terminal the password is read from the standard input.
        let mut command = client.command("setsid");
        command.env_remove("ALERTA_API_KEY").arg("--wait").arg(client.program()).args(arguments);
        run_with(command, input.as_bytes())
    };
    let ok = |arguments: &[&str], input: &str| {
        let done = run(arguments, input);
        assert_eq!(done.code, Some(0), "{arguments:?}: {}{}", done.out, done.err);
        done.out
    };
    let (name, password) = ("ann@example.org", "pass:word 1");
    let signed = ok(&["signup", "--name", "Ann", "--email", name, "--password", password], "");
    assert!(signed.contains("Signed Up."), "{signed}");
    assert_ne!(run(&["login", name], "wrong\n").code, Some(0));
    assert_ne!(run(&["whoami"], "").code, Some(0));
    assert!(ok(&["login", name], &format!("{password}\n")).contains("Logged in as ann@"));
    assert_eq!(ok(&["whoami"], "").trim(), name);
    assert!(ok(&["whoami", "--show-userinfo"], "").contains("read write"));
    assert_eq!(ok(&["token"], "").trim().split('.').count(), 3);
    assert!(ok(&["token", "--decode"], "").contains("preferred_username"));
    assert_eq!(ok(&["me", "--text", "at night"], "").trim().len(), 36);
    ok(&["query"], "");
    assert!(!run(&["users"], "").out.contains("ann"), "a user is no administrator");
    assert!(client.ok(&["users"]).contains("at night"));
    assert!(ok(&["logout"], "").contains("removed"));
    assert_ne!(run(&["whoami"], "").code, Some(0));
}

#[test]
fn the_command_line_client_manages_accounts() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let Some(client) = Client::of(&hub) else { return };
    let made = client.ok(&["key", "--username", "ann", "--scope", "read", "--text", "hers"]);
    assert_eq!(made.trim().len(), 40, "{made}");
    let keys = client.ok(&["keys"]);
    assert!(keys.contains("ann") && !keys.contains(made.trim()), "{keys}");
    let user = client.ok(&[
        "user",
        "--name",
        "Bob",
        "--email",
        "bob@example.org",
        "--password",
        "pa:ss phrase",
        "--role",
        "user",
    ]);
    let user = user.trim();
    assert!(client.ok(&["users"]).contains("bob@example.org"));
    client.ok(&["user", "--id", user, "--text", "changed"]);
    let users = client.ok(&["users"]);
    assert!(users.contains("changed") && users.contains("user"), "{users}");
    let group = client.ok(&["group", "--name", "Ops", "--text", "they operate"]);
    let group = group.trim();
    client.ok(&["group", "--id", group, "--user", user]);
    assert!(client.ok(&["group", "--id", group, "--users"]).contains("bob@example.org"));
    assert!(client.ok(&["user", "--id", user, "--groups"]).contains("Ops"));
    assert!(client.ok(&["groups"]).contains("they operate"));
    client.ok(&["group", "--id", group, "--delete", user]);
    let perm = client.ok(&["perm", "--role", "ops", "--scope", "admin:alerts"]);
    assert!(client.ok(&["perms"]).contains("admin:alerts"));
    client.ok(&["perm", "--delete", perm.trim()]);
    let customer = client.ok(&["customer", "--customer", "Foo", "--domain", "foo.com"]);
    assert!(client.ok(&["customers"]).contains("foo.com"));
    client.ok(&["customer", "--delete", customer.trim()]);
    assert!(client.ok(&["scopes"]).contains("admin:keys"));
    assert!(client.ok(&["status"]).contains("alerts.total"));
    assert!(client.ok(&["config"]).contains("auth_required"));
    assert!(client.ok(&["uptime"]).contains(" up 0 days"));
    assert!(client.ok(&["version"]).contains("alerta client 8.5.3"));
    assert!(client.ok(&["help"]).contains("housekeeping"));
    client.ok(&["housekeeping"]);
    client.ok(&["group", "--delete", group]);
    client.ok(&["user", "--delete", user]);
    client.ok(&["revoke", "--api-key", made.trim()]);
    assert!(!client.ok(&["keys"]).contains("ann"));
}
