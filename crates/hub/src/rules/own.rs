//! What people change in the console: files of their own rules, written whole or not at all, and
//! which rules are switched off.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use bergfried_control::{Control, ControlError};

/// Where the ids of rules that are switched off are kept, as a JSON list.
const OFF: &str = "rules.off";

/// The ids of the rules that are switched off.
///
/// # Errors
/// Where the control store cannot be read.
pub(crate) fn rules_off(control: &Control) -> Result<BTreeSet<String>, ControlError> {
    let Some(text) = control.setting(OFF)? else { return Ok(BTreeSet::new()) };
    Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::error!(%error, "cannot read which rules are switched off, all of them run");
        BTreeSet::new()
    }))
}

/// Makes durable which rules are switched off.
///
/// # Errors
/// Where there are too many, or the control store cannot be written.
pub(crate) fn keep_rules_off(
    control: &Control,
    off: &BTreeSet<String>,
) -> Result<(), ControlError> {
    // A list of texts is always JSON.
    control.set_setting(OFF, &serde_json::to_string(off).unwrap_or_default())
}

/// Puts the text in place of the file, durably; no text takes the file away.
///
/// # Errors
/// Where the directory cannot be written; then the file is as it was.
pub(crate) fn write(path: &Path, text: Option<&str>) -> io::Result<()> {
    match text {
        None => fs::remove_file(path)?,
        Some(text) => {
            // Hidden, so that it is never taken for a rule file.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let temporary = path.with_file_name(format!(".{name}.tmp"));
            let mut options = OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, path)?;
        }
    }
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_replaced_and_taken_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("r.yml");
        for text in ["title: a\n", "title: b\n"] {
            write(&path, Some(text)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
        write(&path, None).unwrap();
        assert!(!path.exists());
        assert!(write(&path, None).is_err());
    }

    #[test]
    fn what_is_switched_off_stays_so() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.sqlite")).unwrap();
        assert!(rules_off(&control).unwrap().is_empty());
        let off = BTreeSet::from(["a".to_owned(), "b\"c".to_owned()]);
        keep_rules_off(&control, &off).unwrap();
        assert_eq!(rules_off(&control).unwrap(), off);
        let many = (0..10_000).map(|number| number.to_string().repeat(4)).collect();
        assert!(keep_rules_off(&control, &many).is_err());
        assert_eq!(rules_off(&control).unwrap(), off);
    }
}
