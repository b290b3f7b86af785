//! Texts for browsers.
//!
//! Alerta's web console puts the text of an alert, and attributes that hold links or tags, into its
//! page as markup. Whoever writes a log that becomes an alert writes some of that, so a tag in it would
//! be a program of an attacker in the page of whoever looks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

/// Where a tag may begin, and the only one that is left: a link, which says where it leads and nothing
/// else. Senders put such links into attributes for people to click on.
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let link = r#"<a href="https?://[^"<>\s]*"(?: target="_blank")?>[^<>]*</a>"#;
    Regex::new(&format!("(?<link>{link})|<")).ok()
});

/// A text that shows as it is where it is taken for markup.
pub(super) fn without(text: &str) -> Cow<'_, str> {
    match TAG.as_ref() {
        Some(tag) => tag.replace_all(text, |found: &Captures<'_>| {
            found.name("link").map_or("&lt;", |link| link.as_str()).to_owned()
        }),
        None => Cow::Owned(text.replace('<', "&lt;")),
    }
}

/// Attributes of which every text is so.
pub(super) fn without_in(attributes: &BTreeMap<String, Value>) -> Cow<'_, BTreeMap<String, Value>> {
    let has = |value: &Value| value.as_str().is_some_and(|text| text.contains('<'));
    if !attributes.values().any(has) {
        return Cow::Borrowed(attributes);
    }
    let shown = attributes.iter().map(|(key, value)| {
        let value = value.as_str().map_or_else(|| value.clone(), |text| without(text).into());
        (key.clone(), value)
    });
    Cow::Owned(shown.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_plain_links_are_left() {
        let link = r#"<a href="https://prom.example/g?a=1&b=2" target="_blank">Graph</a>"#;
        for (text, shown) in [
            ("", ""),
            ("1 < 2 and 3 > 2", "1 &lt; 2 and 3 > 2"),
            ("<img src=x onerror=f()>", "&lt;img src=x onerror=f()>"),
            ("<<script>f()</script>", "&lt;&lt;script>f()&lt;/script>"),
            ("&lt;b>", "&lt;b>"),
            (link, link),
            (
                r#"<a href="http://a"><img src=x></a>"#,
                r#"&lt;a href="http://a">&lt;img src=x>&lt;/a>"#,
            ),
            (r#"<a href="javascript:f()">x</a>"#, r#"&lt;a href="javascript:f()">x&lt;/a>"#),
            (
                r#"<a href="http://a" onclick="f()">x</a>"#,
                r#"&lt;a href="http://a" onclick="f()">x&lt;/a>"#,
            ),
            (r#"<a href='http://a'>x</a>"#, "&lt;a href='http://a'>x&lt;/a>"),
            (r#"<A HREF="http://a">x</A>"#, r#"&lt;A HREF="http://a">x&lt;/A>"#),
        ] {
            assert_eq!(without(text), shown, "{text}");
        }
        let twice = format!("<{link}<");
        assert_eq!(without(&twice), format!("&lt;{link}&lt;"));
    }

    #[test]
    fn attributes_without_tags_are_not_copied() {
        let of = |value: Value| BTreeMap::from([("a".to_owned(), value)]);
        for value in [json!("x > 1"), json!(["<b>"]), json!(1), json!(null)] {
            let attributes = of(value);
            assert!(matches!(without_in(&attributes), Cow::Borrowed(_)), "{attributes:?}");
        }
        assert_eq!(*without_in(&of(json!("<b>"))), of(json!("&lt;b>")));
    }
}
