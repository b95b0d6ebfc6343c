//! Random small worlds, and callers with random tokens for them.

use serde_json::{Value, json};

use crate::support::name_of;

/// The generator of Park and Miller: the same numbers on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(2_654_435_761) % 2_147_483_646 + 1);
        for _ in 0..8 {
            dice.roll(2);
        }
        dice
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        usize::try_from(self.0).unwrap() % sides
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }
}

pub const TYPES: [&str; 16] = [
    "Appointment",
    "Condition",
    "Device",
    "Encounter",
    "Group",
    "List",
    "Location",
    "Medication",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "Provenance",
    "QuestionnaireResponse",
    "Task",
];

/// Reference parameters: type, code, path, and the one type that counts.
pub const LINKS: [(&str, &str, &str, &str); 44] = [
    ("Appointment", "actor", "participant.actor", ""),
    ("Appointment", "patient", "participant.actor", "Patient"),
    (
        "Appointment",
        "practitioner",
        "participant.actor",
        "Practitioner",
    ),
    ("Appointment", "location", "participant.actor", "Location"),
    ("Condition", "subject", "subject", ""),
    ("Condition", "patient", "subject", "Patient"),
    ("Condition", "asserter", "asserter", ""),
    ("Condition", "encounter", "encounter", ""),
    ("Device", "patient", "patient", ""),
    ("Device", "organization", "owner", ""),
    ("Encounter", "subject", "subject", ""),
    ("Encounter", "patient", "subject", "Patient"),
    ("Encounter", "participant", "participant.individual", ""),
    ("Encounter", "service-provider", "serviceProvider", ""),
    ("Group", "member", "member.entity", ""),
    ("List", "subject", "subject", ""),
    ("List", "patient", "subject", "Patient"),
    ("List", "source", "source", ""),
    ("List", "item", "entry.item", ""),
    ("Location", "organization", "managingOrganization", ""),
    ("Medication", "manufacturer", "manufacturer", ""),
    ("MedicationRequest", "subject", "subject", ""),
    ("MedicationRequest", "patient", "subject", "Patient"),
    ("MedicationRequest", "medication", "medicationReference", ""),
    ("MedicationRequest", "requester", "requester", ""),
    ("Observation", "subject", "subject", ""),
    ("Observation", "patient", "subject", "Patient"),
    ("Observation", "performer", "performer", ""),
    ("Observation", "focus", "focus", ""),
    ("Observation", "encounter", "encounter", ""),
    ("Observation", "has-member", "hasMember", ""),
    ("Patient", "general-practitioner", "generalPractitioner", ""),
    ("Patient", "organization", "managingOrganization", ""),
    ("Patient", "link", "link.other", ""),
    ("Provenance", "target", "target", ""),
    ("Provenance", "patient", "target", "Patient"),
    ("Provenance", "agent", "agent.who", ""),
    ("QuestionnaireResponse", "subject", "subject", ""),
    ("QuestionnaireResponse", "patient", "subject", "Patient"),
    ("QuestionnaireResponse", "author", "author", ""),
    ("QuestionnaireResponse", "source", "source", ""),
    ("Task", "subject", "for", ""),
    ("Task", "patient", "for", "Patient"),
    ("Task", "focus", "focus", ""),
];

/// One resource: its versions, oldest first; `None` is a deletion.
pub struct Record {
    pub name: String,
    pub versions: Vec<Option<Value>>,
}

impl Record {
    pub fn current(&self) -> Option<&Value> {
        self.versions.last()?.as_ref()
    }

    pub fn of_type(&self) -> &str {
        self.name.split('/').next().unwrap()
    }
}

pub struct World {
    pub records: Vec<Record>,
}

pub const CODES: [&str; 3] = ["one", "two", "three"];
pub const CATEGORIES: [&str; 3] = ["survey", "vital-signs", "laboratory"];
const DATES: [&str; 3] = ["2024-03-01", "2025-03-01", "2026-03-01"];
const LABELS: [&str; 5] = ["N", "N", "R", "ETH", "PSY"];

impl World {
    pub fn random(dice: &mut Dice) -> Self {
        let mut records = Vec::new();
        for (of_type, count) in [
            ("Patient", 3),
            ("Practitioner", 2),
            ("Organization", 2),
            ("Medication", 1),
            ("Location", 1),
            ("Encounter", 3),
        ] {
            for number in 0..count {
                records.push(record(dice, of_type, number));
            }
        }
        for number in 0..22 {
            let of_type = dice.pick(&TYPES);
            if !["Patient", "Practitioner"].contains(&of_type) {
                records.push(record(dice, of_type, number + 3));
            }
        }
        Self { records }
    }

    pub fn live(&self) -> impl Iterator<Item = &Record> {
        self.records
            .iter()
            .filter(|record| record.current().is_some())
    }

    pub fn get(&self, name: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.name == name)
    }
}

fn record(dice: &mut Dice, of_type: &str, number: usize) -> Record {
    let id = format!("{}{number}", of_type[..3].to_lowercase());
    let mut versions = vec![Some(content(dice, of_type, &id))];
    let person = ["Patient", "Practitioner"].contains(&of_type);
    match dice.roll(6) {
        0 | 1 => versions.push(Some(content(dice, of_type, &id))),
        2 if !person => versions.push(None),
        _ => {}
    }
    Record {
        name: format!("{of_type}/{id}"),
        versions,
    }
}

fn to(name: impl Into<String>) -> Value {
    json!({"reference": name.into()})
}

