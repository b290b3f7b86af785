//! The same requests to Alerta's own server, as it comes from PyPI, and to the hub.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::hub::Hub;
use crate::support::process::run_with;
use crate::support::python::python;

#[test]
fn the_hub_answers_as_alertas_own_server() {
    let Some(python) = python("alertaserver") else { return };
    let directory = tempfile::tempdir().unwrap();
    let settings = directory.path().join("alerta.json");
    let config = json!({
        "AUTH_REQUIRED": true, "ALLOWED_ENVIRONMENTS": ["Production", "Development", "Homelab"],
    });
    std::fs::write(&settings, config.to_string()).unwrap();
    let data = directory.path().join("data");
    let mut command = Hub::command(&data);
    command.arg("--alerta-config").arg(settings);
    let hub = Hub::run(command, &data);
    let mut command = Command::new(python);
    let clients = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients");
    command.arg(format!("{clients}/alerta_differential.py"));
    command.env("BERGFRIED_API", format!("{}/api", hub.url)).env("BERGFRIED_KEY", hub.key());
    let done = run_with(command, b"");
    if done.code == Some(77) {
        eprintln!("skipped: {}", done.err.trim());
        return;
    }
    assert_eq!(done.code, Some(0), "{}", done.err);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert!(told["asked"].as_u64().unwrap() > 100, "{told}");
    assert_eq!(told["differences"], json!([]), "{told:#}");
}
