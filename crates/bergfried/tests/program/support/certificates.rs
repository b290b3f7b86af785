//! Certificates that the openssl program makes.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Certificates {
    directory: PathBuf,
}

impl Certificates {
    /// A CA in this directory (`ca.pem`); None where there is no openssl.
    pub(crate) fn make(directory: &Path) -> Option<Certificates> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: there is no openssl program");
            return None;
        }
        let made = Certificates { directory: directory.to_owned() };
        made.openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Test-CA -keyout ca.key -out ca.pem",
        );
        Some(made)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }

    /// `name.pem` and `name.key`, signed by the CA for these names (`DNS:…`, `IP:…`).
    pub(crate) fn sign(&self, name: &str, names: &str) {
        let extensions = format!("basicConstraints=CA:FALSE\nsubjectAltName={names}\n");
        std::fs::write(self.directory.join("extensions"), extensions).unwrap();
        self.openssl(&format!(
            "req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
             -extfile extensions -out {name}.pem"
        ));
    }

    fn openssl(&self, arguments: &str) {
        let mut command = Command::new("openssl");
        command.args(arguments.split_whitespace()).current_dir(&self.directory);
        let done = command.output().unwrap();
        assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
    }
}
