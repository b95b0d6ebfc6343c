//! Ways along links: direct, chained, reverse chained, included.

use serde_json::Value;

use crate::oracle::refers;
use crate::paths::{Attempt, Names};
use crate::support::name_of;
use crate::worlds::{LINKS, Record, TYPES};

impl Attempt<'_> {
    /// Direct, chained and reverse chained.
    pub async fn links(&self) {
        for (name, code, _, only) in LINKS {
            for target in self
                .world
                .records
                .iter()
                .filter(|record| record.name.starts_with(only))
            {
                let (of_type, id) = target.name.split_once('/').unwrap();
                if !may_lead(code, of_type) {
                    continue;
                }
                let from = |document: &Value| {
                    document["resourceType"] == name && refers(document, code, &target.name)
                };
                let direct = self.found(from);
                self.finds(&format!("{name}?{code}={}", target.name), &direct)
                    .await;
                let chain = match self.seen('s', target) {
                    true => direct,
                    false => Names::new(),
                };
                let url = format!("{name}?{code}:{of_type}._id={id}");
                let reply = self.get(&url).await;
                // The definitions say which types a parameter leads to.
                if reply.status() != 400 {
                    let found: Names = reply.names().into_iter().collect();
                    assert_eq!(found, chain, "{}", self.says(&url, &reply));
                }
            }
            self.reversed(name, code).await;
        }
    }

    async fn reversed(&self, name: &str, code: &str) {
        for source in self
            .world
            .records
            .iter()
            .filter(|record| record.of_type() == name)
        {
            let id = source.name.split_once('/').unwrap().1;
            for of_type in TYPES.iter().filter(|of_type| may_lead(code, of_type)) {
                let url = format!("{of_type}?_has:{name}:{code}:_id={id}");
                let reply = self.get(&url).await;
                if reply.status() == 400 {
                    continue;
                }
                let expected = match (self.seen('s', source), source.current()) {
                    (true, Some(current)) => self.found(|document| {
                        document["resourceType"] == **of_type
                            && refers(current, code, &name_of(document))
                    }),
                    _ => Names::new(),
                };
                let found: Names = reply.names().into_iter().collect();
                assert_eq!(found, expected, "{}", self.says(&url, &reply));
            }
        }
    }

    /// Nothing comes along that may not be found.
    pub async fn includes(&self) {
        let all = self.found(|_| true);
        for name in TYPES {
            let own = self.found(|document| document["resourceType"] == name);
            for more in [
                "_include=*",
                "_revinclude=*",
                "_include=*&_include:iterate=*",
                "_revinclude=*&_revinclude:iterate=*",
                "_include=*&_revinclude:iterate=*",
            ] {
                let url = format!("{name}?{more}&_count=1000");
                let reply = self.get(&url).await;
                let found: Names = reply.names().into_iter().collect();
                assert!(
                    found.is_subset(&all) && own.is_subset(&found),
                    "{all:?}\n{}",
                    self.says(&url, &reply)
                );
            }
        }
        for (name, code, ..) in LINKS {
            let own = self.found(|document| document["resourceType"] == name);
            let sources: Vec<&Record> =
                own.iter().filter_map(|name| self.world.get(name)).collect();
            let led = |document: &Value| {
                let target = name_of(document);
                sources
                    .iter()
                    .any(|source| refers(source.current().unwrap(), code, &target))
            };
            let mut expected = self.found(led);
            expected.extend(own.iter().cloned());
            self.finds(
                &format!("{name}?_include={name}:{code}&_count=1000"),
                &expected,
            )
            .await;
        }
    }
}

/// Parameters with several types whose targets this world has.
fn may_lead(code: &str, of_type: &str) -> bool {
    match code {
        "patient" => of_type == "Patient",
        "encounter" => of_type == "Encounter",
        "subject" => [
            "Patient",
            "Group",
            "Device",
            "Practitioner",
            "Location",
            "Medication",
        ]
        .contains(&of_type),
        _ => true,
    }
}
