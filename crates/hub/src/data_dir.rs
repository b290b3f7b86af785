//! The data directory: who may read it, where the secrets lie, and that only one hub uses it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bergfried_control::{Control, ControlError, Secret, Seeded, TokenKind};
use bergfried_event::Timestamp;

use crate::running::HubError;

/// What a hub keeps in its data directory, besides the control database and its side files.
const OURS: [&str; 10] = [
    "lock",
    "events",
    "agent",
    "agent.token",
    "admin.key",
    "hub.url",
    "outputs",
    "rules",
    "rules.state",
    "rules.tmp",
];

/// How the tokens are called that nobody asked for by a name; so it names no sender.
pub(crate) const FIRST_START: &str = "made at the first start";

/// How those are called that the administrator gave.
pub(crate) const GIVEN: &str = "given at start";

/// A data directory, held by this process.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock for as long as it lives.
    _lock: Option<File>,
}

/// What the first start of a hub made, for people to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstStart {
    /// The file that holds the new admin key.
    pub admin_key: Option<PathBuf>,
    /// The file that holds the new agent token.
    pub agent_token: Option<PathBuf>,
}

/// How to reach the hub of a data directory, from its own machine.
#[derive(Clone, Debug)]
pub struct HubAddress {
    /// Its URL.
    pub url: String,
    /// Its admin key, where the file is there and readable.
    pub key: Option<Secret>,
}

impl DataDir {
    /// Makes the directory (mode 0700) where it is absent, and takes its lock.
    ///
    /// # Errors
    /// Where the directory cannot be made or another hub holds it.
    pub fn hold(path: &Path) -> Result<DataDir, HubError> {
        let failed = |error: io::Error| HubError::DataDir { path: path.to_owned(), error };
        if !path.exists() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        }
        let lock = private(&path.join("lock"), false).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HubError::Held(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        close(path).map_err(failed)?;
        for name in ["events", "rules"] {
            let directory = path.join(name);
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(&directory).map_err(failed)?;
            std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700))
                .map_err(failed)?;
        }
        Ok(DataDir { path: path.to_owned(), _lock: Some(lock) })
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The events.
    pub fn events(&self) -> PathBuf {
        self.path.join("events")
    }

    /// The control database.
    pub fn control(&self) -> PathBuf {
        self.path.join("control.sqlite")
    }

    /// The rules that people write in the console.
    pub fn rules(&self) -> PathBuf {
        self.path.join("rules")
    }

    /// What the rules remember, as of some moment.
    pub fn remembered(&self) -> PathBuf {
        self.path.join("rules.state")
    }

    /// How far each output has come.
    pub(crate) fn outputs(&self) -> PathBuf {
        self.path.join("outputs")
    }

    /// The state of the agent that runs in the hub's own process.
    pub fn agent(&self) -> PathBuf {
        self.path.join("agent")
    }

    /// The file with the agent token.
    pub fn agent_token(&self) -> PathBuf {
        self.path.join("agent.token")
    }

    /// Makes the secrets that are missing; says which are new.
    ///
    /// A key given by the administrator counts as the admin key, so that none is made beside it.
    pub(crate) fn first_start(
        &self,
        control: &Control,
        given: Option<&Secret>,
        now: Timestamp,
    ) -> Result<FirstStart, HubError> {
        let mut first = FirstStart::default();
        if let Some(key) = given {
            if take_given(control, TokenKind::Admin, key, now)? == Seeded::Revoked {
                return Err(HubError::RevokedKey);
            }
            self.keep("admin.key", key)?;
        } else {
            first.admin_key = self.make(control, TokenKind::Admin, "admin.key", now)?;
        }
        first.agent_token = self.make(control, TokenKind::Agent, "agent.token", now)?;
        Ok(first)
    }

    /// Makes a secret unless the directory's file holds one that works.
    fn make(
        &self,
        control: &Control,
        kind: TokenKind,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<PathBuf>, HubError> {
        let path = self.path.join(name);
        if let Ok(secret) = read_secret(&path)
            && control.seed_token(kind, FIRST_START, &secret, now)? != Seeded::Revoked
        {
            return Ok(None);
        }
        let (_, secret) = control.create_token(kind, FIRST_START, now)?;
        self.keep(name, &secret)?;
        Ok(Some(path))
    }

    fn keep(&self, name: &str, secret: &Secret) -> Result<(), HubError> {
        let path = self.path.join(name);
        private(&path, true)
            .and_then(|mut file| {
                writeln!(file, "{}", secret.expose())?;
                file.sync_all()
            })
            .map_err(|error| HubError::DataDir { path, error })
    }

    /// Notes the address on which the hub listens, for commands on the same machine.
    pub(crate) fn note_address(&self, url: &str) -> Result<(), HubError> {
        let path = self.path.join("hub.url");
        private(&path, true)
            .and_then(|mut file| writeln!(file, "{url}"))
            .map_err(|error| HubError::DataDir { path, error })
    }

    /// How to reach the hub that keeps its data at `path`, where it has ever run.
    pub fn address(path: &Path) -> io::Result<HubAddress> {
        let url = std::fs::read_to_string(path.join("hub.url"))?.trim().to_owned();
        Ok(HubAddress { url, key: read_secret(&path.join("admin.key")).ok() })
    }
}

