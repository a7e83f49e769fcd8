//! What every store must do, as small tests that start on an empty store.
//!
//! Knows no database. `store_contract!(fresh)` makes one `#[tokio::test]` of each; `fresh` is an
//! async function without arguments that answers something [`Fresh`].

#![allow(clippy::unwrap_used, reason = "these are tests")]

pub mod accounts;
pub mod admin;
pub mod audit;
pub mod blobs;
pub mod blocks;
pub mod bots;
pub mod cursors;
pub mod damage;
pub mod devices;
pub mod file_references;
mod file_setup;
pub mod files;
pub mod frequent_words;
pub mod friends;
pub mod group_rules;
mod group_setup;
pub mod groups;
pub mod incoming_hooks;
pub mod invites;
pub mod log;
pub mod members;
pub mod model;
pub mod once;
pub mod outgoing_hooks;
pub mod people;
pub mod place;
pub mod search;
pub mod sessions;
mod setup;
pub mod teams;
mod update_setup;
pub mod updates;
pub mod upgrades;

use std::sync::Arc;

use super::Store;

/// An empty store, with whatever must live as long as it does.
pub trait Fresh {
    fn store(&self) -> &dyn Store;
}

impl Fresh for Arc<dyn Store> {
    fn store(&self) -> &dyn Store {
        &**self
    }
}

impl<T> Fresh for (Arc<dyn Store>, T) {
    fn store(&self) -> &dyn Store {
        &*self.0
    }
}

