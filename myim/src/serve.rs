//! `myim serve`: the three servers in one process, on one database.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::anyhow;
use chat_server::{SideDoors, Surroundings};
use common::config::{About, FilePorts, ImageConfig, SUITE_DEFAULTS, SuiteConfig};
use common::process::{self, Process};
use common::transfer::Promises;
use image_server::ImageServer;
use tokio::task::JoinSet;

const ABOUT: About = About {
    name: "myim serve",
    text: "The chat, file and image server in one process, on an embedded database.",
    defaults: SUITE_DEFAULTS,
};

/// Runs until told to stop. `args` are the arguments behind `serve`.
pub(crate) fn run(args: &[OsString]) -> ExitCode {
    match process::settings::<SuiteConfig>(ABOUT, args) {
        Ok(config) => process::run(&config.log.clone(), |process| serve(config, process)),
        Err(code) => code,
    }
}

async fn serve(mut config: SuiteConfig, process: Process) -> anyhow::Result<()> {
    share_descriptors(&mut config, process.descriptors());
    let bind = |server, port, flag| process.bind(server, SocketAddr::new(config.bind, port), flag);
    let chat = bind("chat", config.chat_port, "--chat-port")?;
    let file = bind("file", config.file_port, "--file-port")?;
    let image = bind("image", config.image_port, "--image-port")?;
    let database = config.database();
    let filecache = Some(&*config.transfer.filecache);
    let admin = process.serve_admin(&config.admin, &database, filecache)?;
    let doors = SideDoors::open(&config.chat)?;
    // What is made on the disk comes behind the ports: a port that is taken leaves nothing behind.
    let security = process.security(&config.tls).await?;
    let [chat, file, image] = [chat, file, image].map(|port| port.secured(&security));
    let page = chat_server::protocol::web::page_address(&config.chat, &chat)?;
    process::make_filecache(&config.transfer.filecache)?;
    let store = process.open_store(&database).await?;
    let doors = doors.with_operator(&config.chat)?;
    let servers = [
        ("chat", chat.local_addr()),
        ("file", file.local_addr()),
        ("image", image.local_addr()),
    ];
    let images = ImageServer::open(ImageConfig {
        transfer: config.transfer.clone(),
        pictures: config.pictures.clone(),
    })
    .await?;
    process.ready(&servers, admin, page.as_deref());
    config.chat.files.ports = FilePorts {
        file: file.local_addr().port(),
        image: image.local_addr().port(),
    };

    let stop = || process.shutdown();
    let mut servers = JoinSet::new();
    let surroundings = Surroundings {
        doors,
        insight: process.insight(),
        shutdown: stop(),
    };
    let chat = chat_server::run(config.chat, store.clone(), chat, surroundings);
    servers.spawn(chat);
    let promises = Promises::default();
    servers.spawn(file_server::run(
        config.transfer,
        store.clone(),
        promises.clone(),
        file,
        stop(),
    ));
    servers.spawn(images.run(store, promises, image, stop()));
    until_all_ended(servers, &process).await
}

/// Three servers share what the process may open. A chat connection takes one descriptor and lives
/// long, a transfer takes two (the connection and the file) and is short: three quarters are for
/// chat, an eighth for each of the others.
fn share_descriptors(config: &mut SuiteConfig, descriptors: u64) {
    config.chat.limits.fit(descriptors / 4 * 3, 1);
    config.transfer.limits.fit(descriptors / 8, 2);
}

/// One server that ends takes the others with it: half a suite helps nobody. The first failure is
/// the one that is told.
async fn until_all_ended(
    mut servers: JoinSet<anyhow::Result<()>>,
    process: &Process,
) -> anyhow::Result<()> {
    let mut ended = Ok(());
    while let Some(server) = servers.join_next().await {
        let result = server.unwrap_or_else(|panicked| Err(anyhow!("a server failed: {panicked}")));
        if ended.is_ok() {
            ended = result;
        }
        process.shutdown().cancel();
    }
    ended
}
