//! Literals that a text must hold for an expression to match it.

use regex_syntax::hir::{Hir, HirKind};

/// How many different literals a pattern may need one of.
const CHOICES: usize = 16;

/// One of these stands in every text that the expression matches; nothing where none is known.
pub(crate) fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(required).max_by_key(|set| worth(set)),
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(required(branch)?);
                if all.len() > CHOICES {
                    return None;
                }
            }
            Some(all)
        }
        _ => None,
    }
}

/// Long literals are rarer, few choices are rarer than many.
fn worth(set: &[Vec<u8>]) -> (usize, usize) {
    (set.iter().map(Vec::len).min().unwrap_or(0), usize::MAX - set.len())
}

/// Whether a loop in the expression may go round without taking a byte: there the engines differ.
pub(crate) fn has_empty_loop(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let empty = repetition.sub.properties().minimum_len().unwrap_or(0) == 0;
            (empty && repetition.max != Some(1)) || has_empty_loop(&repetition.sub)
        }
        HirKind::Capture(capture) => has_empty_loop(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(has_empty_loop),
        _ => false,
    }
}
