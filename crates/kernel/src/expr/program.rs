//! The tree as a list of block instructions.

use std::mem;

use super::MAX_COST;
use super::ast::{Ast, Binary, Node, NodeId, Unary};
use super::error::{ExprError, ExprErrorKind, Span};
use super::rules::{single, small_whole};

/// Pixels per instruction: a few registers of this length stay in the first-level cache.
const BLOCK: usize = 512;

/// Input that does not fit an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The wrong number of bands.
    #[error("the expression uses {expected} bands, not {found}")]
    BandCount {
        /// Bands of the expression.
        expected: usize,
        /// Bands given.
        found: usize,
    },
    /// A band that is not as long as the output.
    #[error("band {band} has {found} pixels where the output has {expected}")]
    Length {
        /// Position of the band.
        band: usize,
        /// Pixels of the output.
        expected: usize,
        /// Pixels of the band.
        found: usize,
    },
}

/// Where an operand comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Constant(f32),
    Band(usize),
    Register(usize),
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    Unary(Unary, Source),
    Binary(Binary, Source, Source),
    /// A power with a small whole exponent.
    WholePower(Source, i32),
}

/// One operation over a block; its target is never one of its operands.
#[derive(Debug, Clone, Copy)]
struct Instruction {
    operation: Operation,
    target: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Program {
    instructions: Vec<Instruction>,
    result: Source,
    registers: usize,
    bands: usize,
    pub(super) cost: u32,
}

impl Program {
    /// Folds constants and assigns registers.
    pub(super) fn compile(ast: &Ast) -> Result<Self, ExprError> {
        let constants = ast.constants()?;
        let mut compiler = Compiler::default();
        let mut computed: Vec<Option<Source>> = Vec::with_capacity(ast.nodes.len());
        let mut cost = 0;
        for (i, node) in ast.nodes.iter().enumerate() {
            if constants[i].is_some() {
                computed.push(None); // folded into whatever uses it
                continue;
            }
            let source = |id: NodeId| match (constants[id], computed[id]) {
                (None, Some(source)) => Ok(source),
                (value, _) => constant(value, ast.spans[id]),
            };
            let operation = match *node {
                Node::Band(band) => {
                    computed.push(Some(Source::Band(band)));
                    continue;
                }
                Node::Number(_) => {
                    computed.push(None);
                    continue;
                }
                Node::Unary(operation, a) => Operation::Unary(operation, source(a)?),
                Node::Binary(Binary::Power, a, b) => match constants[b].and_then(small_whole) {
                    Some(exponent) => Operation::WholePower(source(a)?, exponent),
                    None => Operation::Binary(Binary::Power, source(a)?, source(b)?),
                },
                Node::Binary(operation, a, b) => Operation::Binary(operation, source(a)?, source(b)?),
            };
            cost += cost_of(operation);
            if cost > MAX_COST {
                return Err(ExprError::at(ast.spans[i], ExprErrorKind::TooCostly));
            }
            computed.push(Some(compiler.emit(operation)));
        }
        let result = match (computed.last(), constants.last(), ast.spans.last()) {
            (Some(Some(source)), ..) => *source,
            (_, Some(value), Some(&span)) => constant(*value, span)?,
            _ => Source::Constant(f32::NAN), // no nodes: the parser makes none such
        };
        let Compiler { instructions, registers, .. } = compiler;
        Ok(Self { instructions, result, registers, bands: ast.bands.len(), cost: cost.max(1) })
    }

