//! The prefix of a line: the name that the administrator gave the rule.

/// The prefix, and what UniFi says of the rule behind it: `[WAN_IN-B-2000] DESCR="block all"`. Words of
/// the description are no verdict.
pub(super) fn described(prefix: &str) -> (&str, Option<&str>) {
    let Some((before, rest)) = prefix.split_once(" DESCR=\"") else { return (prefix, None) };
    (before, Some(rest.trim_end().trim_end_matches('"')))
}

/// The prefix as a name: without the brackets around it, the quotation marks of firewalld, and the
/// punctuation behind it.
pub(super) fn name(prefix: &str) -> &str {
    let prefix = prefix.trim().trim_matches('"');
    let prefix = prefix.trim().trim_end_matches([':', '-', '=', '>']).trim_end();
    let bare = prefix.strip_prefix('[').and_then(|inside| inside.strip_suffix(']'));
    bare.filter(|bare| !bare.contains(['[', ']'])).unwrap_or(prefix).trim()
}
