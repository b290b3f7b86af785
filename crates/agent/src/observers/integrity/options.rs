//! What of a host's files is watched, as a person writes it, with defaults for every Linux.

use std::time::Duration;

use serde::Deserialize;

/// What is watched where nothing else is said: what decides who may log in, what runs and what is
/// trusted. `~` stands for every home.
const PATHS: &[&str] = &[
    "/etc",
    "/boot",
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/share/ca-certificates",
    "/usr/lib/systemd/system",
    "/usr/lib/systemd/system-generators",
    "/usr/lib/systemd/user",
    "/usr/lib/security",
    "/usr/lib64/security",
    "/usr/lib/*/security",
    "/var/spool/cron",
    "/var/spool/at",
    "~/.ssh",
    "~/.bashrc",
    "~/.bash_login",
    "~/.bash_logout",
    "~/.bash_profile",
    "~/.profile",
    "~/.zlogin",
    "~/.zprofile",
    "~/.zshenv",
    "~/.zshrc",
    "~/.config/autostart",
    "~/.config/fish/config.fish",
    "~/.config/systemd/user",
];

/// What changes by itself or lies beside a file only while it is edited.
const EXCLUDE: &[&str] = &[
    "/etc/.pwd.lock",
    "/etc/adjtime",
    "/etc/blkid.tab",
    "/etc/cups/subscriptions.conf",
    "/etc/cups/subscriptions.conf.O",
    "/etc/lvm/archive",
    "/etc/lvm/backup",
    "/etc/lvm/cache",
    "/etc/mtab",
    "/etc/resolv.conf.*",
    "/var/spool/at/spool",
    "/var/spool/cron/atspool",
    "*.dpkg-new",
    "*.dpkg-tmp",
    "*.swp",
    "*.swpx",
    "*.swx",
    ".#*",
    ".goutputstream-*",
];

/// Files whose contents are never read into a difference. Others are told by what is in them.
const SECRETS: &[&str] = &[
    "/etc/NetworkManager/system-connections",
    "/etc/exim4/passwd.client",
    "/etc/grub.d/*password*",
    "/etc/gshadow*",
    "/etc/ipsec.secrets*",
    "/etc/krb5.keytab",
    "/etc/mysql/debian.cnf",
    "/etc/openvpn",
    "/etc/ppp",
    "/etc/security/opasswd*",
    "/etc/shadow*",
    "/etc/ssl/private",
    "/etc/wireguard",
    "*.htpasswd",
    "*.jks",
    "*.kdbx",
    "*.key",
    "*.keytab",
    "*.ovpn",
    "*.p12",
    "*.pem",
    "*.pfx",
    "*credential*",
    "*passwd.*",
    "*secret*",
    "*shadow*",
    "*token*",
    ".env",
    ".google_authenticator",
    ".htpasswd",
    ".my.cnf",
    ".netrc",
    ".pgpass",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_rsa",
    "sasl_passwd",
    "ssh_host_*_key",
    "wpa_supplicant*.conf",
];

/// The table `integrity` of the configuration. Every key may be left out.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IntegrityTable {
    /// Whether files are watched; where absent, unless files were named on the command line.
    pub(crate) enabled: Option<bool>,
    /// Paths and globs, each with all that is below; in place of the usual ones.
    pub(crate) paths: Vec<String>,
    /// What is left out; in place of the usual. A pattern without a slash is one of names.
    pub(crate) exclude: Vec<String>,
    /// Files whose contents are never shown, beside the usual ones.
    pub(crate) secrets: Vec<String>,
    /// How often everything is read and hashed again, in seconds; 0 is never.
    pub(crate) sweep_seconds: u64,
    /// The most bytes that are read in a second.
    pub(crate) bytes_per_second: u64,
    /// Of larger files only the first and the last MiB are hashed.
    pub(crate) max_file_size: u64,
    /// Of larger files no difference is shown; 0 shows none at all.
    pub(crate) diff_max_size: u64,
    /// The most files and directories that are remembered.
    pub(crate) max_files: usize,
}

impl Default for IntegrityTable {
    fn default() -> Self {
        let all = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        IntegrityTable {
            enabled: None,
            paths: all(PATHS),
            exclude: all(EXCLUDE),
            secrets: Vec::new(),
            sweep_seconds: 6 * 60 * 60,
            bytes_per_second: 16 << 20,
            max_file_size: 64 << 20,
            diff_max_size: 64 << 10,
            max_files: 100_000,
        }
    }
}

/// What of this host's files is watched; made from the table `integrity` of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Integrity {
    pub(super) paths: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) secrets: Vec<String>,
    pub(super) sweep: Option<Duration>,
    pub(super) bytes_per_second: u64,
    pub(super) max_file_size: u64,
    pub(super) diff_max_size: u64,
    pub(super) max_files: usize,
}

