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
            collect(&path, &mut files)?;
        }
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root).unwrap_or(file);
        writeln!(list, "    ({:?}, include_str!({:?})),", Path::new("rules").join(name), file)
            .map_err(io::Error::other)?;
    }
    list.push(']');
    fs::write(variable("OUT_DIR")?.join("packs.rs"), list)
}

/// Folders of `rules/` that hold no rules.
const NO_RULES: &[&str] = &["samples", "compatibility"];

/// Every `.yml` of a pack below the folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if !NO_RULES.iter().any(|name| path.ends_with(name)) {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            files.push(path);
        }
    }
    Ok(())
}
