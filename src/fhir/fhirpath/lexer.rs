//! Text -> tokens. <http://hl7.org/fhirpath/N1/#lexical-elements>

use super::error::{Error, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Identifier(String),
    /// In backticks: never a keyword.
    Delimited(String),
    Text(String),
    Number(String),
    /// Without its `@`.
    Temporal(String),
    /// `$this`, `$index`, `$total`, without the `$`.
    Special(String),
    /// `%name`
    Variable(String),
    Symbol(&'static str),
    End,
}

/// Longer symbols stand before their beginnings.
const SYMBOLS: &[&str] = &[
    "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "|", "&",
    "<", ">", "=", "~",
];

pub struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// All tokens with the byte each starts at; the last is `End`.
    pub fn tokens(mut self) -> Result<Vec<(Token, usize)>> {
        let mut tokens = Vec::new();
        loop {
            self.blank()?;
            let start = self.at;
            let token = self.token()?;
            let end = token == Token::End;
            tokens.push((token, start));
            if end {
                return Ok(tokens);
            }
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error<T>(&self, problem: &str) -> Result<T> {
        Err(Error::Syntax {
            at: self.at,
            problem: problem.to_owned(),
        })
    }

    /// White space and comments.
    fn blank(&mut self) -> Result<()> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                match comment.find("*/") {
                    Some(end) => self.at += end + 4,
                    None => return self.error("a comment does not end"),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        match first {
            '\'' => self.quoted('\'').map(Token::Text),
            '`' => self.quoted('`').map(Token::Delimited),
            '@' => {
                self.at += 1;
                Ok(Token::Temporal(self.temporal()))
            }
            '$' => {
                self.at += 1;
                Ok(Token::Special(self.word()))
            }
            '%' => {
                self.at += 1;
                let name = match self.rest().chars().next() {
                    Some(quote @ ('`' | '\'')) => self.quoted(quote)?,
                    _ => self.word(),
                };
                match name.is_empty() {
                    true => self.error("a name is missing after %"),
                    false => Ok(Token::Variable(name)),
                }
            }
            c if c.is_ascii_digit() => Ok(Token::Number(self.number())),
            c if c.is_ascii_alphabetic() || c == '_' => Ok(Token::Identifier(self.word())),
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => {
                    self.at += symbol.len();
                    Ok(Token::Symbol(symbol))
                }
                None => self.error("an unexpected character"),
            },
        }
    }

    /// Takes as long as `fits`.
    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn word(&mut self) -> String {
        self.take(|c| c.is_ascii_alphanumeric() || c == '_')
            .to_owned()
    }

    fn number(&mut self) -> String {
        let mut number = self.take(|c| c.is_ascii_digit()).to_owned();
        let fraction = self.rest().strip_prefix('.');
        if fraction.is_some_and(|f| f.starts_with(|c: char| c.is_ascii_digit())) {
            self.at += 1;
            number.push('.');
            number.push_str(self.take(|c| c.is_ascii_digit()));
        }
        number
    }

    /// A dot belongs to it only before a digit, a sign only where an offset can stand.
    fn temporal(&mut self) -> String {
        let mut text = String::new();
        loop {
            text.push_str(self.take(|c| c.is_ascii_digit() || matches!(c, 'T' | 'Z' | ':')));
            let timed = text.contains('T');
            let mut next = self.rest().chars();
            let (sign, digit) = (next.next(), next.next());
            let digit = digit.is_some_and(|c| c.is_ascii_digit());
            match sign {
                Some(c @ '-') if digit && (timed || text.len() < 10) => text.push(c),
                Some(c @ ('.' | '+')) if digit && timed => text.push(c),
                _ => return text,
            }
            self.at += 1;
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String> {
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            if letter == quote {
                self.at += at + 1;
                return Ok(text);
            }
            if letter != '\\' {
                text.push(letter);
                continue;
            }
            let escaped = match letters.next().map(|(_, c)| c) {
                Some('n') => Some('\n'),
                Some('r') => Some('\r'),
                Some('t') => Some('\t'),
                Some('f') => Some('\u{c}'),
                Some('u') => {
                    let digits: String = letters.by_ref().take(4).map(|(_, c)| c).collect();
                    let code = u32::from_str_radix(&digits, 16).ok();
                    code.and_then(char::from_u32)
                }
                other => other.filter(|c| matches!(c, '\\' | '/' | '\'' | '"' | '`')),
            };
            match escaped {
                Some(letter) => text.push(letter),
                None => return self.error("an unknown escape"),
            }
        }
        self.error("a text does not end")
    }
}
