//! How the words that stand for kinds, roles and rules are described in the documents.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident as $shown:literal: $words:expr;)*) => {
        $($(#[$doc])*
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some($words))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $shown.into()
            }
        })*
    };
}

words! {
    /// Of [`common::api::DeviceKind`].
    DeviceKindWord as "DeviceKind": ["desktop", "android", "ios", "web", "cli", "bot"];
    /// Of [`common::api::Role`].
    RoleWord as "Role": ["owner", "admin", "member"];
    /// Of [`common::api::JoinPolicy`].
    JoinPolicyWord as "JoinPolicy": ["open", "approval", "closed"];
    /// Of [`common::api::InvitePolicy`].
    InvitePolicyWord as "InvitePolicy": ["members", "admins"];
    /// Of [`common::config::Registration`].
    RegistrationWord as "Registration": ["open", "invite", "closed"];
    /// Of [`common::config::DirectMessages`].
    DirectMessagesWord as "DirectMessages": ["friends", "everyone"];
    /// Of a contact request.
    DirectionWord as "Direction": ["incoming", "outgoing"];
}
