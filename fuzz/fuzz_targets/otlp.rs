//! Any bytes as a request of OTLP, in protobuf and in JSON: never a panic, and every log record
//! becomes a JSON object. What is not too heavy stays below a bound in memory, which the fuzzer's
//! own limit watches.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message as _;

#[path = "../../crates/hub/src/adapters/otlp/document.rs"]
mod document;
#[path = "../../crates/hub/src/adapters/otlp/json.rs"]
mod json;
#[path = "../../crates/hub/src/adapters/otlp/message.rs"]
#[allow(dead_code)]
mod message;
#[path = "../../crates/hub/src/adapters/otlp/weigh.rs"]
mod weigh;

fuzz_target!(|body: &[u8]| {
    if !weigh::is_too_heavy(body)
        && let Ok(request) = message::Request::decode(body)
    {
        check(&request);
    }
    if !weigh::is_too_heavy_json(body)
        && let Ok(request) = json::read(body)
    {
        check(&request);
    }
});

fn check(request: &message::Request) {
    for logs in &request.resource_logs {
        for scoped in &logs.scope_logs {
            for record in scoped.log_records.iter().take(100) {
                let raw =
                    document::document(record, scoped.scope.as_ref(), logs.resource.as_ref());
                let value: serde_json::Value = serde_json::from_slice(&raw).expect("JSON");
                assert!(value.is_object());
            }
        }
    }
}
