//! Slack: a button under a message was pressed.
//!
//! A button of a block carries the action in `action_id` and the alert's id in `value`; one of an
//! older message carries them in `value` and `callback_id`.
//!
//! Slack cannot send a header of one's choice, so the API key stands in the address that Slack is given.
//! With the app's signing secret (`SLACK_SIGNING_SECRET`) only what Slack has signed is taken, and
//! whoever reads the address somewhere cannot press buttons with it. Without it the key is all there is.

use bergfried_event::Timestamp;
use ring::hmac;
use serde_json::{Value, json};

use super::super::error::Refusal;
use super::call::{Asked, Call, Wanted, What, need, text};

/// How old a signed request may be, and how far ahead Slack's clock, in microseconds.
const FRESH: i64 = 5 * 60 * Timestamp::SECOND;

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    check(call)?;
    let payload = form_urlencoded::parse(call.body).find(|(name, _)| name == "payload");
    let Some((_, payload)) = payload else {
        return Err(Refusal::invalid("missing `payload`, expected a form that holds JSON"));
    };
    let payload: Value = serde_json::from_str(&payload)
        .map_err(|error| Refusal::invalid(format!("cannot read `payload` as JSON: {error}")))?;
    let (action, id) = match need(&payload, "/type")?.as_str() {
        "block_actions" => {
            (need(&payload, "/actions/0/action_id")?, need(&payload, "/actions/0/value")?)
        }
        "interactive_message" => {
            let word = text(&payload, "/actions/0/value")
                .map_or_else(|| need(&payload, "/actions/0/name"), Ok);
            (word?, need(&payload, "/callback_id")?)
        }
        other => return Ok(Asked::Nothing(format!("Slack says {}", other.escape_debug()))),
    };
    let user = text(&payload, "/user/username").or_else(|| text(&payload, "/user/name"));
    let user = user.or_else(|| text(&payload, "/user/id"));
    let told = format!("{action} from Slack");
    Ok(Asked::Changes {
        wanted: vec![Wanted::new(id, What::Action(action), told, user)],
        // The answer is shown to who pressed, and leaves the message as it is.
        answer: vec![("replace_original", json!(false)), ("response_type", json!("ephemeral"))],
    })
}

/// Whether Slack signed the request lately: HMAC-SHA256 over `v0:<time>:<body>`, in hex after `v0=`.
fn check(call: &Call<'_>) -> Result<(), Refusal> {
    let Some(secret) = call.slack_signing_secret else { return Ok(()) };
    let refused = || Refusal::unauthorized("the request is not signed by Slack");
    let header = |name| call.headers.get(name).and_then(|value| value.to_str().ok());
    let time = header("x-slack-request-timestamp").ok_or_else(refused)?;
    let seconds: u32 = time.parse().map_err(|_not_a_time| refused())?;
    let age = call.now.since(Timestamp::from_seconds(seconds.into()));
    if age.abs() > FRESH {
        return Err(Refusal::unauthorized("the request was signed by Slack too long ago"));
    }
    let signature = header("x-slack-signature").and_then(|text| unhex(text.strip_prefix("v0=")?));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let signed = [b"v0:", time.as_bytes(), b":", call.body].concat();
    // Compares in constant time.
    hmac::verify(&key, &signed, &signature.ok_or_else(refused)?).map_err(|_wrong| refused())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read() {
        assert_eq!(unhex("00fFa1").as_deref(), Some(&[0, 255, 161][..]));
        for wrong in ["0", "0g", "éé", "000"] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }
}
