//! The knowledge base: files that a clinician can read and sign, checked at the
//! start. `facts` says what an entry may hold, `entry` what all have in common.

mod check;
mod condition_set;
mod criterion;
mod entry;
mod facts;
mod load;
mod medicine_names;
mod protocol;
mod screen;
mod watched;

use std::path::Path;

pub use condition_set::{
    AttentionPrefix, CodesWithoutConcern, CodingSystemAlias, ConcernWords, ConditionSet, SetAction,
};
pub use criterion::{Codes, Criterion, Effect, EvidenceHorizon, JudgedBy};
pub use entry::{Entry, Provenance, Tier};
pub use facts::{
    Advice, Band, Baseline, Class, Code, DepotForm, Dose, Drug, Duration, Freshness, Instrument,
    Kind, NoneKnown, Outcome, Pairing, Place, Product, RecordWindow, Rule, RuleKind, Score,
    ScoreThreshold, Severities, Sign, Source, SystemCode, Trial, WashOut,
};
pub use load::Fault;
pub use medicine_names::{KnownIngredient, MedicineNames};
pub use protocol::{Anchor, GapUnit, Protocol, Spacing};
pub use screen::{
    PregnancyAnswer, PregnancyMeaning, PregnancyObservation, ScreenAnswer, ScreenMeaning,
    SuicideScreen, SuicideScreenKind,
};
pub use watched::{DosePhase, DoseRoute, Limit, LimitEffect, Schedule, UnitSpelling};

use super::conditions::ConditionIndex;
use load::Shelf;

/// Everything that is known, each list in the order of its file.
#[derive(Clone, Debug)]
pub struct Knowledge {
    pub sources: Vec<Entry<Source>>,
    pub classes: Vec<Entry<Class>>,
    pub drugs: Vec<Entry<Drug>>,
    pub products: Vec<Entry<Product>>,
    /// Words of a product's text that are no part of its name.
    pub words: Vec<String>,
    /// Words of allergies that are no medicine's.
    pub allergen_words: Vec<String>,
    pub none_known: Vec<Entry<NoneKnown>>,
    pub depot_forms: Vec<Entry<DepotForm>>,
    pub record_windows: Vec<Entry<RecordWindow>>,
    /// Names that are recognised and nothing more.
    pub medicine_names: &'static MedicineNames,
    pub rules: Vec<Entry<Rule>>,
    pub trials: Vec<Entry<Trial>>,
    pub doses: Vec<Entry<Dose>>,
    pub signs: Vec<Entry<Sign>>,
    pub units: Vec<Entry<UnitSpelling>>,
    pub routes: Vec<Entry<DoseRoute>>,
    pub limits: Vec<Entry<Limit>>,
    pub schedules: Vec<Entry<Schedule>>,
    pub criteria: Vec<Entry<Criterion>>,
    pub findings: Vec<Entry<Codes>>,
    pub horizons: Vec<Entry<EvidenceHorizon>>,
    /// The sets of condition codes, ready for lookups.
    pub conditions: ConditionIndex,
    pub suicide_screens: Vec<Entry<SuicideScreen>>,
    pub screen_answers: Vec<Entry<ScreenAnswer>>,
    pub pregnancy_observations: Vec<Entry<PregnancyObservation>>,
    pub pregnancy_answers: Vec<Entry<PregnancyAnswer>>,
    pub scores: Vec<Entry<Score>>,
    pub thresholds: Vec<Entry<ScoreThreshold>>,
    pub instruments: Vec<Entry<Instrument>>,
    pub bands: Vec<Entry<Band>>,
    pub outcomes: Vec<Entry<Outcome>>,
    pub baselines: Vec<Entry<Baseline>>,
    pub pairings: Vec<Entry<Pairing>>,
    pub durations: Vec<Entry<Duration>>,
    pub kinds: Vec<Entry<Kind>>,
    pub places: Vec<Entry<Place>>,
    pub protocols: Vec<Entry<Protocol>>,
    pub spacings: Vec<Entry<Spacing>>,
    pub freshness: Vec<Entry<Freshness>>,
    pub advice: Vec<Entry<Advice>>,
    /// Every entry as it stands in its file, for people who look it up.
    pub shown: Vec<Entry<toml::Table>>,
    /// The version of the interaction rules and, behind `+`, what tells these
    /// very files from any others.
    pub version: String,
    /// SHA-256 over all files.
    pub digest: String,
    /// The files by name, as they were read.
    pub files: Vec<(&'static str, String)>,
    /// Who has signed the interaction rules.
    pub reviewed_by: Vec<String>,
}

impl Knowledge {
    /// What the program brings.
    pub fn embedded() -> Result<Self, Vec<Fault>> {
        Self::read(&Shelf::embedded())
    }

