//! Every rule in both settings. The verdicts stand here once more, as the
//! sources give them: a rule without a row fails, and so does one that changed.

use Verdict::{Caution, Compatible, Contraindicated, Monitor};
use unloop::clinical::medication::{Setting, Verdict};

use crate::support::{Medicine, allergy, assessed, rules, statement};
use Medicine::{Atc, Name, Rxnorm};

/// Rule, a medicine that meets it, the verdicts in the clinic and at home.
const TABLE: [(&str, Medicine, Verdict, Verdict); 64] = [
    (
        "ssri-escitalopram",
        Rxnorm("321988"),
        Compatible,
        Compatible,
    ),
    ("ssri-citalopram", Atc("N06AB04"), Compatible, Compatible),
    ("orexin-antagonist", Name("Belsomra"), Monitor, Caution),
    ("muscle-relaxant", Rxnorm("57258"), Caution, Caution),
    ("barbiturate", Name("butalbital"), Caution, Caution),
    ("kratom", Name("kratom"), Caution, Contraindicated),
    ("cannabinoid", Rxnorm("2045371"), Caution, Caution),
    ("sympathomimetic", Name("ephedrine"), Caution, Caution),
    ("bronchodilator", Name("salbutamol"), Monitor, Monitor),
    (
        "nasal-decongestant",
        Name("oxymetazoline"),
        Monitor,
        Caution,
    ),
    ("nasal-corticosteroid", Rxnorm("108118"), Monitor, Monitor),
    ("glutamatergic", Name("Rilutek"), Caution, Caution),
    ("neurosteroid", Name("Zurzuvae"), Caution, Contraindicated),
    ("ssri-sertraline", Name("sertraline"), Compatible, Monitor),
    ("ssri-paroxetine", Rxnorm("32937"), Compatible, Monitor),
    ("ssri-fluoxetine", Atc("N06AB03"), Compatible, Monitor),
    ("ssri-fluvoxamine", Name("fluvoxamine"), Monitor, Caution),
    (
        "ssri-serotonin-note",
        Rxnorm("321988"),
        Compatible,
        Compatible,
    ),
    ("snri", Atc("N06AX16"), Monitor, Monitor),
    ("tca", Name("clomipramine"), Monitor, Caution),
    (
        "maoi-irreversible",
        Rxnorm("8123"),
        Caution,
        Contraindicated,
    ),
    ("maoi-b-rima", Atc("N06AG02"), Caution, Contraindicated),
    ("maoi-like", Name("linezolid"), Caution, Contraindicated),
    ("benzodiazepine", Rxnorm("6470"), Caution, Caution),
    ("z-drug", Atc("N05CF02"), Monitor, Caution),
    ("opioid", Name("morphine"), Caution, Contraindicated),
    (
        "opioid-serotonergic",
        Rxnorm("10689"),
        Caution,
        Contraindicated,
    ),
    ("alcohol", Atc("V03AB16"), Contraindicated, Contraindicated),
    (
        "sodium-oxybate",
        Name("sodium oxybate"),
        Contraindicated,
        Contraindicated,
    ),
    ("gabapentinoid", Rxnorm("25480"), Monitor, Caution),
    ("sedating-antihistamine", Atc("N05BB01"), Monitor, Monitor),
    ("lamotrigine", Name("lamotrigine"), Monitor, Monitor),
    ("lithium", Rxnorm("6448"), Compatible, Compatible),
    ("valproate-topiramate", Atc("N03AG01"), Monitor, Monitor),
    (
        "antipsychotic-interacting",
        Name("risperidone"),
        Monitor,
        Monitor,
    ),
    ("antipsychotic-other", Rxnorm("89013"), Monitor, Monitor),
    (
        "nmda-antagonist",
        Atc("N06DX01"),
        Contraindicated,
        Contraindicated,
    ),
    (
        "dextromethorphan",
        Name("dextromethorphan"),
        Caution,
        Caution,
    ),
    ("bupropion", Rxnorm("42347"), Monitor, Monitor),
    ("naltrexone", Atc("N07BB04"), Caution, Caution),
    ("stimulant", Name("methylphenidate"), Monitor, Caution),
    ("atomoxetine", Rxnorm("38400"), Monitor, Monitor),
    ("alpha2-agonist", Atc("C02AC01"), Monitor, Monitor),
    (
        "beta-blocker-antihypertensive",
        Name("propranolol"),
        Monitor,
        Monitor,
    ),
    ("cyp3a4-strong-inhibitor", Rxnorm("21212"), Monitor, Caution),
    ("itraconazole", Atc("J02AC02"), Monitor, Monitor),
    (
        "cyp3a4-moderate-inhibitor",
        Name("fluconazole"),
        Monitor,
        Monitor,
    ),
    ("grapefruit", Name("grapefruit juice"), Monitor, Caution),
    ("cyp-inducer-strong", Atc("J04AB02"), Monitor, Caution),
    ("oxcarbazepine", Name("oxcarbazepine"), Compatible, Monitor),
    ("st-johns-wort", Rxnorm("258326"), Monitor, Caution),
    ("ticlopidine", Atc("B01AC05"), Monitor, Caution),
    ("clopidogrel", Name("clopidogrel"), Monitor, Monitor),
    (
        "theophylline",
        Name("theophylline"),
        Caution,
        Contraindicated,
    ),
    ("vasoconstrictor", Atc("G02AB03"), Caution, Contraindicated),
    ("thyroid-hormone", Name("levothyroxine"), Monitor, Monitor),
    ("triptan", Name("sumatriptan"), Monitor, Monitor),
    ("buspirone", Atc("N05BE01"), Compatible, Compatible),
    ("nac", Name("N-acetylcysteine"), Compatible, Compatible),
    ("mirtazapine-trazodone", Rxnorm("15996"), Monitor, Monitor),
    (
        "other-antidepressant",
        Atc("N06AX26"),
        Compatible,
        Compatible,
    ),
    ("ondansetron", Name("ondansetron"), Compatible, Compatible),
    (
        "duplicate-ketamine",
        Rxnorm("6130"),
        Contraindicated,
        Contraindicated,
    ),
    (
        "allergy-to-agent",
        Name("ketamine"),
        Contraindicated,
        Contraindicated,
    ),
];

