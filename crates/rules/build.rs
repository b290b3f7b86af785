//! Writes the list of the rule files under `rules/`, to be compiled in as text.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let root = variable("CARGO_MANIFEST_DIR")?.join("../../rules").canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&root)? {
        let path = entry?.path();
        // Files beside the packs are tables.
        if path.is_dir() && !NO_RULES.iter().any(|name| path.ends_with(name)) {
            collect(&path, "yml", &mut files)?;
        }
    }
    files.sort();
    let out = variable("OUT_DIR")?;
    fs::write(out.join("packs.rs"), list(&root, &files)?)?;
    let mut files = Vec::new();
    collect(&root.join("sec"), "sec", &mut files)?;
    files.sort();
    fs::write(out.join("sec.rs"), list(&root, &files)?)
}

/// The names of the files and their texts, as a slice.
fn list(root: &Path, files: &[PathBuf]) -> io::Result<String> {
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(file);
        writeln!(list, "    ({:?}, include_str!({:?})),", Path::new("rules").join(name), file)
            .map_err(io::Error::other)?;
    }
    list.push(']');
    Ok(list)
}

/// Folders of `rules/` that hold no rules.
const NO_RULES: &[&str] = &["samples", "compatibility"];

/// Every file of this extension of a pack below the folder.
fn collect(folder: &Path, wanted: &str, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if !NO_RULES.iter().any(|name| path.ends_with(name)) {
                collect(&path, wanted, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == wanted) {
            files.push(path);
        }
    }
    Ok(())
}
