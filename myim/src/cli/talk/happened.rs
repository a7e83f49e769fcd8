//! What happened in groups and among contacts, as sentences for people.

use client::Api;
use client::model::{ConversationId, GroupId, UserId};
use serde_json::{Map, Value};

use super::names::Names;

/// Something that happened. `kind` is the name of an event, or the type of what stands in a
/// history.
pub(super) struct Happened<'a> {
    pub(super) kind: &'a str,
    /// Who did it.
    pub(super) sender: UserId,
    pub(super) fields: &'a Map<String, Value>,
}

impl Happened<'_> {
    /// One sentence. What this program does not know is said with the server's words.
    pub(super) async fn sentence(&self, api: &Api, names: &mut Names) -> String {
        let who = names.of(api, self.sender).await;
        let whom = match self.text("user_id").and_then(UserId::from_decimal) {
            Some(user) => names.of(api, user).await,
            None => String::new(),
        };
        let group = match self.text("group_id").and_then(GroupId::from_decimal) {
            Some(group) => names.conversation(api, ConversationId::group(group)).await,
            None => String::new(),
        };
        let known = if self.kind == "contact.changed" {
            Some(self.own_list(api, &whom, &group).await)
        } else if self.kind.starts_with("contact.") {
            self.of_contacts(&who)
        } else {
            self.of_group(&who, &whom, &group)
        };
        known.unwrap_or_else(|| self.raw(&who))
    }

    /// The event says only of whom, so what the list is now is asked for.
    async fn own_list(&self, api: &Api, whom: &str, group: &str) -> String {
        let user = self.text("user_id").and_then(UserId::from_decimal);
        if let Some(user) = user {
            let is_there = match api.contacts().await {
                Ok(contacts) => contacts.iter().any(|contact| contact.user.id == user),
                Err(_) => return format!("your contacts changed: {whom}"),
            };
            return of_contact(whom, is_there);
        }
        let number = self.text("group_id").unwrap_or_default();
        match GroupId::from_decimal(number).map(ConversationId::group) {
            Some(id) => match api.conversation(id).await {
                Ok(_) => format!("you are in {group} now"),
                Err(client::Error::Refused(_)) => format!("you are not in group {number} any more"),
                Err(_) => format!("your groups changed: {group}"),
            },
            None => "your contacts changed".to_owned(),
        }
    }

    fn of_contacts(&self, who: &str) -> Option<String> {
        let said = match self.kind {
            "contact.requested" => with_note(format!("{who} asked to be a contact"), self.note()),
            "contact.answered" if self.flag("accepted")? => of_contact(who, true),
            "contact.answered" => format!("{who} does not want to be a contact"),
            "contact.removed" => of_contact(who, false),
            _ => return None,
        };
        Some(said)
    }

    fn of_group(&self, who: &str, whom: &str, group: &str) -> Option<String> {
        let kind = self.kind.trim_start_matches("group.");
        let name = self.text("name").unwrap_or_default();
        let said = match kind.trim_start_matches("group_") {
            "created" => format!("{who} made the group #{name}"),
            "member_joined" => format!("{who} joined"),
            "member_left" => format!("{who} left"),
            "member_added" => format!("{who} added {whom}"),
            "member_removed" => format!("{who} removed {whom}"),
            "member_changed" => format!("{who} {}", self.of_member(whom)?),
            "owner_changed" => format!("{who} handed the group over to {whom}"),
            "changed" => format!("{who} {}", self.of_settings()?),
            "dissolved" => format!("{who} dissolved the group #{name}"),
            "join_requested" => with_note(format!("{who} wants to join {group}"), self.note()),
            "join_answered" if self.flag("accepted")? => format!("{who} let you into {group}"),
            "join_answered" => format!("{who} did not let you into {group}"),
            _ => return None,
        };
        Some(said)
    }

    fn of_member(&self, whom: &str) -> Option<String> {
        let role = self.text("role").map(|role| match role {
            "admin" => format!("made {whom} an admin"),
            "member" => format!("made {whom} a plain member"),
            other => format!("made {whom} {other}"),
        });
        let muted = self.flag("muted").map(|muted| match muted {
            true => format!("silenced {whom}"),
            false => format!("let {whom} write again"),
        });
        let nickname = self.text("nickname").map(|nickname| match nickname {
            "" => format!("took the group's own name of {whom} away"),
            nickname => format!("named {whom} {nickname} in the group"),
        });
        joined([role, muted, nickname])
    }

    fn of_settings(&self) -> Option<String> {
        let name = self
            .text("name")
            .map(|name| format!("named the group {name}"));
        let avatar = self
            .text("avatar")
            .map(|_| "changed its picture".to_owned());
        let announced = self.text("announcement");
        let announced = announced.map(|announced| match announced {
            "" => "took the announcement away".to_owned(),
            announced => format!("announced: {announced}"),
        });
        let join = self.text("join").map(|join| {
            let who = match join {
                "open" => "everybody may join",
                "approval" => "an admin has to agree to who joins",
                _ => "nobody joins without being added",
            };
            format!("decided that {who}")
        });
        let invite = self.text("invite").map(|invite| {
            let who = match invite {
                "members" => "every member",
                _ => "only admins",
            };
            format!("decided that {who} may add others")
        });
        let muted = self.flag("muted").map(|muted| {
            let who = match muted {
                true => "only admins",
                false => "everybody",
            };
            format!("decided that {who} may write")
        });
        joined([name, avatar, join, invite, muted, announced])
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }

    fn flag(&self, field: &str) -> Option<bool> {
        self.fields.get(field)?.as_bool()
    }

    fn note(&self) -> &str {
        self.text("note").unwrap_or_default()
    }

    fn raw(&self, who: &str) -> String {
        let mut text = format!("{who}: {}", self.kind);
        for (field, value) in self.fields {
            match value {
                _ if field == "type" || field == "event" => {}
                Value::Null => {}
                Value::String(value) => text.push_str(&format!(" {field}={value}")),
                other => text.push_str(&format!(" {field}={other}")),
            }
        }
        text
    }
}

