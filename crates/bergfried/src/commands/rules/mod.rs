//! `bergfried rules`: what rules there are, whether they are sound, what they see in an event.

mod backtest;
mod check;
mod coverage;
mod event;
mod explain;
mod list;
mod lists;
mod samples;
mod sec;
mod stats;
mod test;

use std::io::Write;
use std::process::ExitCode;

use bergfried_rules::Diagnostic;
use clap::{Args, Subcommand};

use crate::arguments::HubChoice;

/// List, check, test, try and explain rules; see what those of the running hub do.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules list --level high --logsource process_creation
  bergfried rules check ./my-rules ./logins.sec
  bergfried rules lists --lists ./lists.yml
  bergfried rules test ./my-rules
  bergfried rules explain 'Nov 20 10:00:00 web1 sshd[9]: Failed password for bob' ./my-rule.yml
  bergfried rules backtest ./my-rule.yml --last 30d
  bergfried rules stats --sort cost
  bergfried rules coverage --rules ~/sigma/rules --format navigator > layer.json")]
pub(crate) struct Rules {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand, Debug)]
enum Action {
    List(list::List),
    Lists(lists::ShowLists),
    Check(check::Check),
    Backtest(backtest::Backtest),
    Explain(explain::Explain),
    Test(test::Test),
    Coverage(coverage::Coverage),
    Stats(stats::Stats),
    Reload(stats::Reload),
}

pub(crate) fn run(arguments: &Rules, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let hub = &arguments.hub;
    match &arguments.action {
        Action::List(list) => list::run(list, hub, out),
        Action::Lists(lists) => lists::run(lists, out),
        Action::Check(check) => check::run(check, hub, out),
        Action::Backtest(backtest) => backtest::run(backtest, hub, out),
        Action::Explain(explain) => explain::run(explain, hub, out),
        Action::Test(test) => test::run(test, out),
        Action::Coverage(coverage) => coverage::run(coverage, out),
        Action::Stats(stats) => stats::run(stats, hub, out),
        Action::Reload(stats::Reload {}) => stats::reload(hub, out),
    }
}

/// Says on standard error which rules were not loaded; whether there are any.
fn complain_of_errors(diagnostics: &[Diagnostic]) -> bool {
    let mut errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).peekable();
    let found = errors.peek().is_some();
    errors.for_each(|diagnostic| crate::complain(&diagnostic.to_string()));
    found
}
