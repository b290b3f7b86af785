//! The `bergfried` program: reads its arguments and hands them to one command.

mod arguments;
mod client;
mod commands;
mod demo;
mod input;
mod scan;
mod terminal;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Parsing and detecting make and drop many small values on one thread while others answer searches;
/// glibc's allocator spends a third of the time of ingest on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns the logs that your servers already write into alerts that you would act on.
///
/// One program: agents collect, a hub stores, detects and alerts, and everything can be searched.
#[derive(Parser, Debug)]
#[command(name = "bergfried", version, max_term_width = 100)]
#[command(after_help = "Start here:
  bergfried scan /var/log/auth.log      what is in this log?
  bergfried up                          watch this machine, hub and agent in one
  bergfried search 'user:root failed'   look into what the hub has")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Up(commands::up::Up),
    Hub(commands::hub::Hub),
    Agent(bergfried_agent::Options),
    Scan(scan::Scan),
    Parse(commands::parse::Parse),
    Status(commands::status::Status),
    Search(commands::search::Search),
    Searches(commands::search::saved::Searches),
    Tail(commands::tail::Tail),
    Alerts(commands::alerts::Alerts),
    Hosts(commands::hosts::Hosts),
    Report(commands::report::Report),
    Db(commands::db::Db),
    Heartbeat(commands::heartbeat::Heartbeats),
    Blackout(commands::blackout::Blackouts),
    Exceptions(commands::exceptions::Exceptions),
    Rules(commands::rules::Rules),
    Correlate(commands::correlate::Correlate),
    Import(commands::import::Import),
    Notify(commands::notify::Notify),
    Tokens(commands::tokens::Tokens),
    Users(commands::users::Users),
    Audit(commands::audit::Audit),
    Completions(commands::manual::Completions),
    Man(commands::manual::Man),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let result = run(&cli.command, &mut out).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => code,
        // The reader of our output has gone (`| head`): nothing is wrong.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(arguments) => commands::up::run(arguments, out),
        Command::Hub(arguments) => commands::hub::run(arguments, out),
        Command::Agent(arguments) => commands::agent::run(arguments),
        Command::Scan(arguments) => scan::run(arguments, out),
        Command::Parse(arguments) => commands::parse::run(arguments, out),
        Command::Status(arguments) => commands::status::run(arguments, out),
        Command::Search(arguments) => commands::search::run(arguments, out),
        Command::Searches(arguments) => commands::search::saved::run(arguments, out),
        Command::Tail(arguments) => commands::tail::run(arguments, out),
        Command::Alerts(arguments) => commands::alerts::run(arguments, out),
        Command::Hosts(arguments) => commands::hosts::run(arguments, out),
        Command::Report(arguments) => commands::report::run(arguments, out),
        Command::Db(arguments) => commands::db::run(arguments, out),
        Command::Heartbeat(arguments) => commands::heartbeat::run(arguments, out),
        Command::Blackout(arguments) => commands::blackout::run(arguments, out),
        Command::Exceptions(arguments) => commands::exceptions::run(arguments, out),
        Command::Correlate(arguments) => Ok(commands::correlate::run(arguments)),
        Command::Import(arguments) => commands::import::run(arguments, out),
        Command::Rules(arguments) => commands::rules::run(arguments, out),
        Command::Notify(arguments) => commands::notify::run(arguments, out),
        Command::Tokens(arguments) => commands::tokens::run(arguments, out),
        Command::Users(arguments) => commands::users::run(arguments, out),
        Command::Audit(arguments) => commands::audit::run(arguments, out),
        Command::Completions(arguments) => {
            commands::manual::completions(arguments, Cli::command(), out)
        }
        Command::Man(arguments) => commands::manual::man(arguments, Cli::command(), out),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
            || cause
                .downcast_ref::<serde_json::Error>()
                .is_some_and(|error| error.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
    })
}

/// Says what is wrong, on standard error.
#[expect(clippy::print_stderr, reason = "the one place where the program talks on standard error")]
pub(crate) fn complain(message: &str) {
    eprintln!("bergfried: {message}");
}
