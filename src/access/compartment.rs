//! Which resource types a caller who is bound to patients can meet, and how.
//! <https://hl7.org/fhir/R4/compartmentdefinition-patient.html>

use crate::fhir::definitions::Definitions;

/// What a type is to somebody who may see the records of some patients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In the patient's compartment: seen where it is that patient's.
    OfPatient,
    /// Belongs to no patient: read as the scopes say, never written.
    OfNobody,
    /// May concern a patient without saying whom: not shown.
    Withheld,
}

/// Outside the compartment by definition, and yet about a patient or about
/// whoever uses the service. The audit trail tells of other people's access.
const WITHHELD: [&str; 19] = [
    "AuditEvent",
    "Binary",
    "BiologicallyDerivedProduct",
    "Bundle",
    "Contract",
    "Device",
    "DeviceMetric",
    "EnrollmentResponse",
    // In the compartment of each member, and names all others.
    "Group",
    "GuidanceResponse",
    "Linkage",
    "MessageHeader",
    "OperationOutcome",
    "Parameters",
    "PaymentNotice",
    "PaymentReconciliation",
    "Subscription",
    "Task",
    "VerificationResult",
];

/// Knowledge, definitions, and the people and places of care.
const OF_NOBODY: [&str; 63] = [
    "ActivityDefinition",
    "CapabilityStatement",
    "CatalogEntry",
    "ChargeItemDefinition",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "DeviceDefinition",
    "EffectEvidenceSynthesis",
    "Endpoint",
    "EventDefinition",
    "Evidence",
    "EvidenceVariable",
    "ExampleScenario",
    "GraphDefinition",
    "HealthcareService",
    "ImplementationGuide",
    "InsurancePlan",
    "Library",
    "Location",
    "Measure",
    "Medication",
    "MedicationKnowledge",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageDefinition",
    "NamingSystem",
    "ObservationDefinition",
    "OperationDefinition",
    "Organization",
    "OrganizationAffiliation",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "RiskEvidenceSynthesis",
    "SearchParameter",
    "Slot",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Substance",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
    "ValueSet",
];

/// A type that stands nowhere is withheld.
pub fn standing(definitions: &Definitions, resource_type: &str) -> Standing {
    let patient = definitions.compartment("Patient");
    let member = resource_type == "Patient"
        || patient.is_some_and(|patient| patient.members.contains_key(resource_type));
    if WITHHELD.contains(&resource_type) {
        Standing::Withheld
    } else if member {
        Standing::OfPatient
    } else if OF_NOBODY.contains(&resource_type) {
        Standing::OfNobody
    } else {
        Standing::Withheld
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::definitions::r4;

    /// Every type of R4 was thought of, and none in two ways.
    #[test]
    fn each_type_stands_in_one_place() {
        let definitions = r4();
        let patient = definitions.compartment("Patient").unwrap();
        for name in &definitions.resource_types {
            let name = name.as_str();
            let places = [
                patient.members.contains_key(name) && !WITHHELD.contains(&name),
                WITHHELD.contains(&name),
                OF_NOBODY.contains(&name),
            ];
            let times = places.iter().filter(|stands| **stands).count();
            assert_eq!(times, 1, "{name} stands in {times} places");
        }
        for name in WITHHELD.iter().chain(&OF_NOBODY) {
            assert!(definitions.is_resource_type(name), "{name} is no type");
        }
    }

    /// The five compartments of R4 have the members that the definition lists.
    #[test]
    fn there_are_five_compartments() {
        let mut codes: Vec<_> = r4().compartments.iter().map(|c| c.code.as_str()).collect();
        codes.sort_unstable();
        let official = [
            "Device",
            "Encounter",
            "Patient",
            "Practitioner",
            "RelatedPerson",
        ];
        assert_eq!(codes, official);
    }
}
