//! The domain that a sentence about a blocked query names: agents phrase it as they like.

/// The longest name of a domain (RFC 1035, section 2.3.4).
const MAX_DOMAIN: usize = 253;
/// As far as is looked: an agent names the domain in a short sentence.
const MAX_WORDS: usize = 64;

/// The first word that is the name of a domain and not that of the host itself.
pub(super) fn find<'t>(text: &'t str, host: &str) -> Option<&'t str> {
    let is_around = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_');
    text.split(is_around)
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(|word| word.trim_matches(['.', '-']))
        .find(|word| is_domain(word) && !word.eq_ignore_ascii_case(host) && *word != "pi.hole")
}

/// Labels of letters, digits, hyphens and underscores, at least two, the last of them with a letter
/// in front: no address, no version and no file in a folder.
fn is_domain(word: &str) -> bool {
    let last = word.rsplit('.').next().unwrap_or_default();
    word.len() <= MAX_DOMAIN
        && word.contains('.')
        && word.split('.').all(|label| (1..=63).contains(&label.len()))
        && last.len() >= 2
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_found_in_any_sentence() {
        for (text, expected) in [
            ("ads.example.com", Some("ads.example.com")),
            ("Blocked DNS query: ads.example.com from 192.168.1.5", Some("ads.example.com")),
            ("gravity blocked _dmarc.x-y.example is 0.0.0.0", Some("_dmarc.x-y.example")),
            ("192.168.1.5 asked pi.hole (v5.18) for \"t.example\".", Some("t.example")),
            (
                "client=10.0.0.1 domain=xn--bcher-kva.example status=1",
                Some("xn--bcher-kva.example"),
            ),
            ("resolver.lan blocked tracker.example", Some("tracker.example")),
            ("Blocked: tracker.example.", Some("tracker.example")),
            ("10.0.0.1 v5.1 a..b .x", None),
            ("", None),
        ] {
            assert_eq!(find(text, "resolver.lan"), expected, "{text}");
        }
        assert_eq!(find(&format!("{}.example", "a".repeat(64)), ""), None);
    }
}
