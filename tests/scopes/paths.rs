//! Whatever way a caller goes, it meets what the rules allow: random worlds
//! against the oracle. `UNLOOP_RANDOM_WORLDS` says how many, `UNLOOP_SEED`
//! which.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use unloop::access::{Caller, Holder};
use unloop::fhir::request::Verb;

use crate::oracle::{allows, is_of, refers};
use crate::path_writes::writes;
use crate::support::{Bench, Reply, StoreKind, name_of};
use crate::tokens::caller;
use crate::worlds::{Dice, Record, TYPES, World, build};

/// Names, or `name version` in a history.
pub type Names = BTreeSet<String>;

pub struct Attempt<'w> {
    pub bench: &'w Bench,
    pub world: &'w World,
    pub holder: &'w Holder,
    pub caller: Caller,
    seed: u64,
}

#[tokio::test]
async fn every_path_on_sqlite() {
    worlds(StoreKind::Sqlite).await;
}

#[tokio::test]
async fn every_path_on_postgres() {
    worlds(StoreKind::Postgres).await;
}

fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().unwrap())
}

async fn worlds(kind: StoreKind) {
    let first = number("UNLOOP_SEED", 1);
    for seed in first..first + number("UNLOOP_RANDOM_WORLDS", 2) {
        let Some(bench) = Bench::open(kind).await else {
            return;
        };
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        build(&bench, &world).await;
        for _ in 0..4 {
            let holder = caller(&mut dice);
            attempt(&bench, &world, &holder, seed).reads().await;
        }
        let holder = caller(&mut dice);
        writes(&bench, world, &holder, seed, &mut dice).await;
    }
}

pub fn attempt<'w>(
    bench: &'w Bench,
    world: &'w World,
    holder: &'w Holder,
    seed: u64,
) -> Attempt<'w> {
    Attempt {
        bench,
        world,
        holder,
        caller: bench.caller(holder),
        seed,
    }
}

