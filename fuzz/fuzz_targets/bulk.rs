//! Any bytes as a body of Elasticsearch's `_bulk`: never a panic, every document that is taken is a
//! JSON object that stands in the body, and the items are as many as a naive reading finds.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/hub/src/adapters/elastic/bulk.rs"]
#[allow(dead_code)]
mod bulk;

fuzz_target!(|body: &[u8]| {
    let Ok(items) = bulk::read(body, Some("index")) else { return };
    assert!(!items.is_empty() && items.len() <= bulk::MAX_ITEMS);
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    assert!(items.len() <= lines.count());
    for item in items {
        if let Ok(document) = item.document {
            assert!(document.len() <= bulk::MAX_DOCUMENT);
            assert!(serde_json::from_slice::<serde::de::IgnoredAny>(document).is_ok());
            assert!(document.starts_with(b"{") && document.ends_with(b"}"));
        }
    }
});
