//! One worker, seen from the server: what is handed to it, how long it may take, and what is
//! believed of its answers.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use common::blob::BlobFile;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use super::StartError;
use super::cause::Cause;
use crate::picture::{Fault, Limits, Look};
use crate::worker::{
    Confinement, Greeting, HEADER_BYTES_MAX, Orders, Reply, Request, Task, framed,
};

/// From its start to its first word, on a machine that has much else to do.
const BEGINS_WITHIN: Duration = Duration::from_secs(20);

/// A worker that was not told to do anything yet reads at once.
const READS_WITHIN: Duration = Duration::from_secs(5);

/// Beside the time for decoding: it looks at its clock only now and then, and what it made has to
/// come through a pipe.
const GRACE: Duration = Duration::from_secs(2);

/// How long the system may take to end a process and to say so.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// So much of a picture is in the server's memory at a time.
const PIECE_BYTES: u64 = 512 << 10;

/// A running worker. Dropping it ends it.
#[derive(Debug)]
pub(super) struct WorkerProcess {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
    pub(super) confinement: Confinement,
    /// How many it was given.
    pub(super) pictures: u32,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    Looked(Look),
    Bytes(Vec<u8>),
    AsItIs,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The picture could not be read from where it is kept.
    Source(io::Error),
    /// A decoder panicked; the worker can go on.
    Panicked,
    Late,
    Nonsense,
    /// It has ended, or is about to.
    Gone,
}

/// One of the pipes is closed.
impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// What a picture led to, of which the worker may know.
pub(super) type Answered = Result<Made, Fault>;

impl WorkerProcess {
    /// Waits for the first word of a process that was just started.
    pub(super) async fn greeted(mut process: Child) -> Result<Self, StartError> {
        let (Some(input), Some(mut output)) = (process.stdin.take(), process.stdout.take()) else {
            let why = io::Error::other("it has no pipes");
            return Err(StartError::Start(why));
        };
        let greeting = timeout(BEGINS_WITHIN, header::<Greeting>(&mut output)).await;
        let greeting = greeting.map_err(|_late| StartError::Silent(BEGINS_WITHIN))?;
        let greeting = greeting
            .map_err(|_| StartError::Refused("it ended before it had said anything".to_owned()))?;
        Ok(Self {
            process,
            input,
            output,
            confinement: greeting.map_err(StartError::Refused)?,
            pictures: 0,
        })
    }

    /// Whether it has not ended.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Of its process.
    #[cfg(test)]
    pub(super) fn number(&self) -> Option<u32> {
        self.process.id()
    }

    pub(super) async fn carry_out(
        &mut self,
        task: Task,
        file: &BlobFile,
        orders: &Orders,
    ) -> Result<Answered, Failure> {
        self.pictures += 1;
        self.hand_over(task, file).await?;
        let patience = orders.time + GRACE;
        timeout(patience, self.answer(task, &orders.limits))
            .await
            .unwrap_or(Err(Failure::Late))
    }

    async fn hand_over(&mut self, task: Task, file: &BlobFile) -> Result<(), Failure> {
        let bytes = file.len();
        self.write(&framed(&Request { task, bytes })?).await?;
        let (mut at, mut piece) = (0, BytesMut::new());
        while at < bytes {
            let next = PIECE_BYTES.min(bytes - at);
            let count = usize::try_from(next).unwrap_or(usize::MAX);
            piece.clear();
            piece = file.read(at, count, piece).await.map_err(Failure::Source)?;
            self.write(&piece).await?;
            at += next;
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match timeout(READS_WITHIN, self.input.write_all(bytes)).await {
            Ok(written) => Ok(written?),
            Err(_late) => Err(Failure::Late),
        }
    }

    async fn answer(&mut self, task: Task, limits: &Limits) -> Result<Answered, Failure> {
        let reply = header::<Reply>(&mut self.output).await?;
        let reply = reply.to(task, limits).ok_or(Failure::Nonsense)?;
        let bytes = match reply {
            Reply::Looked(look) => return Ok(Ok(Made::Looked(look))),
            Reply::AsItIs => return Ok(Ok(Made::AsItIs)),
            Reply::Refused(fault) => return Ok(Err(fault)),
            Reply::Failed => return Err(Failure::Panicked),
            Reply::Made(bytes) => bytes,
        };
        let mut made = Vec::new();
        // Grows with what comes, whatever was announced.
        (&mut self.output)
            .take(bytes)
            .read_to_end(&mut made)
            .await?;
        if u64::try_from(made.len()) != Ok(bytes) {
            return Err(Failure::Gone);
        }
        if !task.fits(&made) {
            return Err(Failure::Nonsense);
        }
        Ok(Ok(Made::Bytes(made)))
    }

    /// Ends it, and waits until it has.
    pub(super) async fn end(&mut self) {
        // If it does not end in time, the system still will: nobody can refuse this signal.
        let _ = timeout(ENDS_WITHIN, self.process.kill()).await;
    }

    /// Why a worker ended whose pipes are closed. One that only closed them is ended.
    pub(super) async fn cause_of_end(&mut self) -> Cause {
        match timeout(ENDS_WITHIN, self.process.wait()).await {
            Ok(Ok(status)) => Cause::of(status),
            Ok(Err(_)) | Err(_) => {
                self.end().await;
                Cause::Nonsense
            }
        }
    }
}

/// The next header that a worker says.
async fn header<T: DeserializeOwned>(output: &mut ChildStdout) -> Result<T, Failure> {
    let length = output.read_u32_le().await?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > HEADER_BYTES_MAX {
        return Err(Failure::Nonsense);
    }
    let mut header = vec![0; length];
    output.read_exact(&mut header).await?;
    serde_json::from_slice(&header).map_err(|_| Failure::Nonsense)
}
