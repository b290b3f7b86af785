//! What is counted of each input.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters of one input, since the hub's start.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: AtomicU64),* }

        /// The counters at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Snapshot { $($(#[$doc])* pub $name: u64),* }

        impl Counters {
            /// The values now.
            pub fn snapshot(&self) -> Snapshot {
                Snapshot { $($name: self.$name.load(Ordering::Relaxed)),* }
            }
        }

        impl Snapshot {
            /// The sum with another input's.
            #[must_use]
            pub fn plus(self, other: Snapshot) -> Snapshot {
                Snapshot { $($name: self.$name.saturating_add(other.$name)),* }
            }
        }
    };
}

counters! {
    /// Connections that are open now.
    connections,
    /// Connections taken, ever.
    connected,
    /// Connections refused because there were too many.
    refused,
    /// Connections refused because their address had too many open.
    refused_of_address,
    /// Connections that ended by a fault: reset, a failed TLS handshake.
    broken,
    /// Messages taken.
    messages,
    /// Bytes of these messages, without framing.
    bytes,
    /// Messages that were longer than they may be, and cut.
    cut,
    /// Messages that were cut before their end came because connections held too much together.
    given_up,
    /// Octet counts that did not fit what followed.
    lying_counts,
    /// Messages that RELP clients sent again and that were stored already.
    resent,
    /// TLS handshakes that took too long.
    handshakes_late,
    /// TLS handshakes that failed because the client had no certificate to show.
    handshakes_without_certificate,
    /// TLS handshakes that failed because the client's certificate is not trusted.
    handshakes_untrusted,
    /// TLS handshakes that failed because both sides have no version or cipher in common.
    handshakes_incompatible,
    /// TLS handshakes that the client gave up, most likely as it does not trust the hub.
    handshakes_given_up,
    /// TLS handshakes that failed otherwise.
    handshakes_broken,
    /// How long senders were held because there was no room, in milliseconds, summed.
    held_ms,
    /// Datagrams that the kernel dropped because its buffer was full.
    kernel_drops,
}

pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    if amount > 0 {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}
