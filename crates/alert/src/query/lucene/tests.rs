//! What each form of `q=` finds, and what is refused.

use super::super::QueryError;
use super::super::tests::{found_with, read_with};

fn q(query: &str) -> String {
    found_with(&[("q", query)])
}

fn refusal(query: &str) -> QueryError {
    read_with(&[("q", query)]).expect_err(query)
}

#[test]
fn terms() {
    for (query, expected) in [
        // Words and phrases, in the default field.
        ("QUICK", "b"),
        ("own", "abce"),
        ("\"quick brown\"", "b"),
        ("\"quick bro\"", ""),
        ("\"(root)\"", "d"),
        ("\u{dc}ser", "d"),
        ("95%", "b"),
        ("\\(root\\)", "d"),
        ("f\\ox", "b"),
        // With a field.
        ("resource:web", "abd"),
        ("resource:\"web01\"", "ad"),
        ("resource:\"web\"", ""),
        ("resource:(web02 OR dbx)", "be"),
        ("resource:(web02 dbx1)", "be"),
        ("environment:production AND severity:major", "b"),
        // Wildcards.
        ("qu?ck", "b"),
        ("bro*", "b"),
        ("row*", ""),
        ("*row*", "b"),
        ("f?x", "b"),
        ("resource:db?1.example.*", "ce"),
        ("resource:db\\?1", ""),
        ("resource:*", "abcde"),
        ("customer:*", "bc"),
        ("*", "abcde"),
        ("*:*", "abcde"),
        // Regexes.
        ("/qu[aeiou]ck/", "b"),
        ("resource:/^WEB0[1]$/", "ad"),
        ("resource:/web0[1-2]/ AND text:/95%|down$/", "ab"),
        ("text:/a\\/b/", ""),
        // Lists: whole elements, as they are written.
        ("service:Web", "abe"),
        ("service:We", ""),
        ("service:web", ""),
        ("services:Web", "abe"),
        ("tags:dc\\:berlin", "a"),
        ("tag:dc:berlin", "a"),
        ("tags:\"dc:berlin\"", "a"),
        ("tags:dc*", "a"),
        ("tags:c*", ""),
        ("correlate:node_up", "e"),
        ("service:(Database OR Web)", "abce"),
        // Attributes.
        ("attributes.region:eu", "a"),
        ("_.region:EU", "a"),
        ("attributes.cpu:>90", "a"),
        ("attributes.cpu:>9", "a"),
        ("attributes.cpu:>95", ""),
        ("attributes.cpu:[95 TO *]", "a"),
        ("attributes.region:[EU TO FR]", "a"),
        ("_exists_:region", "ab"),
        ("_exists_:attributes.cpu", "a"),
        ("_exists_:_.cpu", "a"),
        ("_exists_:customer", "bc"),
        ("_exists_:service", "abce"),
        ("NOT _exists_:service", "d"),
        // Numbers, in both spellings.
        ("duplicate_count:>0", "a"),
        ("duplicateCount:>=7", "a"),
        ("duplicateCount:7", "a"),
        ("duplicateCount:<7", "bcde"),
        ("duplicateCount:[1 TO 7]", "a"),
        ("duplicateCount:[1 TO 7}", ""),
        ("duplicateCount:{6 TO *}", "a"),
        ("timeout:<=60", "d"),
        ("value:>90", "a"),
        ("value:>=100", ""),
        // Times.
        ("lastReceiveTime:>2026-11-21T12:00:00.000Z", "a"),
        ("lastReceiveTime:2026-11-21T12:00:01.234Z", "a"),
        ("lastReceiveTime:\"2026-11-21T12:00:01.234Z\"", "a"),
        ("last_receive_time:>=2026-11-21T11:59:59.000Z", "ab"),
        ("createTime:2026-11-21", "abcde"),
        ("createTime:<now-30m", "c"),
        ("createTime:[2026-11-21 TO now-1h]", "c"),
        ("createTime:{* TO 2026-11-21}", ""),
        // Texts in order, flags, severities by how bad they are.
        ("environment:[A TO E]", "c"),
        ("repeat:true", "a"),
        ("repeat:false", "bcde"),
        ("severity:>=major", "ab"),
        ("severity:>major", "a"),
        ("severity:<minor", "ce"),
        ("severity:[warning TO major]", "bde"),
        ("severity:{warning TO major}", "d"),
        ("type:heartbeatalert", "d"),
        // A boost means nothing.
        ("quick^2 OR resource:(web02)^3.5", "b"),
    ] {
        assert_eq!(q(query), expected, "{query}");
    }
}

