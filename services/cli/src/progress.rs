//! A bar with rate and time left on a terminal, JSON lines elsewhere. Ctrl-C stops at the next safe place.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tesela_model::Progress;

static STOP: AtomicBool = AtomicBool::new(false);

/// Turns the first Ctrl-C or SIGTERM into a wish to stop; the second ends the process.
pub fn catch_signals() {
    extern "C" fn on_signal(_: libc::c_int) {
        if STOP.swap(true, Ordering::SeqCst) {
            // SAFETY: _exit is async-signal-safe.
            unsafe { libc::_exit(130) };
        }
    }
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: the handler only touches an atomic and calls _exit.
    unsafe {
        libc::signal(libc::SIGINT, handler as libc::sighandler_t);
        libc::signal(libc::SIGTERM, handler as libc::sighandler_t);
    }
}

/// Progress on standard error.
pub struct Console {
    bar: Option<ProgressBar>,
    state: Mutex<State>,
    done: AtomicU64,
}

#[derive(Default)]
struct State {
    phase: String,
    unit: String,
    total: u64,
    started: Option<Instant>,
    told: Option<Instant>,
}

impl Console {
    /// A bar when standard error is a terminal and JSON was not asked for.
    pub fn new(json: bool) -> Self {
        let bar = (!json && std::io::stderr().is_terminal()).then(|| ProgressBar::new(0));
        Self { bar, state: Mutex::default(), done: AtomicU64::new(0) }
    }

    fn line(&self, state: &mut State, last: bool) {
        let Some(started) = state.started else { return };
        let now = Instant::now();
        if !last && state.told.is_some_and(|t| now - t < Duration::from_secs(2)) {
            return;
        }
        state.told = Some(now);
        let done = self.done.load(Ordering::Relaxed);
        let seconds = started.elapsed().as_secs_f64();
        let rate = done as f64 / seconds.max(1e-9);
        let eta = if rate > 0.0 { (state.total.saturating_sub(done)) as f64 / rate } else { 0.0 };
        eprintln!(
            "{}",
            serde_json::json!({
                "phase": state.phase, "done": done, "total": state.total, "unit": state.unit,
                "rate_per_s": (rate * 10.0).round() / 10.0,
                "seconds": (seconds * 10.0).round() / 10.0,
                "eta_s": eta.round(),
            })
        );
    }
}

impl Progress for Console {
    fn begin(&self, phase: &str, total: u64, unit: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State {
            phase: phase.into(),
            unit: unit.into(),
            total,
            started: Some(Instant::now()),
            told: Some(Instant::now()),
        };
        self.done.store(0, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            let template = format!("{{prefix:<24}} {{bar:32}} {{pos}}/{{len}} {unit}  {{per_sec}}  {{eta}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style);
            }
            bar.set_prefix(phase.to_owned());
            bar.set_length(total);
            bar.reset();
        }
    }

    fn advance(&self, n: u64) {
        self.done.fetch_add(n, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(n);
        } else if let Ok(mut state) = self.state.try_lock() {
            self.line(&mut state, false);
        }
    }

    fn note(&self, message: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{message}")),
            None => eprintln!("{}", serde_json::json!({"note": message})),
        }
    }

    fn end(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = &self.bar {
            if let Some(started) = state.started {
                let done = self.done.load(Ordering::Relaxed);
                bar.suspend(|| {
                    eprintln!(
                        "{:<24} {done} {} in {:.1} s",
                        state.phase,
                        state.unit,
                        started.elapsed().as_secs_f64()
                    );
                });
            }
            bar.finish_and_clear();
        } else {
            self.line(&mut state, true);
        }
        state.started = None;
    }

    fn cancelled(&self) -> bool {
        STOP.load(Ordering::Relaxed)
    }
}
