//! What every store must do, as small tests that start on an empty store.
//!
//! Knows no database. `store_contract!(fresh)` makes one `#[tokio::test]` of each; `fresh` is an
//! async function without arguments that answers something [`Fresh`].

#![allow(clippy::unwrap_used, reason = "these are tests")]

pub mod accounts;
pub mod blobs;
pub mod cursors;
pub mod devices;
pub mod friends;
pub mod groups;
pub mod log;
pub mod model;
pub mod once;
mod setup;
pub mod teams;

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
#[macro_export]
macro_rules! store_contract {
    ($fresh:path) => {
        $crate::store_contract! { @tests $fresh;
            accounts {
                ids_count_from_one
                a_user_name_is_exact_and_unique
                a_password_replaces_the_hash
                a_profile_is_replaced_but_for_its_name
                profiles_come_in_the_order_asked
                unknown_accounts_are_refused_or_absent
                any_text_is_only_text
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
            }
            blobs {
                a_name_stands_for_content
                verified_content_stays
                unverified_content_is_replaced
                classes_are_two_name_spaces
                logins_are_remembered_by_address
                uploads_are_counted_by_day
                a_store_answers_and_closes
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
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The names in the macro's list and the functions in the files are the same.
    #[test]
    fn no_function_is_forgotten() {
        let file = include_str!("contract.rs");
        let (_, list) = file.split_once("@tests $fresh;").unwrap();
        let (list, _) = list.split_once("};").unwrap();
        let listed: BTreeSet<&str> = list
            .lines()
            .map(str::trim)
            .take_while(|line| !line.contains("@tests"))
            .filter(|line| !line.is_empty() && !line.contains(['{', '}', '(']))
            .collect();
        let files = [
            include_str!("contract/accounts.rs"),
            include_str!("contract/blobs.rs"),
            include_str!("contract/cursors.rs"),
            include_str!("contract/devices.rs"),
            include_str!("contract/friends.rs"),
            include_str!("contract/groups.rs"),
            include_str!("contract/log.rs"),
            include_str!("contract/model.rs"),
            include_str!("contract/once.rs"),
            include_str!("contract/teams.rs"),
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
