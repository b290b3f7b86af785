//! What a joiner hands out, and what it counts.

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Groups handed out, without foreign lines.
    pub events: u64,
    /// Records in them.
    pub records: u64,
    /// Ends (EOE) that came; not in the groups.
    pub ends: u64,
    /// Groups handed out because nothing came any more.
    pub by_time: u64,
    /// Groups handed out because too many, or too many bytes, waited.
    pub by_cap: u64,
    /// Lines that were left out or cut because their group was too long.
    pub cut: u64,
    /// Groups of lines that came after their event was handed out.
    pub late: u64,
    /// Lines that begin as a record does and are torn.
    pub torn: u64,
    /// Lines that are none of audit.
    pub foreign: u64,
}

/// What is to be known of a group beside its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The line begins as a record does, but its front is torn; it is handed out alone.
    pub torn: bool,
    /// Nothing more came for it.
    pub by_time: bool,
    /// It had to go because too much waited; more of it may come.
    pub by_cap: bool,
    /// Lines are missing or cut at the end, because there was too much of them.
    pub cut: bool,
    /// Its event was handed out before.
    pub late: bool,
    /// The line is none of audit; it is handed out alone.
    pub foreign: bool,
}

/// The lines of one event, in the order they came, verbatim, with `\n` between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined<'a> {
    /// The lines; what [`parse`](crate::parse) and [`glimpse`](crate::glimpse) take.
    pub lines: &'a [u8],
    /// What is to be known of them.
    pub flags: Flags,
}