#[test]
fn operators() {
    for (query, expected) in [
        ("status:ack OR status:closed", "bc"),
        ("status:ack || status:closed", "bc"),
        ("status:ack status:closed", "bc"),
        ("resource:web AND severity:critical", "a"),
        ("resource:web && severity:critical", "a"),
        ("resource:web&&severity:critical", "a"),
        ("resource:web NOT severity:critical", "bd"),
        ("resource:web AND NOT severity:critical", "bd"),
        ("resource:web !severity:critical", "bd"),
        ("resource:web -severity:critical", "bd"),
        ("-resource:web", "ce"),
        ("NOT resource:web", "ce"),
        ("NOT NOT resource:web", "abd"),
        ("NOT (status:ack OR status:closed)", "ade"),
        ("+resource:web status:ack", "abd"),
        ("+resource:web +status:ack", "b"),
        ("+resource:web -status:ack other", "ad"),
        // AND binds more than nothing, and that more than OR.
        ("status:closed OR resource:web AND severity:critical", "ac"),
        ("status:closed resource:web AND severity:critical", "ac"),
        ("(status:closed OR resource:web) AND severity:critical", "a"),
        ("status:closed OR resource:web NOT severity:critical", "bcd"),
        ("resource:web OR NOT status:open", "abcd"),
        ("resource:(web NOT web02)", "ad"),
        ("resource:(+web -web02)", "ad"),
        ("  ( status:ack )  ", "b"),
        ("NOTHING", ""),
        ("ORdinary ANDroid", ""),
    ] {
        assert_eq!(q(query), expected, "{query}");
    }
}

#[test]
fn with_other_parameters() {
    assert_eq!(found_with(&[("q", "web01"), ("q.df", "resource")]), "ad");
    assert_eq!(found_with(&[("q", "eu"), ("q.df", "attributes.region")]), "a");
    assert_eq!(found_with(&[("q", "")]), "abcde");
    assert_eq!(found_with(&[("q", "resource:web"), ("status", "ack")]), "b");
    assert_eq!(found_with(&[("q", "resource:web"), ("q", "resource:web02")]), "b");
    let error = read_with(&[("q", "a"), ("q.df", "1); select")]).unwrap_err();
    assert_eq!(error.to_string(), "Failed to parse query string. Unknown field `1); select`.");
}

#[test]
fn refuses() {
    for (query, expected) in [
        ("foo:bar", "Failed to parse query string. Unknown field `foo`."),
        ("attributes:bar", "Unknown field `attributes`."),
        ("(a", "Failed to parse query string. At character 3: expected `)`."),
        ("a)", "At character 2: unexpected `)`."),
        ("()", "expected a term, not `)`"),
        ("a AND", "At character 6: expected a term."),
        ("OR a", "expected a term before `OR`"),
        ("a OR OR b", "expected a term before `OR`"),
        ("\"open", "expected `\"`"),
        ("/open", "expected `/`"),
        ("text:", "expected a value"),
        ("_exists_:", "expected a field"),
        ("timeout:[1 TO", "expected a value"),
        ("timeout:[1 2]", "expected `TO`"),
        ("timeout:[1 TO 2", "expected `]` or `}`"),
        ("timeout:abc", "cannot read `abc` as `timeout`: expected a whole number"),
        ("timeout:/1/", "expected no regular expression"),
        ("timeout:1*", "expected a whole number"),
        ("createTime:>yesterday", "dates must be ISO 8601"),
        ("repeat:>true", "expected true or false"),
        ("severity:>bad", "expected a severity of the alarm model"),
        ("text:/(/", "as a regular expression for `text`"),
        ("text:/(\\w{60}){60}/", "it is too large"),
        ("roam~", "not supported"),
        ("roam~0.8", "not supported"),
        ("\"a b\"~5", "not supported"),
        ("a^b", "expected a number after `^`"),
        ("- - - - - - - - - a", "too many signs"),
    ] {
        let error = refusal(query).to_string();
        assert!(error.contains(expected), "{query}: {error}");
    }
    let deep = format!("{}a{}", "(".repeat(21), ")".repeat(21));
    assert!(refusal(&deep).to_string().contains("nested deeper than 20"));
    assert!(refusal(&"a ".repeat(65)).to_string().contains("more than 64 terms"));
    assert!(refusal(&"a".repeat(4_097)).to_string().contains("longer than 4096 bytes"));
    let wide = "(a OR b) AND ".repeat(20) + "c";
    assert!(read_with(&[("q", &wide)]).is_ok(), "brackets beside each other are not nested");
}
