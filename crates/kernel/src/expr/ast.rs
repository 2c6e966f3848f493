//! The parsed expression.

use super::error::{ExprError, ExprErrorKind, Span};
use super::rules::double;

/// Position of a node in its [`Ast`].
pub(super) type NodeId = usize;

/// Operations on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Negate,
    Sqrt,
    Ln,
    Logistic,
    Abs,
}

/// Operations on two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Min,
    Max,
}

/// One part of an expression. Operands stand before the operations that use them, each used once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Node {
    Number(f64),
    /// Position in [`Ast::bands`].
    Band(usize),
    Unary(Unary, NodeId),
    Binary(Binary, NodeId, NodeId),
}

/// A tree laid out in evaluation order, so that walking it needs no recursion; the last node is the root.
#[derive(Debug, Clone, Default)]
pub(super) struct Ast {
    pub(super) nodes: Vec<Node>,
    pub(super) spans: Vec<Span>,
    /// Bands in order of first use.
    pub(super) bands: Vec<String>,
}

impl Ast {
    /// Adds a node behind its operands.
    pub(super) fn push(&mut self, node: Node, span: Span) -> Result<NodeId, ExprError> {
        if self.nodes.len() >= super::MAX_NODES {
            return Err(ExprError::at(span, ExprErrorKind::TooManyParts));
        }
        self.nodes.push(node);
        self.spans.push(span);
        Ok(self.nodes.len() - 1)
    }

    /// Position of `band` among the bands, added if new.
    pub(super) fn band(&mut self, band: &str) -> usize {
        self.bands.iter().position(|known| known == band).unwrap_or_else(|| {
            self.bands.push(band.to_owned());
            self.bands.len() - 1
        })
    }

    /// The value of the root, one number per band; NaN is nodata.
    pub(super) fn value(&self, bands: &[f64]) -> f64 {
        let mut values: Vec<f64> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            values.push(match *node {
                Node::Number(value) => value,
                Node::Band(band) => double::finite(bands[band]),
                Node::Unary(operation, a) => double::unary(operation, values[a]),
                Node::Binary(operation, a, b) => double::binary(operation, values[a], values[b]),
            });
        }
        values.last().copied().unwrap_or(f64::NAN)
    }

    /// Per node its value if no band is involved.
    ///
    /// Refuses constant parts without a value and denominators that are constantly too small.
    pub(super) fn constants(&self) -> Result<Vec<Option<f64>>, ExprError> {
        let mut values: Vec<Option<f64>> = Vec::with_capacity(self.nodes.len());
        for (node, &span) in self.nodes.iter().zip(&self.spans) {
            let value = match *node {
                Node::Number(value) => Some(value),
                Node::Band(_) => None,
                Node::Unary(operation, a) => values[a].map(|a| double::unary(operation, a)),
                Node::Binary(operation, a, b) => {
                    if operation == Binary::Divide && values[b].is_some_and(double::is_no_denominator) {
                        return Err(ExprError::at(self.spans[b], ExprErrorKind::Undefined));
                    }
                    values[a].zip(values[b]).map(|(a, b)| double::binary(operation, a, b))
                }
            };
            if value.is_some_and(|value| !value.is_finite()) {
                return Err(ExprError::at(span, ExprErrorKind::Undefined));
            }
            values.push(value);
        }
        Ok(values)
    }
}
