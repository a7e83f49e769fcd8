//! A raw chat connection: sends any bytes, receives packages, and never waits without a deadline.
//!
//! Knows nothing of accounts; `person.rs` adds what a logged-in user does.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::wire::{Fields, Flavor, Packet};

/// How long an answer may take before the test fails. Generous, because a continuous-integration
/// machine may be busy; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The command of a heartbeat.
pub const HEARTBEAT: i32 = 1000;

/// The command of presence and change notices, which come when they like.
pub const NOTICE: i32 = 1006;

/// Heartbeats sent by [`Peer::barrier`] carry numbers from here, which no test uses otherwise.
const BARRIER_SEQ_FIRST: i32 = 1_900_000_000;

/// What came instead of a package.
#[derive(Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The server closed the connection.
    Closed,
    /// Nothing complete came in time.
    TimedOut,
}

/// One end of a connection to the chat server.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
    backlog: VecDeque<Packet>,
    barriers: i32,
    pub flavor: Flavor,
}

impl Peer {
    pub fn connect(address: SocketAddr, flavor: Flavor) -> Self {
        Self::try_connect(address, flavor)
            .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    /// The same where the server may be down.
    ///
    /// # Errors
    /// The system's.
    pub fn try_connect(address: SocketAddr, flavor: Flavor) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
            backlog: VecDeque::new(),
            barriers: 0,
            flavor,
        })
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Writes these bytes, whatever they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .unwrap_or_else(|error| panic!("the server hung up while we wrote: {error}"));
    }

    /// Writes these bytes; says whether the server still took them.
    pub fn try_send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Writes a package the way this flavor of client does.
    pub fn send_fields(&mut self, fields: &Fields) {
        self.send_raw(&fields.packed(self.flavor));
    }

    pub fn send(&mut self, cmd: i32, seq: i32, data: impl AsRef<[u8]>) {
        self.send_fields(&Fields::chat(cmd, seq, data));
    }

    /// The next package, whatever it is.
    pub fn next_packet(&mut self) -> Packet {
        self.try_next(PATIENCE)
            .unwrap_or_else(|nothing| panic!("waited for a package: {nothing:?}"))
    }

    /// The next package or what came instead of it.
    pub fn try_next(&mut self, patience: Duration) -> Result<Packet, Nothing> {
        match self.backlog.pop_front() {
            Some(packet) => Ok(packet),
            None => self.receive(patience),
        }
    }

    fn receive(&mut self, patience: Duration) -> Result<Packet, Nothing> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(packet) = Packet::take(&mut self.received) {
                self.check(&packet);
                return Ok(packet);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Nothing::TimedOut);
            }
            self.fill(left)?;
        }
    }

    /// What every package to this kind of client must obey.
    fn check(&self, packet: &Packet) {
        assert_eq!(packet.reserved, [0; 16], "uninitialized memory on the wire");
        if self.flavor == Flavor::Android {
            assert!(
                packet.body.len() < 65_535,
                "Android drops bodies of 65535 bytes and more"
            );
        }
    }

    fn fill(&mut self, patience: Duration) -> Result<(), Nothing> {
        self.stream
            .set_read_timeout(Some(patience))
            .expect("a positive timeout");
        let mut chunk = [0; 65_536];
        match self.stream.read(&mut chunk) {
            Ok(0) => Err(Nothing::Closed),
            Ok(count) => {
                self.received.extend(&chunk[..count]);
                Ok(())
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(Nothing::TimedOut),
                ErrorKind::Interrupted => Ok(()),
                _ => Err(Nothing::Closed),
            },
        }
    }

    /// Whatever a single `read` brings: to see how the server cuts its writes.
    pub fn read_once(&mut self) -> Vec<u8> {
        assert!(
            self.backlog.is_empty() && self.received.is_empty(),
            "nothing may be buffered"
        );
        self.fill(PATIENCE).expect("the server answers");
        std::mem::take(&mut self.received)
    }

    /// The next package that is no notice; it must be this command.
    pub fn expect(&mut self, cmd: i32) -> Packet {
        loop {
            let packet = self.next_packet();
            if packet.cmd == NOTICE && cmd != NOTICE {
                continue;
            }
            assert_eq!(packet.cmd, cmd, "expected command {cmd}, got {packet:?}");
            return packet;
        }
    }

    /// The next notice; other packages stay for later.
    pub fn notice(&mut self) -> Packet {
        self.find(|packet| packet.cmd == NOTICE)
    }

    /// The first package that fits; the others stay for later, in order.
    pub fn find(&mut self, fits: impl Fn(&Packet) -> bool) -> Packet {
        if let Some(at) = self.backlog.iter().position(&fits) {
            return self.backlog.remove(at).expect("just found");
        }
        loop {
            let packet = self
                .receive(PATIENCE)
                .unwrap_or_else(|nothing| panic!("{nothing:?}; so far {:?}", self.backlog));
            if fits(&packet) {
                return packet;
            }
            self.backlog.push_back(packet);
        }
    }

    /// Sends a heartbeat and returns everything that was received before its answer. The server
    /// answers in order, so whatever it had to say to us earlier is in it.
    pub fn barrier(&mut self) -> Vec<Packet> {
        self.barriers += 1;
        let seq = BARRIER_SEQ_FIRST + self.barriers;
        self.send(HEARTBEAT, seq, "");
        let mut before = Vec::new();
        loop {
            let packet = self.next_packet();
            if packet.cmd == HEARTBEAT && packet.seq == seq {
                return before;
            }
            before.push(packet);
        }
    }

    /// Puts packages back, to be received again first.
    pub fn keep(&mut self, packets: Vec<Packet>) {
        for packet in packets.into_iter().rev() {
            self.backlog.push_front(packet);
        }
    }

    /// Silence: the connection is open and nothing but the answer to a heartbeat comes.
    pub fn silent(&mut self) {
        let before = self.barrier();
        assert!(before.is_empty(), "expected silence, got {before:?}");
    }

    /// Like [`Peer::silent`], but presence notices may come.
    pub fn silent_but_notices(&mut self) {
        let before = self.barrier();
        let loud: Vec<_> = before
            .iter()
            .filter(|packet| packet.cmd != NOTICE)
            .collect();
        assert!(loud.is_empty(), "expected silence, got {loud:?}");
    }

    /// Forgets whatever came so far.
    pub fn forget(&mut self) {
        self.barrier();
    }

    /// The connection is open, and for this long not one byte comes.
    pub fn quiet_for(&mut self, duration: Duration) {
        match self.try_next(duration) {
            Err(Nothing::TimedOut) => assert!(self.received.is_empty(), "half a package came"),
            other => panic!("expected silence, got {other:?}"),
        }
    }

    /// Keeps still for a moment, so that the server can see that everything was received: this
    /// protocol has no acknowledgements. What comes meanwhile stays for later.
    pub fn digest(&mut self) {
        let deadline = Instant::now() + Duration::from_millis(300);
        let mut came = Vec::new();
        while let Ok(packet) = self.try_next(deadline.saturating_duration_since(Instant::now())) {
            came.push(packet);
        }
        self.keep(came);
    }

    /// The server closes the connection without another word.
    pub fn closed(&mut self) {
        match self.try_next(PATIENCE) {
            Err(Nothing::Closed) => {}
            other => panic!("expected the connection to be closed, got {other:?}"),
        }
    }

    /// The server closes the connection, whatever it says before.
    pub fn closed_at_last(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.try_next(left.max(Duration::from_millis(1))) {
                Ok(_) => {}
                Err(Nothing::Closed) => return,
                Err(Nothing::TimedOut) => panic!("the connection is still open"),
            }
        }
    }

    /// Says that no more will be sent.
    pub fn hang_up(&self) {
        // An error means that the other side was faster.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
