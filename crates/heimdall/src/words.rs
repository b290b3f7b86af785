//! The words of the protocol.

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every one, in the order of the document.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word on the wire.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The one of this word, in capitals as on the wire.
            pub fn from_name(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// The kind of system that an event is from.
    OsType {
        /// Windows.
        Windows = "WINDOWS",
        /// Linux, and whatever is none of the others.
        Linux = "LINUX",
        /// A Pi-hole.
        Pihole = "PIHOLE",
        /// macOS.
        Macos = "MACOS",
        /// A packet filter: pfSense, OPNsense, netfilter.
        Firewall = "FIREWALL",
    }
}

words! {
    /// What happened.
    EventType {
        /// A login was refused.
        LoginFail = "LOGIN_FAIL",
        /// A login was accepted.
        LoginSuccess = "LOGIN_SUCCESS",
        /// A command was run as another user.
        SudoEscalation = "SUDO_ESCALATION",
        /// A DNS query was blocked.
        DnsBlock = "DNS_BLOCK",
        /// A system or service is in serious trouble.
        CriticalError = "CRITICAL_ERROR",
        /// An account was made.
        AccountCreate = "ACCOUNT_CREATE",
        /// An account was deleted.
        AccountDelete = "ACCOUNT_DELETE",
        /// An account was added to a group.
        GroupAdd = "GROUP_ADD",
        /// A service or scheduled task was installed.
        ServiceInstall = "SERVICE_INSTALL",
        /// A log was cleared, or logging was turned off.
        LogTampering = "LOG_TAMPERING",
        /// A packet filter blocked a connection.
        ConnectionBlocked = "CONNECTION_BLOCKED",
        /// Ports were scanned.
        PortScan = "PORT_SCAN",
        /// A process was started that the host reports.
        ProcessExec = "PROCESS_EXEC",
        /// An attack on a web server.
        WebAttack = "WEB_ATTACK",
        /// What a sensor of the system reports otherwise.
        SystemAlert = "SYSTEM_ALERT",
    }
}

/// How bad an event is, from 1 (information) to 5 (critical).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(u8);

impl Severity {
    /// Information.
    pub const INFO: Severity = Severity(1);
    /// Low.
    pub const LOW: Severity = Severity(2);
    /// Medium.
    pub const MEDIUM: Severity = Severity(3);
    /// High.
    pub const HIGH: Severity = Severity(4);
    /// Critical.
    pub const CRITICAL: Severity = Severity(5);

    /// The severity of this number; none outside 1 to 5.
    pub const fn new(number: i64) -> Option<Severity> {
        match number {
            1..=5 => Some(Severity(number as u8)),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl EventType {
    /// How bad an event of this kind is where nothing says otherwise.
    pub const fn severity(self) -> Severity {
        match self {
            EventType::DnsBlock | EventType::LoginSuccess | EventType::ProcessExec => {
                Severity::INFO
            }
            EventType::SudoEscalation | EventType::ConnectionBlocked => Severity::LOW,
            EventType::LoginFail | EventType::SystemAlert => Severity::MEDIUM,
            EventType::AccountCreate
            | EventType::AccountDelete
            | EventType::GroupAdd
            | EventType::ServiceInstall
            | EventType::PortScan
            | EventType::WebAttack => Severity::HIGH,
            EventType::CriticalError | EventType::LogTampering => Severity::CRITICAL,
        }
    }
}
