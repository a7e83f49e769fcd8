//! Everything that the server keeps of a user and that he may read, line by line.

use std::collections::HashSet;

use bytes::Bytes;
use common::id::{ConvId, Peer, Seq};
use common::store::StoreError;
use serde::Serialize;
use tokio::sync::mpsc;

use super::shape::conversation::{self, Conversation};
use super::shape::message::{self, Message};
use super::shape::{
    Contact, Decimal, Group, IncomingWebhook, OutgoingWebhook, Session, Timestamp, User,
};
use crate::actor::Actor;
use crate::app::App;
use crate::command::{self, Failure, Part, SignedIn, as_seen_by};

/// How many conversations, and how many messages, are read together.
const PAGE_LENGTH: u32 = 200;

/// A line of an export.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Profile {
        user: Box<User>,
    },
    Session(Box<Session>),
    ContactList {
        name: String,
    },
    Contact(Box<Contact>),
    Block {
        user: Box<User>,
        since: Timestamp,
    },
    Bot {
        user: Box<User>,
    },
    IncomingWebhook(Box<IncomingWebhook>),
    Group {
        /// The list that the group is kept in.
        list: String,
        /// What the user calls it; empty for its own name.
        remark: String,
        group: Box<Group>,
    },
    OutgoingWebhook(Box<OutgoingWebhook>),
    Conversation(Box<Conversation>),
    Message(Box<Message>),
    /// The last line: who does not find it has not got everything.
    End {},
}

/// Pages of lines on their way to the one who asked.
pub(super) type Pages = mpsc::Sender<Bytes>;