/// Makes a secret work that the administrator gave, in place of the ones given at earlier starts.
pub(crate) fn take_given(
    control: &Control,
    kind: TokenKind,
    secret: &Secret,
    now: Timestamp,
) -> Result<Seeded, ControlError> {
    let earlier = control.list_tokens()?;
    let seeded = control.seed_token(kind, GIVEN, secret, now)?;
    if seeded == Seeded::Created {
        for token in earlier {
            if token.kind == kind && token.name == GIVEN && token.revoked.is_none() {
                control.revoke_token(token.id, now)?;
            }
        }
    }
    Ok(seeded)
}

fn read_secret(path: &Path) -> io::Result<Secret> {
    let text = std::fs::read_to_string(path)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty"));
    }
    Ok(Secret::new(text))
}

/// Closes the directory to others, in case it was made by hand with other rights.
///
/// One that holds other things too, such as /var/lib or that of a Watchtower before, is left as it
/// is: every file and directory of ours in it is private by itself.
fn close(path: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !OURS.contains(&&*name) && !name.starts_with("control.sqlite") {
            tracing::warn!(path = %path.display(), "the data directory holds other files too");
            return Ok(());
        }
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Opens a file that only its owner may read, for writing.
fn private(path: &Path, anew: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(anew).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_made_once_and_private() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("new/data");
        let now = Timestamp::from_seconds(1_700_000_000);
        let dir = DataDir::hold(&path).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        let control = Control::open(&dir.control()).unwrap();
        let first = dir.first_start(&control, None, now).unwrap();
        let (key, token) = (first.admin_key.unwrap(), first.agent_token.unwrap());
        assert_eq!((mode(&key), mode(&token)), (0o600, 0o600));
        let secret = std::fs::read_to_string(&key).unwrap();
        assert!(control.check_token(TokenKind::Admin, secret.trim(), now).unwrap().is_some());
        assert_eq!(dir.first_start(&control, None, now).unwrap(), FirstStart::default());
        assert!(matches!(DataDir::hold(&path), Err(HubError::Held(_))));
    }

    #[test]
    fn a_directory_of_others_stays_open() {
        let base = tempfile::tempdir().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        for (name, foreign, expected) in [("own", false, 0o700), ("shared", true, 0o755)] {
            let path = base.path().join(name);
            std::fs::create_dir(&path).unwrap();
            if foreign {
                std::fs::write(path.join("watchtower.db"), "").unwrap();
            }
            for _ in 0..2 {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
                let dir = DataDir::hold(&path).unwrap();
                // As the hub leaves them.
                for own in ["rules.state", "rules.tmp", "hub.url"] {
                    std::fs::write(path.join(own), "").unwrap();
                }
                let control = Control::open(&dir.control()).unwrap();
                dir.first_start(&control, None, Timestamp::from_seconds(0)).unwrap();
                assert_eq!((mode(&path), mode(&dir.events())), (expected, 0o700), "{name}");
            }
        }
    }

    #[test]
    fn a_given_key_is_the_admin_key() {
        let base = tempfile::tempdir().unwrap();
        let dir = DataDir::hold(base.path()).unwrap();
        let now = Timestamp::from_seconds(1_700_000_000);
        let control = Control::open(&dir.control()).unwrap();
        let given = Secret::new("from-the-environment");
        let first = dir.first_start(&control, Some(&given), now).unwrap();
        assert_eq!(first.admin_key, None);
        let works = |key: &Secret| {
            control.check_token(TokenKind::Admin, key.expose(), now).unwrap().is_some()
        };
        assert!(works(&given));
        let changed = Secret::new("another-one");
        dir.first_start(&control, Some(&changed), now).unwrap();
        assert!(works(&changed) && !works(&given), "a changed key replaces the one before");
        assert!(matches!(dir.first_start(&control, Some(&given), now), Err(HubError::RevokedKey)));
    }
}
