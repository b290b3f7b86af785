//! Shows files of log lines to rules, as the scan does.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bergfried_event::{Finding, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use bergfried_rules::{DiagnosticSeverity, Engine, Limits, Pairs, RuleSet, Source, builtin};

/// The top of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the shared corpora; says so and gives `None` where they are not there.
pub(crate) fn corpus(path: &str) -> Option<PathBuf> {
    let path = root().join("../shared/corpora").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

/// Every rule file below the folder.
pub(crate) fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            sources.push(Source { file: path.display().to_string(), text: read(&path) });
        }
    }
}

/// The packs, which must load without a word.
pub(crate) fn packs() -> Arc<RuleSet> {
    let (rules, diagnostics) = RuleSet::load(builtin());
    let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(said, Vec::<String>::new());
    assert!(diagnostics.iter().all(|d| d.severity == DiagnosticSeverity::Warning));
    Arc::new(rules)
}

/// Every finding about the lines, follow-ups folded into the finding that they follow.
pub(crate) fn findings(rules: &Arc<RuleSet>, text: &str) -> Vec<Finding> {
    let received = "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap();
    let context =
        Context { received, host: "myhost", time_zone: jiff::tz::TimeZone::UTC, year: None };
    let mut engine =
        Engine::new(Arc::clone(rules), Limits { update_interval: i64::MAX, ..Limits::default() });
    let mut pairs = Pairs::default();
    let mut findings = Vec::new();
    // Records of one audit event are one event, as the scan and an agent join them.
    for (number, (_, text)) in bergfried_audit::Joiner::groups(text).iter().enumerate() {
        let mut event = parse(SourceKind::File, text, &context);
        rules.judge(&mut event);
        pairs.mark(&mut event);
        engine.observe(&event, number as u64 + 1, &mut findings);
    }
    engine.flush(&mut findings);
    fold(findings)
}

fn fold(findings: Vec<Finding>) -> Vec<Finding> {
    let mut folded: Vec<Finding> = Vec::new();
    for finding in findings {
        let same = folded.iter_mut().find(|known| {
            known.rule_id == finding.rule_id
                && known.group == finding.group
                && (!finding.group.is_empty()
                    || (&known.host, &known.user, &known.source)
                        == (&finding.host, &finding.user, &finding.source))
        });
        match same {
            Some(known) => {
                known.count += finding.count;
                known.last_seen = finding.last_seen;
                known.user = known.user.take().filter(|user| finding.user.as_ref() == Some(user));
            }
            None => folded.push(finding),
        }
    }
    folded
}

/// One finding in one line, to be read and compared.
pub(crate) fn line(finding: &Finding) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "{} | {} | host {} | user {} | source {} | {}",
        finding.severity,
        finding.rule_name,
        or_none(&finding.host),
        or_none(&finding.user),
        or_none(&finding.source),
        finding.count
    )
}

/// The text of a file, whatever its bytes.
pub(crate) fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}
