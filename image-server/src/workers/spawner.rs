//! Starts workers, all from one thread.
//!
//! A worker asks the system to be killed when its parent dies, and the system means the thread that
//! started it. Threads of a runtime come and go; this one stays as long as the server has workers.

use std::io;
use std::process::Stdio;
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::StartError;
use super::process::WorkerProcess;
use super::program::Program;
use crate::worker::{Orders, SUBCOMMAND};

/// Whom to give a started process to.
type Ask = oneshot::Sender<io::Result<Child>>;

/// The way to the thread, which ends with it.
#[derive(Debug)]
pub(super) struct Spawner {
    asks: mpsc::Sender<Ask>,
}

impl Spawner {
    pub(super) fn open(program: &Program, orders: &Orders) -> io::Result<Self> {
        let runtime = Handle::current();
        let (program, orders) = (program.clone(), orders.argument()?);
        let (asks, mut asked) = mpsc::channel::<Ask>(1);
        let start = move || {
            while let Some(ask) = asked.blocking_recv() {
                let _inside = runtime.enter();
                // Whoever asked may be gone: then it ends with the answer.
                let _ = ask.send(command(&program, &orders).spawn());
            }
        };
        let thread = thread::Builder::new().name("picture-workers".to_owned());
        thread.spawn(start)?;
        Ok(Self { asks })
    }

    /// A new worker, which has said what holds it.
    pub(super) async fn spawn(&self) -> Result<WorkerProcess, StartError> {
        let ended = || StartError::Start(io::Error::other("the thread for it has ended"));
        let (ask, answer) = oneshot::channel();
        self.asks.send(ask).await.map_err(|_| ended())?;
        let started = answer.await.map_err(|_| ended())?;
        WorkerProcess::greeted(started.map_err(StartError::Start)?).await
    }
}

/// No shell, no environment, no directory, no terminal that could interrupt it, and nothing to write
/// to but the answer.
fn command(program: &Program, orders: &str) -> Command {
    let mut command = Command::new(&program.0);
    command
        .arg0("myim")
        .args([SUBCOMMAND, orders])
        .env_clear()
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}
