//! A drop-in for `sec` (sec(1)): rule files of the Simple Event Correlator over files, FIFOs and
//! standard input.
//!
//! The rules are read and run by `bergfried-sec`, which does nothing but decide; here is everything
//! around it. Log lines are hostile: none becomes a part of a command line, and nobody who reads what
//! rules write can hold the correlator up.

pub mod children;
mod clock;
mod correlator;
mod daemon;
mod dump;
mod explain;
mod hub;
mod inputs;
mod log;
mod options;
mod outputs;
mod paths;
mod perl;
mod rules;
mod signals;
mod world;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use bergfried_sec::PerlCompiler;
use correlator::Correlator;
use hub::Hub;
use jiff::tz::TimeZone;
use log::{Log, complain, level};
use options::Options;
use perl::Perl;
use rules::Rules;
use signals::Signals;
use world::World;

pub use outputs::Outputs;

/// Runs the correlator with these arguments, the program's name not among them.
pub fn run(program: &str, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    let resource_file = std::env::var_os("SECRC");
    let options = match Options::read(&arguments, resource_file.as_deref()) {
        Ok(options) => options,
        Err(error) => {
            complain(&format!("{program}: {error}\nTry {program} --help"));
            return ExitCode::FAILURE;
        }
    };
    let text = if options.help {
        Some(options::help(program))
    } else if options.version {
        Some(format!("{program} {}, for rules of sec 2.9\n", env!("CARGO_PKG_VERSION")))
    } else {
        None
    };
    if let Some(text) = text {
        // Whoever reads it has perhaps read enough.
        std::io::stdout().write_all(text.as_bytes()).ok();
        return ExitCode::SUCCESS;
    }
    match start(arguments, options) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("{program}: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Vec<OsString>, options: Options) -> Result<ExitCode, String> {
    if options.detach
        && !options.test_only
        && daemon::detach().map_err(|error| format!("cannot detach: {error}"))?
    {
        return Ok(ExitCode::SUCCESS);
    }
    // Before anyone can know the process id.
    let signals = Signals::new().map_err(|error| format!("cannot take signals: {error}"))?;
    if !options.test_only {
        daemon::settle(&options)?;
    }
    let zone = TimeZone::system();
    let mut log = Log::new(options.debug, options.log.clone(), options.syslog, zone);
    let version = env!("CARGO_PKG_VERSION");
    log.say(level::NOTICE, &format!("bergfried-correlate {version}"));
    if options.literal_shell {
        let text = "--sec-shell: whoever writes a log that rules read can run commands here";
        log.say(level::WARNING, text);
    }
    let mut rules = Rules::default();
    let mut perl = options.perl.then(Perl::new);
    let (set, mistakes) = rules.load(&options, true, compiler(&mut perl), &mut log);
    if options.test_only {
        let contexts: Vec<&[u8]> =
            options.inputs.iter().filter_map(|input| input.context.as_deref()).collect();
        for warning in bergfried_sec::check::check(&set, &contexts) {
            log.say(level::WARNING, &warning.to_string());
        }
        log.flush();
        return Ok(if mistakes == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let hub = match (&options.hub, &options.token_file) {
        (Some(address), Some(token_file)) => Hub::connect(address, token_file)?,
        _ => Hub::none(),
    };
    let world = World::new(&options, log, hub, perl);
    Ok(Correlator::new(arguments, options, (rules, set), world, signals).run())
}

/// Who compiles code in Perl, where that is wanted.
fn compiler(perl: &mut Option<Perl>) -> Option<&mut dyn PerlCompiler> {
    perl.as_mut().map(|perl| perl as &mut dyn PerlCompiler)
}
