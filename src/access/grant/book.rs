//! All grants: made, listed, revoked, and asked what they are worth now.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::consent;
use super::model::{Basis, Grant, KIND, Standing};
use crate::access::caller::{Caller, Internal};
use crate::access::label;
use crate::access::rights::{GrantTerms, refuse_ungrantable};
use crate::fhir::audit::Deed;
use crate::fhir::authority::{Authority, Permission};
use crate::fhir::engine::{Beside, Draft, Engine, unavailable};
use crate::fhir::interaction::create::new_draft;
use crate::fhir::interaction::read::current;
use crate::fhir::outcome::{Failure, Kind};
use crate::fhir::resource::{Resource, parse_stored};
use crate::store::registry::{RegistryChange, RegistryEntry, RegistryWrite};
use crate::store::{Guard, Method, ResourceKey};

/// No grant opens the whole practice.
const MOST_PATIENTS: usize = 200;

/// Codes of v3-PurposeOfUse for which records leave the practice.
/// <https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html>
const PURPOSES: [&str; 5] = ["TREAT", "CAREMGT", "COC", "ETREAT", "PATRQT"];

pub struct Grants {
    pub engine: Arc<Engine>,
}

/// A grant that somebody asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    pub practitioner: String,
    pub patients: Vec<String>,
    pub scope: String,
    #[serde(default = "treatment")]
    pub purpose: String,
    /// Seconds since 1970.
    pub ends: i64,
    #[serde(default)]
    pub labels: Vec<String>,
    /// Consents that exist already; for every other patient one is written.
    #[serde(default)]
    pub consents: Vec<String>,
}

fn treatment() -> String {
    "TREAT".to_owned()
}

impl Grants {
    /// The grant and its Consents become durable together. `now` is in seconds.
    pub async fn add(
        &self,
        authority: &dyn Authority,
        asked: NewGrant,
        now: i64,
        deed: &Deed,
    ) -> Result<Grant, Failure> {
        self.check(&asked, now).await?;
        let mut grant = Grant {
            id: uuid::Uuid::now_v7().to_string(),
            practitioner: asked.practitioner,
            scope: asked.scope,
            purpose: asked.purpose,
            ends: asked.ends,
            labels: asked.labels,
            basis: self.existing(&asked.consents).await?,
            created: now,
        };
        if let Some(stray) = grant
            .basis
            .iter()
            .find(|b| !asked.patients.contains(&b.patient))
        {
            return Err(refused(format!(
                "Consent/{} is of a patient that the grant does not name",
                stray.consent
            )));
        }
        let mut drafts = Vec::new();
        for patient in asked.patients {
            if grant.basis.iter().any(|basis| basis.patient == patient) {
                continue;
            }
            let draft = self.written(&grant, &patient)?;
            grant.basis.push(Basis {
                patient,
                consent: draft.key.id.clone(),
                own: true,
            });
            drafts.push(draft);
        }
        let standing = self.standing_of(&grant, &drafts, now).await?;
        if standing.is_none_or(|s| s.terms.patients.len() < grant.basis.len()) {
            return Err(refused(
                "A Consent of the grant is not active, is over, names somebody else, or says what a grant cannot carry out: it needs the scope patient-privacy, OPTIN where it has a policyRule, and a provision of the type permit that names the practitioner and has no members but type, period, actor, action and purpose".to_owned(),
            ));
        }
        let body = encode(&grant)?;
        let insert = RegistryWrite::Insert {
            body,
            expires: None,
        };
        let change = RegistryChange::new(KIND, &grant.id, insert);
        self.write(authority, drafts, change, &grant, deed).await?;
        Ok(grant)
    }

    pub async fn list(&self) -> Result<Vec<Grant>, Failure> {
        let entries = self.engine.store.list(KIND).await;
        let entries = entries.map_err(|error| unavailable(&error))?;
        entries.iter().map(decode).collect()
    }

    /// The grant and the Consents that it wrote end together.
    pub async fn revoke(
        &self,
        authority: &dyn Authority,
        id: &str,
        deed: &Deed,
    ) -> Result<Grant, Failure> {
        let entry = self.entry(id).await?.ok_or_else(|| unknown(id))?;
        let grant = decode(&entry)?;
        let mut drafts = Vec::new();
        for basis in grant.basis.iter().filter(|basis| basis.own) {
            drafts.extend(self.ended(&basis.consent).await?);
        }
        let delete = RegistryWrite::Delete {
            version: Some(entry.version),
        };
        let change = RegistryChange::new(KIND, id, delete);
        self.write(authority, drafts, change, &grant, deed).await?;
        Ok(grant)
    }

