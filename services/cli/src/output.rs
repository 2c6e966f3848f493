use std::io::Write;

use serde::Serialize;

use crate::failure::Failure;

/// Where answers go: words for people, or JSON.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Words, or JSON.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON was asked for.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Prints an answer: `value` as JSON, or `words`.
    pub fn answer(self, value: &impl Serialize, words: impl FnOnce() -> String) {
        let text = if self.json { serde_json::to_string_pretty(value).unwrap_or_default() } else { words() };
        self.print(&text);
    }

    /// Prints text as it is.
    pub fn print(self, text: &str) {
        // A reader that went away (`| head`) is no failure.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{}", text.trim_end());
    }

    /// Prints why a command failed, with its causes.
    pub fn failure(self, failure: &Failure) {
        let mut text = failure.to_string();
        let mut source = std::error::Error::source(failure);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        if self.json {
            eprintln!("{}", serde_json::json!({"error": text}));
        } else {
            eprintln!("error: {text}");
        }
    }
}
