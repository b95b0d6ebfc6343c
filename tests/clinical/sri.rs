//! Earlier trials of serotonin reuptake inhibitors. Adequate is 8 weeks in all,
//! 4 of them at the low end of the usual target dose or above (sertraline: 200
//! mg a day, fluoxetine: 40).

use serde_json::{Value, json};
use unloop::clinical::sri::dosage::daily;
use unloop::clinical::sri::segment::{day_of, segment};
use unloop::clinical::sri::trial::{Adequacy, Measure, trials};
use unloop::fhir::search::date;

use crate::support::{TODAY, rules};
use Adequacy::{Adequate, Inadequate, Undetermined};

fn dosage(mg: Value, timing: Value) -> Value {
    json!([{"doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}], "timing": timing}])
}

fn once_a_day() -> Value {
    json!({"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}})
}

/// A record of sertraline; a dose of 0 is an unknown one.
fn record(start: &str, end: &str, mg: i64) -> Value {
    let mut record = json!({"resourceType": "MedicationStatement", "status": "completed"});
    let mut period = json!({});
    if !start.is_empty() {
        period["start"] = start.into();
    }
    if !end.is_empty() {
        period["end"] = end.into();
    }
    record["effectivePeriod"] = period;
    if mg > 0 {
        record["dosage"] = dosage(mg.into(), once_a_day());
    }
    record
}

/// The verdict, the days in all and those at the dose: certain and possible.
type Judged = (Adequacy, (i64, i64), (i64, i64));

fn judged(records: &[Value]) -> Vec<Judged> {
    let rules = rules();
    let measure = Measure::of(&rules.knowledge).unwrap();
    let today = day_of(date::range(TODAY).unwrap().0);
    let segments = records.iter().enumerate().filter_map(|(number, record)| {
        let source = format!("MedicationStatement/{number}");
        segment(
            &source,
            "sertraline",
            record.as_object().unwrap(),
            true,
            today,
        )
    });
    let doses = &rules.knowledge.doses;
    let dose = doses
        .iter()
        .find(|dose| dose.fact.drug == "sertraline")
        .unwrap();
    trials(dose, segments.collect(), &measure)
        .into_iter()
        .map(|trial| {
            assert!(!trial.reasons.is_empty());
            (trial.adequacy, trial.days, trial.days_at_dose)
        })
        .collect()
}

fn verdict(records: &[Value]) -> Adequacy {
    let found = judged(records);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].0
}

#[test]
fn the_edges_are_eight_weeks_and_four_at_the_target_dose() {
    // 56 days, both ends included.
    assert_eq!(
        verdict(&[record("2025-01-01", "2025-02-25", 200)]),
        Adequate
    );
    assert_eq!(
        verdict(&[record("2025-01-01", "2025-02-24", 200)]),
        Inadequate
    );
    assert_eq!(
        verdict(&[record("2025-01-01", "2025-12-31", 199)]),
        Inadequate
    );
    // Titration: 28 days below, 28 days at the target dose; then one day less.
    let low = record("2025-01-01", "2025-01-28", 100);
    assert_eq!(
        verdict(&[low.clone(), record("2025-01-29", "2025-02-25", 200)]),
        Adequate
    );
    let longer = record("2025-01-01", "2025-01-29", 100);
    assert_eq!(
        verdict(&[longer, record("2025-01-30", "2025-02-25", 200)]),
        Inadequate
    );
    // Records come in any order.
    assert_eq!(
        verdict(&[record("2025-01-29", "2025-02-25", 200), low]),
        Adequate
    );
}

#[test]
fn gaps_of_a_week_join_and_longer_ones_part() {
    let first = record("2025-01-01", "2025-01-31", 200);
    let joined = judged(&[first.clone(), record("2025-02-08", "2025-03-04", 200)]);
    assert_eq!(
        joined,
        [(Adequate, (56, 56), (56, 56))],
        "a gap of seven days, which do not count"
    );
    let parted = judged(&[first, record("2025-02-09", "2025-03-05", 200)]);
    assert_eq!(parted.len(), 2, "a gap of eight days");
    assert!(parted.iter().all(|(adequacy, ..)| *adequacy == Inadequate));
}

#[test]
fn days_that_overlap_count_once_and_their_doses_are_not_added() {
    let both = [
        record("2025-01-01", "2025-02-25", 100),
        record("2025-01-01", "2025-02-25", 100),
    ];
    assert_eq!(judged(&both), [(Inadequate, (56, 56), (0, 0))]);
    let higher = [
        record("2025-01-01", "2025-02-25", 100),
        record("2025-01-15", "2025-02-25", 200),
    ];
    assert_eq!(judged(&higher), [(Adequate, (56, 56), (42, 42))]);
}

#[test]
fn what_is_missing_leaves_it_undetermined() {
    assert_eq!(
        verdict(&[record("2025-01-01", "2025-06-30", 0)]),
        Undetermined,
        "no dose"
    );
    assert_eq!(
        verdict(&[record("2025-01-01", "", 200)]),
        Undetermined,
        "no end"
    );
    assert_eq!(
        verdict(&[record("", "2025-06-30", 200)]),
        Undetermined,
        "no beginning"
    );
    assert_eq!(
        verdict(&[record("", "2025-06-30", 50)]),
        Inadequate,
        "never at the dose"
    );
    assert_eq!(
        verdict(&[record("2025-01-01", "2025-01-31", 0)]),
        Inadequate,
        "too short whatever the dose"
    );
    // January to March: 31 days are certain (2 March - 1 February), 90 are possible.
    assert_eq!(verdict(&[record("2025-01", "2025-03", 200)]), Undetermined);
    assert_eq!(verdict(&[record("2025-01", "2025-05", 200)]), Adequate);
    // An unknown dose beside a trial that counts takes nothing away.
    let with_unknown = [
        record("2025-01-01", "2025-02-25", 200),
        record("2025-02-26", "2025-04-30", 0),
    ];
    assert_eq!(verdict(&with_unknown), Adequate);
}

#[test]
fn what_is_taken_now_counts_to_today() {
    let active = |start: &str| {
        let mut record = record(start, "", 200);
        record["status"] = "active".into();
        verdict(&[record])
    };
    assert_eq!(active("2026-09-27"), Adequate, "56 days to 2026-11-21");
    assert_eq!(active("2026-09-28"), Inadequate);
    for status in ["intended", "not-taken", "entered-in-error"] {
        let mut record = record("2025-01-01", "2025-12-31", 200);
        record["status"] = status.into();
        assert!(judged(&[record]).is_empty(), "{status}");
    }
    assert!(
        judged(&[record("2027-01-01", "2027-12-31", 200)]).is_empty(),
        "not yet"
    );
}

fn mg_a_day(dosage: Value) -> Result<i64, &'static str> {
    daily(json!({"dosage": dosage}).as_object().unwrap()).map(|micrograms| micrograms / 1000)
}

#[test]
fn a_daily_dose_is_told_only_beyond_doubt() {
    let every = |frequency: i64, period: Value, unit: &str| json!({"repeat": {"frequency": frequency, "period": period, "periodUnit": unit}});
    let hundred = json!(100);
    assert_eq!(mg_a_day(dosage(hundred.clone(), once_a_day())), Ok(100));
    assert_eq!(
        mg_a_day(dosage(hundred.clone(), every(2, json!(1), "d"))),
        Ok(200)
    );
    assert_eq!(
        mg_a_day(dosage(hundred.clone(), every(1, json!(12), "h"))),
        Ok(200)
    );
    assert_eq!(
        mg_a_day(dosage(hundred.clone(), every(1, json!(2), "d"))),
        Ok(50)
    );
    assert_eq!(
        mg_a_day(dosage(hundred.clone(), every(7, json!(1), "wk"))),
        Ok(100)
    );
    assert_eq!(
        mg_a_day(dosage(hundred.clone(), every(1, json!(0.5), "d"))),
        Ok(200)
    );
    assert_eq!(
        mg_a_day(dosage(
            hundred.clone(),
            json!({"repeat": {"timeOfDay": ["08:00:00", "20:00:00"]}})
        )),
        Ok(200)
    );
    let bid = json!({"code": {"coding": [{"code": "BID"}]}});
    assert_eq!(mg_a_day(dosage(hundred.clone(), bid.clone())), Ok(200));
    let morning_and_evening = json!([
        dosage(json!(50), once_a_day())[0],
        dosage(json!(150), once_a_day())[0]
    ]);
    assert_eq!(mg_a_day(morning_and_evening), Ok(200));

    assert!(mg_a_day(json!([])).is_err());
    assert!(mg_a_day(json!([{"text": "200 mg daily"}])).is_err());
    assert!(
        mg_a_day(json!([{"doseAndRate": [{"doseQuantity": {"value": 200, "unit": "mg"}}]}]))
            .is_err()
    );
    assert!(
        mg_a_day(dosage(
            hundred.clone(),
            json!({"repeat": {"dayOfWeek": ["mon"]}})
        ))
        .is_err()
    );
    assert!(mg_a_day(dosage(hundred.clone(), every(1, json!(0), "d"))).is_err());
    assert!(mg_a_day(dosage(json!(-100), once_a_day())).is_err());
    let mut tablets = dosage(json!(2), once_a_day());
    tablets[0]["doseAndRate"][0]["doseQuantity"]["unit"] = "tablet".into();
    assert!(mg_a_day(tablets).is_err());
    let mut as_needed = dosage(hundred.clone(), once_a_day());
    as_needed[0]["asNeededBoolean"] = true.into();
    assert!(mg_a_day(as_needed).is_err());
    let mut sequence = json!([
        dosage(json!(50), once_a_day())[0],
        dosage(json!(100), once_a_day())[0]
    ]);
    sequence[0]["sequence"] = 1.into();
    sequence[1]["sequence"] = 2.into();
    assert!(mg_a_day(sequence).is_err());
}
