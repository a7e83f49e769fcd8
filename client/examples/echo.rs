//! A bot that befriends whoever asks and repeats what it is told.
//!
//! `cargo run -p myim-client --example echo -- 127.0.0.1:20000 echo-bot secret`

use std::error::Error;

use client::flamingo::{Client, Event};
use common::id::Peer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, name, password] = arguments.as_slice() else {
        return Err("usage: echo HOST:PORT USER PASSWORD".into());
    };
    let bot = Client::connect(address).await?;
    // Registered already is as good as registered.
    let _ = bot.register(name, name, password).await;
    let me = bot.login(name, password).await?.id;
    loop {
        match bot.next_event().await? {
            Event::FriendRequest { user, .. } => bot.answer(user, true).await?,
            event @ Event::Chat { sender, target, .. } if sender != me => {
                let back = match target {
                    Peer::User(_) => Peer::User(sender),
                    group @ Peer::Group(_) => group,
                };
                if let Some(text) = event.text().filter(|text| !text.is_empty()) {
                    bot.send_text(back, &text).await?;
                }
            }
            Event::Kicked => return Err("logged in elsewhere".into()),
            _ => {}
        }
    }
}
