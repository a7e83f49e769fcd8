//! The routes of the API, one file a subject.

mod admin;
mod blocks;
mod bots;
mod contact_lists;
mod contacts;
mod conversations;
mod export;
mod files;
mod group_members;
mod groups;
mod incoming_webhooks;
mod me;
pub(super) mod messages;
mod outgoing_webhooks;
mod search;
mod server;
mod sessions;
mod updates;
mod users;

use utoipa_axum::router::OpenApiRouter;

use super::router::WebState;

/// All routes, below `/api/v1`.
pub(super) fn all() -> OpenApiRouter<WebState> {
    OpenApiRouter::new()
        .merge(server::routes())
        .merge(conversations::routes())
        .merge(messages::routes())
        .merge(updates::routes())
        .merge(search::routes())
        .merge(export::routes())
        .merge(files::routes())
        .merge(super::ws::routes())
        .merge(super::sync::routes())
        .merge(super::events::routes())
        .merge(super::presence::routes())
        .merge(users::routes())
        .merge(sessions::routes())
        .merge(me::routes())
        .merge(contacts::routes())
        .merge(contact_lists::routes())
        .merge(blocks::routes())
        .merge(groups::routes())
        .merge(group_members::routes())
        .merge(admin::routes())
        .merge(bots::routes())
        .merge(incoming_webhooks::routes())
        .merge(outgoing_webhooks::routes())
}

/// The administration alone, below `/api/v1`.
pub(super) fn admin() -> OpenApiRouter<WebState> {
    admin::routes()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Where schemas are referred to.
    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members
                    .values()
                    .for_each(|member| references(member, found));
            }
            Value::Array(elements) => {
                elements
                    .iter()
                    .for_each(|element| references(element, found));
            }
            _ => {}
        }
    }

    #[test]
    fn every_shape_that_is_referred_to_is_described() {
        let (_, description) = all().split_for_parts();
        let description = serde_json::to_value(&description).unwrap();
        let mut found = Vec::new();
        references(&description, &mut found);
        assert!(!found.is_empty());
        found.retain(|reference| {
            let pointer = reference.strip_prefix('#').unwrap();
            description.pointer(pointer).is_none()
        });
        assert_eq!(found, [""; 0]);
    }
}
