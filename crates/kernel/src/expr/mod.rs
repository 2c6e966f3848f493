//! Band arithmetic from text, such as `(nir - red) / (nir + red)`, safe to take from a stranger.
//!
//! The text is parsed to a tree, every name is checked against a [`Vocabulary`] the caller supplies, size
//! and cost are bounded, constants are folded in `f64`, and the rest becomes a short list of instructions
//! run over blocks of `f32`. Nothing else can be expressed: no loops, no assignment, no access to anything
//! but the named bands.
//!
//! # Grammar
//! Numbers (`0.5`, `2.75e-5`), names, `+ - * /`, `**` (right associative, tighter than unary minus:
//! `-x**2` is `-(x**2)`), parentheses, and the functions `sqrt(x)`, `ln(x)`, `abs(x)`,
//! `logistic(x)` = 1 / (1 + e⁻ˣ), `min(x, y, …)`, `max(x, y, …)`.
//!
//! # Nodata
//! NaN is nodata. The result is nodata where
//! * any band of the expression is nodata or infinite, whatever the formula does with it;
//! * a denominator is smaller than [`MIN_DENOMINATOR`] in size, negative powers included;
//! * a square root, logarithm or fractional power has no real value;
//! * any intermediate result is too large for its type.

mod ast;
mod error;
mod lexer;
mod parser;
mod program;
mod rules;
#[cfg(test)]
mod tests;
mod units;
mod vocabulary;

pub use error::{ExprError, ExprErrorKind};
pub use program::EvaluateError;
pub use units::Quantity;
pub use vocabulary::Vocabulary;

use ast::Ast;
use program::Program;

/// Longest accepted source, in bytes.
pub const MAX_LENGTH: usize = 4096;
/// Deepest accepted nesting of parentheses, calls, signs and powers.
pub const MAX_DEPTH: usize = 64;
/// Most operations, names and numbers in one expression.
pub const MAX_NODES: usize = 1024;
/// Highest accepted [`Expression::cost`].
pub const MAX_COST: u32 = 2048;
/// Denominators smaller than this in size make nodata.
pub const MIN_DENOMINATOR: f64 = 1e-6;

/// A checked expression, ready to evaluate; cheap to share between threads.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    ast: Ast,
    program: Program,
}

impl Expression {
    /// Parses `source`, allowing the names of `vocabulary` and no others.
    /// # Errors
    /// [`ExprError`] pointing at the column: text outside the grammar, an unknown name or function, a
    /// wrong number of arguments, a constant part without a value (`1/0`), or a limit exceeded
    /// ([`MAX_LENGTH`], [`MAX_DEPTH`], [`MAX_NODES`], [`MAX_COST`]).
    pub fn parse(source: &str, vocabulary: &Vocabulary) -> Result<Self, ExprError> {
        let ast = parser::parse(source, vocabulary)?;
        let program = Program::compile(&ast)?;
        Ok(Self { source: source.to_owned(), ast, program })
    }

    /// The text the expression was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Names of the bands to supply, in order of first use; aliases are resolved. Empty for a constant.
    pub fn bands(&self) -> &[String] {
        &self.ast.bands
    }

    /// Relative time per pixel: 1 for an addition, more for division, logarithms and powers.
    pub fn cost(&self) -> u32 {
        self.program.cost
    }

    /// Evaluates a block: `bands` in the order of [`Expression::bands`], each as long as `out`, NaN being
    /// nodata; see the [module](self) for where the result is.
    /// # Errors
    /// [`EvaluateError`] if the number of bands or a length is wrong; `out` is then untouched.
    pub fn evaluate(&self, bands: &[&[f32]], out: &mut [f32]) -> Result<(), EvaluateError> {
        self.program.evaluate(bands, out)
    }

    /// Evaluates one pixel in `f64`, for single values and as the reference of the block kernel.
    /// # Errors
    /// [`EvaluateError::BandCount`] if the number of values is wrong.
    pub fn evaluate_point(&self, bands: &[f64]) -> Result<f64, EvaluateError> {
        if bands.len() == self.ast.bands.len() {
            Ok(self.ast.value(bands))
        } else {
            Err(EvaluateError::BandCount { expected: self.ast.bands.len(), found: bands.len() })
        }
    }
}
