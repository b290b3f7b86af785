//! What could not be translated, or was done in another way, and where.

use crate::syntax::Place;

/// How much of what a line says is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// It is not done: something else has to take its place.
    Missing,
    /// It is done, but not quite as Logstash does it.
    Differs,
    /// Nothing is lost; there is something to know.
    Note,
}

impl Loss {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Loss::Missing => "missing",
            Loss::Differs => "differs",
            Loss::Note => "note",
        }
    }
}

/// Something to say of one place of the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub place: Place,
    /// How much is lost.
    pub loss: Loss,
    /// What, in words.
    pub message: String,
}

/// Gathers what is to be said. What comes after [`MAX_TOLD`] is left out.
#[derive(Debug, Default)]
pub(crate) struct Told {
    diagnostics: Vec<Diagnostic>,
}

/// The most diagnostics that are kept.
const MAX_TOLD: usize = 10_000;

impl Told {
    pub(crate) fn missing(&mut self, place: Place, message: impl Into<String>) {
        self.tell(place, Loss::Missing, message.into());
    }

    pub(crate) fn differs(&mut self, place: Place, message: impl Into<String>) {
        self.tell(place, Loss::Differs, message.into());
    }

    pub(crate) fn note(&mut self, place: Place, message: impl Into<String>) {
        self.tell(place, Loss::Note, message.into());
    }

    fn tell(&mut self, place: Place, loss: Loss, message: String) {
        let diagnostic = Diagnostic { place, loss, message };
        if self.diagnostics.len() < MAX_TOLD && !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// What was told, in the order of the places.
    pub(crate) fn sorted(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.place);
        self.diagnostics
    }
}
