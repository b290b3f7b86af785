//! Sets of rule files that nobody joins or jumps to, and labels nobody jumps to.

use super::{Warnings, files};
use crate::rule::{Kind, RuleSet};

pub(super) fn check(rules: &RuleSet, warnings: &mut Warnings) {
    let joined: Vec<&str> =
        files(rules).flat_map(|(_, file)| &file.sets).map(|set| &**set).collect();
    let mut wanted = Vec::new();
    let mut any = false;
    for (at, file) in files(rules) {
        for rule in file.rules() {
            let Kind::Jump { sets, .. } = &rule.kind else { continue };
            for set in sets {
                let Some(name) = set.constant() else {
                    any = true;
                    continue;
                };
                let name = String::from_utf8_lossy(name).into_owned();
                if !joined.contains(&&*name) {
                    warnings.about((at, file), rule, format!(
                        "no file joins the set `{name}`, the rule jumps nowhere: add joincfset={name} to the Options rule of a file"
                    ));
                }
                wanted.push(name);
            }
        }
    }
    for (at, file) in files(rules) {
        for (line, label) in &file.idle_labels {
            warnings.add((at, file), *line, format!("no rule jumps to the label `{label}`: remove it, or name it in a `continue=GoTo {label}` before it"));
        }
        let reached = file.sets.iter().any(|set| wanted.iter().any(|name| **name == **set));
        if file.all_input || reached || any || file.rules().is_empty() {
            continue;
        }
        let line = file.rules().first().map_or(1, |rule| rule.line);
        warnings.add(
            (at, file),
            line,
            "procallin=no, and no Jump rule names a set of this file: none of its rules ever runs"
                .to_owned(),
        );
    }
}
