//! Signals: they are only noted, and wake who waits.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bergfried_sec::port::Signal;
use signal_hook::consts::{SIGABRT, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};

const SIGNALS: [(i32, Signal); 6] = [
    (SIGHUP, Signal::Hup),
    (SIGABRT, Signal::Abrt),
    (SIGUSR1, Signal::Usr1),
    (SIGUSR2, Signal::Usr2),
    (SIGINT, Signal::Int),
    (SIGTERM, Signal::Term),
];

/// Signals that came.
pub(crate) struct Signals {
    came: Vec<(Arc<std::sync::atomic::AtomicBool>, Signal)>,
    pipe: UnixStream,
    /// Counts up with each; one look says that none came.
    any: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on signals are noted.
    ///
    /// # Errors
    /// Where the system does not let them be.
    pub(crate) fn new() -> io::Result<Self> {
        let (pipe, end) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let any = Arc::new(AtomicUsize::new(0));
        let mut came = Vec::new();
        for (number, signal) in SIGNALS {
            let flag = Arc::default();
            signal_hook::flag::register(number, Arc::clone(&flag))?;
            signal_hook::flag::register_usize(number, Arc::clone(&any), 1)?;
            signal_hook::low_level::pipe::register(number, end.try_clone()?)?;
            came.push((flag, signal));
        }
        Ok(Self { came, pipe, any })
    }

    /// Those that came since this was last asked.
    pub(crate) fn take(&self) -> Vec<Signal> {
        if self.any.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        self.any.store(0, Ordering::SeqCst);
        let mut room = [0; 64];
        while rustix::io::read(&self.pipe, &mut room).is_ok_and(|count| count > 0) {}
        let came = self.came.iter().filter(|(flag, _)| flag.swap(false, Ordering::SeqCst));
        came.map(|(_, signal)| *signal).collect()
    }

    /// What to wait for.
    pub(crate) fn waits_for(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}
