//! Telegram: a button under a bot's message was pressed.
//!
//! The answer calls a method of the bot, so that the person who pressed sees what came of it.
//! The button's data is a command and the alert's id, such as `/ack 0b8dc5b6-…`.

use serde_json::json;

use super::super::error::Refusal;
use super::call::{Asked, Call, Wanted, What, need, text};

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    if payload.get("callback_query").is_none() {
        return Ok(Asked::Nothing("Telegram says something that is no pressed button".to_owned()));
    }
    let data = need(&payload, "/callback_query/data")?;
    let mut words = data.split_whitespace();
    let (Some(command), Some(id), None) = (words.next(), words.next(), words.next()) else {
        return Err(Refusal::invalid("`callback_query.data` must be a command and an alert's id"));
    };
    let action = command.strip_prefix('/').unwrap_or(command);
    let user = text(&payload, "/callback_query/from/username");
    let user = user.or_else(|| text(&payload, "/callback_query/from/id"));
    let told = format!("{action} from Telegram");
    let query = text(&payload, "/callback_query/id");
    Ok(Asked::Changes {
        wanted: vec![Wanted::new(id.to_owned(), What::Action(action.to_owned()), told, user)],
        answer: vec![("method", json!("answerCallbackQuery")), ("callback_query_id", json!(query))],
    })
}
