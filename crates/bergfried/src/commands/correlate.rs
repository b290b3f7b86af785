//! `bergfried correlate`: a drop-in for `sec`.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;

/// Correlate events with rule files of the Simple Event Correlator, as sec does.
///
/// Takes the options of sec, with one dash or two; --help lists them.
#[derive(Args, Debug, Clone)]
#[command(disable_help_flag = true)]
#[command(after_help = "Examples:
  bergfried correlate --conf='/etc/sec/*.sec' --input='/var/log/*.log' --log=/var/log/sec.log
  bergfried correlate --conf=my.sec --input=- --notail <auth.log
  bergfried correlate --conf=my.sec --input=- --notail --explain <auth.log")]
pub(crate) struct Correlate {
    /// Options of sec, such as --conf=PATTERN and --input=PATTERN
    #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(options: &Correlate) -> ExitCode {
    bergfried_correlate::run("bergfried correlate", options.arguments.iter().cloned())
}
