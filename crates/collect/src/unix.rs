//! The file of a local socket: taken where a dead one stands, left where a live one does.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// The file of a socket; removed with it, unless another has taken its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| metadata.ino() == self.inode);
        if is_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a socket");
        }
    }
}

/// Opens the socket for whoever the mode allows.
pub(crate) fn open(path: &Path, mode: u32) -> io::Result<(UnixDatagram, SocketFile)> {
    remove_dead(path)?;
    let socket = UnixDatagram::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    socket.set_nonblocking(true)?;
    let inode = std::fs::symlink_metadata(path)?.ino();
    Ok((socket, SocketFile { path: path.to_owned(), inode }))
}

fn remove_dead(path: &Path) -> io::Result<()> {
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.file_type().is_socket() {
        let message = "there is something else than a socket at this path";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    match UnixDatagram::unbound()?.connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Ok(()) => {
            let message = "another program listens at this path";
            Err(io::Error::new(io::ErrorKind::AddrInUse, message))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_socket_is_replaced_a_live_one_and_a_file_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        // Closed without removing the file, as a crash does.
        drop(UnixDatagram::bind(&path).unwrap());
        let (socket, file) = open(&path, 0o620).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o620);
        assert_eq!(open(&path, 0o666).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop((socket, file));
        assert!(!path.exists());
        std::fs::write(&path, "precious").unwrap();
        assert_eq!(open(&path, 0o666).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
