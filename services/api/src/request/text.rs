//! Clients' texts made fit for messages, XML and addresses.

/// At most 64 characters of a client's text, for messages.
pub fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A text without the characters that XML 1.0 cannot hold, even escaped.
pub fn printable(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(c) { c } else { '\u{FFFD}' }).collect()
}

/// A text as a value in a query string.
pub fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_made_fit() {
        assert_eq!(printable("a\u{0}b\u{FFFE}c\n"), "a\u{FFFD}b\u{FFFD}c\n");
        assert_eq!(percent_encoded("(nir - red)&ñ"), "%28nir%20-%20red%29%26%C3%B1");
    }
}
