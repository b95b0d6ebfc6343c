//! The REST API over real HTTP, each test on every store. One file per interaction.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice
)]

mod support;

#[path = "../access/keys.rs"]
mod keys;
#[expect(dead_code, reason = "more of it is used by tests of issuers")]
#[path = "../access/web.rs"]
mod web;

mod access_log;
mod appointment_races;
mod appointment_strict;
mod appointments;
mod audit;
mod audit_coverage;
mod audit_events;
mod audit_verify;
mod auth_clients;
mod auth_discovery;
mod auth_registration;
mod auth_tokens;
mod auth_users;
mod batch;
mod candidacy;
mod candidacy_property;
mod candidacy_table;
mod canonical;
mod capabilities;
mod cds_clients;
mod cds_ehr;
mod cds_feedback;
mod cds_hooks;
mod client_content_e;
mod client_conventions_e;
mod conditional_update;
mod content;
mod course;
mod create;
mod deeds;
mod delete;
mod everything;
mod examples;
mod extract;
mod fhirpath_patch;
mod garbage;
mod grant_codes;
mod grants;
mod grants_consent;
mod grants_http;
mod history;
mod measures;
mod medication;
mod medication_invariant;
mod medication_issues;
mod monitor;
mod mutations;
mod never_lost_b1;
mod never_lost_b2;
mod never_lost_b3;
mod never_lost_b4;
mod never_lost_b9;
mod nothing_harmful_a1;
mod nothing_harmful_a1_systems;
mod nothing_harmful_a2;
mod nothing_harmful_a2_session;
mod nothing_harmful_a3;
mod nothing_harmful_a3_session;
mod nothing_harmful_a4;
mod nothing_harmful_a5;
mod nothing_harmful_a7;
mod nothing_harmful_a7_booking;
mod nothing_harmful_a8;
mod nothing_harmful_a9;
mod nothing_harmful_b7;
mod nothing_harmful_d1;
mod nothing_harmful_d2;
mod nothing_harmful_d3;
mod nothing_harmful_d4;
mod nothing_missed_b5;
mod observation_operations;
mod one_calendar_b10;
mod operations;
mod outdated;
mod paging;
mod paging_property;
mod patch;
mod patch_suite;
mod placeholders;
mod races;
mod read;
mod readiness;
mod readiness_never_silent;
mod recheck;
mod refusals;
mod rules;
mod scheduling;
mod search;
mod search_places;
mod search_table;
mod sri_trials;
mod trajectory;
mod transaction;
mod transaction_links;
mod update;
mod validate_operation;
mod views;
mod vitals;
mod vread;
mod walkthrough;

/// A whole answer, the same on every store.
fn snapshot(name: &str, reply: &support::Reply) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, support::redacted(reply)));
}