/// Makes a test of every function of the contract. The crate that calls it needs tokio.
/// The path is seen from inside a module of the calling one: `super::fresh` or `crate::fresh`.
///
/// `store_contract!(all fresh)` plays them all where it stands, one after the other, for whoever looks
/// at something else than what comes out. There `fresh` may be a closure.
#[macro_export]
macro_rules! store_contract {
    (all $fresh:expr) => {
        $crate::store_contract! { @list all $fresh }
    };
    ($fresh:path) => {
        $crate::store_contract! { @list tests $fresh }
    };
    (@list $way:ident $fresh:tt) => {
        $crate::store_contract! { @$way $fresh;
            accounts {
                ids_count_from_one
                a_user_name_is_exact_and_unique
                a_name_that_looks_like_anothers_is_taken
                a_password_replaces_the_hash
                a_profile_is_replaced_but_for_its_name
                profiles_come_in_the_order_asked
                unknown_accounts_are_refused_or_absent
                any_text_is_only_text
            }
            admin {
                a_locked_account_keeps_everything
                the_last_administrator_stays_one
                a_foreign_password_is_replaced
                accounts_are_listed
                sessions_of_all_are_listed
                a_foreign_group_is_dissolved
                groups_are_listed
                everything_is_counted
            }
            audit {
                what_is_done_is_written_down
                what_is_refused_is_written_down_too
                only_administrators_act
            }
            invites {
                an_invite_is_used_with_the_account
                an_invite_is_taken_back
                invites_are_limited
                two_with_one_invite_make_one_account
            }
            frequent_words {
                the_newest_come_first_in_pages
                any_two_may_be_asked_for
                so_many_words_begin_alike
                who_came_later_finds_what_came_later
            }
            friends {
                a_request_is_told_to_the_asked
                a_request_that_cannot_be_is_refused
                open_requests_are_limited
                a_yes_makes_friends
                a_no_closes_the_request
                an_answer_needs_a_request
                friends_of_either_are_limited
                requests_that_cross_make_one_friendship
                a_friendship_ends_for_both
                a_client_id_of_full_length_can_cause_two_notices
            }
            groups {
                a_group_begins_with_its_owner
                group_ids_count_from_the_boundary
                a_user_may_be_named_like_a_number
                a_member_sees_the_log_from_his_joining
                joining_is_refused_where_it_must
                who_leaves_is_forgotten
                who_comes_back_starts_anew
                leaving_needs_a_membership
                groups_count_as_contacts
            }
            members {
                roles_decide_who_may_change_whom
                a_member_is_what_was_set
                an_added_member_sees_the_log_from_there
                adding_is_refused_where_it_must
                who_is_taken_out_is_forgotten
                members_come_in_pages
                a_group_is_handed_over
                a_group_follows_its_eldest
                a_repeated_change_of_members_is_one
                members_are_added_in_one_batch
            }
            group_rules {
                rules_stay_as_they_were_set
                rules_are_the_admins
                an_admin_lets_one_in
                an_admin_says_no
                requests_to_join_are_refused_where_they_must
                a_dissolved_group_is_gone
                a_repeated_change_of_a_group_is_one
                a_large_group_is_dissolved
                a_request_outlives_who_heard_of_it
            }
            updates {
                a_message_is_taken_back
                updates_are_refused_where_they_must
                updates_come_in_time
                updates_need_what_a_message_needs
                updates_in_a_group
                an_edit_replaces_the_segments
                reactions_come_and_go
                the_first_who_react_are_named_and_all_are_counted
                a_repeated_update_is_one
                states_are_of_a_range
                entries_are_looked_at_again
                concurrent_updates_are_contiguous
            }
            teams {
                everybody_has_the_default_team
                teams_are_added_renamed_and_removed
                team_edits_are_refused_where_they_must
                names_of_the_default_team
                contacts_move_between_teams
                a_removed_team_leaves_its_contacts_to_the_default
                remarks_are_ones_own
                contacts_come_in_the_order_they_were_made
            }
            log {
                numbers_are_contiguous_from_one
                entries_come_back_as_they_were
                any_bytes_are_a_message
                pull_has_a_beginning_and_a_limit
                guards_of_direct_conversations
                guards_of_groups
                talking_to_oneself
                time_never_runs_backwards
                an_impossible_conversation_is_refused
                a_refusal_does_not_spoil_its_neighbours
                changes_of_one_batch_see_each_other
                an_empty_batch_does_nothing
                concurrent_commits_are_contiguous
            }
            once {
                the_same_send_is_one_entry
                the_same_send_twice_in_one_batch
                a_client_id_belongs_to_its_sender
                another_meaning_is_a_conflict
                a_repeated_send_needs_no_guard
                a_repeated_change_is_applied_once
                concurrent_repeats_are_one_entry
            }
            cursors {
                a_cursor_begins_at_the_place
                a_cursor_never_moves_back
                a_cursor_never_passes_the_head
                a_cursor_needs_a_place
                behind_lists_what_is_to_receive
                behind_tells_the_time_of_the_next_entry
                an_inbox_is_a_conversation
            }
            devices {
                the_first_device_starts_where_the_user_may
                a_new_device_starts_at_the_furthest
                a_known_device_stays_where_it_is
                a_device_is_a_number_of_64_bits
                a_device_that_moved_before_it_was_known
                a_device_that_acknowledges_starts_where_the_user_may
            }
            blobs {
                a_name_stands_for_content
                verified_content_stays
                unverified_content_is_replaced
                classes_are_two_name_spaces
                logins_are_remembered_by_address
                uploads_are_counted_by_day
                a_store_answers_and_closes
                a_stored_file_tells_its_names
                the_history_has_an_epoch
                all_files_are_walked_in_order
            }
            files {
                an_upload_is_remembered
                the_same_content_counts_once
                quotas_are_kept
                an_md5_name_comes_later
                a_forgotten_file_is_forgotten_in_steps
                a_retired_file_leaves_its_messages
                files_age_by_class
                a_postponed_file_stays_longer
            }
            file_references {
                a_referenced_file_stays
                the_last_reference_starts_the_clock
                a_changed_message_refers_to_what_it_says_now
                a_dissolved_group_needs_no_files
                the_picture_of_a_user_and_a_group_stays
                a_message_needs_its_files
                who_may_read_a_file
                packages_are_for_everybody
                what_old_clients_upload_stays
            }
            outgoing_hooks {
                a_hook_begins_at_the_end_and_is_a_device
                what_a_hook_got_was_not_delivered
                a_hook_stops_with_its_account_and_with_its_owner
                hooks_are_refused_where_they_must
                hooks_are_limited
                who_made_a_hook_changes_it
                a_deleted_hook_leaves_nothing
                a_dead_letter_comes_with_the_cursor
                of_too_many_dead_letters_the_oldest_go
                what_was_posted_was_read_by_nobody
            }
            blocks {
                blocks_are_listed_newest_first
                how_two_stand_to_each_other
                a_block_that_cannot_be_is_refused
                who_is_blocked_cannot_write
                a_block_comes_before_friendship
                a_block_is_between_two
                a_user_is_no_group
                a_member_is_silenced_for_a_time
                in_a_silenced_group_owner_and_admins_write
            }
            people {
                people_are_found_by_how_their_names_begin
                people_are_found_by_their_number
                no_group_is_found_among_people
                no_sign_of_a_name_is_a_wildcard
                found_people_come_in_pages
                open_requests_are_listed_both_ways
                a_request_is_taken_back
                it_is_known_when_people_were_last_here
                who_is_in_a_common_group_is_known
            }
            place {
                opening_makes_a_direct_conversation
                opening_is_refused_where_it_must
                a_read_mark_moves_forward_to_the_head
                the_furthest_device_tells_what_was_delivered
                only_messages_of_others_are_unread
                newest_activity_comes_first
                hidden_lasts_until_the_next_entry
                settings_stay_until_they_are_changed
                an_inbox_is_not_listed
                mentions_are_counted
                readers_are_counted
                many_unread_messages_are_counted
            }
            search {
                chinese_words_of_two_letters_are_found
                all_words_must_be_there
                a_user_finds_what_he_may_read
                hits_come_newest_first_in_pages
                any_word_is_only_a_word
                the_index_tells_how_far_it_is
            }
            sessions {
                a_sign_in_needs_the_password_it_was_checked_with
                a_nameless_device_is_forgotten_with_its_session
                of_too_many_sessions_the_least_used_ends
            }
            bots {
                a_bot_is_an_account_of_its_owner
                a_bot_is_locked_with_its_owner
                making_a_bot_is_refused_where_it_must
                a_token_is_replaced_on_its_device
                a_bot_has_so_many_tokens
                a_bot_ends_and_its_name_stays
            }
            incoming_hooks {
                a_webhook_is_its_creators
                a_webhook_needs_an_author_who_may_write
                a_user_has_so_many_webhooks
            }
            upgrades {
                a_package_stays_as_it_was_published
                packages_are_listed_newest_first
                versions_only_go_up
                a_package_is_public_until_it_is_withdrawn
            }
            model {
                random_sends_and_cursors
            }
        }
    };
    (@tests $fresh:path; $($module:ident { $($name:ident)* })*) => {
        $(mod $module {
            $(
                #[tokio::test]
                async fn $name() {
                    use $crate::store::contract::Fresh as _;
                    let fresh = $fresh().await;
                    $crate::store::contract::$module::$name(fresh.store()).await;
                    fresh.store().close().await;
                }
            )*
        })*
    };
    (@all $fresh:expr; $($module:ident { $($name:ident)* })*) => {{
        use $crate::store::contract::Fresh as _;
        let mut make = $fresh;
        $($(
            let fresh = make().await;
            Box::pin($crate::store::contract::$module::$name(fresh.store())).await;
        )*)*
    }};
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The names in the macro's list and the functions in the files are the same.
    #[test]
    fn no_function_is_forgotten() {
        let file = include_str!("contract.rs");
        let (_, list) = file.split_once("@$way $fresh;").unwrap();
        let (list, _) = list.split_once("};").unwrap();
        let listed: BTreeSet<&str> = list
            .lines()
            .map(str::trim)
            .take_while(|line| !line.contains("@tests"))
            .filter(|line| !line.is_empty() && !line.contains(['{', '}', '(']))
            .collect();
        let files = [
            include_str!("contract/accounts.rs"),
            include_str!("contract/admin.rs"),
            include_str!("contract/audit.rs"),
            include_str!("contract/blobs.rs"),
            include_str!("contract/blocks.rs"),
            include_str!("contract/bots.rs"),
            include_str!("contract/cursors.rs"),
            include_str!("contract/devices.rs"),
            include_str!("contract/file_references.rs"),
            include_str!("contract/files.rs"),
            include_str!("contract/frequent_words.rs"),
            include_str!("contract/friends.rs"),
            include_str!("contract/group_rules.rs"),
            include_str!("contract/groups.rs"),
            include_str!("contract/invites.rs"),
            include_str!("contract/incoming_hooks.rs"),
            include_str!("contract/log.rs"),
            include_str!("contract/members.rs"),
            include_str!("contract/model.rs"),
            include_str!("contract/upgrades.rs"),
            include_str!("contract/once.rs"),
            include_str!("contract/outgoing_hooks.rs"),
            include_str!("contract/people.rs"),
            include_str!("contract/place.rs"),
            include_str!("contract/search.rs"),
            include_str!("contract/sessions.rs"),
            include_str!("contract/teams.rs"),
            include_str!("contract/updates.rs"),
        ];
        let written: BTreeSet<&str> = files
            .iter()
            .flat_map(|file| file.lines())
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('('))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(listed, written);
    }
}
