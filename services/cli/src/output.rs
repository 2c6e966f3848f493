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
        if let Some(advice) = advice(&text) {
            text = format!("{text}; {advice}");
        }
        if self.json {
            eprintln!("{}", serde_json::json!({"error": text}));
        } else {
            eprintln!("error: {text}");
        }
    }
}

/// What an operator can do about what the system refused, where the error does not say so itself.
fn advice(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    if text.contains("no space left") && !text.contains("make room") {
        Some("make room there and run the same command again: what is done stays done")
    } else if text.contains("read-only file system") && !text.contains("writable") {
        Some("it is read-only: make it writable, or work on a copy")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn refusals_of_the_system_come_with_advice() {
        assert!(advice("cannot write /a: No space left on device (os error 28)").is_some());
        assert!(advice("cannot open /a: Read-only file system (os error 30)").is_some());
        assert!(
            advice("the cube is read-only, /a cannot be written; make it writable, or work on a copy")
                .is_none()
        );
        assert!(advice("product a has no band b").is_none());
    }
}
