//! What rules of SEC do outside the hub: messages to people, and where an administrator allows it
//! commands, files and sockets.
//!
//! A thread of its own does it, so that nothing of it makes an event wait. What there is no room for is
//! counted and left out.

mod message;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bergfried_alert::Settings;
use bergfried_control::Control;
use bergfried_correlate::Outputs;
use bergfried_correlate::children::{Children, Limits, Start, Told};
use bergfried_rules::sec::{Act, Back, Deed};
use bergfried_sec::port::Input;

use self::message::notify;
use crate::telling::LiveTelling;

/// How many acts may wait.
const WAITING: usize = 4_096;
/// How many lines of commands may wait to be shown to rules.
const LINES: usize = 10_000;
/// How often it is looked what commands say while some run.
const LOOK: Duration = Duration::from_millis(20);
/// How long the thread sleeps where nothing runs.
const REST: Duration = Duration::from_secs(1);
/// What the commands of one set may take.
const LIMITS: Limits = Limits {
    running: 32,
    waiting: 1_000,
    time: Some(Duration::from_secs(60)),
    groups: true,
    environment: false,
};

/// What it works with.
pub(crate) struct Parts {
    pub(crate) control: Arc<Control>,
    pub(crate) telling: Arc<LiveTelling>,
    pub(crate) settings: Settings,
}

/// The pipeline's end of it.
pub(crate) struct Outside {
    acts: SyncSender<Act>,
    backs: Arc<Mutex<VecDeque<Back>>>,
    left_out: u64,
}

impl Outside {
    /// Starts the thread, which ends once this is dropped, and the commands with it.
    ///
    /// # Errors
    /// Where there are no threads left.
    pub(crate) fn start(parts: Parts) -> io::Result<Outside> {
        let (acts, waiting) = sync_channel(WAITING);
        let backs = Arc::new(Mutex::default());
        let hands = Hands {
            parts,
            outputs: Outputs::default(),
            children: HashMap::new(),
            backs: Arc::clone(&backs),
            left_out: 0,
        };
        std::thread::Builder::new().name("sec".to_owned()).spawn(move || hands.run(&waiting))?;
        Ok(Outside { acts, backs, left_out: 0 })
    }
}

impl bergfried_pipeline::Outside for Outside {
    fn act(&mut self, act: Act) {
        if let Err(TrySendError::Full(act) | TrySendError::Disconnected(act)) =
            self.acts.try_send(act)
        {
            self.left_out += 1;
            let (set, left_out) = (act.set, self.left_out);
            // Told now and then, not for each line that an attacker writes.
            if left_out.is_power_of_two() {
                tracing::warn!(%set, left_out, "left out what a rule asked for: too much waits");
            }
        }
    }

    fn back(&mut self) -> Vec<Back> {
        lock(&self.backs).drain(..).collect()
    }
}

/// The thread's side.
struct Hands {
    parts: Parts,
    outputs: Outputs,
    /// The commands of each set.
    children: HashMap<Arc<str>, Children>,
    backs: Arc<Mutex<VecDeque<Back>>>,
    /// Lines of commands that were left out.
    left_out: u64,
}

impl Hands {
    fn run(mut self, acts: &Receiver<Act>) {
        loop {
            let is_busy =
                self.outputs.are_busy() || self.children.values().any(|one| !one.is_empty());
            match acts.recv_timeout(if is_busy { LOOK } else { REST }) {
                Ok(act) => self.act(act),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.outputs.flush();
            self.listen();
        }
        self.children.values_mut().for_each(Children::terminate);
    }

    fn act(&mut self, Act { set, deed }: Act) {
        match deed {
            Deed::Notify { channel, text } => {
                if let Err(error) = notify(&self.parts, &set, &channel, text) {
                    tracing::error!(%set, channel, %error, "cannot queue a message of a rule");
                }
            }
            Deed::Write { file, text, keep_open } => self.outputs.write(&file, &text, keep_open),
            Deed::CloseFile(file) => self.outputs.close_file(&file),
            Deed::Send { socket, peer, text } => self.outputs.send(socket, &peer, &text),
            Deed::CloseSocket(socket, peer) => self.outputs.close_socket(socket, &peer),
            Deed::Run { command, input, output } => {
                let input = match input.as_slice() {
                    [] => Input::None,
                    lines => Input::Lines(lines),
                };
                let start = Start::new(&command, &input, output, false);
                let Hands { children, backs, left_out, .. } = self;
                let of_set =
                    children.entry(Arc::clone(&set)).or_insert_with(|| Children::new(LIMITS));
                of_set.start(start, &mut |told| tell(backs, left_out, &set, told));
            }
            // Done by the pipeline.
            Deed::Heartbeat { .. } | Deed::Log { .. } => {}
        }
    }

    /// Takes what commands say, and sees which ended.
    fn listen(&mut self) {
        let Hands { children, backs, left_out, .. } = self;
        for (set, children) in children {
            children.poll(&mut |told| tell(backs, left_out, set, told));
        }
    }
}

fn tell(backs: &Mutex<VecDeque<Back>>, left_out: &mut u64, set: &Arc<str>, told: Told) {
    let back = match told {
        Told::Line { line, context, .. } => Back::Line { set: Arc::clone(set), line, context },
        Told::Ended { script, success, message } => {
            if let Some(message) = message {
                tracing::warn!(%set, "{}", message.escape_debug());
            }
            let Some(script) = script else { return };
            Back::Ended { set: Arc::clone(set), script, success }
        }
    };
    let mut backs = lock(backs);
    if backs.len() < LINES {
        backs.push_back(back);
        return;
    }
    drop(backs);
    *left_out += 1;
    if left_out.is_power_of_two() {
        tracing::warn!(%set, left_out, "left out what a command of a rule said: too much waits");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
