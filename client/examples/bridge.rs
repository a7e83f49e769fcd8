//! Carries messages between two conversations, both ways, each exactly once.
//!
//! `MYIM_SERVER=https://chat.example MYIM_TOKEN=... \
//! cargo run -p myim-client --example bridge -- CONVERSATION CONVERSATION`
//!
//! Exactly once: what is carried has a name that follows from where it stands, so that the server
//! stores it once however often it is sent; and an entry is confirmed when its copy is accepted, so
//! that none is forgotten. No loops: what the bridge wrote itself is not carried. It must be the
//! same user in both conversations.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use client::live::Outgoing;
use client::model::{ConversationId, Message, Segment, UserId};
use client::store::SqliteStore;
use client::{Api, Client, Connection, Event};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let ids: Vec<_> = env::args().skip(1).collect();
    let ids: Option<Vec<_>> = ids
        .iter()
        .map(|id| ConversationId::from_decimal(id))
        .collect();
    let Some([one, other]) = ids.as_deref() else {
        return Err("usage: bridge CONVERSATION CONVERSATION".into());
    };
    let api = Api::new(env::var("MYIM_SERVER")?.parse()?).with_token(&env::var("MYIM_TOKEN")?);
    let store = SqliteStore::open(Path::new("bridge.db")).await?;
    let (client, mut events) = Client::builder(api).store(store).start().await?;
    let mut names = Names::default();
    let mut me = None;
    while let Some(event) = events.next().await {
        match event {
            Event::Connection(Connection::Online { user, .. }) => me = Some(user),
            Event::Connection(Connection::Ended(why)) => return Err(format!("{why:?}").into()),
            Event::Entry(entry) => {
                let across = match entry.conversation {
                    here if here == *one => Some(*other),
                    here if here == *other => Some(*one),
                    _ => None,
                };
                let foreign = entry
                    .message()
                    .filter(|message| Some(message.sender) != me && message.notice.is_none());
                if let (Some(across), Some(message)) = (across, foreign) {
                    let name = names.of(client.api(), message.sender).await?;
                    let copy = Outgoing::new(across, copy(message, &name));
                    let place = format!("bridge-{}-{}", entry.conversation, entry.seq);
                    client.send_with(copy.named(place)).await?;
                }
                entry.confirm().await?;
            }
            // `client_id_conflict`: it was carried in an earlier run, and its author changed the
            // message or his name before this run carried it again. It is there.
            Event::Failed(failed) if failed.code != "client_id_conflict" => {
                eprintln!("{}: {failed}", failed.client_id);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The message with its author's name in front.
fn copy(message: &Message, name: &str) -> Vec<Segment> {
    let mut segments = vec![Segment::text(format!("{name}: "))];
    segments.extend(message.segments.iter().cloned());
    segments
}

/// What people are called, asked once each.
#[derive(Default)]
struct Names(HashMap<UserId, String>);

impl Names {
    /// Asks again as long as that may help: an entry waits until its copy can be made.
    async fn of(&mut self, api: &Api, user: UserId) -> client::Result<String> {
        if let Some(name) = self.0.get(&user) {
            return Ok(name.clone());
        }
        loop {
            match api.user(user).await {
                Ok(found) => {
                    self.0.insert(user, found.nickname.clone());
                    return Ok(found.nickname);
                }
                Err(error) => {
                    let wait = error.retry_after().ok_or(error)?;
                    tokio::time::sleep(wait.max(Duration::from_millis(500))).await;
                }
            }
        }
    }
}
