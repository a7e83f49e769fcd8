//! From what people write to a conversation or a user, with as few calls as possible.

use client::Api;
use client::model::{ConversationId, GroupId, User};

use crate::account::Account;
use crate::failure::Failure;

/// The most that one call answers.
const PIECE: u32 = 500;

/// Whom or what a command means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meant {
    Conversation(ConversationId),
    Group(GroupId),
    GroupName(String),
    UserName(String),
}

/// `@NAME` is a user and `#NAME` a group, whatever they look like; a number is a conversation's or
/// a group's; anything else is a user name.
fn meant(text: &str) -> Meant {
    if let Some(name) = text.strip_prefix('@') {
        return Meant::UserName(name.to_owned());
    }
    if let Some(name) = text.strip_prefix('#') {
        return match GroupId::from_decimal(name) {
            Some(group) => Meant::Group(group),
            None => Meant::GroupName(name.to_owned()),
        };
    }
    if let Some(group) = GroupId::from_decimal(text) {
        return Meant::Group(group);
    }
    match ConversationId::from_decimal(text) {
        Some(conversation) => Meant::Conversation(conversation),
        None => Meant::UserName(text.to_owned()),
    }
}

/// The conversation that is meant. Numbers need no call: a conversation's number follows from who
/// takes part.
pub(super) async fn conversation(
    account: &Account,
    api: &Api,
    text: &str,
) -> anyhow::Result<ConversationId> {
    match meant(text) {
        Meant::Conversation(conversation) => Ok(conversation),
        Meant::Group(group) => Ok(ConversationId::group(group)),
        Meant::GroupName(name) => Ok(ConversationId::group(group_called(api, &name).await?)),
        Meant::UserName(name) => {
            let user = user_called(api, &name).await?;
            match &account.user {
                Some(owner) => Ok(ConversationId::direct(owner.id, user.id)),
                None => Ok(api.conversation_with(user.id).await?.id),
            }
        }
    }
}

/// The user of this name, with or without an `@` before it.
pub(super) async fn user(api: &Api, text: &str) -> anyhow::Result<User> {
    user_called(api, text.strip_prefix('@').unwrap_or(text)).await
}

/// Several may be called alike but for the case of letters, so all who begin so are asked for: a
/// message to the wrong one cannot be taken back.
async fn user_called(api: &Api, name: &str) -> anyhow::Result<User> {
    let lower = name.to_lowercase();
    let mut alike = Vec::new();
    let mut cursor = None;
    loop {
        let page = api.find_users(name, PIECE, cursor.as_ref()).await?;
        for user in page.items {
            if user.username == name {
                return Ok(user);
            }
            if user.username.to_lowercase() == lower {
                alike.push(user);
            }
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(only_one(name, alike)?),
        }
    }
}

/// The one whose name differs only by the case of letters from what was written.
fn only_one(name: &str, mut alike: Vec<User>) -> Result<User, Failure> {
    match (alike.pop(), &alike[..]) {
        (Some(one), []) => Ok(one),
        (Some(last), others) => {
            let others: Vec<_> = others.iter().map(|user| user.username.as_str()).collect();
            Err(Failure::usage(format!(
                "{name} may be {} or {}: say which",
                others.join(", "),
                last.username
            )))
        }
        (None, _) => Err(Failure::Refused {
            code: "no_such_user",
            message: format!("nobody is called {name}"),
        }),
    }
}

/// A group's number: a number, or the name of one of the own groups.
pub(super) async fn group(api: &Api, text: &str) -> anyhow::Result<GroupId> {
    match meant(text) {
        Meant::Group(group) => Ok(group),
        Meant::GroupName(name) | Meant::UserName(name) => group_called(api, &name).await,
        Meant::Conversation(conversation) => match api.conversation(conversation).await?.group {
            Some(group) => Ok(group.id),
            None => Err(no_group(text)),
        },
    }
}

/// A group that one is not in yet. Names say nothing about those: several may have the same.
pub(super) fn group_to_join(text: &str) -> anyhow::Result<GroupId> {
    match meant(text) {
        Meant::Group(group) => Ok(group),
        Meant::GroupName(_) | Meant::UserName(_) | Meant::Conversation(_) => {
            Err(Failure::usage(format!(
                "{text} is no number of a group, and to become a member takes its number: those \
                 who are in it see it with myim groups"
            ))
            .into())
        }
    }
}

async fn group_called(api: &Api, name: &str) -> anyhow::Result<GroupId> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = api.conversations(PIECE, cursor.as_ref()).await?;
        let groups = page.items.into_iter().filter_map(|one| one.group);
        found.extend(groups.filter(|group| group.name == name));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    match &found[..] {
        [] => Err(no_group(name)),
        [one] => Ok(one.id),
        several => {
            let numbers: Vec<_> = several.iter().map(|group| group.id.to_string()).collect();
            Err(Failure::usage(format!(
                "several of your groups are called {name}: say one of {}",
                numbers.join(", ")
            ))
            .into())
        }
    }
}

fn no_group(name: &str) -> anyhow::Error {
    Failure::Refused {
        code: "no_such_group",
        message: format!("you are in no group called {name}"),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use client::model::UserId;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sign_before_it_says_what_a_name_is() {
        let user = |name: &str| Meant::UserName(name.to_owned());
        let direct = ConversationId::direct(UserId(1), UserId(2));
        let group = GroupId(268_435_456);
        for (text, read) in [
            ("ann", user("ann")),
            ("@7", user("7")),
            ("@@x", user("@x")),
            ("7", user("7")),
            ("@268435456", user("268435456")),
            ("268435456", Meant::Group(group)),
            ("#268435456", Meant::Group(group)),
            ("#tea", Meant::GroupName("tea".to_owned())),
            (&direct.to_string(), Meant::Conversation(direct)),
        ] {
            assert_eq!(meant(text), read, "{text}");
        }
    }

    #[test]
    fn who_is_alike_is_meant_only_if_nobody_else_is() {
        let called = |names: &[&str]| -> Vec<User> {
            let user = |name: &&str| {
                let user = json!({"id": "2", "username": name, "nickname": ""});
                serde_json::from_value(user).unwrap()
            };
            names.iter().map(user).collect()
        };
        let found = only_one("Bob", called(&["bob"])).unwrap();
        assert_eq!(found.username, "bob");
        let several = only_one("Bob", called(&["bob", "boB", "BOB"]));
        assert_eq!(
            several.unwrap_err().to_string(),
            "Bob may be bob, boB or BOB: say which"
        );
        let nobody = only_one("Bob", Vec::new()).unwrap_err();
        assert_eq!(nobody.to_string(), "nobody is called Bob");
    }
}
