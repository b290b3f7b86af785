//! What a record or a system call means: the action, its class in ECS, and what it was done to.
//!
//! Actions are named as Auditbeat names them, so that searches written for it hold here; records
//! that it has no name for have one of ours.

mod records;
mod syscalls;

pub(crate) use records::{class, is_anomaly, of_record};
pub(crate) use syscalls::of_syscall;

/// What happened, in words of rules and searches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning {
    /// `event.action`; empty where the record has none of its own.
    pub(crate) action: &'static str,
    /// `event.category` of ECS; empty where the record says nothing of it.
    pub(crate) categories: &'static [&'static str],
    /// `event.type` of ECS.
    pub(crate) kinds: &'static [&'static str],
    /// What kind of thing it was done to.
    pub(crate) object: &'static str,
    /// The fields that name the thing, best first.
    pub(crate) primary: &'static [&'static str],
    /// Those that say more of it.
    pub(crate) secondary: &'static [&'static str],
    /// Those that say by what means.
    pub(crate) how: &'static [&'static str],
    /// Those that say who did it.
    pub(crate) actor: &'static [&'static str],
    /// And as whom.
    pub(crate) actor_as: &'static [&'static str],
}

/// Means an action of which nothing else is known yet.
const fn action(action: &'static str) -> Meaning {
    Meaning {
        action,
        categories: &[],
        kinds: &[],
        object: "",
        primary: &[],
        secondary: &[],
        how: &["exe", "comm"],
        actor: &["auid"],
        actor_as: &["uid"],
    }
}

type Names = &'static [&'static str];

impl Meaning {
    /// Of records that nobody knows, and of those that belong to an event that was torn apart.
    pub(crate) const NOTHING: Meaning = action("");

    const fn is(self, categories: Names, kinds: Names) -> Meaning {
        Meaning { categories, kinds, ..self }
    }

    const fn of(self, object: &'static str, primary: Names, secondary: Names) -> Meaning {
        Meaning { object, primary, secondary, ..self }
    }

    const fn by(self, how: Names) -> Meaning {
        Meaning { how, ..self }
    }

    /// A person at a terminal or from afar.
    const fn session(self) -> Meaning {
        Meaning {
            actor_as: &["acct", "id", "uid"],
            object: "user-session",
            primary: &["terminal"],
            secondary: &["addr", "hostname"],
            how: &["exe", "terminal"],
            ..self
        }
    }

    const fn iam(self, kinds: Names) -> Meaning {
        self.is(&["iam"], kinds)
    }

    const fn authentication(self, kinds: Names) -> Meaning {
        self.is(&["authentication"], kinds)
    }

    const fn process(self, kinds: Names) -> Meaning {
        self.is(&["process"], kinds)
    }

    const fn file(self, kinds: Names) -> Meaning {
        Meaning { object: "file", ..self.is(&["file"], kinds) }
    }

    const fn socket(self, kinds: Names) -> Meaning {
        Meaning { object: "socket", ..self.is(&["network"], kinds) }
    }

    const fn host(self, kinds: Names) -> Meaning {
        self.is(&["host"], kinds)
    }

    const fn configuration(self, kinds: Names) -> Meaning {
        self.is(&["configuration"], kinds)
    }

    const fn intrusion(self) -> Meaning {
        self.is(&["intrusion_detection"], &["info"])
    }
}
