//! Certificates made by openssl, and handshakes in memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustls::{ClientConnection, ServerConnection};

use super::*;

/// A directory of certificates, made by the openssl program.
struct Made {
    directory: tempfile::TempDir,
}

impl Made {
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    /// A CA (`ca.pem`); None, and a word on it, where there is no openssl.
    fn new() -> Option<Made> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: there is no openssl program");
            return None;
        }
        let made = Made { directory: tempfile::tempdir().unwrap() };
        made.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=Test-CA \
             -keyout ca.key -out ca.pem",
        );
        Some(made)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// `name.pem` and `name.key`, signed by the CA.
    fn sign(&self, name: &str, subject: &str, alternative: &str, days: i32) {
        let extensions = match alternative {
            "" => "basicConstraints=CA:FALSE\n".to_owned(),
            names => format!("basicConstraints=CA:FALSE\nsubjectAltName={names}\n"),
        };
        std::fs::write(self.path("extensions"), extensions).unwrap();
        self.openssl(&format!(
            "req -newkey rsa:2048 -nodes -subj {subject} -keyout {name}.key -out {name}.csr"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} \
             -extfile extensions -out {name}.pem"
        ));
    }

    fn server(&self, name: &str) -> ServerTls {
        ServerTls {
            certificate: self.path(&format!("{name}.pem")),
            key: self.path(&format!("{name}.key")),
            client_ca: None,
            client_certificate: None,
            min_tls: MinVersion::Tls12,
        }
    }

    fn client(&self) -> ClientTls {
        ClientTls { ca: Some(self.path("ca.pem")), ..ClientTls::default() }
    }

    fn names(&self, name: &str) -> PeerNames {
        let chain = pem::certificates(&self.path(&format!("{name}.pem"))).unwrap();
        PeerNames::of(&chain[0])
    }
}

/// Shakes hands; gives the names of the certificate that the client showed.
fn shake(server: &ServerSide, client: &ClientSide, host: &str) -> Result<PeerNames, String> {
    let mut to = ClientConnection::new(client.config(), client.server_name(host).unwrap()).unwrap();
    let mut from = ServerConnection::new(server.config()).unwrap();
    let mut wire = Vec::new();
    while to.is_handshaking() || from.is_handshaking() || to.wants_write() || from.wants_write() {
        wire.clear();
        to.write_tls(&mut wire).unwrap();
        from.read_tls(&mut wire.as_slice()).unwrap();
        let taken =
            from.process_new_packets().map(|_| ()).map_err(|error| format!("server: {error}"));
        wire.clear();
        from.write_tls(&mut wire).unwrap();
        to.read_tls(&mut wire.as_slice()).unwrap();
        to.process_new_packets().map_err(|error| format!("client: {error}"))?;
        taken?;
    }
    Ok(from.peer_certificates().and_then(<[_]>::first).map(PeerNames::of).unwrap_or_default())
}

#[test]
fn servers_are_checked_and_clients_named() {
    let Some(made) = Made::new() else { return };
    made.sign("hub", "/CN=hub", "DNS:hub.example.org,IP:127.0.0.1", 2);
    made.sign("web1", "/CN=other", "DNS:Web1.example.org", 2);
    let plain = made.server("hub").open(&[]).unwrap();
    let anonymous = made.client().open().unwrap();
    assert_eq!(shake(&plain, &anonymous, "hub.example.org"), Ok(PeerNames::default()));
    assert_eq!(shake(&plain, &anonymous, "127.0.0.1"), Ok(PeerNames::default()));
    let refused = shake(&plain, &anonymous, "evil.example.org").unwrap_err();
    assert!(refused.contains("not valid for name"), "{refused}");
    let renamed = ClientTls { server_name: Some("hub.example.org".into()), ..made.client() };
    assert!(shake(&plain, &renamed.open().unwrap(), "10.0.0.1").is_ok());
    let public = ClientTls::default().open().unwrap();
    let refused = shake(&plain, &public, "hub.example.org").unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    let careless = ClientTls { verify: false, ..ClientTls::default() }.open().unwrap();
    assert!(shake(&plain, &careless, "anything").is_ok());
    let pinned = ClientSide::pinned(made.path("hub.pem")).unwrap();
    assert!(shake(&plain, &pinned, "127.0.0.2").is_ok());
    let wrong = ClientSide::pinned(made.path("web1.pem")).unwrap();
    assert!(shake(&plain, &wrong, "127.0.0.2").is_err());

    let asking = ServerTls { client_ca: Some(made.path("ca.pem")), ..made.server("hub") };
    assert_eq!(asking.asks_clients(), ClientCertificate::Required);
    let optional =
        ServerTls { client_certificate: Some(ClientCertificate::Optional), ..asking.clone() };
    let (asking, optional) = (asking.open(&[]).unwrap(), optional.open(&[]).unwrap());
    let refused = shake(&asking, &anonymous, "127.0.0.1").unwrap_err();
    assert!(
        refused.contains("no certificates") || refused.contains("CertificateRequired"),
        "{refused}"
    );
    assert!(shake(&optional, &anonymous, "127.0.0.1").is_ok());
    let web1 = ClientTls {
        certificate: Some(made.path("web1.pem")),
        key: Some(made.path("web1.key")),
        ..made.client()
    };
    let names = shake(&asking, &web1.open().unwrap(), "127.0.0.1").unwrap();
    assert_eq!(names.first().as_deref(), Some("web1.example.org"));
}