impl Attempt<'_> {
    pub fn may(&self, letter: char, document: &Value) -> bool {
        allows(self.holder, letter, document)
    }

    pub fn seen(&self, letter: char, record: &Record) -> bool {
        record
            .current()
            .is_some_and(|current| self.may(letter, current))
    }

    /// Live resources that may be found, and meet the condition.
    pub fn found(&self, condition: impl Fn(&Value) -> bool) -> Names {
        let seen = self.world.live().filter(|record| self.seen('s', record));
        let met = seen.filter(|record| condition(record.current().unwrap()));
        met.map(|record| record.name.clone()).collect()
    }

    pub async fn get(&self, url: &str) -> Reply {
        let reply = self.bench.get(&self.caller, url).await;
        assert!(reply.status() < 500, "{}", self.says(url, &reply));
        reply
    }

    pub fn says(&self, url: &str, reply: &Reply) -> String {
        format!(
            "seed {}: {:?}\nGET {url}\n{}",
            self.seed,
            self.holder,
            reply.text()
        )
    }

    /// A refusal stands for nothing.
    pub async fn finds(&self, url: &str, expected: &Names) {
        let reply = self.get(url).await;
        assert!(
            matches!(reply.status(), 200 | 403),
            "{}",
            self.says(url, &reply)
        );
        let found: Names = reply.names().into_iter().collect();
        assert_eq!(&found, expected, "{}", self.says(url, &reply));
    }

    async fn reads(&self) {
        self.instances().await;
        self.searches().await;
        self.links().await;
        self.includes().await;
        self.histories().await;
        self.compartments().await;
        self.pages().await;
    }

    async fn instances(&self) {
        for record in &self.world.records {
            let now = self.seen('r', record);
            let reply = self.get(&record.name).await;
            self.is(&record.name, &reply, now);
            let history = self.get(&format!("{}/_history", record.name)).await;
            let mut expected = Names::new();
            for (number, version) in record.versions.iter().enumerate() {
                let shown = version
                    .as_ref()
                    .is_some_and(|version| now && self.may('r', version));
                let url = format!("{}/_history/{}", record.name, number + 1);
                let reply = self.get(&url).await;
                if record.current().is_some() || !self.is_open(record) {
                    self.is(&url, &reply, shown);
                }
                if shown {
                    expected.insert(format!("{} {}", record.name, number + 1));
                }
            }
            if record.current().is_some() {
                assert_eq!(
                    versions(&history),
                    expected,
                    "{}",
                    self.says("history", &history)
                );
            } else if !self.is_open(record) {
                assert!(
                    history.status() >= 400,
                    "{}",
                    self.says("history", &history)
                );
            }
        }
        self.batch("batch").await;
        self.batch("transaction").await;
    }

    /// Whoever may see all that was ever of the type sees its deletions.
    fn is_open(&self, record: &Record) -> bool {
        let of = format!("/{}.", record.of_type());
        let open = |scope: &str| {
            let all = scope.contains(&of) || scope.contains("/*.");
            all && !scope.contains('?') && !scope.starts_with("patient/")
        };
        self.holder.grant.is_none() && self.holder.scope.split(' ').any(open)
            || ["Location", "Medication", "Organization", "Practitioner"]
                .contains(&record.of_type())
    }

    fn is(&self, url: &str, reply: &Reply, shown: bool) {
        let says = || self.says(url, reply);
        match shown {
            true => assert_eq!(reply.status(), 200, "{}", says()),
            false => assert!(matches!(reply.status(), 403 | 404 | 410), "{}", says()),
        }
    }

    /// A batch answers what may be read. A transaction answers it where nothing else is
    /// asked for, and is refused as a whole where something is.
    async fn batch(&self, kind: &str) {
        let records = self.world.records.iter();
        let all: Vec<String> = records.map(|one| one.name.clone()).collect();
        let seen = self.world.live().filter(|record| self.seen('r', record));
        let seen: Vec<String> = seen.map(|record| record.name.clone()).collect();
        let expected: Names = seen.iter().cloned().collect();
        let asked = if kind == "transaction" { &seen } else { &all };
        let reply = self.read_in_bundle(kind, asked).await;
        let found: Names = reply.names().into_iter().collect();
        assert_eq!(found, expected, "{}", self.says(kind, &reply));
        if kind == "transaction" && seen.len() < all.len() {
            let reply = self.read_in_bundle(kind, &all).await;
            let refused = matches!(reply.status(), 403 | 404 | 410);
            assert!(refused, "{}", self.says(kind, &reply));
        }
    }

    async fn read_in_bundle(&self, kind: &str, names: &[String]) -> Reply {
        let get = |name: &String| json!({"request": {"method": "GET", "url": name}});
        let entries: Vec<Value> = names.iter().map(get).collect();
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
        self.bench.write(&self.caller, Verb::Post, "", bundle).await
    }

    pub async fn searches(&self) {
        let all = self.found(|_| true);
        let types = TYPES.join(",");
        self.finds(&format!("?_type={types}&_count=1000"), &all)
            .await;
        self.finds("?_count=1000", &all).await;
        for name in TYPES {
            let own = |document: &Value| document["resourceType"] == name;
            let expected = self.found(own);
            for more in [
                "",
                "&_sort=-_lastUpdated",
                "&_sort=_id",
                "&_summary=true",
                "&_elements=id",
            ] {
                self.finds(&format!("{name}?_count=1000{more}"), &expected)
                    .await;
            }
            let ids: Vec<&str> = self
                .world
                .records
                .iter()
                .filter_map(|r| r.name.strip_prefix(&format!("{name}/")))
                .collect();
            if !ids.is_empty() {
                self.finds(&format!("{name}?_id={}", ids.join(",")), &expected)
                    .await;
            }
            for url in [
                format!("{name}?_summary=count"),
                format!("{name}?_total=accurate&_count=0"),
                format!("?_type={name}&_summary=count"),
            ] {
                let reply = self.get(&url).await;
                let total = reply.json()["total"].as_u64().unwrap_or(0);
                assert_eq!(total, expected.len() as u64, "{}", self.says(&url, &reply));
            }
            let hidden = self.found(|document| {
                own(document) && document["meta"]["security"][0]["code"] == "ETH"
            });
            self.finds(&format!("{name}?_security=ETH"), &hidden).await;
            let others = self.found(|document| {
                own(document) && document["meta"]["security"][0]["code"] != "ETH"
            });
            self.finds(&format!("{name}?_security:not=ETH"), &others)
                .await;
        }
    }

    async fn histories(&self) {
        let mut of_all = Names::new();
        for name in TYPES {
            let mut expected = Names::new();
            for record in self
                .world
                .live()
                .filter(|record| record.of_type() == name && self.seen('s', record))
            {
                for (number, version) in record.versions.iter().enumerate() {
                    if version
                        .as_ref()
                        .is_some_and(|version| self.may('s', version))
                    {
                        expected.insert(format!("{} {}", record.name, number + 1));
                    }
                }
            }
            let url = format!("{name}/_history?_count=1000");
            let reply = self.get(&url).await;
            let live = |names: Names| -> Names {
                let is_live = |name: &String| {
                    self.world
                        .get(name.split(' ').next().unwrap())
                        .is_some_and(|r| r.current().is_some())
                };
                names.into_iter().filter(is_live).collect()
            };
            assert_eq!(
                live(versions(&reply)),
                expected,
                "{}",
                self.says(&url, &reply)
            );
            of_all.extend(expected);
            if name == TYPES[TYPES.len() - 1] {
                let url = "_history?_count=1000";
                let reply = self.get(url).await;
                assert_eq!(live(versions(&reply)), of_all, "{}", self.says(url, &reply));
            }
        }
    }

    async fn compartments(&self) {
        for id in ["pat0", "pat1", "pat2"] {
            let members = self.found(|document| is_of(document, id));
            self.finds(&format!("Patient/{id}/*?_count=1000"), &members)
                .await;
            let observations = self
                .found(|document| document["resourceType"] == "Observation" && is_of(document, id));
            self.finds(
                &format!("Patient/{id}/Observation?_count=1000"),
                &observations,
            )
            .await;
            let url = format!("Patient/{id}/$everything");
            let reply = self.get(&url).await;
            let found: Names = reply.names().into_iter().collect();
            let patient = self.world.get(&format!("Patient/{id}")).unwrap();
            if !self.seen('r', patient) || reply.status() == 403 {
                assert!(
                    reply.status() >= 400 && found.is_empty(),
                    "{}",
                    self.says(&url, &reply)
                );
                continue;
            }
            let all = self.found(|_| true);
            assert!(
                found.is_subset(&all) && members.is_subset(&found),
                "{}",
                self.says(&url, &reply)
            );
        }
        for encounter in self
            .world
            .records
            .iter()
            .filter(|r| r.of_type() == "Encounter")
        {
            let conditions = self.found(|document| {
                document["resourceType"] == "Condition"
                    && refers(document, "encounter", &encounter.name)
            });
            self.finds(&format!("{}/Condition", encounter.name), &conditions)
                .await;
        }
    }

    /// A walk over pages meets what one page has.
    async fn pages(&self) {
        for url in [
            "Observation?_count=2&_sort=-date",
            "Observation?_count=1&_sort=code",
            "?_type=Observation,Condition,Patient&_count=3",
            "Patient?_count=1&_sort=family",
        ] {
            let wanted: Vec<&str> = match url.starts_with('?') {
                true => vec!["Observation", "Condition", "Patient"],
                false => vec![url.split('?').next().unwrap()],
            };
            let expected =
                self.found(|document| wanted.contains(&document["resourceType"].as_str().unwrap()));
            let (mut found, mut next) = (Names::new(), Some(url.to_owned()));
            while let Some(url) = next {
                let reply = self.get(&url).await;
                found.extend(reply.names());
                next = reply.link("next");
            }
            assert_eq!(
                found, expected,
                "seed {} {:?} {url}",
                self.seed, self.holder
            );
        }
    }
}

/// `name version` of the entries with content.
fn versions(reply: &Reply) -> Names {
    let json = reply.json();
    let entries = json["entry"].as_array().cloned().unwrap_or_default();
    let resources = entries.iter().map(|entry| &entry["resource"]);
    resources
        .filter(|resource| resource["id"].is_string())
        .map(|resource| {
            format!(
                "{} {}",
                name_of(resource),
                resource["meta"]["versionId"].as_str().unwrap()
            )
        })
        .collect()
}
