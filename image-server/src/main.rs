//! `myimgserver`: the image server as a program of its own.

use std::env::args_os;
use std::process::ExitCode;

use common::config::{About, IMAGE_DEFAULTS, ImageConfig, ServerConfig};
use common::process::{self, Process};
use common::transfer::Promises;
use image_server::ImageServer;

const ABOUT: About = About {
    name: "myimgserver",
    text: "Keeps the pictures that instant messaging clients send.",
    defaults: IMAGE_DEFAULTS,
};

/// Descriptors of a transfer: the connection and the file.
const DESCRIPTORS_EACH: u64 = 2;

fn main() -> ExitCode {
    let args: Vec<_> = args_os().collect();
    if let Some(ended) = image_server::worker::run_if_asked(&args) {
        return ended;
    }
    let args = args.get(1..).unwrap_or_default();
    match process::settings::<ServerConfig<ImageConfig>>(ABOUT, args) {
        Ok(config) => process::run(&config.log.clone(), |process| serve(config, process)),
        Err(code) => code,
    }
}

async fn serve(mut config: ServerConfig<ImageConfig>, process: Process) -> anyhow::Result<()> {
    let limits = &mut config.server.transfer.limits;
    limits.fit(process.descriptors(), DESCRIPTORS_EACH);
    let listener = process.bind("image", config.address(), "--port")?;
    let filecache = Some(&*config.server.transfer.filecache);
    let admin = process.serve_admin(&config.admin, &config.database, filecache)?;
    // What is made on the disk comes behind the ports: a port that is taken leaves nothing behind.
    let listener = listener.secured(&process.security(&config.tls).await?);
    process::make_filecache(&config.server.transfer.filecache)?;
    let store = process.open_store(&config.database).await?;
    let server = ImageServer::open(config.server).await?;
    process.ready(&[("image", listener.local_addr())], admin, None);
    let promises = Promises::default();
    server
        .run(store, promises, listener, process.shutdown())
        .await
}
