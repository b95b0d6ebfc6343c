//! What every store does alike: one suite, run on each adapter.
//!
//! A case is `pub async fn case(bench: &mut dyn Bench)` in the file of its
//! topic and stands in the list below.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::print_stderr, clippy::string_slice)]

mod fixture;
mod oracle;
mod postgres;
mod sqlite;
mod sqlite_file;

mod audit;
mod durable;
mod guard;
mod history;
mod lifecycle;
mod moment;
mod nothing_missed_b5;
mod order;
mod put_back_c5;
mod race;
mod registry;
mod reindex;
mod scope;
mod search;
mod text;

/// One test per case. An adapter that is not there skips, and says so itself.
macro_rules! cases {
    ($adapter:ident, $topic:ident: $($case:ident)+) => {
        mod $topic {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    if let Some(mut bench) = crate::$adapter::bench().await {
                        crate::$topic::$case(&mut bench).await;
                    }
                }
            )+
        }
    };
}

macro_rules! suite {
    ($name:ident, $adapter:ident) => {
        mod $name {
            cases!($adapter, lifecycle:
                create_read_update_delete_recreate
                versions_are_read_one_by_one
                deleting_what_is_not_there_does_nothing
                keys_are_answered_in_the_order_asked
                one_resource_may_not_stand_in_a_commit_twice
                time_grows_with_every_commit
                the_store_is_ready);
            cases!($adapter, guard:
                absent_means_never_seen
                version_is_means_the_live_version
                no_match_is_judged_on_what_is_stored
                a_conflict_names_its_change_and_undoes_all
                a_failing_commit_does_not_harm_its_neighbours
                guards_are_judged_by_what_stood_before_the_commit
                what_is_kept_is_judged_and_not_written);
            cases!($adapter, race:
                one_of_many_conditional_creates_wins
                one_of_many_updates_of_a_version_wins
                parallel_commits_are_all_kept);
            cases!($adapter, audit:
                rows_stand_in_the_order_of_their_commits
                a_refused_commit_leaves_no_row
                parallel_commits_make_one_chain
                a_run_begins_a_chain_behind_the_last
                chains_go_on_under_other_keys_but_not_without
                without_the_trail_nothing_is_written
                a_nul_in_a_record_breaks_no_chain);
            cases!($adapter, registry:
                an_entry_is_made_read_replaced_and_removed
                what_does_not_fit_is_refused_with_all_its_neighbours
                one_of_many_inserts_and_one_of_many_removals_wins
                an_expired_entry_is_as_good_as_absent
                the_epoch_moves_with_what_decides_on_access
                entries_and_resources_share_their_fate);
            cases!($adapter, search:
                every_comparison_answers_what_the_oracle_answers
                nested_conditions_answer_what_the_oracle_answers
                points_lie_within_balls
                long_lists_are_answered
                links_lead_in_both_directions
                links_do_not_lead_to_what_is_deleted
                updates_and_deletes_change_what_is_found);
            cases!($adapter, moment:
                full_and_thin_windows_are_searched_alike
                a_time_of_one_type_says_nothing_of_another);
            cases!($adapter, order:
                every_order_puts_missing_values_last
                pages_forward_lose_and_repeat_nothing
                pages_backward_mirror_pages_forward
                pages_stay_whole_while_others_write
                a_place_that_does_not_fit_is_refused);
            cases!($adapter, scope:
                nothing_out_of_scope_is_read
                nothing_out_of_scope_is_found_or_counted
                nothing_out_of_scope_is_in_a_history
                a_deletion_is_in_no_conditional_scope);
            cases!($adapter, text:
                special_characters_are_ordinary
                texts_compare_bytewise
                beginnings_work_at_the_end_of_unicode
                hostile_ids_and_values_stay_data
                bodies_come_back_as_they_went_in
                a_nul_is_no_fault
                long_texts_are_found_by_their_beginning);
            cases!($adapter, history:
                an_instance_shows_every_version_newest_first
                type_and_system_mix_current_and_past
                since_and_at_choose_by_time
                pages_lose_and_repeat_nothing);
            cases!($adapter, nothing_missed_b5:
                pollers_beside_two_instances_miss_nothing
                instances_take_turns_with_their_times);
            cases!($adapter, put_back_c5:
                what_was_put_back_is_written_no_more
                an_epoch_never_comes_again);
            cases!($adapter, reindex:
                an_empty_database_is_complete_in_the_form_that_claims_it
                rows_of_nobody_are_outdated
                who_has_another_form_writes_no_more
                a_rebuild_replaces_index_rows_and_nothing_else
                a_newer_version_keeps_its_index_rows
                a_rebuild_goes_on_where_it_was
                all_can_be_made_anew
                writers_and_rebuilders_get_along);
            cases!($adapter, durable:
                what_was_committed_is_there_after_reopening
                versions_and_time_go_on_after_reopening
                a_large_commit_is_one_commit
                the_outbox_shares_the_fate_of_its_commit);
        }
    };
}

suite!(on_sqlite, sqlite);
suite!(on_postgres, postgres);