impl IntegrityTable {
    /// The options, `None` where files are not watched; what can never work is said.
    pub(crate) fn into_options(self, usually: bool) -> Result<Option<Integrity>, String> {
        if !self.enabled.unwrap_or(usually) {
            return Ok(None);
        }
        let secrets = SECRETS.iter().map(|one| (*one).to_owned()).chain(self.secrets).collect();
        let options = Integrity {
            paths: self.paths,
            exclude: self.exclude,
            secrets,
            sweep: (self.sweep_seconds > 0).then(|| Duration::from_secs(self.sweep_seconds)),
            bytes_per_second: self.bytes_per_second,
            max_file_size: self.max_file_size,
            diff_max_size: self.diff_max_size,
            max_files: self.max_files,
        };
        let is_anchored = |path: &&String| path.starts_with('/') || path.starts_with("~/");
        if let Some(path) = options.paths.iter().find(|path| !is_anchored(path)) {
            let path = path.escape_debug();
            return Err(format!("integrity.paths has `{path}`, expected / or ~/ at the start"));
        }
        if options.paths.iter().any(|path| path.trim_matches('/').is_empty()) {
            return Err("integrity.paths has `/`, expected what is to be watched of it".to_owned());
        }
        for pattern in options.paths.iter().chain(&options.exclude).chain(&options.secrets) {
            if let Err(error) = glob::Pattern::new(pattern) {
                return Err(format!("integrity has `{}`: {}", pattern.escape_debug(), error.msg));
            }
        }
        if self.sweep_seconds > 0 && self.sweep_seconds < 60 {
            return Err("integrity.sweep_seconds must be 0 or at least 60".to_owned());
        }
        if options.bytes_per_second < 64 << 10 {
            return Err("integrity.bytes_per_second must be at least 65536".to_owned());
        }
        if options.diff_max_size > 1 << 20 {
            return Err("integrity.diff_max_size must be at most 1048576".to_owned());
        }
        if options.max_file_size < 4 << 20 {
            return Err("integrity.max_file_size must be at least 4194304".to_owned());
        }
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::scope::{Patterns, Place, Scope};
    use super::*;

    #[test]
    fn what_can_never_work_is_said() {
        let refused = |text: &str| {
            toml::from_str::<IntegrityTable>(text).unwrap().into_options(true).unwrap_err()
        };
        for (text, part) in [
            ("paths = ['etc']", "`etc`, expected / or ~/"),
            ("paths = ['/etc', '//']", "`/`"),
            ("exclude = ['a**']", "`a**`"),
            ("sweep_seconds = 5", "sweep_seconds"),
            ("bytes_per_second = 5", "bytes_per_second"),
            ("diff_max_size = 5_000_000", "diff_max_size"),
            ("max_file_size = 1", "max_file_size"),
        ] {
            assert!(refused(text).contains(part), "{}", refused(text));
        }
        assert!(toml::from_str::<IntegrityTable>("path = []").is_err());
    }

    #[test]
    fn it_is_on_unless_something_else_was_asked_for() {
        for (text, usually, on) in [
            ("", true, true),
            ("", false, false),
            ("enabled = true", false, true),
            ("enabled = false", true, false),
        ] {
            let table: IntegrityTable = toml::from_str(text).unwrap();
            assert_eq!(table.into_options(usually).unwrap().is_some(), on, "{text} {usually}");
        }
    }

    #[test]
    fn the_defaults_watch_what_they_should() {
        let options = IntegrityTable::default().into_options(true).unwrap().unwrap();
        let homes = ["/no-such/eve".to_owned()];
        let scope = Scope::new(&options.paths, &options.exclude, &homes);
        let secrets = Patterns::new(&options.secrets, &homes);
        for (path, is_watched, is_secret) in [
            ("/etc/passwd", true, false),
            ("/etc/shadow-", true, true),
            ("/etc/ld.so.preload", true, false),
            ("/etc/pam.d/common-password", true, false),
            ("/etc/cron.d/.hidden", true, false),
            ("/etc/.passwd.swp", false, true),
            ("/etc/mtab", false, false),
            ("/etc/resolv.conf", true, false),
            ("/etc/resolv.conf.dhclient-new", false, false),
            ("/etc/ssl/private/site.crt", true, true),
            ("/etc/ssl/certs/site.pem", true, true),
            ("/usr/lib/arch/security/pam_unix.so", true, false),
            ("/usr/share/doc/x", false, false),
            ("/no-such/eve/.ssh/authorized_keys", true, false),
            ("/no-such/eve/.ssh/id_ed25519", true, true),
            ("/no-such/eve/.ssh/id_ed25519.pub", true, false),
            ("/no-such/eve/.bashrc", true, false),
            ("/no-such/eve/.bash_history", false, false),
        ] {
            let found =
                (scope.place(Path::new(path)) == Place::Covered, secrets.cover(Path::new(path)));
            assert_eq!(found, (is_watched, is_secret), "{path}");
        }
    }
}
