//! Random searches over real data: both stores answer what a search by the
//! book answers. `UNLOOP_RANDOM_SEARCHES` says how many, `UNLOOP_SEED` which.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use unloop::fhir::definitions::{ParamKind, SearchParam, r4};
use unloop::fhir::search::is_searchable;

use super::ask::{Ask, Dice};
use super::brought;
use super::naive::{Node, evaluate};
use super::sorted;
use super::values::normal;
use super::world::{World, key_of};

type Object = Map<String, Value>;

#[derive(Clone, Debug)]
enum Condition {
    Plain(&'static SearchParam, Ask),
    Composite(&'static SearchParam, Ask, Ask),
    /// The reference, the type it leads to, and what is asked there.
    Chain(&'static SearchParam, String, Box<Condition>),
    /// The type that refers, its reference, and what is asked there.
    Has(String, &'static SearchParam, Box<Condition>),
}

/// All resources by type and by `Type/id`.
pub struct Records {
    pub by_type: BTreeMap<String, Vec<Object>>,
    pub by_name: HashMap<String, Object>,
}

impl Condition {
    fn pair(&self) -> (String, String) {
        match self {
            Self::Plain(param, ask) => (format!("{}{}", param.code, ask.modifier()), ask.value()),
            Self::Composite(param, first, second) => (
                param.code.clone(),
                format!("{}${}", first.value(), second.value()),
            ),
            Self::Chain(param, target, inner) => {
                let (name, value) = inner.pair();
                (format!("{}:{target}.{name}", param.code), value)
            }
            Self::Has(source, param, inner) => {
                let (name, value) = inner.pair();
                (format!("_has:{source}:{}:{name}", param.code), value)
            }
        }
    }
}

impl Records {
    fn holds(&self, resource: &Object, condition: &Condition) -> bool {
        match condition {
            Condition::Plain(param, ask) => ask.meets(&evaluate(resource, &param.expression)),
            Condition::Composite(param, first, second) => {
                let places = evaluate(resource, &param.expression);
                places
                    .iter()
                    .filter_map(|place| place.value.as_object())
                    .any(|place| {
                        let [one, other] = components(param, place);
                        first.meets(&one) && second.meets(&other)
                    })
            }
            Condition::Chain(param, target, inner) => targets(resource, param)
                .iter()
                .filter(|name| name.split('/').next() == Some(target))
                .filter_map(|name| self.by_name.get(name))
                .any(|far| self.holds(far, inner)),
            Condition::Has(source, param, inner) => {
                let name = key_of(resource).to_string();
                let mut sources = self.by_type[source].iter();
                sources.any(|far| targets(far, param).contains(&name) && self.holds(far, inner))
            }
        }
    }

    fn random(&self, dice: &mut Dice, resource: &Object, depth: usize) -> Option<Condition> {
        let own = key_of(resource).resource_type;
        let params: Vec<&SearchParam> = r4()
            .search_params(&own)
            .iter()
            .filter(|param| is_simple(param))
            .collect();
        let param = *dice.pick(&params)?;
        if depth > 0 && param.kind == ParamKind::Reference && dice.below(3) > 0 {
            let name = dice.pick(&targets(resource, param))?.clone();
            let inner = self.random(dice, self.by_name.get(&name)?, depth - 1)?;
            let (target, _) = name.split_once('/')?;
            // Some examples refer to what the definition does not allow.
            if !param.targets.iter().any(|allowed| allowed == target) {
                return None;
            }
            return Some(Condition::Chain(param, target.to_owned(), Box::new(inner)));
        }
        let nodes = evaluate(resource, &param.expression);
        if param.kind != ParamKind::Composite {
            return Some(Condition::Plain(
                param,
                Ask::random(dice, param.kind, &nodes)?,
            ));
        }
        let place = dice.pick(&nodes)?.value.as_object()?.clone();
        let [one, other] = components(param, &place);
        let first = Ask::random(dice, ParamKind::Token, &one)?;
        let kind = kind_of(&own, &param.components[1].0)?;
        let second = Ask::random(dice, kind, &other)?;
        let plain = matches!(&first, Ask::Token(_, Some(_), false));
        (plain && second.modifier().is_empty())
            .then_some(Condition::Composite(param, first, second))
    }

    /// A search and its type.
    fn search(&self, dice: &mut Dice) -> Option<(String, Vec<Condition>)> {
        let types: Vec<&String> = self.by_type.keys().collect();
        let of_type = *dice.pick(&types)?;
        let resource = dice.pick(&self.by_type[of_type])?;
        let own = key_of(resource).resource_type;
        if dice.below(6) == 0 {
            let references = r4().search_params(&own).iter();
            let references: Vec<_> = references
                .filter(|p| p.kind == ParamKind::Reference && is_simple(p))
                .collect();
            let link = *dice.pick(&references)?;
            let name = dice.pick(&targets(resource, link))?.clone();
            let target = self.by_name.get(&name)?;
            let inner = Box::new(self.random(dice, resource, 1)?);
            let mut conditions = vec![Condition::Has(own, link, inner)];
            if dice.below(2) == 0 {
                conditions.extend(self.random(dice, target, 1));
            }
            return Some((key_of(target).resource_type, conditions));
        }
        let count = 1 + dice.below(2);
        let conditions: Vec<_> = (0..count)
            .filter_map(|_| self.random(dice, resource, 2))
            .collect();
        (!conditions.is_empty()).then_some((own, conditions))
    }
}

/// What the naive evaluation understands.
pub fn is_simple(param: &SearchParam) -> bool {
    let unusual = ["xtension(", "exists()", "_id", "_lastUpdated"];
    is_searchable(param)
        && param.code != "phonetic"
        && !param.code.starts_with("_last")
        && param.code != "_id"
        && !unusual.iter().any(|part| param.expression.contains(part))
}

fn kind_of(resource_type: &str, url: &str) -> Option<ParamKind> {
    let mut params = r4().search_params(resource_type).iter();
    params
        .find(|param| param.url == url)
        .map(|param| param.kind)
}

fn components(param: &SearchParam, place: &Object) -> [Vec<Node>; 2] {
    [0, 1].map(|number| evaluate(place, &param.components[number].1))
}

/// `Type/id` of the resources here that it refers to.
fn targets(resource: &Object, param: &SearchParam) -> Vec<String> {
    let nodes = evaluate(resource, &param.expression);
    let texts = nodes
        .iter()
        .filter_map(|node| normal(node.value["reference"].as_str()?));
    texts
        .filter(|text| !text.contains(':'))
        .map(str::to_owned)
        .collect()
}

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("UNLOOP_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "CI has the shared data"
    );
    eprintln!(
        "skipped: {} is missing (UNLOOP_SHARED names the folder)",
        path.display()
    );
    None
}

fn examples(path: &Path) -> Vec<Object> {
    let file = std::fs::File::open(path).expect("the package");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut resources = Vec::new();
    for entry in archive.entries().expect("a tar file") {
        let mut entry = entry.expect("an entry");
        let mut text = String::new();
        // Some examples are a hundred thousand lines of code systems.
        if entry.size() < 60_000 && entry.read_to_string(&mut text).is_ok() {
            resources.extend(resource(&text));
        }
    }
    resources
}

fn resource(text: &str) -> Option<Object> {
    let Value::Object(resource) = serde_json::from_str(text).ok()? else {
        return None;
    };
    let known = r4().is_resource_type(resource.get("resourceType")?.as_str()?);
    (known && resource.get("id").is_some_and(Value::is_string)).then_some(resource)
}

/// Two people; references to `fullUrl`s become references to types and ids.
fn people(folder: &Path) -> Vec<Object> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .collect();
    paths.sort_by_key(|entry| entry.metadata().map(|m| m.len()).unwrap_or(u64::MAX));
    let mut resources = Vec::new();
    for path in paths.into_iter().take(2) {
        let mut text = String::new();
        let file = std::fs::File::open(path.path()).expect("a file");
        flate2::read::GzDecoder::new(file)
            .read_to_string(&mut text)
            .expect("gzip");
        let bundle: Value = serde_json::from_str(&text).expect("a bundle");
        for entry in bundle["entry"].as_array().expect("entries") {
            let key = key_of(entry["resource"].as_object().expect("a resource"));
            let full = entry["fullUrl"].as_str().expect("a fullUrl");
            text = text.replace(
                &format!("\"reference\": \"{full}\""),
                &format!("\"reference\": \"{key}\""),
            );
            text = text.replace(
                &format!("\"reference\":\"{full}\""),
                &format!("\"reference\":\"{key}\""),
            );
        }
        let bundle: Value = serde_json::from_str(&text).expect("a bundle");
        let entries = bundle["entry"].as_array().expect("entries").clone();
        resources.extend(
            entries
                .iter()
                .filter_map(|e| e["resource"].as_object().cloned()),
        );
    }
    resources
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Each store's answer that is not the one of the book: at once, or page by page
/// and counted.
async fn compare(world: &World, url: &str, matches: &[&Object], dice: &mut Dice) -> Vec<String> {
    let expected: Vec<String> = matches.iter().map(|found| key_of(found).id).collect();
    let mut wrong = Vec::new();
    let mut judge = |store: &str, how: &str, answer: Vec<String>| {
        if answer != expected {
            wrong.push(format!(
                "{url} {how} on {store}:\n  {answer:?}\n  by the book {expected:?}"
            ));
        }
    };
    match dice.below(4) {
        side @ (0 | 1) => {
            let how = if side == 0 {
                "by pages"
            } else {
                "by pages from the end"
            };
            for (store, answer, total) in world.walk(url, side == 1).await {
                judge(store, how, answer);
                if total != expected.len() as u64 {
                    judge(store, "counted", vec![total.to_string()]);
                }
            }
        }
        _ => {
            for (store, answer) in world.search(url).await {
                judge(store, "at once", answer);
            }
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_searches_answer_what_the_book_says() {
    let (Some(package), Some(folder)) = (
        shared("fhir/definitions/hl7.fhir.r4.examples-4.0.1.tgz"),
        shared("fhir/synthea"),
    ) else {
        return;
    };
    let mut by_name: HashMap<String, Object> = HashMap::new();
    for resource in people(&folder).into_iter().chain(examples(&package)) {
        by_name.insert(key_of(&resource).to_string(), resource);
    }
    let mut by_type: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    let mut names: Vec<&String> = by_name.keys().collect();
    names.sort();
    for name in names {
        let resource = by_name[name].clone();
        by_type
            .entry(key_of(&resource).resource_type)
            .or_default()
            .push(resource);
    }
    let all: Vec<Object> = by_type.values().flatten().cloned().collect();
    let world = World::new(&all).await;
    let records = Records { by_type, by_name };
    let (seed, wanted) = (
        number("UNLOOP_SEED", 1),
        number("UNLOOP_RANDOM_SEARCHES", 300),
    );
    let mut dice = Dice(seed);
    let (mut asked, mut found, mut wrong) = (0, 0, Vec::new());
    while asked < wanted {
        let Some((own, conditions)) = records.search(&mut dice) else {
            continue;
        };
        asked += 1;
        let keys = sorted::random(&mut dice, &own);
        let mut matches: Vec<&Object> = records.by_type[&own]
            .iter()
            .filter(|resource| conditions.iter().all(|c| records.holds(resource, c)))
            .collect();
        sorted::sort(&mut matches, &keys);
        found += usize::from(!matches.is_empty());
        let count = 1 + dice.below(2 + matches.len() / 3);
        let mut pairs: Vec<_> = conditions.iter().map(Condition::pair).collect();
        if !keys.is_empty() {
            pairs.push(("_sort".to_owned(), sorted::value(&keys)));
        }
        pairs.push(("_count".to_owned(), count.to_string()));
        let mut url = form_urlencoded::Serializer::new(format!("{own}?"));
        url.extend_pairs(pairs);
        let url = url.finish().replacen("?&", "?", 1);
        wrong.extend(compare(&world, &url, &matches, &mut dice).await);
        if dice.below(3) == 0 {
            wrong.extend(brought::check(&mut dice, &world, &records, &matches).await);
        }
    }
    eprintln!("seed {seed}: {asked} searches, {found} of them with an answer");
    assert!(
        wrong.is_empty(),
        "seed {seed}: {}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        found * 2 > usize::try_from(asked).expect("fits"),
        "{found} of {asked}"
    );
}
