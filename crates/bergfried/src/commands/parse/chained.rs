//! The chains of a configuration over the lines of a file, as the hub would run them.

use std::path::Path;
use std::time::Instant;

use bergfried_event::{Event, Origin, SourceKind};
use bergfried_hub::{ChainFiles, HubFile};
use bergfried_parse::Context;
use bergfried_process::{Chains, Meter, Verdict};

/// The chains, and what events say of the input that they came by.
pub(super) struct Chained {
    pub(super) chains: Chains,
    pub(super) origin: Origin,
}

impl Chained {
    /// Reads the configuration; without a name, its only input is taken where it has one.
    ///
    /// # Errors
    /// Its mistakes, or that no input has the name.
    pub(super) fn read(path: &Path, input: Option<&str>) -> anyhow::Result<Chained> {
        let chains = ChainFiles { config: Some(path.to_owned()) }.load()?;
        let file = HubFile::read(path)?;
        let input = match (input, file.input.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(name), inputs) => match inputs.iter().find(|input| input.name() == name) {
                Some(input) => Some(input),
                None => anyhow::bail!(
                    "{} has no input `{}`, it has {}",
                    path.display(),
                    name.escape_debug(),
                    names(inputs.iter().map(|input| input.name()))
                ),
            },
        };
        let origin = match input {
            Some(input) => input.origin(),
            None => Origin::new(SourceKind::File, "", ""),
        };
        Ok(Chained { chains, origin })
    }

    /// Counters that measure by this machine's clock.
    pub(super) fn meter(&self) -> Meter {
        let started = Instant::now();
        self.chains.meter(Box::new(move || {
            u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)
        }))
    }

    /// Says in the event by which input it came.
    pub(super) fn mark<'e>(&'e self, event: &mut Event<'e>, kind: SourceKind) {
        if self.origin.input.is_some() {
            // Nobody is told who may speak for whom: a file has no sender.
            let _unpinned = bergfried_pipeline::mark(event, &self.origin);
        } else {
            event.set(bergfried_event::Field::InputType, kind.name());
        }
    }

    /// Runs the chains; whether the event is kept.
    pub(super) fn apply<'e>(
        &'e self,
        event: &mut Event<'e>,
        kind: SourceKind,
        context: &Context<'_>,
        meter: &mut Meter,
    ) -> bool {
        self.mark(event, kind);
        self.chains.apply(event, context, meter) == Verdict::Keep
    }
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