fn a_patient(dice: &mut Dice) -> Value {
    let name = format!("Patient/pat{}", dice.roll(3));
    match dice.roll(4) {
        0 => to(format!("{}/{name}", crate::support::BASE)),
        1 if dice.roll(4) == 0 => to(format!("http://elsewhere.example.org/fhir/{name}")),
        _ => to(name),
    }
}

fn somebody(dice: &mut Dice) -> Value {
    match dice.roll(3) {
        0 => a_patient(dice),
        _ => to(format!("Practitioner/pra{}", dice.roll(2))),
    }
}

fn anything(dice: &mut Dice) -> Value {
    match dice.roll(4) {
        0 => a_patient(dice),
        1 => to(format!("Encounter/enc{}", dice.roll(3))),
        2 => to(format!("Observation/obs{}", 3 + dice.roll(22))),
        _ => to(format!("Condition/con{}", 3 + dice.roll(22))),
    }
}

/// A valid resource with links wherever the type has them.
pub fn content(dice: &mut Dice, of_type: &str, id: &str) -> Value {
    let concept = |code: &str| json!({"coding": [{"system": "http://x", "code": code}]});
    let code = concept(dice.pick(&CODES));
    let category = concept(dice.pick(&CATEGORIES));
    let date = dice.pick(&DATES);
    let encounter = to(format!("Encounter/enc{}", dice.roll(3)));
    let organization = to(format!("Organization/org{}", dice.roll(2)));
    let practitioner = to(format!("Practitioner/pra{}", dice.roll(2)));
    let (subject, who, what) = (a_patient(dice), somebody(dice), anything(dice));
    let mut content = match of_type {
        "Appointment" => {
            json!({"status": "booked", "start": format!("{date}T10:00:00Z"), "end": format!("{date}T11:00:00Z"),
            "participant": [{"actor": subject, "status": "accepted"}, {"actor": who, "status": "accepted"}]})
        }
        "Condition" => {
            json!({"category": [category], "code": code, "subject": subject, "asserter": who, "encounter": encounter,
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}})
        }
        "Device" => json!({"status": "active", "patient": subject, "owner": organization}),
        "Encounter" => {
            json!({"status": "finished", "class": {"code": "AMB"}, "subject": subject, "participant": [{"individual": practitioner}], "serviceProvider": organization})
        }
        "Group" => {
            json!({"type": "person", "actual": true, "member": [{"entity": subject}, {"entity": who}]})
        }
        "List" => {
            json!({"status": "current", "mode": "working", "subject": subject, "source": who, "entry": [{"item": what}]})
        }
        "Location" => json!({"name": "Here", "managingOrganization": organization}),
        "Medication" => json!({"code": code, "manufacturer": organization}),
        "MedicationRequest" => {
            json!({"status": "active", "intent": "order", "subject": subject, "requester": who, "medicationReference": to("Medication/med0")})
        }
        "Observation" => {
            json!({"status": if dice.roll(2) == 0 { "final" } else { "amended" }, "category": [category], "code": code, "subject": subject,
            "performer": [who], "focus": [what], "encounter": encounter, "effectiveDateTime": date, "valueInteger": 1,
            "hasMember": [to(format!("Observation/obs{}", 3 + dice.roll(22)))]})
        }
        "Organization" => json!({"name": "Practice"}),
        "Patient" => {
            let mut patient = json!({"name": [{"family": "Family"}], "generalPractitioner": [practitioner], "managingOrganization": organization});
            if dice.roll(6) == 0 {
                patient["link"] = json!([{"other": subject, "type": "seealso"}]);
            }
            patient
        }
        "Practitioner" => json!({"name": [{"family": "Physician"}]}),
        "Provenance" => {
            json!({"target": [what], "recorded": format!("{date}T10:00:00Z"), "agent": [{"who": practitioner}]})
        }
        "QuestionnaireResponse" => {
            json!({"status": "completed", "subject": subject, "author": who, "source": somebody(dice)})
        }
        "Task" => json!({"status": "requested", "intent": "order", "for": subject, "focus": what}),
        other => panic!("{other}"),
    };
    content["resourceType"] = json!(of_type);
    content["id"] = json!(id);
    let identifier = json!([{"system": "http://x", "value": id}]);
    match of_type {
        "QuestionnaireResponse" => content["identifier"] = identifier[0].clone(),
        "Provenance" => {}
        _ => content["identifier"] = identifier,
    }
    let label = dice.pick(&LABELS);
    content["meta"] = json!({"security": [{"system": "http://l", "code": label}], "tag": [{"code": if dice.roll(2) == 0 { "blue" } else { "red" }}]});
    content
}

/// Makes the world as the service itself.
pub async fn build(bench: &crate::support::Bench, world: &World) {
    use unloop::access::{Caller, Internal};
    use unloop::fhir::request::Verb;
    let longest = world
        .records
        .iter()
        .map(|record| record.versions.len())
        .max();
    for round in 0..longest.unwrap_or(0) {
        let versions = world
            .records
            .iter()
            .filter_map(|record| record.versions.get(round));
        let puts: Vec<Value> = versions.flatten().cloned().collect();
        bench.put_all(&puts).await;
        for record in &world.records {
            if let Some(None) = record.versions.get(round) {
                let local = Caller::internal(Internal::Demo);
                let reply = bench
                    .write(&local, Verb::Delete, &record.name, Value::Null)
                    .await;
                assert_eq!(reply.status(), 204, "{}", reply.text());
            }
        }
    }
    debug_assert!(
        world
            .records
            .iter()
            .all(|r| r.current().is_none_or(|c| name_of(c) == r.name))
    );
}
