//! Text to tokens.

use super::error::{ExprError, ExprErrorKind, Span};

/// The smallest meaningful parts of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    Number(f64),
    Name(&'a str),
    Plus,
    Minus,
    Star,
    StarStar,
    Slash,
    Open,
    Close,
    Comma,
    End,
}

impl Token<'_> {
    /// The token as an error message shows it.
    pub(super) fn describe(self) -> String {
        let symbol = match self {
            Self::Number(value) => return format!("the number {value}"),
            Self::Name(name) => return format!("`{name}`"),
            Self::End => return "the end".to_owned(),
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Star => "*",
            Self::StarStar => "**",
            Self::Slash => "/",
            Self::Open => "(",
            Self::Close => ")",
            Self::Comma => ",",
        };
        format!("`{symbol}`")
    }
}

/// Reads tokens off the front of the source.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    /// Characters already read.
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { rest: source, column: 0 }
    }

    /// The next token and where it stands; [`Token::End`] for ever after the last.
    pub(super) fn next(&mut self) -> Result<(Token<'a>, Span), ExprError> {
        let trimmed = self.rest.trim_start();
        let blank = self.rest.len() - trimmed.len();
        self.take(blank);
        let start = self.column;
        let Some(first) = self.rest.chars().next() else {
            return Ok((Token::End, Span { start, width: 0 }));
        };
        let token = match first {
            '0'..='9' | '.' => {
                let text = self.take(number_length(self.rest));
                let span = Span { start, width: text.len() };
                match text.parse::<f64>() {
                    Ok(value) if value.is_finite() => Token::Number(value),
                    _ => return Err(ExprError::at(span, ExprErrorKind::Number(text.to_owned()))),
                }
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let in_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
                let length = self.rest.bytes().take_while(|&b| in_name(b)).count();
                Token::Name(self.take(length))
            }
            _ => {
                let (token, length) = match first {
                    '*' if self.rest.starts_with("**") => (Token::StarStar, 2),
                    '*' => (Token::Star, 1),
                    '+' => (Token::Plus, 1),
                    '-' => (Token::Minus, 1),
                    '/' => (Token::Slash, 1),
                    '(' => (Token::Open, 1),
                    ')' => (Token::Close, 1),
                    ',' => (Token::Comma, 1),
                    other => {
                        let span = Span { start, width: 1 };
                        return Err(ExprError::at(span, ExprErrorKind::Character(other)));
                    }
                };
                self.take(length);
                token
            }
        };
        Ok((token, Span { start, width: self.column - start }))
    }

    /// Takes `length` bytes, which must end between characters.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.column += taken.chars().count();
        taken
    }
}

/// Bytes at the front that read as a number: digits and points, then an exponent. Letters right behind are
/// taken along, so that `2x` is reported as one wrong number.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut length = 0;
    while let Some(&b) = bytes.get(length) {
        let sign_of_exponent = matches!(b, b'+' | b'-')
            && matches!(bytes[length - 1], b'e' | b'E')
            && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
        if !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_') || sign_of_exponent) {
            break;
        }
        length += 1;
    }
    length
}
