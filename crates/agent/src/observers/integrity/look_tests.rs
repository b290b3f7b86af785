use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::observers::integrity::options::IntegrityTable;
use crate::outbox::outbox;

const ANEW: How = How { anew: true, hurried: false };

fn eye(max_file_size: u64) -> Eye {
    let options = IntegrityTable::default().into_options(true).unwrap().unwrap();
    let secrets = Patterns::new(&options.secrets, &[]);
    let (outbox, inbox) = outbox().unwrap();
    // Its end would stop the looking.
    std::mem::forget(inbox);
    let mut eye = Eye::new(&options, secrets, outbox);
    eye.max_file_size = max_file_size;
    eye
}

fn seen(path: &Path) -> Seen {
    match eye(4 << 20).look(path, None, ANEW).unwrap() {
        Look::Seen(seen) => *seen,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn what_a_path_names_is_seen_and_no_link_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    let file = root.join("file");
    fs::write(&file, "text\n").unwrap();
    symlink(&file, root.join("link")).unwrap();
    let shown = seen(&file);
    assert_eq!(shown.entry.hash, Some(Hash(*blake3::hash(b"text\n").as_bytes())));
    assert_eq!(shown.text.as_deref(), Some("text\n"));
    let link = seen(&root.join("link"));
    assert_eq!((link.entry.kind, link.entry.hash), (Kind::Symlink, None));
    assert_eq!(link.entry.rare().target.as_deref(), file.to_str());
    // A directory that is swapped for a link after it was listed.
    fs::create_dir(root.join("real")).unwrap();
    fs::write(root.join("real/file"), "x").unwrap();
    symlink(root.join("real"), root.join("dir")).unwrap();
    let through = eye(4 << 20).look(&root.join("dir/file"), None, ANEW).unwrap();
    assert!(matches!(through, Look::Moving), "{through:?}");
    assert!(matches!(eye(4 << 20).look(&root.join("none"), None, ANEW).unwrap(), Look::Gone));
}

#[test]
fn a_fifo_does_not_hold_it_up_and_what_is_known_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    let fifo = root.join("fifo");
    rustix::fs::mknodat(CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert_eq!(seen(&fifo).entry.kind, Kind::Fifo);
    let file = root.join("file");
    fs::write(&file, "text").unwrap();
    let mut known = seen(&file).entry;
    known.hash = None;
    let looked = eye(4 << 20).look(&file, Some(&known), How::default()).unwrap();
    assert!(matches!(looked, Look::Same), "{looked:?}");
    let looked = eye(4 << 20).look(&file, Some(&known), ANEW).unwrap();
    assert!(matches!(looked, Look::Seen(_)), "{looked:?}");
}

#[test]
fn of_a_large_file_both_ends_are_hashed() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    let path = root.join("large");
    let file = File::create(&path).unwrap();
    file.set_len(5 << 20).unwrap();
    let hash = || match eye(4 << 20).look(&path, None, ANEW).unwrap() {
        Look::Seen(seen) => {
            assert!(seen.entry.rare().partial && seen.text.is_none());
            seen.entry.hash.unwrap()
        }
        other => unreachable!("{other:?}"),
    };
    let before = hash();
    file.write_at(b"x", (5 << 20) - 1).unwrap();
    assert_ne!(hash(), before);
}

#[test]
fn secrets_and_files_of_two_names_give_no_text() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    for name in ["server.key", "plain", "shadow.pem", ".netrc"] {
        let path = root.join(name);
        fs::write(&path, "text").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(seen(&path).text.is_some(), name == "plain", "{name}");
    }
    fs::hard_link(root.join("plain"), root.join("second")).unwrap();
    assert_eq!(seen(&root.join("plain")).text, None);
}
