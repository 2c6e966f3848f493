//! Whether an expression adds what can be added. Units are compared as they are written; nothing is converted.
//!
//! Numbers fit everything (`st - 273.15`), and a product of two units is not looked into: what is refused is surely
//! wrong, what is accepted need not be right.

use super::Expression;
use super::ast::{Binary, Node, Unary};
use super::error::{ExprError, ExprErrorKind};

/// What the values of a band are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity<'u> {
    /// Measured in this unit; `1` for shares and ratios.
    Unit(&'u str),
    /// Codes or flags: names written as numbers, which have neither sum nor mean.
    Code,
}

/// What a part of an expression is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known<'u> {
    /// Of a band.
    Is(Quantity<'u>),
    /// A number, or something in a unit of its own.
    Anything,
}

impl Expression {
    /// Refuses sums, differences, least and greatest of values in different units, or of codes with measured values.
    ///
    /// # Arguments
    /// `of`: what the values of each of [`Expression::bands`] are.
    ///
    /// # Errors
    /// [`ExprErrorKind::Units`] points at the second operand.
    pub fn check_units<'u>(&self, of: impl Fn(&str) -> Quantity<'u>) -> Result<(), ExprError> {
        let ast = &self.ast;
        let mut known: Vec<Known<'u>> = Vec::with_capacity(ast.nodes.len());
        for node in &ast.nodes {
            known.push(match *node {
                Node::Number(_) => Known::Anything,
                Node::Band(band) => Known::Is(of(&ast.bands[band])),
                Node::Unary(Unary::Negate | Unary::Abs, a) => known[a],
                Node::Unary(Unary::Sqrt | Unary::Ln | Unary::Logistic, a) => ratio(known[a]),
                Node::Binary(Binary::Add | Binary::Subtract | Binary::Min | Binary::Max, a, b) => {
                    match (known[a], known[b]) {
                        (Known::Is(left), Known::Is(right)) if left != right || left == Quantity::Code => {
                            let (left, right) = (said(left), said(right));
                            return Err(ExprError::at(ast.spans[b], ExprErrorKind::Units { left, right }));
                        }
                        (Known::Anything, other) | (other, _) => other,
                    }
                }
                Node::Binary(Binary::Multiply, a, b) => match (known[a], known[b]) {
                    (one, Known::Anything) | (Known::Anything, one) => ratio(one),
                    (Known::Is(Quantity::Unit("1")), unit @ Known::Is(Quantity::Unit(_)))
                    | (unit @ Known::Is(Quantity::Unit(_)), Known::Is(Quantity::Unit("1"))) => unit,
                    _ => Known::Anything,
                },
                Node::Binary(Binary::Divide, a, b) => match (known[a], known[b]) {
                    (Known::Is(Quantity::Unit(x)), Known::Is(Quantity::Unit(y))) if x == y => {
                        Known::Is(Quantity::Unit("1"))
                    }
                    (_, Known::Is(Quantity::Unit("1"))) => known[a],
                    (one, Known::Anything) => ratio(one),
                    _ => Known::Anything,
                },
                Node::Binary(Binary::Power, a, _) => ratio(known[a]),
            });
        }
        Ok(())
    }
}

/// What stays known of a value that is scaled or bent: only that a ratio is one.
fn ratio(known: Known<'_>) -> Known<'_> {
    if known == Known::Is(Quantity::Unit("1")) { known } else { Known::Anything }
}

fn said(quantity: Quantity<'_>) -> String {
    match quantity {
        Quantity::Unit(unit) => unit.to_owned(),
        Quantity::Code => "codes".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Vocabulary;

    fn check(text: &str) -> Result<(), String> {
        let vocabulary = Vocabulary::new().with_bands(["red", "nir", "st", "air", "days", "class", "qa"]);
        let expression = Expression::parse(text, &vocabulary).unwrap();
        let of = |band: &str| match band {
            "st" | "air" => Quantity::Unit("K"),
            "days" => Quantity::Unit("d"),
            "class" | "qa" => Quantity::Code,
            _ => Quantity::Unit("1"),
        };
        expression.check_units(of).map_err(|e| e.to_string())
    }

    #[test]
    fn sums_of_one_unit_are_taken() {
        for text in [
            "(nir - red) / (nir + red)",
            "2.5 * (nir - red) / (nir + 6 * red + 1)",
            "st - 273.15",
            "(st - 273.15) / 10 + red",
            "st - air",
            "(st - air) / air + red",
            "st / days + red",
            "class * nir + red",
            "class * 100",
            "1 - class",
            "sqrt(red) + nir",
            "min(st, air) - max(air, 300)",
            "red * st - air",
            "-st + air",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn sums_of_different_units_are_not() {
        for (text, column, left, right) in [
            ("red + st", 7, "1", "K"),
            ("st - 273.15 - days", 15, "K", "d"),
            ("(nir - red) / (nir + red) - st", 29, "1", "K"),
            ("max(red, st)", 10, "1", "K"),
            ("red * st - nir", 12, "K", "1"),
            ("nir + class", 7, "1", "codes"),
            ("class + class", 9, "codes", "codes"),
            ("abs(st) + sqrt(nir)", 11, "K", "1"),
        ] {
            let said = check(text).unwrap_err();
            assert!(said.starts_with(&format!("column {column}: ")), "{text}: {said}");
            assert!(said.contains(&format!("`{left}`")) && said.contains(&format!("`{right}`")), "{said}");
        }
    }
}
