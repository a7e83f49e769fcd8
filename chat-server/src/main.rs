//! `mychatserver`: the chat server as a program of its own.

use std::env::args_os;
use std::process::ExitCode;

use chat_server::Surroundings;
use common::config::{About, CHAT_DEFAULTS, ChatConfig, ServerConfig};
use common::process::{self, Process};

const ABOUT: About = About {
    name: "mychatserver",
    text: "Accounts, contacts, groups and messages for instant messaging clients.",
    defaults: CHAT_DEFAULTS,
};

fn main() -> ExitCode {
    let args: Vec<_> = args_os().skip(1).collect();
    match process::settings::<ServerConfig<ChatConfig>>(ABOUT, &args) {
        Ok(config) => process::run(&config.log.clone(), |process| serve(config, process)),
        Err(code) => code,
    }
}

async fn serve(mut config: ServerConfig<ChatConfig>, process: Process) -> anyhow::Result<()> {
    config.server.limits.fit(process.descriptors(), 1);
    let listener = process.bind("chat", config.address(), "--port")?;
    let admin = process.serve_admin(&config.admin, &config.database, None)?;
    let doors = chat_server::SideDoors::open(&config.server)?;
    // What is made on the disk comes behind the ports: a port that is taken leaves nothing behind.
    let listener = listener.secured(&process.security(&config.tls).await?);
    let page = chat_server::protocol::web::page_address(&config.server, &listener)?;
    let store = process.open_store(&config.database).await?;
    let doors = doors.with_operator(&config.server)?;
    let servers = [("chat", listener.local_addr())];
    process.ready(&servers, admin, page.as_deref());
    let surroundings = Surroundings {
        doors,
        insight: process.insight(),
        shutdown: process.shutdown(),
    };
    chat_server::run(config.server, store, listener, surroundings).await
}
