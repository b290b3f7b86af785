//! What became of a packet, and the words of a rule's name that tell it where the packet filter itself
//! does not.

use bergfried_event::{Event, Field, Value};

use crate::programs::{FAILURE, SUCCESS, outcome};

/// What was done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::programs) enum Verdict {
    Blocked,
    Rejected,
    Allowed,
    Audited,
    /// Nobody says.
    Logged,
}

/// Beginnings of words and what they say.
const WORDS: [(&str, Verdict); 12] = [
    ("drop", Verdict::Blocked),
    ("block", Verdict::Blocked),
    ("deny", Verdict::Blocked),
    ("denied", Verdict::Blocked),
    ("blacklist", Verdict::Blocked),
    ("reject", Verdict::Rejected),
    ("refuse", Verdict::Rejected),
    ("accept", Verdict::Allowed),
    ("allow", Verdict::Allowed),
    ("permit", Verdict::Allowed),
    ("pass", Verdict::Allowed),
    ("audit", Verdict::Audited),
];

impl Verdict {
    /// What the prefix says that the administrator gave the rule; of several words the last, as tools write chain before disposition.
    pub(in crate::programs) fn of(prefix: &str) -> Verdict {
        let words = prefix.rsplit(|c: char| !c.is_ascii_alphanumeric());
        let mut found = words.filter(|word| !word.is_empty()).filter_map(of_word);
        found.next().unwrap_or_else(|| of_letter(prefix))
    }

    /// The word for `event.action`.
    fn action(self) -> &'static str {
        match self {
            Verdict::Blocked => "blocked",
            Verdict::Rejected => "rejected",
            Verdict::Allowed => "allowed",
            Verdict::Audited => "audited",
            Verdict::Logged => "logged",
        }
    }

    /// Sets what every packet filter's event about a connection has, and what became of it.
    pub(in crate::programs) fn push(self, module: &'static str, event: &mut Event<'_>) {
        event.push(Field::EventModule, module);
        event.push(Field::EventKind, "event");
        event.push(Field::EventCategory, "network");
        event.push(Field::EventAction, self.action());
        let kinds = |second: &'static str| {
            Value::List(["connection", second].into_iter().map(Value::from).collect())
        };
        match self {
            Verdict::Blocked | Verdict::Rejected => {
                event.push(Field::EventType, kinds("denied"));
                outcome(event, FAILURE);
            }
            Verdict::Allowed => {
                event.push(Field::EventType, kinds("allowed"));
                outcome(event, SUCCESS);
            }
            Verdict::Audited | Verdict::Logged => event.push(Field::EventType, "connection"),
        }
    }
}

fn of_word(word: &str) -> Option<Verdict> {
    let starts = |start: &str| {
        word.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    WORDS.iter().find(|(start, _)| starts(start)).map(|(_, verdict)| *verdict)
}

/// `WAN_LOCAL-default-D` and `WAN_IN-B-2000`, as VyOS and UniFi shorten it.
fn of_letter(prefix: &str) -> Verdict {
    let Some((rest, last)) = prefix.rsplit_once('-') else { return Verdict::Logged };
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let letter =
        if is_number { rest.rsplit_once('-').map_or("", |(_, letter)| letter) } else { last };
    match letter {
        "D" | "B" => Verdict::Blocked,
        "R" => Verdict::Rejected,
        "A" => Verdict::Allowed,
        _ => Verdict::Logged,
    }
}