    /// The same, with the files of this folder in place of those of their name.
    pub fn load(folder: Option<&Path>) -> Result<Self, Vec<Fault>> {
        match folder {
            None => Self::embedded(),
            Some(folder) => Self::read(&Shelf::with_folder(folder)?),
        }
    }

    fn read(shelf: &Shelf) -> Result<Self, Vec<Fault>> {
        let mut files = shelf.parse()?;
        let rules = files.head("interactions.toml");
        let knowledge = Self {
            sources: files.take("sources.toml", "source"),
            classes: files.take("drugs.toml", "class"),
            drugs: files.take("drugs.toml", "drug"),
            products: files.take("drugs.toml", "product"),
            words: files.words("drugs.toml", "words"),
            allergen_words: files.words("drugs.toml", "allergen_words"),
            none_known: files.take("drugs.toml", "none_known"),
            depot_forms: files.take("drugs.toml", "depot_form"),
            record_windows: files.take("interactions.toml", "record_window"),
            medicine_names: MedicineNames::embedded(),
            rules: files.take("interactions.toml", "rule"),
            trials: files.take("sri.toml", "trial"),
            doses: files.take("sri.toml", "dose"),
            signs: files.take("vitals.toml", "sign"),
            units: files.take("vitals.toml", "unit"),
            routes: files.take("vitals.toml", "route"),
            limits: files.take("vitals.toml", "limit"),
            schedules: files.take("vitals.toml", "schedule"),
            criteria: files.take("candidacy.toml", "criterion"),
            findings: files.take("candidacy.toml", "finding"),
            horizons: files.take("candidacy.toml", "horizon"),
            conditions: ConditionIndex::new(
                files.take("condition-sets.toml", "condition_set"),
                files.take("condition-sets.toml", "coding_system"),
                files.take("condition-sets.toml", "attention"),
                &files.take::<CodesWithoutConcern>("condition-sets.toml", "without_concern"),
                files.take("candidacy.toml", "concern_words"),
            ),
            suicide_screens: files.take("screens.toml", "suicide_screen"),
            screen_answers: files.take("screens.toml", "screen_answer"),
            pregnancy_observations: files.take("screens.toml", "pregnancy_observation"),
            pregnancy_answers: files.take("screens.toml", "pregnancy_answer"),
            scores: files.take("scales.toml", "score"),
            thresholds: files.take("scales.toml", "threshold"),
            instruments: files.take("scales.toml", "instrument"),
            bands: files.take("scales.toml", "band"),
            outcomes: files.take("scales.toml", "outcome"),
            baselines: files.take("scales.toml", "baseline"),
            pairings: files.take("scales.toml", "pairing"),
            durations: files.take("scales.toml", "duration"),
            kinds: files.take("course.toml", "kind"),
            places: files.take("course.toml", "setting"),
            protocols: files.take("course.toml", "protocol"),
            spacings: files.take("course.toml", "spacing"),
            freshness: files.take("course.toml", "freshness"),
            advice: files.take("course.toml", "advice"),
            shown: files.shown(),
            version: format!("{}+{}", rules.version, shelf.fingerprint()),
            digest: shelf.digest(),
            files: shelf.files(),
            reviewed_by: rules.reviewed_by,
        };
        let mut faults = files.faults();
        faults.extend(check::check(&knowledge));
        if faults.is_empty() {
            Ok(knowledge)
        } else {
            Err(faults)
        }
    }

    pub fn drug(&self, id: &str) -> Option<&Entry<Drug>> {
        self.drugs.iter().find(|drug| drug.id == id)
    }

    pub fn rule(&self, id: &str) -> Option<&Entry<Rule>> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    pub fn horizon(&self, id: &str) -> Option<&Entry<EvidenceHorizon>> {
        self.horizons.iter().find(|horizon| horizon.id == id)
    }

    /// A source as a reader wants to see it.
    pub fn citation(&self, id: &str) -> Option<&str> {
        let source = self.sources.iter().find(|source| source.id == id)?;
        Some(source.fact.citation.as_str())
    }
}
