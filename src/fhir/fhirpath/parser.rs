//! Tokens -> tree, by precedence. <http://hl7.org/fhirpath/N1/#grammar>

use super::decimal::Decimal;
use super::error::{Error, Result};
use super::function::Function;
use super::item::Item;
use super::lexer::{Lexer, Token};
use super::quantity::{Quantity, calendar_unit};
use super::temporal::Temporal;
use super::tree::{Operator, Tree, TypeName};

/// Deeper nesting of an expression is refused.
const DEEPEST: usize = 64;
/// So are more operators and steps than this: each is a level of the tree.
const LONGEST: usize = 800;
/// Where `is` and `as` stand among the levels of binary operators.
const TYPE_LEVEL: usize = 7;
/// Unary and postfix operators bind tighter than this.
const TIGHTEST: usize = 9;

pub fn parse(text: &str) -> Result<Tree> {
    let mut parser = Parser {
        tokens: Lexer::new(text).tokens()?,
        next: 0,
        depth: 0,
        length: 0,
    };
    let tree = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(tree),
        _ => parser.error("an operator or the end was expected"),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
    length: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(t, _)| t)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn error<T>(&self, problem: &str) -> Result<T> {
        let at = self.tokens.get(self.next).or(self.tokens.last());
        Err(Error::Syntax {
            at: at.map_or(0, |(_, at)| *at),
            problem: problem.to_owned(),
        })
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if *s == symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<()> {
        match self.accept(symbol) {
            true => Ok(()),
            false => self.error(&format!("`{symbol}` was expected")),
        }
    }

    fn longer(&mut self) -> Result<()> {
        self.length += 1;
        match self.length > LONGEST {
            true => self.error("the expression is too long"),
            false => Ok(()),
        }
    }

    fn expression(&mut self, level: usize) -> Result<Tree> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error("nested too deeply");
        }
        let tree = self.binary(level);
        self.depth -= 1;
        tree
    }

    fn binary(&mut self, level: usize) -> Result<Tree> {
        let mut left = self.unary()?;
        loop {
            self.longer()?;
            if let Token::Identifier(word) = self.peek()
                && let "is" | "as" = word.as_str()
                && level <= TYPE_LEVEL
            {
                let is = word == "is";
                self.next += 1;
                let name = self.type_name()?;
                left = match is {
                    true => Tree::Is(Box::new(left), name),
                    false => Tree::As(Box::new(left), name),
                };
                continue;
            }
            let Some((operator, of)) = operator(self.peek()).filter(|(_, of)| *of >= level) else {
                return Ok(left);
            };
            self.next += 1;
            let right = self.expression(of + 1)?;
            left = Tree::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Tree> {
        if self.accept("-") {
            let of = self.expression(TIGHTEST + 1)?;
            return Ok(Tree::Negative(Box::new(of)));
        }
        if self.accept("+") {
            let of = self.expression(TIGHTEST + 1)?;
            return Ok(Tree::Positive(Box::new(of)));
        }
        let mut tree = self.term()?;
        loop {
            self.longer()?;
            if self.accept(".") {
                tree = self.invocation(Some(tree))?;
            } else if self.accept("[") {
                let index = self.expression(0)?;
                self.expect("]")?;
                tree = Tree::Indexer(Box::new(tree), Box::new(index));
            } else {
                return Ok(tree);
            }
        }
    }

    fn term(&mut self) -> Result<Tree> {
        match self.peek() {
            Token::Identifier(word) if word == "true" || word == "false" => {
                let value = word == "true";
                self.next += 1;
                Ok(Tree::Literal(Item::Boolean(value)))
            }
            Token::Identifier(_) | Token::Delimited(_) | Token::Special(_) => self.invocation(None),
            Token::Text(text) => {
                let literal = Tree::Literal(Item::String(text.clone().into()));
                self.next += 1;
                Ok(literal)
            }
            Token::Variable(name) => {
                let variable = Tree::Variable(name.clone());
                self.next += 1;
                Ok(variable)
            }
            Token::Temporal(text) => {
                let Some(temporal) = Temporal::literal(text) else {
                    return self.error("not a date or time");
                };
                self.next += 1;
                Ok(Tree::Literal(Item::Temporal(temporal)))
            }
            Token::Number(_) => self.number(),
            Token::Symbol("(") => {
                self.next += 1;
                let tree = self.expression(0)?;
                self.expect(")")?;
                Ok(tree)
            }
            Token::Symbol("{") => {
                self.next += 1;
                self.expect("}")?;
                Ok(Tree::Empty)
            }
            _ => self.error("a term was expected"),
        }
    }

    /// A number, or a quantity where a unit follows.
    fn number(&mut self) -> Result<Tree> {
        let Token::Number(text) = self.peek().clone() else {
            return self.error("a number was expected");
        };
        let Some(value) = Decimal::parse(&text) else {
            return self.error("a number with too many digits");
        };
        self.next += 1;
        let unit = match self.peek() {
            Token::Text(unit) => Some(unit.clone()),
            Token::Identifier(word) => calendar_unit(word).map(str::to_owned),
            _ => None,
        };
        if let Some(unit) = unit {
            self.next += 1;
            let quantity = Quantity { value, unit };
            return Ok(Tree::Literal(Item::Quantity(Box::new(quantity))));
        }
        let integer = (!text.contains('.')).then(|| text.parse().ok()).flatten();
        Ok(Tree::Literal(match integer {
            Some(integer) => Item::Integer(integer),
            None => Item::Decimal(value),
        }))
    }

    /// What stands behind a dot, or begins a path.
    fn invocation(&mut self, of: Option<Tree>) -> Result<Tree> {
        let name = match self.take() {
            Token::Identifier(name) | Token::Delimited(name) => name,
            Token::Special(name) if of.is_none() => {
                return match name.as_str() {
                    "this" => Ok(Tree::This),
                    "index" => Ok(Tree::Index),
                    "total" => Ok(Tree::Total),
                    _ => self.error("only $this, $index and $total start with $"),
                };
            }
            _ => {
                self.next -= 1;
                return self.error("a name was expected");
            }
        };
        let of = of.map(Box::new);
        if !self.accept("(") {
            return Ok(Tree::Member { of, name });
        }
        let mut arguments = Vec::new();
        if !self.accept(")") {
            loop {
                arguments.push(self.expression(0)?);
                if !self.accept(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let Some(function) = Function::named(&name) else {
            return self.error(&format!("there is no function {name}()"));
        };
        if !function.takes(arguments.len()) {
            return self.error(&format!("{name}() takes another number of arguments"));
        }
        Ok(Tree::Call {
            of,
            function,
            arguments,
        })
    }

    fn type_name(&mut self) -> Result<TypeName> {
        let first = self.identifier()?;
        if !self.accept(".") {
            return Ok(TypeName {
                namespace: None,
                name: first,
            });
        }
        Ok(TypeName {
            namespace: Some(first),
            name: self.identifier()?,
        })
    }

    fn identifier(&mut self) -> Result<String> {
        match self.take() {
            Token::Identifier(name) | Token::Delimited(name) => Ok(name),
            _ => {
                self.next -= 1;
                self.error("the name of a type was expected")
            }
        }
    }
}

/// The operator and its level: a higher one binds tighter.
fn operator(token: &Token) -> Option<(Operator, usize)> {
    use Operator as O;
    let text = match token {
        Token::Symbol(symbol) => symbol,
        Token::Identifier(word) => word.as_str(),
        _ => return None,
    };
    Some(match text {
        "implies" => (O::Implies, 0),
        "or" => (O::Or, 1),
        "xor" => (O::Xor, 1),
        "and" => (O::And, 2),
        "in" => (O::In, 3),
        "contains" => (O::Contains, 3),
        "=" => (O::Equal, 4),
        "!=" => (O::NotEqual, 4),
        "~" => (O::Equivalent, 4),
        "!~" => (O::NotEquivalent, 4),
        "<" => (O::Less, 5),
        "<=" => (O::LessOrEqual, 5),
        ">" => (O::Greater, 5),
        ">=" => (O::GreaterOrEqual, 5),
        "|" => (O::Union, 6),
        "+" => (O::Add, 8),
        "-" => (O::Subtract, 8),
        "&" => (O::Concatenate, 8),
        "*" => (O::Multiply, 9),
        "/" => (O::Divide, 9),
        "div" => (O::Div, 9),
        "mod" => (O::Mod, 9),
        _ => return None,
    })
}
