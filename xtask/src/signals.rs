//! Ctrl-C and SIGTERM: remembered, passed on to the programs that run for us, and waited for.
//!
//! Programs run in process groups of their own and get each signal exactly once, from here: a
//! terminal would send Ctrl-C to all of them and then we would do so again.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

struct State {
    asked_to_stop: bool,
    running: Vec<Pid>,
}

static STATE: Mutex<State> = Mutex::new(State { asked_to_stop: false, running: Vec::new() });
static CHANGED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    // The state is a flag and a list; no panic leaves them half changed.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the signals over from the system's default, which would end us and leave our programs running.
pub(crate) fn watch() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let mut state = state();
            state.asked_to_stop = true;
            for group in &state.running {
                let signal = if signal == SIGINT { Signal::INT } else { Signal::TERM };
                // It may have ended by itself in this moment.
                let _ = kill_process_group(*group, signal);
            }
            CHANGED.notify_all();
        }
    });
    Ok(())
}

/// Has the user asked us to stop?
pub(crate) fn asked_to_stop() -> bool {
    state().asked_to_stop
}

/// Waits, but not longer than until the user asks us to stop.
pub(crate) fn wait(at_most: Duration) {
    let waited = CHANGED.wait_timeout_while(state(), at_most, |state| !state.asked_to_stop);
    drop(waited);
}

/// Passes signals on to the group of a program from now on.
pub(crate) fn pass_on_to(group: Pid) {
    state().running.push(group);
}

/// Ends that, before the program's number can be given to another one.
pub(crate) fn forget(group: Pid) {
    state().running.retain(|running| *running != group);
}
