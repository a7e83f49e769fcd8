//! `myfileserver`: the file server as a program of its own.

use std::env::args_os;
use std::process::ExitCode;

use common::config::{About, FILE_DEFAULTS, ServerConfig, TransferConfig};
use common::process::{self, Process};
use common::transfer::Promises;

const ABOUT: About = About {
    name: "myfileserver",
    text: "Keeps the files that instant messaging clients send.",
    defaults: FILE_DEFAULTS,
};

/// Descriptors of a transfer: the connection and the file.
const DESCRIPTORS_EACH: u64 = 2;

fn main() -> ExitCode {
    let args: Vec<_> = args_os().skip(1).collect();
    match process::settings::<ServerConfig<TransferConfig>>(ABOUT, &args) {
        Ok(config) => process::run(&config.log.clone(), |process| serve(config, process)),
        Err(code) => code,
    }
}

async fn serve(mut config: ServerConfig<TransferConfig>, process: Process) -> anyhow::Result<()> {
    let limits = &mut config.server.limits;
    limits.fit(process.descriptors(), DESCRIPTORS_EACH);
    let listener = process.bind("file", config.address(), "--port")?;
    let filecache = Some(&*config.server.filecache);
    let admin = process.serve_admin(&config.admin, &config.database, filecache)?;
    // What is made on the disk comes behind the ports: a port that is taken leaves nothing behind.
    let listener = listener.secured(&process.security(&config.tls).await?);
    process::make_filecache(&config.server.filecache)?;
    let store = process.open_store(&config.database).await?;
    process.ready(&[("file", listener.local_addr())], admin, None);
    file_server::run(
        config.server,
        store,
        Promises::default(),
        listener,
        process.shutdown(),
    )
    .await
}
