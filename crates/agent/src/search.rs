//! Where programs lie.

use std::path::{Path, PathBuf};

/// Where administrators' programs lie, also where the agent's own path leaves them out.
pub(crate) const DIRECTORIES: [&str; 6] =
    ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"];

/// The program of this name in the first directory that has it.
pub(crate) fn find(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    directories.iter().map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// The directories of `PATH`, then those of administrators. Root runs nothing from a directory that
/// others may write to, such as one in the path of the user who became root.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute() && is_trusted(directory));
    let mut directories = Vec::new();
    for directory in own.chain(DIRECTORIES.map(PathBuf::from)) {
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    directories
}

#[cfg(unix)]
fn is_trusted(directory: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let is_of_root = |about: std::fs::Metadata| about.uid() == 0 && about.mode() & 0o002 == 0;
    !rustix::process::geteuid().is_root() || std::fs::metadata(directory).is_ok_and(is_of_root)
}

#[cfg(not(unix))]
fn is_trusted(_directory: &Path) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn root_searches_no_directory_of_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let is_root = rustix::process::geteuid().is_root();
        assert!(is_trusted(directory.path()));
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(directory.path(), open).unwrap();
        assert_eq!(is_trusted(directory.path()), !is_root);
        assert!(is_trusted(Path::new("/usr/bin")));
        assert_eq!(is_trusted(Path::new("/no/such")), !is_root);
    }
}
