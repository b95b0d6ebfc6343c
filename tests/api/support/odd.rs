//! What no client should send, and what no answer may tell.

use super::Reply;

/// Words that would tell of the database, the program or the machine.
const INSIDE: [&str; 12] = [
    "SELECT ",
    "INSERT ",
    "diesel",
    "sqlite",
    "postgres",
    "src/",
    "/tmp/",
    ".rs:",
    "panicked",
    "syntax error",
    "relation \"",
    "serde",
];

pub fn check(what: &str, reply: &Reply) {
    assert!(
        reply.status < 500,
        "{what}: {} {}",
        reply.status,
        reply.text
    );
    if reply.status >= 400
        && reply
            .text
            .starts_with("{\"resourceType\":\"OperationOutcome\"")
    {
        let text = reply.diagnostics();
        for word in INSIDE {
            assert!(!text.contains(word), "{what} tells of {word}: {text}");
        }
    }
}

/// The generator of Park and Miller: the same numbers on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        usize::try_from(self.0).unwrap() % sides
    }
}

pub const ODD: [&str; 40] = [
    "'",
    "\"",
    "';DROP TABLE resource;--",
    "1 OR 1=1",
    "%27%20OR%20%271%27=%271",
    "\\",
    "$1",
    "?",
    "%00",
    "%0a",
    "%ff%fe",
    "%c3%28",
    "%ed%a0%80",
    "%",
    "%zz",
    "%252e%252e",
    "..",
    "../../etc/passwd",
    "%2e%2e%2fetc",
    "..%5c",
    "{}",
    "[]",
    "null",
    "NaN",
    "-1",
    "99999999999999999999",
    "1e999",
    "0x10",
    "\u{202e}abc",
    "🧠",
    "e%CC%81%CC%81%CC%81",
    "%F0%9F%A7%A0",
    "a|b|c|d",
    "|",
    "||",
    ",",
    ",,,",
    "$",
    ":missing",
    "9999-99-99T99:99:99Z",
];

const TOKENS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "-",
    "1e999999999",
    "-0",
    "0.1e-400",
    "\\u0000",
    "\\ud800",
    "\\",
    "\u{0}",
    "\u{7f}",
    "\u{feff}",
    "\"resourceType\"",
    "\"$serde_json::private::Number\"",
    "{\"$serde_json::private::Number\":\"x\"}",
    "{\"$serde_json::private::Number\":\"1\"}",
    "🧠",
];

/// The text with something cut out, put in, doubled or swapped.
pub fn mutated(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(bytes.len().max(1)).min(bytes.len());
        match dice.roll(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, TOKENS[dice.roll(TOKENS.len())].bytes())),
            2 => {
                let end = (at + dice.roll(12)).min(bytes.len());
                drop(bytes.splice(at..end, TOKENS[dice.roll(TOKENS.len())].bytes()));
            }
            3 => bytes.insert(at, u8::try_from(dice.roll(256)).unwrap()),
            4 => drop(bytes.drain(at..(at + dice.roll(9)).min(bytes.len()))),
            _ => {
                let end = (at + dice.roll(40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, part));
            }
        }
    }
    bytes
}
