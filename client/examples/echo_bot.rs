//! A bot that says again what it is told.
//!
//! `MYIM_SERVER=https://chat.example MYIM_TOKEN=... cargo run -p myim-client --example echo_bot`

use client::live::Outgoing;
use client::store::SqliteStore;
use client::{Api, Client, Connection, Event};
use std::{env, error::Error, path::Path};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let api = Api::new(env::var("MYIM_SERVER")?.parse()?).with_token(&env::var("MYIM_TOKEN")?);
    let store = SqliteStore::open(Path::new("echo_bot.db")).await?;
    let (client, mut events) = Client::builder(api).store(store).start().await?;
    let mut me = None;
    while let Some(event) = events.next().await {
        match event {
            Event::Connection(Connection::Online { user, .. }) => me = Some(user),
            Event::Connection(Connection::Ended(why)) => return Err(format!("{why:?}").into()),
            Event::Entry(entry) => {
                if let Some(told) = entry.message().filter(|told| Some(told.sender) != me) {
                    let name = format!("echo-{}-{}", entry.conversation, entry.seq);
                    let echo = Outgoing::new(entry.conversation, told.segments.clone());
                    client.send_with(echo.named(name)).await?;
                }
                entry.confirm().await?;
            }
            _ => {}
        }
    }
    Ok(())
}
