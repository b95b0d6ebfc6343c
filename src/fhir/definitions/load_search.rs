//! `search.txt`: `param code kind url`, then `on Type expression`,
//! `target Type...` and `component url expression`.

use super::by_name::ByName;
use super::load::BadLine;
use super::load_types::Lineage;
use super::model::{ParamKind, SearchParam};

pub fn search_params(text: &str, lineage: &Lineage) -> Result<ByName<Vec<SearchParam>>, BadLine> {
    let mut by_base: ByName<Vec<SearchParam>> = ByName::default();
    let mut block: Option<Block> = None;
    for line in text.lines() {
        if let Some(header) = line.strip_prefix("param ") {
            let next = parse_header(header).ok_or_else(|| BadLine::of(line))?;
            if let Some(done) = block.replace(next) {
                done.add_to(&mut by_base);
            }
        } else {
            block
                .as_mut()
                .and_then(|of| of.read(line))
                .ok_or_else(|| BadLine::of(line))?;
        }
    }
    if let Some(done) = block {
        done.add_to(&mut by_base);
    }
    Ok(inherit(by_base, lineage))
}

/// Every concrete type with its own parameters and those of its ancestors.
fn inherit(mut by_base: ByName<Vec<SearchParam>>, lineage: &Lineage) -> ByName<Vec<SearchParam>> {
    let mut params = ByName::default();
    for (name, ancestors) in lineage {
        let mut own = by_base.remove(name).unwrap_or_default();
        for inherited in ancestors.iter().filter_map(|a| by_base.get(a)) {
            own.extend(inherited.iter().cloned());
        }
        own.sort_by(|a, b| a.code.cmp(&b.code));
        params.insert(name.clone(), own);
    }
    params
}

struct Block {
    param: SearchParam,
    /// (type, its alternatives)
    on: Vec<(String, String)>,
}

fn parse_header(header: &str) -> Option<Block> {
    let mut words = header.split(' ');
    Some(Block {
        param: SearchParam {
            code: words.next()?.to_owned(),
            kind: kind(words.next()?)?,
            url: words.next()?.to_owned(),
            expression: String::new(),
            targets: Vec::new(),
            components: Vec::new(),
        },
        on: Vec::new(),
    })
}

impl Block {
    fn read(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.trim_start().split_once(' ')?;
        let pair = |text: &str| {
            let (first, second) = text.split_once(' ')?;
            Some((first.to_owned(), second.to_owned()))
        };
        match word {
            "on" => self.on.push(pair(rest)?),
            "target" => self.param.targets = rest.split(' ').map(str::to_owned).collect(),
            "component" => self.param.components.push(pair(rest)?),
            _ => return None,
        }
        Some(())
    }

    fn add_to(self, by_base: &mut ByName<Vec<SearchParam>>) {
        for (base, expression) in self.on {
            by_base.entry(base).or_default().push(SearchParam {
                expression,
                ..self.param.clone()
            });
        }
    }
}

fn kind(word: &str) -> Option<ParamKind> {
    Some(match word {
        "number" => ParamKind::Number,
        "date" => ParamKind::Date,
        "string" => ParamKind::String,
        "token" => ParamKind::Token,
        "reference" => ParamKind::Reference,
        "composite" => ParamKind::Composite,
        "quantity" => ParamKind::Quantity,
        "uri" => ParamKind::Uri,
        "special" => ParamKind::Special,
        _ => return None,
    })
}