/// Why an export ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("nobody listens any more")]
    Unheard,
    #[error("{0}")]
    Failed(#[from] Failure),
    #[error("a line has no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Writes everything. Only one page is in memory at a time, besides those that wait in `pages`.
///
/// # Errors
/// When the database cannot be asked, or nobody listens any more.
pub(super) async fn write(app: &App, who: &SignedIn, pages: &Pages) -> Result<(), Broken> {
    let actor = &who.actor;
    send(pages, &about(app, who).await?).await?;
    let mut written = HashSet::new();
    loop {
        let before = written.len();
        write_conversations(app, actor, &mut written, pages).await?;
        if written.len() == before {
            break;
        }
        // A conversation in which somebody wrote meanwhile went to the front of the list, which
        // was behind us: it is found the next time.
    }
    send(pages, &[Line::End {}]).await
}

/// Writes those conversations that are not `written` yet.
async fn write_conversations(
    app: &App,
    actor: &Actor,
    written: &mut HashSet<ConvId>,
    pages: &Pages,
) -> Result<(), Broken> {
    let mut after = None;
    loop {
        let mut found = command::list_conversations(app, actor, true, after, PAGE_LENGTH).await?;
        let Some(last) = found.last() else {
            return Ok(());
        };
        after = Some((last.place.at, last.place.conv));
        found.retain(|one| written.insert(one.place.conv));
        for conversation in conversation::present(app, found).await? {
            let Decimal(conv) = conversation.id;
            send(pages, &[Line::Conversation(Box::new(conversation))]).await?;
            write_messages(app, actor, conv, pages).await?;
        }
    }
}

async fn write_messages(
    app: &App,
    actor: &Actor,
    conv: ConvId,
    pages: &Pages,
) -> Result<(), Broken> {
    let mut after = Some(Seq(0));
    while let Some(seq) = after {
        let part = Part::After(seq);
        let history = match command::history(app, actor, conv, part, PAGE_LENGTH).await {
            Ok(history) => history,
            // He left the group while it was being written.
            Err(Failure::Refused(_)) => return Ok(()),
            Err(failure) => return Err(failure.into()),
        };
        after = history.next;
        let messages = message::present(app, &history.entries).await?;
        let lines: Vec<Line> = messages
            .into_iter()
            .map(|message| Line::Message(Box::new(message)))
            .collect();
        send(pages, &lines).await?;
    }
    Ok(())
}

/// What the server keeps of a user besides his conversations.
async fn about(app: &App, who: &SignedIn) -> Result<Vec<Line>, Broken> {
    let actor = &who.actor;
    let profile = command::own_profile(app, actor).await?;
    let mut lines = vec![Line::Profile {
        user: Box::new(profile.into()),
    }];
    for session in command::sessions(app, actor).await? {
        lines.push(Line::Session(Box::new(Session::of(session, who.session))));
    }
    for seen in command::outgoing_hooks(app, actor).await? {
        let shown = OutgoingWebhook::from(&seen.hook);
        lines.push(Line::OutgoingWebhook(Box::new(shown)));
    }
    let list = command::contacts(app, actor).await?;
    lines.extend(
        list.teams
            .into_iter()
            .map(|name| Line::ContactList { name }),
    );
    for mut contact in list.contacts {
        match contact.profile.id {
            Peer::User(_) => {
                contact.profile = as_seen_by(actor.user, contact.profile);
                lines.push(Line::Contact(Box::new(contact.into())));
            }
            Peer::Group(group) => lines.push(Line::Group {
                list: contact.team,
                remark: contact.remark,
                group: Box::new(command::group(app, actor, group).await?.into()),
            }),
        }
    }
    for (user, since) in command::blocks(app, actor).await? {
        lines.push(Line::Block {
            user: Box::new(user.into()),
            since: Timestamp(since),
        });
    }
    for bot in command::bots(app, actor).await? {
        lines.push(Line::Bot {
            user: Box::new(bot.into()),
        });
    }
    for hook in command::incoming_hooks(app, actor).await? {
        lines.push(Line::IncomingWebhook(Box::new(hook.into())));
    }
    Ok(lines)
}

async fn send(pages: &Pages, lines: &[Line]) -> Result<(), Broken> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut page = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut page, line)?;
        page.push(b'\n');
    }
    pages.send(page.into()).await.map_err(|_| Broken::Unheard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_line_is_an_object_with_a_type() {
        let (pages, mut out) = mpsc::channel(1);
        let list = Line::ContactList {
            name: "My\nFriends".to_owned(),
        };
        send(&pages, &[list, Line::End {}]).await.unwrap();
        let page = out.recv().await.unwrap();
        let wanted = "{\"type\":\"contact_list\",\"name\":\"My\\nFriends\"}\n{\"type\":\"end\"}\n";
        assert_eq!(page, wanted);
        drop(out);
        assert!(matches!(
            send(&pages, &[Line::End {}]).await,
            Err(Broken::Unheard)
        ));
    }

    #[tokio::test]
    async fn everything_is_in_it_and_an_end() {
        use common::api::{DeviceKind, KnownSegment};
        use common::config::ChatConfig;
        use common::id::{Millis, SessionId};

        use crate::command::{Draft, open_conversation, send_segments};
        use crate::testing::{TestServer, named};

        let server = TestServer::new(ChatConfig::default()).await;
        let (ann, bob) = (server.user("ann").await, server.user("bob").await);
        server.befriend(&ann, &bob).await;
        let opened = open_conversation(&server.app, &ann, Peer::User(bob.user)).await;
        let draft = Draft {
            segments: vec![KnownSegment::Nudge {}.into()],
            reply_to: None,
        };
        let conv = opened.unwrap().place.conv;
        let sending = send_segments(&server.app, &ann, conv, draft, named("a")).await;
        sending.unwrap().saved().await.unwrap();

        let (pages, mut out) = mpsc::channel(64);
        let who = SignedIn {
            actor: bob,
            session: SessionId(1),
            kind: DeviceKind::Cli,
            is_bot: false,
            expires: Millis(i64::MAX),
        };
        write(&server.app, &who, &pages).await.unwrap();
        drop(pages);
        let mut kinds = Vec::new();
        while let Some(page) = out.recv().await {
            for line in page
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let line: serde_json::Value = serde_json::from_slice(line).unwrap();
                kinds.push(line["type"].as_str().unwrap().to_owned());
            }
        }
        let wanted = [
            "profile",
            "contact_list",
            "contact",
            "conversation",
            "message",
            "end",
        ];
        assert_eq!(kinds, wanted);
    }
}
