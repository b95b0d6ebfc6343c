//! Names by how their words sound: the codes of Double Metaphone.
//! <https://hl7.org/fhir/R4/patient.html#search>

use rphonetic::{DoubleMetaphone, Encoder as _};
use serde_json::Value;

use super::string;

/// The parts of a HumanName that sound like somebody.
const PARTS: [&str; 3] = ["text", "family", "given"];

/// Each word of a name by the codes it may sound like.
pub fn words(text: &str) -> Vec<Vec<String>> {
    let folded = string::fold(text);
    let words = folded.split(|c: char| !c.is_alphanumeric() && !is_apostrophe(c));
    let words = words.map(|word| word.replace(is_apostrophe, ""));
    words
        .filter(|word| !word.is_empty())
        .map(|word| codes(&word))
        .collect()
}

/// The words of a name or a string.
pub(super) fn of_value(value: &Value) -> Vec<Vec<String>> {
    let texts = string::parts(value, &PARTS);
    texts.into_iter().flat_map(words).collect()
}

/// The code and, where a word is said in two ways, the other one. A word that
/// has none, of figures or of other letters, is its own.
fn codes(word: &str) -> Vec<String> {
    let mut codes = Vec::new();
    if word.bytes().all(|b| b.is_ascii_lowercase()) {
        let metaphone = DoubleMetaphone::default();
        codes.extend([metaphone.encode(word), metaphone.encode_alternate(word)]);
    }
    codes.retain(|code| !code.is_empty());
    codes.dedup();
    if codes.is_empty() {
        codes.push(word.to_owned());
    }
    codes
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        let (one, other) = (words(one), words(other));
        one.len() == other.len()
            && one
                .iter()
                .zip(&other)
                .all(|(a, b)| a.iter().any(|code| b.contains(code)))
    }

    #[test]
    fn what_sounds_alike_has_a_code_in_common() {
        for (one, other) in [
            ("Smith", "Schmidt"),
            ("Smith", "Smyth"),
            ("Catherine", "Kathryn"),
            ("Stephen", "Steven"),
            ("Philip", "Filip"),
            ("Müller", "Muller"),
            ("O'Brien", "OBrien"),
            ("O’Brien", "O'Brian"),
            ("Anne-Marie", "ann mary"),
            ("Jansen", "Janssen"),
            ("Åsa", "asa"),
        ] {
            assert!(
                alike(one, other),
                "{one} {other}: {:?} {:?}",
                words(one),
                words(other)
            );
        }
        for (one, other) in [
            ("Smith", "Jones"),
            ("Peter", "Paul"),
            ("Иван", "Пётр"),
            ("3", "4"),
        ] {
            assert!(!alike(one, other), "{one} {other}");
        }
        assert!(alike("Иван", "иван"));
        assert!(alike("Ward 3", "ward 3"));
    }

    #[test]
    fn whatever_is_asked_has_codes_and_no_panic() {
        let letters = [
            "a", "c", "g", "h", "w", "x", "z", "sch", "ß", "ﬁ", "é", "'", "-", "9", "漢",
            "\u{301}", " ",
        ];
        for a in letters {
            for b in letters {
                for c in letters {
                    for codes in words(&format!("{a}{b}{c}{a}")) {
                        assert!(codes.iter().all(|code| !code.is_empty()) && !codes.is_empty());
                    }
                }
            }
        }
    }
}
