//! A bot that says again what it is told.
//!
//! `MYIM_SERVER=https://chat.example MYIM_TOKEN=... cargo run -p myim-client --example echo_bot`

use client::store::SqliteStore;
use client::{Api, Client};
use std::{env, error::Error, path::Path};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let api = Api::new(env::var("MYIM_SERVER")?.parse()?).with_token(&env::var("MYIM_TOKEN")?);
    let store = SqliteStore::open(Path::new("echo_bot.db")).await?;
    let (client, mut events) = Client::builder(api).store(store).start().await?;
    loop {
        let entry = events.entry().await?;
        if let Some(told) = entry.message_of_another() {
            client
                .send_with(entry.answer(told.segments.clone()))
                .await?;
        }
        entry.confirm().await?;
    }
}
