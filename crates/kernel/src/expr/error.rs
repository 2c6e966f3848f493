//! What is wrong with an expression, and where.

use std::fmt;

use super::{MAX_COST, MAX_DEPTH, MAX_LENGTH, MAX_NODES};

/// A part of the source, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Characters before it.
    pub(super) start: usize,
    /// Characters in it.
    pub(super) width: usize,
}

/// An expression that was refused; its message names the column.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("column {column}: {kind}")]
pub struct ExprError {
    /// First column of the offending part, counted in characters from 1.
    pub column: usize,
    /// Number of characters of the offending part; 0 at the end of the source.
    pub width: usize,
    /// What is wrong with it.
    pub kind: ExprErrorKind,
}

impl ExprError {
    pub(super) fn at(span: Span, kind: ExprErrorKind) -> Self {
        Self { column: span.start + 1, width: span.width, kind }
    }

    /// The source with a line of carets under the offending part, for a fixed-width display.
    pub fn underline(&self, source: &str) -> String {
        let line: String = source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{line}\n{}{}", " ".repeat(self.column - 1), "^".repeat(self.width.max(1)))
    }
}

/// The reasons for refusing an expression.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ExprErrorKind {
    /// A character outside the grammar.
    Character(char),
    /// Digits that are not a number, or one too large.
    Number(String),
    /// A token where another was needed.
    Unexpected {
        /// What stands there.
        found: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// A name that is neither band nor constant.
    UnknownName {
        /// The name.
        name: String,
        /// The nearest known name, if one is near.
        nearest: Option<String>,
        /// All known names.
        known: Vec<String>,
    },
    /// A function that does not exist.
    UnknownFunction(String),
    /// A call with too few or too many arguments.
    Arguments {
        /// The function.
        function: &'static str,
        /// What it takes.
        expected: &'static str,
        /// Arguments given.
        found: usize,
    },
    /// A constant part without a value, or a denominator that is always zero.
    Undefined,
    /// A sum, or the like, of values that have none.
    Units {
        /// Unit of the first operand, or `codes`.
        left: String,
        /// Unit of the second.
        right: String,
    },
    /// Longer than [`MAX_LENGTH`].
    TooLong,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More parts than [`MAX_NODES`].
    TooManyParts,
    /// Slower than [`MAX_COST`].
    TooCostly,
}

impl fmt::Display for ExprErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(c) => write!(f, "the character {c:?} has no meaning here"),
            Self::Number(text) => write!(f, "`{text}` is not a number"),
            Self::Unexpected { found, expected } => write!(f, "expected {expected}, found {found}"),
            Self::UnknownName { name, nearest, known } => {
                write!(f, "unknown name `{name}`")?;
                if let Some(nearest) = nearest {
                    write!(f, ", did you mean `{nearest}`?")?;
                }
                write!(f, " (known: {})", known.join(", "))
            }
            Self::UnknownFunction(name) => {
                write!(f, "unknown function `{name}` (known: sqrt, ln, abs, min, max)")
            }
            Self::Arguments { function, expected, found } => {
                write!(f, "`{function}` takes {expected}, not {found}")
            }
            Self::Undefined => write!(f, "this constant part has no value"),
            Self::Units { left, right } if left == right => {
                write!(
                    f,
                    "this adds or compares `{left}` with `{right}`: names written as numbers have no sum"
                )
            }
            Self::Units { left, right } => {
                write!(f, "this is in `{right}`, what it is added to or compared with in `{left}`")
            }
            Self::TooLong => write!(f, "the expression is longer than {MAX_LENGTH} bytes"),
            Self::TooDeep => write!(f, "the expression is nested deeper than {MAX_DEPTH} levels"),
            Self::TooManyParts => write!(f, "the expression has more than {MAX_NODES} parts"),
            Self::TooCostly => write!(f, "the expression costs more than {MAX_COST} units"),
        }
    }
}