#[test]
fn names_are_those_of_the_extension_before_the_subject() {
    let Some(made) = Made::new() else { return };
    for (subject, alternative, first, has, lacks) in [
        ("/CN=WEB1.Example.org", "", Some("web1.example.org"), "Web1.example.org", "example.org"),
        ("/CN=a", "DNS:b,DNS:c", Some("b"), "C", "a"),
        ("/CN=a", "IP:192.0.2.7", Some("192.0.2.7"), "::ffff:192.0.2.7", "a"),
        ("/CN=a", "IP:2001:db8::1", Some("2001:db8::1"), "2001:0db8::1", "192.0.2.7"),
        ("/CN=*.example.org", "", None, "", "web.example.org"),
        ("/CN=a", "DNS:*.example.net", None, "", "a"),
        ("/CN=a", "email:root@example.org", Some("a"), "a", "root@example.org"),
    ] {
        made.sign("peer", subject, alternative, 2);
        let names = made.names("peer");
        assert_eq!(names.first().as_deref(), first, "{subject} {alternative}");
        assert!(has.is_empty() || names.has(has), "{names:?} {has}");
        assert!(!names.has(lacks), "{names:?} {lacks}");
    }
}

#[test]
fn keys_of_every_form_are_read_and_mistakes_name_the_file() {
    let Some(made) = Made::new() else { return };
    made.sign("hub", "/CN=hub", "DNS:hub", 2);
    made.sign("old", "/CN=old", "DNS:old", 0);
    made.openssl("rsa -in hub.key -traditional -out pkcs1.key");
    made.openssl("pkey -in hub.key -aes256 -passout pass:x -out locked.key");
    made.openssl("ec -in ca.key -out sec1.key");
    let read = |name: &str| std::fs::read_to_string(made.path(name)).unwrap();
    assert!(read("hub.key").contains("BEGIN PRIVATE KEY"));
    assert!(read("pkcs1.key").contains("BEGIN RSA PRIVATE KEY"));
    assert!(read("sec1.key").contains("BEGIN EC PRIVATE KEY"));
    std::fs::write(made.path("chain.pem"), read("hub.pem") + &read("ca.pem")).unwrap();
    std::fs::write(made.path("empty.pem"), "").unwrap();
    std::fs::write(made.path("damaged.pem"), read("hub.pem").replacen('M', "A", 1)).unwrap();
    let with = |certificate: &str, key: &str| ServerTls {
        certificate: made.path(certificate),
        key: made.path(key),
        ..made.server("hub")
    };
    for (certificate, key) in [("chain.pem", "pkcs1.key"), ("ca.pem", "sec1.key")] {
        assert_eq!(with(certificate, key).open(&[]).unwrap().problem().map(|_| ()), Some(()));
    }
    let expired = made.server("old").open(&[]).unwrap().problem().unwrap();
    assert!(expired.contains("old.pem has expired") || expired.contains("expires within"));
    for (files, parts) in [
        (with("absent.pem", "hub.key"), ["absent.pem", "No such file"]),
        (with("empty.pem", "hub.key"), ["empty.pem", "no certificate in it"]),
        (with("hub.key", "hub.key"), ["hub.key", "no certificate in it"]),
        (with("damaged.pem", "hub.key"), ["damaged.pem", "damaged"]),
        (with("hub.pem", "hub.pem"), ["hub.pem", "no private key in it"]),
        (with("hub.pem", "locked.key"), ["locked.key", "encrypted"]),
        (with("hub.pem", "old.key"), ["old.key", "not the key of the certificate"]),
        (
            ServerTls {
                client_certificate: Some(ClientCertificate::Required),
                ..made.server("hub")
            },
            ["`client_certificate`", "`client_ca`"],
        ),
        (
            ServerTls {
                client_certificate: Some(ClientCertificate::None),
                client_ca: Some(made.path("ca.pem")),
                ..made.server("hub")
            },
            ["ca.pem", "no effect"],
        ),
    ] {
        let error = files.open(&[]).err().expect(parts[1]).to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    let half = ClientTls { key: Some(made.path("hub.key")), ..ClientTls::default() };
    assert!(half.open().err().unwrap().to_string().contains("needs `certificate` too"));
}

#[test]
fn renewed_files_count_and_bad_ones_do_not() {
    let Some(made) = Made::new() else { return };
    made.sign("hub", "/CN=hub", "DNS:first", 30);
    let server = made.server("hub").open(&[]).unwrap();
    let client = made.client().open().unwrap();
    assert!(shake(&server, &client, "first").is_ok());
    assert_eq!(server.problem(), None);
    let copy = |from: &str, to: &Path| std::fs::copy(made.path(from), to).unwrap();
    made.sign("new", "/CN=hub", "DNS:second", 30);
    copy("new.pem", &made.path("hub.pem"));
    server.look_now();
    assert!(server.problem().unwrap().contains("not the key"));
    assert!(shake(&server, &client, "first").is_ok(), "what runs stays");
    copy("new.key", &made.path("hub.key"));
    server.look_now();
    assert_eq!(server.problem(), None);
    assert!(shake(&server, &client, "second").is_ok());
}