    pub(super) fn evaluate(&self, bands: &[&[f32]], out: &mut [f32]) -> Result<(), EvaluateError> {
        if bands.len() != self.bands {
            return Err(EvaluateError::BandCount { expected: self.bands, found: bands.len() });
        }
        for (band, values) in bands.iter().enumerate() {
            if values.len() != out.len() {
                let (expected, found) = (out.len(), values.len());
                return Err(EvaluateError::Length { band, expected, found });
            }
        }
        let block = BLOCK.min(out.len());
        let mut registers = vec![vec![0.0_f32; block]; self.registers];
        for (index, out) in out.chunks_mut(BLOCK).enumerate() {
            let start = index * BLOCK;
            for Instruction { operation, target } in &self.instructions {
                let mut values = mem::take(&mut registers[*target]);
                let inputs = Inputs { bands, start, registers: &registers };
                run(*operation, &inputs, &mut values[..out.len()]);
                registers[*target] = values;
            }
            let inputs = Inputs { bands, start, registers: &registers };
            map(out, inputs.view(self.result, out.len()), single::finite);
        }
        Ok(())
    }
}

/// Assigns registers; each is free again once its value has been used.
#[derive(Default)]
struct Compiler {
    instructions: Vec<Instruction>,
    free: Vec<usize>,
    registers: usize,
}

impl Compiler {
    fn emit(&mut self, operation: Operation) -> Source {
        let target = self.free.pop().unwrap_or_else(|| {
            self.registers += 1;
            self.registers - 1
        });
        self.instructions.push(Instruction { operation, target });
        let operands = match operation {
            Operation::Unary(_, a) | Operation::WholePower(a, _) => [Some(a), None],
            Operation::Binary(_, a, b) => [Some(a), Some(b)],
        };
        for operand in operands.into_iter().flatten() {
            if let Source::Register(register) = operand {
                self.free.push(register);
            }
        }
        Source::Register(target)
    }
}

/// A folded constant in the type of the blocks, refused if too large for it.
fn constant(value: Option<f64>, span: Span) -> Result<Source, ExprError> {
    let value = value.map(|value| value as f32).filter(|value| value.is_finite());
    value.map(Source::Constant).ok_or_else(|| ExprError::at(span, ExprErrorKind::Undefined))
}

fn cost_of(operation: Operation) -> u32 {
    match operation {
        Operation::Unary(Unary::Negate | Unary::Abs, _) => 1,
        Operation::Unary(Unary::Sqrt, _) | Operation::Binary(Binary::Divide, ..) => 4,
        Operation::Unary(Unary::Ln | Unary::Logistic, _) => 16,
        Operation::Binary(Binary::Power, ..) => 32,
        Operation::Binary(..) => 1,
        Operation::WholePower(_, exponent) => exponent.unsigned_abs() + if exponent < 0 { 4 } else { 1 },
    }
}

/// What operands are read from during one block.
struct Inputs<'a> {
    bands: &'a [&'a [f32]],
    start: usize,
    registers: &'a [Vec<f32>],
}

/// An operand over one block.
#[derive(Clone, Copy)]
enum View<'a> {
    Same(f32),
    Each(&'a [f32]),
}

impl Inputs<'_> {
    fn view(&self, source: Source, len: usize) -> View<'_> {
        match source {
            Source::Constant(value) => View::Same(value),
            Source::Band(band) => View::Each(&self.bands[band][self.start..self.start + len]),
            Source::Register(register) => View::Each(&self.registers[register][..len]),
        }
    }
}

/// Matches the operation once, so that each loop has a body the compiler can vectorise.
fn run(operation: Operation, inputs: &Inputs<'_>, out: &mut [f32]) {
    let len = out.len();
    let view = |source| inputs.view(source, len);
    match operation {
        Operation::Unary(Unary::Negate, a) => map(out, view(a), single::negate),
        Operation::Unary(Unary::Sqrt, a) => map(out, view(a), single::sqrt),
        Operation::Unary(Unary::Ln, a) => map(out, view(a), single::ln),
        Operation::Unary(Unary::Logistic, a) => map(out, view(a), single::logistic),
        Operation::Unary(Unary::Abs, a) => map(out, view(a), single::abs),
        Operation::WholePower(a, 2) => map(out, view(a), |a| single::whole_power(a, 2)),
        Operation::WholePower(a, exponent) => map(out, view(a), |a| single::whole_power(a, exponent)),
        Operation::Binary(Binary::Add, a, b) => zip(out, view(a), view(b), single::add),
        Operation::Binary(Binary::Subtract, a, b) => zip(out, view(a), view(b), single::subtract),
        Operation::Binary(Binary::Multiply, a, b) => zip(out, view(a), view(b), single::multiply),
        Operation::Binary(Binary::Divide, a, b) => zip(out, view(a), view(b), single::divide),
        Operation::Binary(Binary::Power, a, b) => zip(out, view(a), view(b), single::power),
        Operation::Binary(Binary::Min, a, b) => zip(out, view(a), view(b), single::min),
        Operation::Binary(Binary::Max, a, b) => zip(out, view(a), view(b), single::max),
    }
}

#[inline(always)]
fn map(out: &mut [f32], a: View<'_>, f: impl Fn(f32) -> f32) {
    match a {
        View::Same(a) => out.fill(f(a)),
        View::Each(a) => out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a)),
    }
}

#[inline(always)]
fn zip(out: &mut [f32], a: View<'_>, b: View<'_>, f: impl Fn(f32, f32) -> f32) {
    match (a, b) {
        (View::Each(a), View::Each(b)) => {
            out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| *out = f(a, b));
        }
        (View::Each(a), View::Same(b)) => out.iter_mut().zip(a).for_each(|(out, &a)| *out = f(a, b)),
        (View::Same(a), View::Each(b)) => out.iter_mut().zip(b).for_each(|(out, &b)| *out = f(a, b)),
        (View::Same(a), View::Same(b)) => out.fill(f(a, b)),
    }
}
