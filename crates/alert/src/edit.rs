//! What people write on an alert: tags, attributes and notes.

use std::collections::BTreeMap;

use bergfried_event::Timestamp;
use serde_json::Value;

use crate::alert::{Alert, Note};
use crate::bounds::{
    MAX_LIST, MAX_NOTES, MAX_TEXT, TooMuch, check_attributes, check_bytes, check_list,
    merge_attributes, merge_tags,
};
use crate::history::{Entry, EntryKind};
use crate::settings::Settings;

impl Alert {
    /// Adds tags; those that it has already stay where they are.
    ///
    /// # Errors
    /// Where they are more than an alert may hold; then nothing is changed.
    pub fn tag(&mut self, tags: &[String]) -> Result<(), TooMuch> {
        check_list("tags", tags)?;
        let mut all = self.tags.clone();
        merge_tags(&mut all, tags);
        if tags.iter().any(|tag| !all.contains(tag)) {
            let limit = format!("at most {MAX_LIST} tags of one alert");
            return Err(TooMuch { field: "tags", limit });
        }
        self.tags = all;
        Ok(())
    }

    /// Takes tags away.
    pub fn untag(&mut self, tags: &[String]) {
        self.tags.retain(|tag| !tags.contains(tag));
    }

    /// Sets attributes; a null takes one away.
    ///
    /// # Errors
    /// Where they are more than an alert may hold; then nothing is changed.
    pub fn set_attributes(&mut self, attributes: BTreeMap<String, Value>) -> Result<(), TooMuch> {
        check_attributes(&attributes)?;
        let mut all = self.attributes.clone();
        for (key, value) in &attributes {
            if value.is_null() {
                all.remove(key);
            } else {
                all.insert(key.clone(), value.clone());
            }
        }
        check_attributes(&all)?;
        // Taken away first, so that what is set finds the room.
        let (taken, set) = attributes.into_iter().partition(|(_, value)| value.is_null());
        merge_attributes(&mut self.attributes, taken);
        merge_attributes(&mut self.attributes, set);
        Ok(())
    }

    /// Adds a note, and tells of it in the history.
    ///
    /// # Errors
    /// Where it is too long, or there are too many; then nothing is changed.
    pub fn add_note(&mut self, settings: &Settings, note: Note) -> Result<(), TooMuch> {
        check_bytes("text", &note.text, MAX_TEXT)?;
        if self.notes.len() >= MAX_NOTES {
            let limit = format!("at most {MAX_NOTES} notes of one alert");
            return Err(TooMuch { field: "notes", limit });
        }
        let entry = Entry {
            id: note.id.clone(),
            text: note.text.clone(),
            kind: EntryKind::Note,
            user: note.user.clone(),
            ..Entry::of(self, note.created)
        };
        self.record(settings, entry);
        self.notes.push(note);
        Ok(())
    }

    /// Changes what a note says; none where there is no such note.
    ///
    /// # Errors
    /// Where the text is too long; then nothing is changed.
    pub fn change_note(
        &mut self,
        id: &str,
        text: String,
        now: Timestamp,
    ) -> Result<Option<&Note>, TooMuch> {
        check_bytes("text", &text, MAX_TEXT)?;
        let Some(note) = self.notes.iter_mut().find(|note| note.id == id) else { return Ok(None) };
        note.text = text;
        note.updated = Some(now);
        Ok(Some(note))
    }

    /// Takes a note away, and tells of it in the history; false where there is no such note.
    pub fn remove_note(
        &mut self,
        settings: &Settings,
        id: &str,
        user: Option<String>,
        now: Timestamp,
    ) -> bool {
        let Some(place) = self.notes.iter().position(|note| note.id == id) else { return false };
        let note = self.notes.remove(place);
        let entry = Entry {
            id: note.id,
            text: "note dismissed".to_owned(),
            kind: EntryKind::Dismiss,
            user,
            ..Entry::of(self, now)
        };
        self.record(settings, entry);
        true
    }
}
