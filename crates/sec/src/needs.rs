//! What rules ask of whoever runs them, as far as it is written in them: who lets them do less can say so
//! before they run.

use crate::action::Action;
use crate::rule::{Kind, ListId, RuleFile};

/// How deep action lists may be within each other.
const DEPTH: usize = 64;

/// What a rule asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// A command: `shellcmd`, `spawn`, `pipe`, `report`, their exec forms, a script.
    pub command: bool,
    /// A file to write to, other than standard output.
    pub file: bool,
    /// A socket.
    pub socket: bool,
    /// Other inputs, or a signal.
    pub process: bool,
}

impl RuleFile {
    /// What the rule of this number, from 0, asks for.
    pub fn needs(&self, rule: usize) -> Needs {
        let mut needs = Needs::default();
        if let Some(rule) = self.rules.get(rule) {
            needs.command = matches!(rule.kind, Kind::Script { .. });
            for list in rule.lists() {
                self.look(list, 0, &mut needs);
            }
        }
        needs
    }

    fn look(&self, list: ListId, depth: usize, needs: &mut Needs) {
        for action in &self.list(list).actions {
            match action {
                Action::Run { .. }
                | Action::Pipe { command: Some(_), .. }
                | Action::Report { command: Some(_), .. } => needs.command = true,
                Action::Write { file, .. } | Action::WriteClosed { file, .. } => {
                    needs.file |= file.constant() != Some(b"-");
                }
                Action::Send { .. } => needs.socket = true,
                Action::AddInput { .. } | Action::DropInput(_) | Action::Signal(_) => {
                    needs.process = true;
                }
                _ => {}
            }
            if depth < DEPTH {
                action.lists().for_each(|list| self.look(list, depth + 1, needs));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{LoadOptions, SourceFile};

    #[test]
    fn what_rules_ask_for_is_found_also_within_lists() {
        let rule = |action: &str| {
            let text = format!("type=Single\nptype=RegExp\npattern=a\ndesc=a\naction={action}\n");
            let source = SourceFile { name: "a".to_owned(), text: text.into_bytes() };
            let tables = |_: &str| Err(String::new());
            let mut options =
                LoadOptions { fields: false, perl: None, bufsize: 0, tables: &tables };
            let (file, said) = RuleFile::read(&source, &mut options);
            assert_eq!(said, Vec::new(), "{action}");
            file.needs(0)
        };
        let none = Needs::default();
        for (action, expected) in [
            ("write - a; logonly; alert severity=minor", none),
            ("pipe 'a'; report A", none),
            ("shellcmd id", Needs { command: true, ..none }),
            ("report A id", Needs { command: true, ..none }),
            ("create A 5 (owritecl /a b)", Needs { file: true, ..none }),
            (
                "if %a (udpsock a:1 b) else (addinput /b)",
                Needs { socket: true, process: true, ..none },
            ),
        ] {
            assert_eq!(rule(action), expected, "{action}");
        }
    }
}
