//! Names of fields: the Elastic Common Schema (ECS 8.17), with the short aliases people type.

use std::borrow::Cow;
use std::fmt;

macro_rules! fields {
    ($($variant:ident = $name:literal $(, aliases: [$($alias:literal),*])?;)*) => {
        /// A well-known field of the Elastic Common Schema.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "each is the ECS field that its name spells")]
        pub enum Field { $($variant),* }

        impl Field {
            /// Every well-known field, in a fixed order.
            pub const ALL: &'static [Field] = &[$(Field::$variant),*];

            /// The full dotted ECS name.
            pub const fn name(self) -> &'static str {
                match self { $(Field::$variant => $name),* }
            }

            /// The short names that the search language takes for this field.
            pub const fn aliases(self) -> &'static [&'static str] {
                match self { $(Field::$variant => &[$($($alias),*)?]),* }
            }
        }

        /// Every full name and alias.
        const NAMES: &[(&str, Field)] =
            &[$(($name, Field::$variant), $($(($alias, Field::$variant),)*)?)*];
    };
}

fields! {
    Timestamp = "@timestamp", aliases: ["time", "timestamp", "event.created"];
    AgentId = "agent.id";
    AgentName = "agent.name";
    DestinationAddress = "destination.address";
    DestinationDomain = "destination.domain";
    DestinationIp = "destination.ip", aliases: ["dst_ip", "dst"];
    DestinationPort = "destination.port", aliases: ["dst_port"];
    DnsQuestionName = "dns.question.name";
    EventAction = "event.action", aliases: ["action"];
    EventCategory = "event.category", aliases: ["category"];
    EventCode = "event.code";
    EventCount = "event.count";
    EventDataset = "event.dataset";
    EventId = "event.id", aliases: ["id"];
    EventIngested = "event.ingested", aliases: ["ingested"];
    EventKind = "event.kind";
    EventModule = "event.module";
    EventOriginal = "event.original", aliases: ["raw"];
    EventOutcome = "event.outcome", aliases: ["outcome"];
    EventProvider = "event.provider";
    EventReason = "event.reason", aliases: ["reason"];
    EventSeverity = "event.severity";
    EventType = "event.type";
    FileHashMd5 = "file.hash.md5", aliases: ["md5"];
    FileHashSha1 = "file.hash.sha1", aliases: ["sha1"];
    FileHashSha256 = "file.hash.sha256", aliases: ["sha256"];
    FilePath = "file.path";
    FilePeImphash = "file.pe.imphash", aliases: ["imphash"];
    GroupId = "group.id";
    GroupName = "group.name", aliases: ["group"];
    HeimdallEventType = "heimdall.event_type";
    HeimdallOsType = "heimdall.os_type";
    HeimdallSeverity = "heimdall.severity";
    HostName = "host.name", aliases: ["host", "hostname"];
    InputName = "input.name", aliases: ["input"];
    InputType = "input.type";
    LogFilePath = "log.file.path", aliases: ["file"];
    LogFlags = "log.flags";
    LogLevel = "log.level", aliases: ["level"];
    LogOffset = "log.offset";
    LogSourceAddress = "log.source.address";
    SyslogFacility = "log.syslog.facility.name", aliases: ["facility"];
    SyslogFacilityCode = "log.syslog.facility.code";
    SyslogMsgId = "log.syslog.msgid";
    SyslogPriority = "log.syslog.priority", aliases: ["pri"];
    SyslogSeverity = "log.syslog.severity.name", aliases: ["syslog_severity"];
    SyslogSeverityCode = "log.syslog.severity.code";
    SyslogVersion = "log.syslog.version";
    Message = "message", aliases: ["msg"];
    NetworkProtocol = "network.protocol";
    NetworkTransport = "network.transport";
    ObserverIp = "observer.ip", aliases: ["observer"];
    ObserverName = "observer.name";
    ProcessArgs = "process.args";
    ProcessCommandLine = "process.command_line", aliases: ["command", "cmd"];
    ProcessExecutable = "process.executable", aliases: ["exe"];
    ProcessName = "process.name", aliases: ["program", "process"];
    ProcessParentCommandLine = "process.parent.command_line";
    ProcessParentExecutable = "process.parent.executable";
    ProcessParentName = "process.parent.name";
    ProcessParentPid = "process.parent.pid", aliases: ["ppid"];
    ProcessPid = "process.pid", aliases: ["pid"];
    ProcessTty = "process.tty", aliases: ["tty"];
    ProcessWorkingDirectory = "process.working_directory", aliases: ["pwd"];
    RegistryData = "registry.data.strings";
    RegistryPath = "registry.path";
    RegistryValue = "registry.value";
    RuleName = "rule.name";
    ServiceName = "service.name", aliases: ["service"];
    SessionId = "session.id";
    SourceAddress = "source.address", aliases: ["src"];
    SourceDomain = "source.domain";
    SourceIp = "source.ip", aliases: ["src_ip", "ip"];
    SourcePort = "source.port", aliases: ["src_port"];
    SshMethod = "ssh.method", aliases: ["method"];
    SshSignature = "ssh.signature";
    Tags = "tags", aliases: ["tag"];
    UserDomain = "user.domain";
    UserEffectiveName = "user.effective.name", aliases: ["effective_user"];
    UserEffectiveId = "user.effective.id";
    UserHash = "user.hash";
    UserId = "user.id", aliases: ["uid"];
    UserName = "user.name", aliases: ["user"];
    UserTargetDomain = "user.target.domain";
    UserTargetName = "user.target.name", aliases: ["target_user"];
    UserTargetId = "user.target.id";
    UserTargetGroup = "user.target.group.name", aliases: ["target_group"];
    WinlogChannel = "winlog.channel";
}