    async fn write(
        &self,
        authority: &dyn Authority,
        drafts: Vec<Draft>,
        change: RegistryChange,
        grant: &Grant,
        deed: &Deed,
    ) -> Result<(), Failure> {
        let beside = Beside {
            registry: vec![change],
            told: deed.told(&grant.id, &grant.patients()),
        };
        let written = self.engine.write_beside(authority, drafts, beside);
        written.await?;
        deed.mark_done();
        Ok(())
    }

    /// What the grant is worth now (in seconds); `None` where it is over,
    /// revoked, or no patient consents any more.
    pub async fn standing(&self, id: &str, now: i64) -> Result<Option<Standing>, Failure> {
        match self.entry(id).await? {
            Some(entry) => self.standing_of(&decode(&entry)?, &[], now).await,
            None => Ok(None),
        }
    }

    async fn entry(&self, id: &str) -> Result<Option<RegistryEntry>, Failure> {
        let entry = self.engine.store.get(KIND, id).await;
        entry.map_err(|error| unavailable(&error))
    }

    /// `drafts` are Consents that are about to be written.
    async fn standing_of(
        &self,
        grant: &Grant,
        drafts: &[Draft],
        now: i64,
    ) -> Result<Option<Standing>, Failure> {
        if grant.ends <= now || !self.practises(&grant.practitioner).await? {
            return Ok(None);
        }
        let mut until = grant.ends;
        let mut patients = Vec::new();
        for basis in &grant.basis {
            let draft = drafts.iter().find(|draft| draft.key.id == basis.consent);
            let consent = match draft.and_then(|draft| draft.content.clone()) {
                Some(consent) => Some(consent),
                None => self.find("Consent", &basis.consent).await?.map(Arc::new),
            };
            let permits = consent
                .and_then(|consent| consent::permits(&consent.content, &basis.patient, grant, now));
            if let Some(end) = permits {
                until = until.min(end);
                patients.push(basis.patient.clone());
            }
        }
        Ok((!patients.is_empty()).then(|| Standing {
            terms: GrantTerms {
                scope: grant.scope.clone(),
                patients,
                labels: grant.labels.clone(),
                purpose: grant.purpose.clone(),
            },
            practitioner: grant.practitioner.clone(),
            until,
        }))
    }

    async fn practises(&self, practitioner: &str) -> Result<bool, Failure> {
        let found = self.find("Practitioner", practitioner).await?;
        let active = |found: &Map<String, Value>| found.get("active") != Some(&Value::Bool(false));
        Ok(found.is_some_and(|found| active(&found.content)))
    }

    /// Whether whom a token names is recorded here and practises no more. Of
    /// users that are not recorded here their issuer knows it.
    pub async fn has_left(&self, user: &str) -> Result<bool, Failure> {
        let mut next = Some(user.to_owned());
        while let Some(user) = next.take() {
            let Some((kind @ ("Practitioner" | "PractitionerRole"), id)) = user.split_once('/')
            else {
                return Ok(false);
            };
            let key = ResourceKey::new(kind, id);
            let found = match current(&self.engine, &gate(), Permission::Read, &key).await {
                Ok(stored) => parse_stored(&stored)?,
                Err(failure) if failure.kind == Kind::NotFound => return Ok(false),
                Err(failure) if failure.kind == Kind::Deleted => return Ok(true),
                Err(failure) => return Err(failure),
            };
            let content = found.map(|found| found.content).unwrap_or_default();
            if content.get("active") == Some(&Value::Bool(false)) {
                return Ok(true);
            }
            if kind == "PractitionerRole" {
                let person = content.get("practitioner").and_then(|p| p.get("reference"));
                let person = person.and_then(Value::as_str);
                next = person
                    .filter(|p| p.starts_with("Practitioner/"))
                    .map(str::to_owned);
            }
        }
        Ok(false)
    }

