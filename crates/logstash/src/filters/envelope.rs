//! `syslog_pri`: what the hub's own parser has read already, under the names that Logstash gives.

use crate::Work;
use crate::settings::Settings;
use crate::toml::{Node, Table};

pub(super) fn syslog_pri(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    settings.ignore(&["syslog_pri_field_name", "use_labels"]);
    for name in ["facility_labels", "severity_labels"] {
        if let Some(setting) = settings.take(name) {
            work.told.missing(setting.place, format!("`{name}` cannot be changed"));
        }
    }
    let message = "facility and severity are read from every message; their names are those of \
                   RFC 5424 (info, kern), not Logstash's (informational, kernel)";
    work.told.differs(settings.place(), message);
    let copied = [
        ("log.syslog.facility.code", "syslog_facility_code"),
        ("log.syslog.facility.name", "syslog_facility"),
        ("log.syslog.severity.code", "syslog_severity_code"),
    ];
    let copied = copied.map(|(from, to)| (from.to_owned(), Node::from(to)));
    let mut step = Table::default();
    step.set("mutate", Node::Table(vec![("copy".to_owned(), Node::Table(copied.into()))]));
    vec![step]
}