fn of_contact(who: &str, is_there: bool) -> String {
    match is_there {
        true => format!("{who} is a contact now"),
        false => format!("{who} is no contact any more"),
    }
}

fn with_note(said: String, note: &str) -> String {
    if note.is_empty() {
        return said;
    }
    format!("{said}: {note}")
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(kind: &str, fields: &Value) -> Option<String> {
        let happened = Happened {
            kind,
            sender: UserId(1),
            fields: fields.as_object().unwrap(),
        };
        if kind.starts_with("contact.") {
            happened.of_contacts("ann")
        } else {
            happened.of_group("ann", "bob", "#tea")
        }
    }

    #[test]
    fn what_happened_is_a_sentence_in_a_history_and_as_an_event() {
        for (kinds, fields, sentence) in [
            (
                ["group_created", "group.created"],
                json!({"name": "tea"}),
                "ann made the group #tea",
            ),
            (
                ["member_added", "group.member_added"],
                json!({"user_id": "2"}),
                "ann added bob",
            ),
            (
                ["member_changed", "group.member_changed"],
                json!({"user_id": "2", "role": "admin", "muted": false}),
                "ann made bob an admin, let bob write again",
            ),
            (
                ["group_changed", "group.changed"],
                json!({"name": "coffee", "join": "approval", "announcement": "at four"}),
                "ann named the group coffee, decided that an admin has to agree to who joins, \
                 announced: at four",
            ),
        ] {
            for kind in kinds {
                assert_eq!(said(kind, &fields).as_deref(), Some(sentence), "{kind}");
            }
        }
    }

    #[test]
    fn what_stands_in_the_inbox_is_a_sentence() {
        for (kind, fields, sentence) in [
            (
                "contact.requested",
                json!({"note": "it is Ann"}),
                "ann asked to be a contact: it is Ann",
            ),
            (
                "contact.requested",
                json!({"note": ""}),
                "ann asked to be a contact",
            ),
            (
                "contact.answered",
                json!({"accepted": true}),
                "ann is a contact now",
            ),
            ("contact.removed", json!({}), "ann is no contact any more"),
            (
                "group.join_answered",
                json!({"accepted": false}),
                "ann did not let you into #tea",
            ),
            (
                "group.dissolved",
                json!({"name": "tea"}),
                "ann dissolved the group #tea",
            ),
        ] {
            assert_eq!(said(kind, &fields).as_deref(), Some(sentence), "{kind}");
        }
    }

    #[test]
    fn what_is_unknown_is_said_with_the_servers_words() {
        let fields = json!({"event": "group.painted", "color": "blue", "coats": 2});
        assert_eq!(said("group.painted", &fields), None);
        let happened = Happened {
            kind: "group.painted",
            sender: UserId(1),
            fields: fields.as_object().unwrap(),
        };
        assert_eq!(happened.raw("ann"), "ann: group.painted coats=2 color=blue");
    }
}
