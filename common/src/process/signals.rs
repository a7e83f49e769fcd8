//! SIGTERM and SIGINT: the first asks to end, the second ends at once, and so does time.
//!
//! A thread of its own, because it must work when nothing else does.

use std::io;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::exit::Exit;

/// From the wish to end to the end, whatever hangs: 10 s are promised, less a margin.
const END: Duration = Duration::from_millis(9500);

/// What a shell reports for a program that was ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Watches until the process ends. When this returns, signals no longer kill it.
pub(super) fn watch(shutdown: CancellationToken, failure: Arc<OnceLock<Exit>>) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (tell, listening) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let registered = Asked::register(&runtime);
            let asked = match registered {
                Ok(asked) => {
                    let _ = tell.send(Ok(()));
                    asked
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                    return;
                }
            };
            runtime.block_on(end(asked, shutdown, failure));
        })?;
    listening
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the signal thread ended")))
}

struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn register(runtime: &Runtime) -> io::Result<Self> {
        let _inside = runtime.enter();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The name of the next signal.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

async fn end(mut asked: Asked, shutdown: CancellationToken, failure: Arc<OnceLock<Exit>>) {
    tokio::select! {
        signal = asked.next() => {
            tracing::info!(signal, "stopping");
            shutdown.cancel();
        }
        () = shutdown.cancelled() => {}
    }
    tokio::select! {
        signal = asked.next() => {
            tracing::warn!(signal, "asked a second time: ending at once");
            std::process::exit(INTERRUPTED);
        }
        () = tokio::time::sleep(END) => {
            tracing::error!("something did not finish in time: ending without it");
            let code = failure.get().map_or(0, |exit| i32::from(exit.code()));
            std::process::exit(code);
        }
    }
}