/// The names by their length: those of one length lie between two neighbours of [`STARTS`].
static BY_LENGTH: [(&str, Field); NAMES.len()] = by_length();
static STARTS: [usize; LONGEST + 2] = starts();
const LONGEST: usize = 64;

#[expect(clippy::indexing_slicing, reason = "runs while compiling; a wrong index stops that")]
const fn by_length() -> [(&'static str, Field); NAMES.len()] {
    let mut sorted = [("", Field::Timestamp); NAMES.len()];
    let mut filled = 0;
    let mut length = 0;
    while length <= LONGEST {
        let mut index = 0;
        while index < NAMES.len() {
            if NAMES[index].0.len() == length {
                sorted[filled] = NAMES[index];
                filled += 1;
            }
            index += 1;
        }
        length += 1;
    }
    assert!(filled == NAMES.len(), "a name is longer than LONGEST");
    sorted
}

#[expect(clippy::indexing_slicing, reason = "runs while compiling; a wrong index stops that")]
const fn starts() -> [usize; LONGEST + 2] {
    let mut starts = [0; LONGEST + 2];
    let mut length = 0;
    while length <= LONGEST {
        let mut count = 0;
        let mut index = 0;
        while index < NAMES.len() {
            if NAMES[index].0.len() == length {
                count += 1;
            }
            index += 1;
        }
        starts[length + 1] = starts[length] + count;
        length += 1;
    }
    starts
}

impl Field {
    /// The field of this full name or alias.
    pub fn from_name(name: &str) -> Option<Field> {
        let (start, end) = (*STARTS.get(name.len())?, *STARTS.get(name.len() + 1)?);
        let same_length = BY_LENGTH.get(start..end)?;
        same_length.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// The position of this field in [`Field::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The name of any field: a well-known one, or another by its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldName<'a> {
    /// A well-known field.
    Known(Field),
    /// A field that only its source knows, by its full dotted name.
    Other(Cow<'a, str>),
}

impl<'a> FieldName<'a> {
    /// The name of this text; full names and aliases of well-known fields become [`Field`]s.
    pub fn new(name: impl Into<Cow<'a, str>>) -> Self {
        let name = name.into();
        match Field::from_name(&name) {
            Some(field) => FieldName::Known(field),
            None => FieldName::Other(name),
        }
    }

    /// The name that exactly this text is: full names become [`Field`]s, aliases stay as they are.
    ///
    /// Reads back what [`FieldName::as_str`] gave.
    pub fn exact(name: impl Into<Cow<'a, str>>) -> Self {
        let name = name.into();
        match Field::from_name(&name) {
            Some(field) if field.name() == name => FieldName::Known(field),
            _ => FieldName::Other(name),
        }
    }

    /// The full dotted name.
    pub fn as_str(&self) -> &str {
        match self {
            FieldName::Known(field) => field.name(),
            FieldName::Other(name) => name,
        }
    }

    /// The same name, borrowed.
    pub fn borrowed(&self) -> FieldName<'_> {
        match self {
            FieldName::Known(field) => FieldName::Known(*field),
            FieldName::Other(name) => FieldName::Other(Cow::Borrowed(name)),
        }
    }

    /// The same name, owning its text.
    pub fn into_owned(self) -> FieldName<'static> {
        match self {
            FieldName::Known(field) => FieldName::Known(field),
            FieldName::Other(name) => FieldName::Other(Cow::Owned(name.into_owned())),
        }
    }
}

impl From<Field> for FieldName<'_> {
    fn from(field: Field) -> Self {
        FieldName::Known(field)
    }
}

impl fmt::Display for FieldName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The candidate nearest to `word` by edit distance, if it is near enough to be a slip of the hand.
///
/// Near enough: at most a third of its length; one edit always, two from four characters on.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > 64 {
        return None;
    }
    let length = word.chars().count();
    let limit = (length / 3).max(if length >= 4 { 2 } else { 1 });
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&right) {
            let substituted = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = *cell;
            before = substituted.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_aliases_are_unique_and_read_back() {
        let mut seen = HashSet::new();
        for (index, field) in Field::ALL.iter().enumerate() {
            assert_eq!(field.index(), index);
            for name in std::iter::once(&field.name()).chain(field.aliases()) {
                assert!(seen.insert(*name), "{name} twice");
                assert_eq!(Field::from_name(name), Some(*field));
            }
        }
    }

    #[test]
    fn exact_reads_back_what_a_name_says() {
        for name in [FieldName::new("user"), FieldName::Other("user".into()), FieldName::new("x")] {
            assert_eq!(FieldName::exact(name.as_str()), name);
        }
    }

    #[test]
    fn nearest_finds_slips_and_refuses_strangers() {
        assert_eq!(nearest("sorce.ip", Field::ALL.iter().map(|f| f.name())), Some("source.ip"));
        assert_eq!(nearest("hihg", ["low", "high"]), Some("high"));
        assert_eq!(nearest("banana", ["low", "high"]), None);
        assert_eq!(nearest("", ["low"]), None);
    }
}
