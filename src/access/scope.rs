//! SMART scopes for clinical data, versions 1 and 2.
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>

use crate::fhir::authority::Permission;
use crate::fhir::request::parse_query;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    Patient,
    User,
    System,
}

/// `patient/Observation.rs?category=survey`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmartScope {
    pub context: Context,
    /// `None`: `*`
    pub resource_type: Option<String>,
    pub permissions: Permissions,
    /// Search parameters that all must hold.
    pub constraint: Vec<(String, String)>,
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u8);

/// In the order that version 2 prescribes.
const LETTERS: [(char, Permission); 5] = [
    ('c', Permission::Create),
    ('r', Permission::Read),
    ('u', Permission::Update),
    ('d', Permission::Delete),
    ('s', Permission::Search),
];

impl Permissions {
    pub const ALL: Self = Self(0b1_1111);
    /// `rs`
    pub const READ: Self = Self(0b1_0010);

    pub fn has(self, permission: Permission) -> bool {
        self.0 & Self::bit(permission) != 0
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn bit(permission: Permission) -> u8 {
        match permission {
            Permission::Create => 1,
            Permission::Read => 2,
            Permission::Update => 4,
            Permission::Delete => 8,
            Permission::Search => 16,
        }
    }

    /// `rs`, or version 1's `read`, `write` and `*`.
    fn parse(text: &str) -> Option<Self> {
        let letters = match text {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters => letters,
        };
        let mut left = LETTERS.iter();
        let mut set = 0;
        for letter in letters.chars() {
            // Each letter stands behind the ones before it: once, and in order.
            let (_, permission) = left.find(|(known, _)| *known == letter)?;
            set |= Self::bit(*permission);
        }
        (set != 0).then_some(Self(set))
    }
}

impl std::fmt::Display for Permissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = LETTERS
            .iter()
            .filter(|(_, permission)| self.has(*permission));
        held.map(|(letter, _)| letter)
            .try_for_each(|letter| write!(f, "{letter}"))
    }
}

impl SmartScope {
    /// `None` for whatever is no scope for clinical data, and for what is
    /// written wrongly: it grants nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let (context, rest) = text.split_once('/')?;
        let context = match context {
            "patient" => Context::Patient,
            "user" => Context::User,
            "system" => Context::System,
            _ => return None,
        };
        let (of, constraint) = match rest.split_once('?') {
            Some((of, query)) => (of, Some(query)),
            None => (rest, None),
        };
        let (name, letters) = of.split_once('.')?;
        let resource_type = match name {
            "*" => None,
            name if is_type_name(name) => Some(name.to_owned()),
            _ => return None,
        };
        let permissions = Permissions::parse(letters)?;
        let constraint = match constraint {
            None => Vec::new(),
            Some(query) => parse_query(query),
        };
        // A question mark announces a restriction; without one it is none.
        if rest.contains('?') && constraint.is_empty() {
            return None;
        }
        Some(Self {
            context,
            resource_type,
            permissions,
            constraint,
        })
    }
}

fn is_type_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphabetic())
}