#[test]
fn every_rule_has_a_row() {
    let rules = rules();
    for rule in &rules.knowledge.rules {
        let rows = TABLE.iter().filter(|(id, ..)| *id == rule.id).count();
        assert_eq!(rows, 1, "rows for {}", rule.id);
    }
    assert_eq!(TABLE.len(), rules.knowledge.rules.len());
}

#[test]
fn every_rule_says_in_both_settings_what_its_sources_say() {
    let rules = rules();
    for (id, medicine, clinic, home) in TABLE {
        let record = if id == "allergy-to-agent" {
            allergy(medicine)
        } else {
            statement(medicine)
        };
        for (setting, expected) in [(Setting::Clinic, clinic), (Setting::Home, home)] {
            let assessment = assessed(&rules, &record, Some(setting)).unwrap();
            let findings = assessment.findings.iter();
            let mut said = findings.map(|finding| (finding.rule.id.as_str(), finding.verdict));
            let noted = assessment.notes.iter().any(|note| note.id == id);
            let found = said
                .find(|(rule, _)| *rule == id)
                .map(|(_, verdict)| verdict);
            assert!(
                found == Some(expected) || noted,
                "{id} in {setting:?}: {found:?}"
            );
            assert!(assessment.verdict >= expected, "{id} in {setting:?}");
            assert!(assessment.complete, "{id}: {:?}", assessment.reasons);
        }
        let stricter = assessed(&rules, &record, None).unwrap().verdict;
        assert!(stricter >= clinic.max(home), "{id}");
    }
}

/// Drugs that meet one rule only: the verdict on them is the rule's.
#[test]
fn a_medicine_gets_the_worst_of_its_rules() {
    let rules = rules();
    for (id, medicine, clinic, home) in TABLE {
        if id == "allergy-to-agent" {
            continue;
        }
        let record = statement(medicine);
        let at_home = assessed(&rules, &record, Some(Setting::Home)).unwrap();
        let in_clinic = assessed(&rules, &record, Some(Setting::Clinic)).unwrap();
        if at_home.findings.len() == 1 && at_home.notes.iter().all(|note| note.id != id) {
            assert_eq!((in_clinic.verdict, at_home.verdict), (clinic, home), "{id}");
        }
    }
}
