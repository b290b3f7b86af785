//! Findings that somebody does not want to hear of: they are counted on an exception, no alert is
//! made of them.

use std::cell::LazyCell;
use std::sync::Arc;

use bergfried_alert::exception::{Exception, fields};
use bergfried_event::{Finding, Timestamp};

use crate::draft::Draft;
use crate::error::Failed;

/// The most exceptions, expired ones included: a finding is shown to each.
const MAX_EXCEPTIONS: usize = 1_000;

/// The first live exception that covers a finding, which is then counted on it.
pub(crate) fn covering(
    draft: &mut Draft<'_>,
    finding: &Finding,
    now: Timestamp,
) -> Option<Arc<Exception>> {
    // Made into fields only for an exception of its rule.
    let seen = LazyCell::new(|| fields::of_finding(finding));
    let covers = |exception: &Exception| {
        exception.is_live(now)
            && exception.scope.concerns(&finding.rule_id)
            && exception.scope.covers_seen(finding, &seen)
    };
    let (number, mut exception) = draft
        .exceptions()
        .find(|(_, exception)| covers(exception))
        .map(|(number, exception)| (number, Arc::clone(exception)))?;
    Arc::make_mut(&mut exception).hit(now);
    draft.put_exception(number, Some(Arc::clone(&exception)));
    Some(exception)
}

pub(crate) fn add(draft: &mut Draft<'_>, exception: Exception) -> Result<Arc<Exception>, Failed> {
    if draft.exceptions().count() >= MAX_EXCEPTIONS {
        return Err(Failed::TooMany { what: "exceptions", most: MAX_EXCEPTIONS });
    }
    let exception = Arc::new(exception);
    let number = draft.next_number();
    draft.put_exception(number, Some(Arc::clone(&exception)));
    Ok(exception)
}

pub(crate) fn delete(draft: &mut Draft<'_>, id: &str) -> Option<Arc<Exception>> {
    let (number, exception) = draft
        .exceptions()
        .find(|(_, exception)| exception.id == id)
        .map(|(number, exception)| (number, Arc::clone(exception)))?;
    draft.put_exception(number, None);
    Some(exception)
}
