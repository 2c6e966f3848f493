//! Tokens to a tree: a Pratt parser.

use super::ast::{Ast, Binary, Node, NodeId, Unary};
use super::error::{ExprError, ExprErrorKind, Span};
use super::lexer::{Lexer, Token};
use super::vocabulary::{Meaning, Vocabulary};
use super::{MAX_DEPTH, MAX_LENGTH};

/// How tightly a sign holds its operand: tighter than `*`, looser than `**`.
const SIGN_BINDING: u8 = 5;

/// Parses the whole of `source`.
pub(super) fn parse(source: &str, vocabulary: &Vocabulary) -> Result<Ast, ExprError> {
    if source.len() > MAX_LENGTH {
        return Err(ExprError::at(Span { start: 0, width: 0 }, ExprErrorKind::TooLong));
    }
    let mut lexer = Lexer::new(source);
    let (token, span) = lexer.next()?;
    let mut parser = Parser { lexer, token, span, vocabulary, depth: 0, ast: Ast::default() };
    parser.expression(0)?;
    match parser.token {
        Token::End => Ok(parser.ast),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token not yet consumed.
    token: Token<'a>,
    /// Where it stands.
    span: Span,
    vocabulary: &'a Vocabulary,
    depth: usize,
    ast: Ast,
}

impl<'a> Parser<'a> {
    /// Consumes the current token and returns its place.
    fn advance(&mut self) -> Result<Span, ExprError> {
        let consumed = self.span;
        (self.token, self.span) = self.lexer.next()?;
        Ok(consumed)
    }

    fn unexpected(&self, expected: &'static str) -> ExprError {
        ExprError::at(self.span, ExprErrorKind::Unexpected { found: self.token.describe(), expected })
    }

    /// Parses operators that bind at least as tightly as `binding`.
    fn expression(&mut self, binding: u8) -> Result<NodeId, ExprError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExprError::at(self.span, ExprErrorKind::TooDeep));
        }
        let mut left = self.operand()?;
        while let Some((operation, left_binding, right_binding)) = infix(self.token) {
            if left_binding < binding {
                break;
            }
            self.advance()?;
            let right = self.expression(right_binding)?;
            left = self.binary(operation, left, right)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn binary(&mut self, operation: Binary, left: NodeId, right: NodeId) -> Result<NodeId, ExprError> {
        let (from, to) = (self.ast.spans[left], self.ast.spans[right]);
        let span = Span { start: from.start, width: to.start + to.width - from.start };
        self.ast.push(Node::Binary(operation, left, right), span)
    }

    /// A number, name, call, sign or parenthesis.
    fn operand(&mut self) -> Result<NodeId, ExprError> {
        match self.token {
            Token::Number(value) => {
                let span = self.advance()?;
                self.ast.push(Node::Number(value), span)
            }
            Token::Name(name) => {
                let span = self.advance()?;
                if self.token == Token::Open { self.call(name, span) } else { self.name(name, span) }
            }
            Token::Plus => {
                self.advance()?;
                self.expression(SIGN_BINDING)
            }
            Token::Minus => {
                let sign = self.advance()?;
                let operand = self.expression(SIGN_BINDING)?;
                let end = self.ast.spans[operand];
                let span = Span { start: sign.start, width: end.start + end.width - sign.start };
                self.ast.push(Node::Unary(Unary::Negate, operand), span)
            }
            Token::Open => {
                let open = self.advance()?;
                let inner = self.expression(0)?;
                let close = self.close("an operator or `)`")?;
                self.ast.spans[inner] =
                    Span { start: open.start, width: close.start + close.width - open.start };
                Ok(inner)
            }
            _ => Err(self.unexpected("a number, a name or `(`")),
        }
    }

    fn close(&mut self, expected: &'static str) -> Result<Span, ExprError> {
        if self.token == Token::Close { self.advance() } else { Err(self.unexpected(expected)) }
    }

    fn name(&mut self, name: &str, span: Span) -> Result<NodeId, ExprError> {
        let node = match self.vocabulary.meaning(name) {
            Some(Meaning::Band(band)) => Node::Band(self.ast.band(band)),
            Some(Meaning::Constant(value)) => Node::Number(*value),
            None => {
                let nearest = self.vocabulary.nearest(name).map(str::to_owned);
                let known = self.vocabulary.names().map(str::to_owned).collect();
                let kind = ExprErrorKind::UnknownName { name: name.to_owned(), nearest, known };
                return Err(ExprError::at(span, kind));
            }
        };
        self.ast.push(node, span)
    }

    /// `name(argument, …)`, the name already consumed.
    fn call(&mut self, name: &'a str, span: Span) -> Result<NodeId, ExprError> {
        let Some(function) = function(name) else {
            return Err(ExprError::at(span, ExprErrorKind::UnknownFunction(name.to_owned())));
        };
        self.advance()?;
        let mut result = self.expression(0)?;
        let mut arguments = 1;
        while self.token == Token::Comma {
            self.advance()?;
            let next = self.expression(0)?;
            arguments += 1;
            if let Function::Fold(_, operation) = function {
                result = self.binary(operation, result, next)?;
            }
        }
        let close = self.close("an operator, `,` or `)`")?;
        let whole = Span { start: span.start, width: close.start + close.width - span.start };
        let wrong = |function, expected| {
            let kind = ExprErrorKind::Arguments { function, expected, found: arguments };
            Err(ExprError::at(whole, kind))
        };
        match function {
            Function::Map(_, operation) if arguments == 1 => {
                self.ast.push(Node::Unary(operation, result), whole)
            }
            Function::Map(name, _) => wrong(name, "one argument"),
            Function::Fold(name, _) if arguments < 2 => wrong(name, "two arguments or more"),
            Function::Fold(..) => {
                self.ast.spans[result] = whole;
                Ok(result)
            }
        }
    }
}

/// A callable function and its name.
#[derive(Clone, Copy)]
enum Function {
    /// Of one value.
    Map(&'static str, Unary),
    /// Of two values or more, taken pairwise from the left.
    Fold(&'static str, Binary),
}

/// The allow-list of functions.
fn function(name: &str) -> Option<Function> {
    Some(match name {
        "sqrt" => Function::Map("sqrt", Unary::Sqrt),
        "ln" => Function::Map("ln", Unary::Ln),
        "logistic" => Function::Map("logistic", Unary::Logistic),
        "abs" => Function::Map("abs", Unary::Abs),
        "min" => Function::Fold("min", Binary::Min),
        "max" => Function::Fold("max", Binary::Max),
        _ => return None,
    })
}

/// The operation of an infix token and how tightly it holds what stands left and right of it.
fn infix(token: Token<'_>) -> Option<(Binary, u8, u8)> {
    Some(match token {
        Token::Plus => (Binary::Add, 1, 2),
        Token::Minus => (Binary::Subtract, 1, 2),
        Token::Star => (Binary::Multiply, 3, 4),
        Token::Slash => (Binary::Divide, 3, 4),
        Token::StarStar => (Binary::Power, 8, 7),
        _ => return None,
    })
}
