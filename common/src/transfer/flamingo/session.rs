//! One client from its first request to its last: reads, decides, answers, in this order.

use std::net::IpAddr;

use bytes::BytesMut;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::download::{Download, Part};
use super::inbox::Inbox;
use super::refusal::Refusal;
use super::upload::{Answer, Piece, Plan, Upload};
use crate::config::Access;
use crate::net::{Permit, Socket};
use crate::telemetry::metrics;
use crate::transfer::Transfers;
use crate::transfer::name::FileName;
use crate::wire::transfer::{TransferKind, code};
use crate::wire::transfer_head::Head;

/// How much of an upload is held in memory before it goes to the disk. Larger pieces are not
/// faster, and a thousand slow uploads together hold 64 MiB.
const PIECE_BYTES: usize = 64 << 10;

/// While one half is written and hashed, the other is received.
const HALVES: usize = 2;

/// For content that nobody wants.
const SKIPPED_BYTES: usize = 8 << 10;

pub(in crate::transfer) struct Session<'a> {
    transfers: &'a Transfers,
    peer: IpAddr,
    inbox: Inbox,
    upload: Upload,
    download: Download,
    /// Whether the peer's address was found to be one that may use the server.
    admitted: bool,
}

impl<'a> Session<'a> {
    /// For a client that came at `accepted`.
    pub(in crate::transfer) fn new(
        transfers: &'a Transfers,
        socket: Socket,
        accepted: Instant,
    ) -> Self {
        Self {
            transfers,
            peer: socket.peer().ip(),
            inbox: Inbox::new(socket, accepted, &transfers.policy),
            upload: Upload::default(),
            download: Download::default(),
            admitted: transfers.policy.access == Access::Open,
        }
    }

    /// Answers requests until the peer has no more, the server stops or a request is refused. A
    /// request that has begun when the server stops is still answered.
    pub(in crate::transfer) async fn run(
        mut self,
        permit: &Permit,
        shutdown: &CancellationToken,
    ) -> Result<(), Refusal> {
        let ended = loop {
            let begun = tokio::select! {
                biased;
                () = shutdown.cancelled() => Ok(false),
                begun = self.inbox.wait(self.transfers.policy.idle_timeout) => begun,
            };
            match begun {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(refusal) => break Err(refusal),
            }
            if let Err(refusal) = self.request(permit).await {
                break Err(refusal);
            }
        };
        // What was uploaded so far goes before the goodbye, which may take a second.
        let Self { upload, inbox, .. } = self;
        drop(upload);
        inbox.close().await;
        ended
    }

    async fn request(&mut self, permit: &Permit) -> Result<(), Refusal> {
        let head = self.inbox.head().await?;
        permit.greeted();
        match head.kind {
            TransferKind::Upload => self.upload(&head).await,
            TransferKind::Download => self.download(&head).await,
        }
    }

    async fn upload(&mut self, head: &Head) -> Result<(), Refusal> {
        let piece = Piece::new(&head.name, head.offset, head.size, head.content_len)?;
        self.admit().await?;
        let plan = self.upload.begin(self.transfers, self.peer, &piece).await?;
        let answer = match plan {
            Plan::Skip => {
                self.inbox.skip(head.content_len, SKIPPED_BYTES).await?;
                Answer::Complete
            }
            Plan::Keep => {
                self.receive(head.content_len).await?;
                self.upload.end(self.transfers, &piece).await?
            }
        };
        self.inbox.skip(head.tail_len, SKIPPED_BYTES).await?;
        let size = piece.size();
        let (code, offset) = match answer {
            Answer::InProgress { offset } => (code::IN_PROGRESS, offset),
            Answer::Complete => (code::COMPLETE, size),
        };
        let reply = head.reply(code, offset, size, 0);
        Ok(self.inbox.write(&reply).await?)
    }

    async fn receive(&mut self, content_len: u64) -> Result<(), Refusal> {
        let room = self.transfers.budget.take(PIECE_BYTES);
        let mut left = content_len;
        while left > 0 {
            let part = self.inbox.body(left, room.bytes / HALVES).await?;
            let count = u64::try_from(part.len()).unwrap_or(left);
            metrics::UPLOAD_BYTES_TOTAL.increment(count);
            left -= count;
            self.upload.write(self.transfers, part).await?;
        }
        Ok(())
    }

    async fn download(&mut self, head: &Head) -> Result<(), Refusal> {
        self.inbox.skip(head.content_len, SKIPPED_BYTES).await?;
        let tail = self.inbox.body(4, 4).await?;
        self.inbox
            .skip(head.tail_len.saturating_sub(4), SKIPPED_BYTES)
            .await?;
        let net_type = tail
            .first_chunk()
            .map_or(0, |bytes| i32::from_be_bytes(*bytes));
        let part = match FileName::new(&head.name) {
            None => None,
            Some(name) => {
                // Plain names are update packages, which a client asks for before it logs in.
                if matches!(name, FileName::Md5(_)) {
                    self.admit().await?;
                }
                let (transfers, peer) = (self.transfers, self.peer);
                self.download.next(transfers, name, net_type, peer).await?
            }
        };
        match part {
            Some(part) => self.send(head, part).await,
            None => {
                let reply = head.reply(code::MISSING, 0, 0, 0);
                Ok(self.inbox.write(&reply).await?)
            }
        }
    }

    /// With enough room an answer is one write; without, it leaves in pieces as large as there is
    /// room, and the peer sees the same bytes.
    async fn send(&mut self, head: &Head, part: Part) -> Result<(), Refusal> {
        let code = match part.is_last() {
            true => code::COMPLETE,
            false => code::IN_PROGRESS,
        };
        let wanted = usize::try_from(part.len).unwrap_or(usize::MAX);
        let reply = head.reply(code, part.offset, part.file.len(), wanted);
        let mut bytes = BytesMut::from(&reply[..]);
        let room = self.transfers.budget.take(wanted);
        let mut sent = 0;
        while sent < wanted {
            let count = room.bytes.min(wanted - sent);
            let from = part.offset + u64::try_from(sent).unwrap_or(u64::MAX);
            bytes = part.file.read(from, count, bytes).await?;
            self.inbox.write(&bytes).await?;
            bytes.clear();
            metrics::DOWNLOAD_BYTES_TOTAL.increment(u64::try_from(count).unwrap_or(0));
            sent += count;
        }
        Ok(())
    }

    async fn admit(&mut self) -> Result<(), Refusal> {
        if self.admitted {
            return Ok(());
        }
        let Transfers {
            known,
            store,
            clock,
            ..
        } = self.transfers;
        self.admitted = known.knows(&**store, self.peer, clock.now()).await?;
        self.admitted.then_some(()).ok_or(Refusal::UnknownAddress)
    }
}
