//! A search as if it were a rule, so that what a rule would do can be tried before there is one.

use bergfried_event::Severity;
use bergfried_query::Predicate;

use super::{Options, RuleSet};
use crate::class::Class;
use crate::logsource::LogSource;
use crate::rule::{Body, Detection, Rule};

impl RuleSet {
    /// A set of one detection of medium level, which every event meets and this condition decides.
    pub fn of_search(title: &str, predicate: Predicate) -> RuleSet {
        let rule = Rule {
            id: title.to_owned(),
            name: None,
            title: title.to_owned(),
            level: Severity::Medium,
            description: String::new(),
            author: String::new(),
            references: Vec::new(),
            falsepositives: Vec::new(),
            tags: Vec::new(),
            fields: Vec::new(),
            techniques: Vec::new(),
            file: String::new(),
            line: 1,
            silent: false,
            shape: None,
            class: Class::Active,
            body: Body::Detection(Detection {
                logsource: LogSource::default(),
                predicate,
                first_seen: None,
            }),
        };
        RuleSet::index(vec![rule], &Options::default())
    }
}
