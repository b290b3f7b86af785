//! The packs of SEC rules of this repository, compiled in. None runs unless it is asked for: the Sigma
//! packs say the same.

use bergfried_sec::SourceFile;

static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sec.rs"));

/// The names of the packs.
pub const PACKS: &[&str] = &["home-lab"];

/// The files of a pack, sorted by name; none where there is no such pack.
pub fn pack(name: &str) -> Vec<SourceFile> {
    let folder = format!("rules/sec/{name}/");
    let files = FILES.iter().filter(|(file, _)| file.starts_with(&folder));
    files
        .map(|(file, text)| SourceFile { name: (*file).to_owned(), text: text.as_bytes().to_vec() })
        .collect()
}