    async fn check(&self, asked: &NewGrant, now: i64) -> Result<(), Failure> {
        if !self.practises(&asked.practitioner).await? {
            let text = format!("There is no active Practitioner/{}", asked.practitioner);
            return Err(refused(text));
        }
        if asked.patients.is_empty() || asked.patients.len() > MOST_PATIENTS {
            let text = format!("A grant is for 1 to {MOST_PATIENTS} patients");
            return Err(refused(text));
        }
        for patient in &asked.patients {
            if self.find("Patient", patient).await?.is_none() {
                return Err(refused(format!("There is no Patient/{patient}")));
            }
        }
        refuse_ungrantable(&self.engine.catalogue, &asked.scope)?;
        if asked.ends <= now {
            return Err(refused(
                "The end of the grant is not in the future".to_owned(),
            ));
        }
        if !PURPOSES.contains(&asked.purpose.as_str()) {
            let text = format!("The purpose is one of {}", PURPOSES.join(", "));
            return Err(refused(text));
        }
        if let Some(label) = asked
            .labels
            .iter()
            .find(|l| !label::SENSITIVE_LABELS.contains(&l.as_str()))
        {
            let text = format!(
                "{label:?} is no label that hides records; these do: {}",
                label::SENSITIVE_LABELS.join(", ")
            );
            return Err(refused(text));
        }
        Ok(())
    }

    async fn existing(&self, consents: &[String]) -> Result<Vec<Basis>, Failure> {
        let mut basis = Vec::new();
        for id in consents {
            let consent = self.find("Consent", id).await?;
            let patient = consent.as_ref().and_then(|consent| {
                let reference = consent.content.get("patient")?.get("reference")?.as_str()?;
                reference.strip_prefix("Patient/").map(str::to_owned)
            });
            let patient = patient
                .ok_or_else(|| refused(format!("There is no Consent/{id} of a patient here")))?;
            basis.push(Basis {
                patient,
                consent: id.clone(),
                own: false,
            });
        }
        Ok(basis)
    }

    fn written(&self, grant: &Grant, patient: &str) -> Result<Draft, Failure> {
        let Value::Object(content) = consent::written(grant, patient)? else {
            return Err(refused("The Consent could not be written".to_owned()));
        };
        let resource = Resource::from_object(content)?;
        self.engine.check(&resource)?;
        Ok(new_draft(resource, Guard::New))
    }

    /// The Consent with the status `inactive`, unless it has ended already.
    async fn ended(&self, id: &str) -> Result<Option<Draft>, Failure> {
        let key = ResourceKey::new("Consent", id);
        let stored = match current(&self.engine, &gate(), Permission::Read, &key).await {
            Ok(stored) => stored,
            Err(failure) if is_absent(&failure) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let Some(mut consent) = parse_stored(&stored)? else {
            return Ok(None);
        };
        if consent.content.get("status").and_then(Value::as_str) != Some("active") {
            return Ok(None);
        }
        consent
            .content
            .insert("status".to_owned(), "inactive".into());
        Ok(Some(Draft {
            key,
            method: Method::Put,
            guard: Guard::VersionIs(stored.version),
            content: Some(consent.into()),
        }))
    }

    async fn find(&self, resource_type: &str, id: &str) -> Result<Option<Resource>, Failure> {
        let key = ResourceKey::new(resource_type, id);
        match current(&self.engine, &gate(), Permission::Read, &key).await {
            Ok(stored) => parse_stored(&stored),
            Err(failure) if is_absent(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

fn gate() -> Caller {
    Caller::internal(Internal::Gate)
}

fn is_absent(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::NotFound | Kind::Deleted)
}

fn encode(grant: &Grant) -> Result<String, Failure> {
    serde_json::to_string(grant).map_err(|_| refused("The grant could not be written".to_owned()))
}

fn decode(entry: &RegistryEntry) -> Result<Grant, Failure> {
    serde_json::from_str(&entry.body).map_err(|error| {
        tracing::error!(%error, "a grant in the registry cannot be read");
        Failure::new(Kind::Internal, "A grant in the registry cannot be read.")
    })
}

fn unknown(id: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("There is no grant {id:?}."))
}

fn refused(problem: String) -> Failure {
    Failure::new(
        Kind::BusinessRule,
        format!("{problem}. Nothing was changed."),
    )
}
