//! What a token may touch, made once for all requests that bring it: those that
//! come together then ask under the very same scope.

use crate::fhir::authority::Permission;
use crate::store::Scope;
use crate::store::plan::Filter;

/// One for each of [`Permission::ALL`].
#[derive(Clone, Debug)]
pub struct Views([Scope; Permission::ALL.len()]);

impl Views {
    /// `granted`: the rows of every alternative with the permission.
    pub fn of<'a>(granted: impl Fn(Permission) -> Vec<&'a Filter>) -> Self {
        Self(Permission::ALL.map(|permission| union(granted(permission))))
    }

    pub fn view(&self, permission: Permission) -> Scope {
        let mut views = Permission::ALL.iter().zip(&self.0);
        let view = views.find(|(of, _)| **of == permission);
        view.map_or_else(|| union(Vec::new()), |(_, view)| view.clone())
    }
}

fn union(granted: Vec<&Filter>) -> Scope {
    let mut rows = Vec::new();
    for alternative in granted {
        if *alternative == Filter::All(Vec::new()) {
            return Scope::everything();
        }
        if !rows.contains(alternative) {
            rows.push(alternative.clone());
        }
    }
    Scope::only(Filter::Any(rows))
}
