//! One matcher of the intermediate form into the shared predicate tree (Sigma modifiers appendix).

use bergfried_query::{Comparison, Condition, Part, Pattern, Predicate, Target, TextRegex};
use ipnet::IpNet;
use rsigma_ir::{IrMatcher, IrNumber, IrPattern, IrPatternPart, IrStrOp, IrTimePart};

use super::encode;
use super::lower::{all, any};
use crate::fields::Names;

/// The predicate that holds where a value of any of the targets meets the matcher.
///
/// # Errors
/// Says why, where the matcher is of no use or not supported.
pub(super) fn lower(
    targets: &[Target],
    matcher: &IrMatcher,
    names: Names<'_>,
) -> Result<Predicate, String> {
    let list = |inner: &[IrMatcher]| -> Result<Vec<Predicate>, String> {
        inner.iter().map(|matcher| lower(targets, matcher, names)).collect()
    };
    let keyword = matches!(targets, [Target::Anything]);
    match matcher {
        IrMatcher::AnyOf(inner) => return list(inner).map(any),
        IrMatcher::AllOf(inner) => return list(inner).map(all),
        IrMatcher::Not(inner) => {
            return lower(targets, inner, names).map(|inner| Predicate::Not(Box::new(inner)));
        }
        IrMatcher::Encoded { encodings, op, value, case_insensitive } => {
            let forms = encode::forms(encodings, value)?;
            let op = keyword_op(*op, keyword);
            let atom = |form: Vec<Part>| atom(targets, &text(form, op, *case_insensitive));
            return Ok(any(forms.into_iter().map(atom).collect()));
        }
        IrMatcher::Exists(false) => {
            return Ok(Predicate::Not(Box::new(atom(targets, &Condition::Exists))));
        }
        _ => {}
    }
    condition(matcher, keyword, names).map(|condition| atom(targets, &condition))
}

/// A keyword is looked for anywhere in a text, unless a modifier says where.
fn keyword_op(op: IrStrOp, keyword: bool) -> IrStrOp {
    if keyword && op == IrStrOp::Exact { IrStrOp::Contains } else { op }
}

/// A value is null only where none of the targets has another.
fn atom(targets: &[Target], condition: &Condition) -> Predicate {
    let join = if matches!(condition, Condition::Null) { all } else { any };
    let atom = |target: &Target| Predicate::Atom(target.clone(), condition.clone());
    join(targets.iter().map(atom).collect())
}

fn condition(matcher: &IrMatcher, keyword: bool, names: Names<'_>) -> Result<Condition, String> {
    Ok(match matcher {
        IrMatcher::Str { op, pattern, case_insensitive } => {
            text(parts(pattern), keyword_op(*op, keyword), *case_insensitive)
        }
        IrMatcher::Regex { pattern, case_insensitive, multiline, dotall, .. } => {
            Condition::Regex(regex(pattern, *case_insensitive, *multiline, *dotall)?)
        }
        IrMatcher::Cidr { network } => Condition::Network(self::network(network)?),
        // A number among keywords is looked for as text, like every keyword.
        IrMatcher::NumericEq(value) if keyword => {
            let literal = Part::Literal(number(value)?.to_string());
            text(vec![literal], IrStrOp::Contains, true)
        }
        IrMatcher::NumericEq(value) => Condition::Number(Comparison::Equal, number(value)?),
        IrMatcher::NumericGt(value) => Condition::Number(Comparison::Greater, number(value)?),
        IrMatcher::NumericGte(value) => {
            Condition::Number(Comparison::GreaterOrEqual, number(value)?)
        }
        IrMatcher::NumericLt(value) => Condition::Number(Comparison::Less, number(value)?),
        IrMatcher::NumericLte(value) => Condition::Number(Comparison::LessOrEqual, number(value)?),
        IrMatcher::Exists(_) => Condition::Exists,
        IrMatcher::Null => Condition::Null,
        IrMatcher::BoolEq(truth) => Condition::Bool(*truth),
        IrMatcher::FieldRef { field, op, case_insensitive } => Condition::SameAs {
            field: names.field(field),
            any_before: matches!(op, IrStrOp::Contains | IrStrOp::EndsWith),
            any_after: matches!(op, IrStrOp::Contains | IrStrOp::StartsWith),
            cased: !case_insensitive,
        },
        IrMatcher::TimestampPart { part, inner } => time_part(*part, inner)?,
        IrMatcher::Expand { .. } => {
            return Err(
                "the modifier `expand` is not supported: there are no placeholders here".into()
            );
        }
        IrMatcher::Encoded { .. }
        | IrMatcher::Not(_)
        | IrMatcher::AnyOf(_)
        | IrMatcher::AllOf(_) => return Err("a matcher nested where none may be".into()),
    })
}

fn parts(pattern: &IrPattern) -> Vec<Part> {
    let part = |part: &IrPatternPart| match part {
        IrPatternPart::Literal(text) => Part::Literal(text.clone()),
        IrPatternPart::WildcardMulti => Part::AnyRun,
        IrPatternPart::WildcardSingle => Part::AnyOne,
    };
    pattern.parts.iter().map(part).collect()
}

fn text(parts: Vec<Part>, op: IrStrOp, case_insensitive: bool) -> Condition {
    let before = matches!(op, IrStrOp::Contains | IrStrOp::EndsWith).then_some(Part::AnyRun);
    let after = matches!(op, IrStrOp::Contains | IrStrOp::StartsWith).then_some(Part::AnyRun);
    let parts = before.into_iter().chain(parts).chain(after);
    Condition::Text(Pattern::new(parts, !case_insensitive))
}

fn regex(
    pattern: &str,
    case_insensitive: bool,
    multiline: bool,
    dotall: bool,
) -> Result<TextRegex, String> {
    let flags: String = [(case_insensitive, 'i'), (multiline, 'm'), (dotall, 's')]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect();
    let pattern =
        if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") };
    TextRegex::new(&pattern).map_err(|error| error.to_string())
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(address).map(|network| network.trunc()).ok_or_else(|| {
        format!("`{}` is no network, expected one such as 10.0.0.0/8", text.escape_debug())
    })
}

fn number(number: &IrNumber) -> Result<f64, String> {
    match number {
        IrNumber::Literal(value) => Ok(*value),
        IrNumber::DynamicSourceRef { source_id, .. } => {
            Err(format!("values from another source (`{source_id}`) are not supported"))
        }
    }
}

/// A part of a time in RFC 3339 equals a number: looked for at its place in the text.
fn time_part(part: IrTimePart, inner: &IrMatcher) -> Result<Condition, String> {
    let IrMatcher::NumericEq(value) = inner else {
        return Err("a part of a time can only equal a number".to_owned());
    };
    let value = number(value)?;
    let before = match part {
        IrTimePart::Year => "^",
        IrTimePart::Month => "^[0-9]{4}-",
        IrTimePart::Day => "^[0-9]{4}-[0-9]{2}-",
        IrTimePart::Hour => "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]",
        IrTimePart::Minute => "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:",
        IrTimePart::Week => return Err("the modifier `week` is not supported".to_owned()),
    };
    let width = if matches!(part, IrTimePart::Year) { 4 } else { 2 };
    let pattern = format!("{before}{value:0width$}(?:[^0-9]|$)");
    TextRegex::new(&pattern).map(Condition::Regex).map_err(|error| error.to_string())
}
