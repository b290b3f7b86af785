//! `--dump`: what the correlator holds, for people or as JSON. The environment is none of it: it may
//! hold secrets.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use bergfried_sec::Dump;
use serde::Serialize;

use crate::inputs::{Inputs, shown};
use crate::perl::Perl;
use crate::world::World;

/// Everything that is dumped.
#[derive(Serialize)]
pub(crate) struct Whole<'a> {
    version: &'static str,
    started: i64,
    options: &'a [String],
    inputs: Vec<InputDump>,
    lines: u64,
    lines_cut: u64,
    outputs: Vec<String>,
    written: u64,
    dropped: u64,
    children: Vec<(u32, String)>,
    commands_started: u64,
    commands_failed: u64,
    commands_dropped: u64,
    alerts_told: u64,
    alerts_sent: u64,
    alerts_dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    perl_restarts: Option<u64>,
    engine: Dump,
}

#[derive(Serialize)]
struct InputDump {
    name: String,
    is_open: bool,
    context: Option<String>,
}

impl<'a> Whole<'a> {
    /// What there is now.
    pub(crate) fn new(
        dump: Dump,
        inputs: &Inputs,
        world: &World,
        options: &'a [String],
        started: i64,
    ) -> Self {
        let outputs = world.files.names().map(shown);
        let sockets = world.sockets.names().map(|(kind, peer)| format!("{kind} {}", shown(peer)));
        let counters = [world.stdout.counters(), world.files.counters(), world.sockets.counters()];
        let commands = world.children.counters();
        let (alerts_told, alerts_sent, alerts_dropped) = world.hub.counts();
        let (lines, lines_cut) = inputs.counts();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            started,
            options,
            inputs: inputs
                .iter()
                .map(|input| InputDump {
                    name: shown(input.name()),
                    is_open: input.is_open(),
                    context: input.context().map(shown),
                })
                .collect(),
            lines,
            lines_cut,
            outputs: outputs.chain(sockets).collect(),
            written: counters.iter().map(|one| one.written).sum(),
            dropped: counters.iter().map(|one| one.dropped).sum(),
            children: world.children.iter().map(|(id, line)| (id, line.to_owned())).collect(),
            commands_started: commands.started,
            commands_failed: commands.failed,
            commands_dropped: commands.dropped,
            alerts_told,
            alerts_sent,
            alerts_dropped,
            perl_restarts: world.perl.as_ref().map(Perl::restarts),
            engine: dump,
        }
    }

    /// Writes it to a file that is not there yet: what is there is never overwritten.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn write(&self, path: &Path, as_json: bool) -> io::Result<()> {
        let text = if as_json {
            serde_json::to_string_pretty(self).map_err(io::Error::other)? + "\n"
        } else {
            self.text()
        };
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        self.write_text(&mut text).ok();
        text
    }

    fn write_text(&self, to: &mut String) -> std::fmt::Result {
        let dump = &self.engine;
        writeln!(to, "bergfried-correlate {} at {}", self.version, dump.time)?;
        writeln!(to, "Started: {}", self.started)?;
        writeln!(to, "Options: {}", self.options.join(" "))?;
        writeln!(to, "\nInputs ({} lines, {} cut):", self.lines, self.lines_cut)?;
        for input in &self.inputs {
            let state = if input.is_open { "open" } else { "closed" };
            let context = input.context.as_ref().map(|name| format!(", context {name}"));
            writeln!(to, "  {} ({state}{})", input.name, context.unwrap_or_default())?;
        }
        writeln!(to, "\nOutputs ({} written, {} dropped):", self.written, self.dropped)?;
        for output in &self.outputs {
            writeln!(to, "  {output}")?;
        }
        writeln!(
            to,
            "\nCommands ({} started, {} failed, {} dropped):",
            self.commands_started, self.commands_failed, self.commands_dropped
        )?;
        for (process, line) in &self.children {
            writeln!(to, "  {process}: {line}")?;
        }
        writeln!(
            to,
            "\nAlerts: {} told, {} sent, {} dropped",
            self.alerts_told, self.alerts_sent, self.alerts_dropped
        )?;
        if let Some(restarts) = self.perl_restarts {
            writeln!(to, "Perl: the helper was started anew {restarts} times")?;
        }
        let counts = dump.statistics;
        writeln!(
            to,
            "\nEngine: {} lines, {} matches, {} actions, {} overruns, {} shed",
            counts.lines, counts.matches, counts.actions, counts.overruns, counts.shed
        )?;
        for file in &dump.files {
            writeln!(to, "\nRules of {} (sets: {}):", file.name, file.sets.join(" "))?;
            for (number, rule) in file.rules.iter().enumerate() {
                let (line, kind, hits) = (rule.line, &rule.kind, rule.matches);
                let description = &rule.description;
                write!(to, "  {} line {line} {kind}: {hits} matches", number + 1)?;
                writeln!(to, " ({description})")?;
            }
        }
        writeln!(to, "\nContexts ({}):", dump.contexts.len())?;
        for context in &dump.contexts {
            let (created, lifetime) = (context.created, context.lifetime);
            let names = context.names.join(", ");
            let list = if context.has_list { ", with actions" } else { "" };
            writeln!(to, "  {names}: since {created}, {lifetime} s{list}")?;
            for line in &context.store {
                writeln!(to, "    {line}")?;
            }
        }
        writeln!(to, "\nOperations ({}):", dump.operations.len())?;
        for operation in &dump.operations {
            let rule = operation.rule + 1;
            let (file, kind, description) =
                (&operation.file, &operation.kind, &operation.description);
            writeln!(to, "  {file} | {rule} | {description} ({kind})")?;
        }
        writeln!(to, "\nVariables ({}):", dump.variables.len())?;
        for (name, value) in &dump.variables {
            writeln!(to, "  %{name}={value}")?;
        }
        writeln!(to, "\nEvents: {} wait, {} delayed", dump.waiting, dump.delayed.len())
    }
}
