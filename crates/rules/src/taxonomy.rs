//! Names of fields in rules: Sigma's own and those of other shippers, mapped onto ECS in one table.

use bergfried_event::{Field, FieldName, nearest};

/// Sigma's field (Sigma taxonomy appendix, "Fields") and the ECS name of it.
static TABLE: &[(&str, &str)] = &[
    ("CommandLine", "process.command_line"),
    ("ComputerName", "host.name"),
    ("Computer", "host.name"),
    ("CurrentDirectory", "process.working_directory"),
    ("DestinationHostname", "destination.domain"),
    ("DestinationIp", "destination.ip"),
    ("DestinationPort", "destination.port"),
    ("EventID", "event.code"),
    ("Image", "process.executable"),
    ("IpAddress", "source.ip"),
    ("IpPort", "source.port"),
    ("LogonId", "session.id"),
    ("ParentCommandLine", "process.parent.command_line"),
    ("ParentImage", "process.parent.executable"),
    ("ParentProcessId", "process.parent.pid"),
    ("ProcessId", "process.pid"),
    ("Provider_Name", "event.provider"),
    ("SourceIp", "source.ip"),
    ("SourcePort", "source.port"),
    ("SubjectUserName", "user.name"),
    ("TargetFilename", "file.path"),
    ("TargetUserName", "user.target.name"),
    ("User", "user.name"),
    ("c-ip", "source.ip"),
    ("c-uri", "url.original"),
    ("c-useragent", "user_agent.original"),
    ("cs-method", "http.request.method"),
    ("dst_ip", "destination.ip"),
    ("dst_port", "destination.port"),
    ("sc-status", "http.response.status_code"),
    ("src_ip", "source.ip"),
    ("src_port", "source.port"),
];

/// The field that a rule means by this name.
pub(crate) fn field(name: &str) -> FieldName<'static> {
    let ecs = TABLE.iter().find(|(sigma, _)| *sigma == name).map_or(name, |(_, ecs)| *ecs);
    FieldName::new(ecs.to_owned())
}

/// Where no event here carries a field of this name: the nearest name that some event may carry.
///
/// `None` where the name is known, or so unlike all known ones that it is some program's own.
pub(crate) fn misspelt(name: &str) -> Option<&'static str> {
    let known = matches!(field(name), FieldName::Known(_));
    if known || TABLE.iter().any(|(sigma, ecs)| *sigma == name || *ecs == name) {
        return None;
    }
    let ecs = Field::ALL.iter().map(|field| field.name());
    nearest(name, ecs.chain(TABLE.iter().map(|(sigma, _)| *sigma)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_map_onto_ecs() {
        assert_eq!(field("CommandLine"), FieldName::Known(Field::ProcessCommandLine));
        assert_eq!(field("src_ip"), FieldName::Known(Field::SourceIp));
        assert_eq!(field("user.name"), FieldName::Known(Field::UserName));
        assert_eq!(field("ParentImage").as_str(), "process.parent.executable");
        assert_eq!(field("own.thing").as_str(), "own.thing");
    }

    #[test]
    fn slips_of_the_hand_are_told_from_own_fields() {
        assert_eq!(misspelt("sorce.ip"), Some("source.ip"));
        assert_eq!(misspelt("CommandLin"), Some("CommandLine"));
        assert_eq!(misspelt("source.ip"), None);
        assert_eq!(misspelt("zeek.conn.history"), None);
    }
}
