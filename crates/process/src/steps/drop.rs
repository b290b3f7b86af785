//! `drop`: lets the event go. It is answered and counted, not stored.

use bergfried_event::Event;
use serde::{Deserialize, Serialize};

use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::StepFile;
use crate::scene::Scene;

/// `drop = {}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropFile {
    /// How many of a hundred events are let go, evenly spread; 1 to 100, 100 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<u8>,
}

pub(crate) const KIND: Kind = Kind {
    key: "drop",
    about: "Lets the event go: it is answered and counted, not stored, and no rule sees it.",
    example: "when = 'program:CRON AND message:\"session opened\"'\ndrop = { percentage = 90 }",
    failure_tag: None,
    is_set: |step| step.drop.is_some(),
    compile,
    files: no_files,
};

struct Drop {
    percentage: u64,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let percentage = step.drop.as_ref()?.percentage.unwrap_or(100);
    if !(1..=100).contains(&percentage) {
        compile.at("percentage", |compile| {
            compile.mistake(format!("`{percentage}` is no percentage, expected 1 to 100"));
        });
        return None;
    }
    Some(Box::new(Drop { percentage: u64::from(percentage) }))
}

impl Action for Drop {
    fn run<'e>(&'e self, _event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        // Spread evenly over every hundred: dropped where the running share steps up.
        let before = scene.turn * self.percentage / 100;
        let after = (scene.turn + 1) * self.percentage / 100;
        if after > before { Outcome::Drop } else { Outcome::Done }
    }
}
