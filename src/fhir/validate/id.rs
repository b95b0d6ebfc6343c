//! The logical id. <https://hl7.org/fhir/R4/datatypes.html#id>

const LONGEST: usize = 64;

pub fn is_legal(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::is_legal;

    #[test]
    fn letters_digits_hyphen_and_dot_up_to_64() {
        assert!(is_legal("a"));
        assert!(is_legal("1.2-X"));
        assert!(is_legal(&"x".repeat(64)));
        for wrong in ["", "a b", "a_b", "a/b", "é", "urn:uuid:1", &"x".repeat(65)] {
            assert!(!is_legal(wrong), "{wrong}");
        }
    }
}
