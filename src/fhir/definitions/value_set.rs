//! The codes that a required binding allows. <https://hl7.org/fhir/R4/terminologies.html>

/// A value set written out. Without systems its codes are not published with R4
/// (MIME types, currencies, units, answers of LOINC).
#[derive(Debug, Default)]
pub struct ValueSet {
    /// (code system, its codes, sorted)
    systems: Vec<(&'static str, Vec<&'static str>)>,
}

impl ValueSet {
    pub(super) fn add(&mut self, system: &'static str, mut codes: Vec<&'static str>) {
        codes.sort_unstable();
        self.systems.push((system, codes));
    }

    pub fn is_written_out(&self) -> bool {
        !self.systems.is_empty()
    }

    /// A `code` element has no system: it is whichever has the code.
    pub fn has_code(&self, code: &str) -> bool {
        self.systems.iter().any(|(_, codes)| has(codes, code))
    }

    pub fn has(&self, system: &str, code: &str) -> bool {
        let mut systems = self.systems.iter().filter(|(url, _)| *url == system);
        systems.any(|(_, codes)| has(codes, code))
    }

    /// (system, code)
    pub fn concepts(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let systems = self.systems.iter();
        systems.flat_map(|(system, codes)| codes.iter().map(|code| (*system, *code)))
    }
}

fn has(codes: &[&str], code: &str) -> bool {
    codes.binary_search(&code).is_ok()
}
