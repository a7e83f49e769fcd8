//! A transfer server on a loopback port with a store in memory, and a client that speaks bytes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use md5::{Digest, Md5};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::inspect::Sniff;
use super::{Policy, Promises, Transfers, serve};
use crate::api::{Account, ContactList, Entry, Profile, Refusal};
use crate::blob::Blobs;
use crate::clock::SystemClock;
use crate::config::{Access, TransferConfig};
use crate::id::{ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};
use crate::net::{ConnectionLimits, Listener};
use crate::store::{Behind, BlobClass, Change, NamedBlob, Outcome, Row, Store, StoreError, Value};

#[derive(Default)]
pub(super) struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) names: HashMap<(BlobClass, String), NamedBlob>,
    pub(super) uploaded: HashMap<(IpAddr, i64), u64>,
    pub(super) logins: HashMap<IpAddr, Millis>,
    pub(super) unreachable: bool,
}

impl MemoryStore {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn reach(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state();
        match state.unreachable {
            true => Err(StoreError::Unreachable("switched off".to_owned())),
            false => Ok(state),
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, batch: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let mut state = self.reach()?;
        let outcomes = batch.iter().map(|change| match change.clone() {
            Change::NameBlob {
                class,
                name,
                blob,
                size,
                verified,
                at: _,
            } => {
                let new = NamedBlob {
                    blob,
                    size,
                    verified,
                };
                match state.names.get(&(class, name.clone())) {
                    Some(old) if old.verified && old.blob != blob => {
                        Outcome::Refused(Refusal::NameVerified)
                    }
                    Some(old) if old.verified => Outcome::done(),
                    _ => {
                        state.names.insert((class, name), new);
                        Outcome::done()
                    }
                }
            }
            Change::CountUpload {
                address,
                day,
                bytes,
            } => {
                *state.uploaded.entry((address, day)).or_default() += bytes;
                Outcome::done()
            }
            // Nothing expires here.
            Change::File(_) => Outcome::done(),
            other => panic!("not a change of a transfer server: {other:?}"),
        });
        Ok(outcomes.collect())
    }

    async fn blob_named(
        &self,
        class: BlobClass,
        name: &str,
    ) -> Result<Option<NamedBlob>, StoreError> {
        let state = self.reach()?;
        Ok(state.names.get(&(class, name.to_owned())).copied())
    }

    async fn last_login_from(&self, address: IpAddr) -> Result<Option<Millis>, StoreError> {
        Ok(self.reach()?.logins.get(&address).copied())
    }

    async fn uploaded(&self, address: IpAddr, day: i64) -> Result<u64, StoreError> {
        let counted = self.reach()?.uploaded.get(&(address, day)).copied();
        // The real one answers from another thread, while others ask too.
        tokio::task::yield_now().await;
        Ok(counted.unwrap_or(0))
    }

    /// What is only known of files that came over HTTP; nothing comes so in these tests.
    async fn select(&self, _: &str, _: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.reach().map(|_| Vec::new())
    }

    async fn size_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.reach().map(drop)
    }

    async fn close(&self) {}

    async fn pull(&self, _: ConvId, _: Seq, _: u32) -> Result<Vec<Entry>, StoreError> {
        unreachable!()
    }
    async fn behind(&self, _: UserId, _: DeviceId) -> Result<Vec<Behind>, StoreError> {
        unreachable!()
    }
    async fn cursor(&self, _: UserId, _: DeviceId, _: ConvId) -> Result<Option<Seq>, StoreError> {
        unreachable!()
    }
    async fn account_named(&self, _: &str) -> Result<Option<Account>, StoreError> {
        unreachable!()
    }
    async fn account(&self, _: UserId) -> Result<Option<Account>, StoreError> {
        unreachable!()
    }
    async fn profile_named(&self, _: &str) -> Result<Option<Profile>, StoreError> {
        unreachable!()
    }
    async fn profiles(&self, _: &[Peer]) -> Result<Vec<Profile>, StoreError> {
        unreachable!()
    }
    async fn contacts(&self, _: UserId) -> Result<ContactList, StoreError> {
        unreachable!()
    }
    async fn peers(&self, _: UserId) -> Result<Vec<Peer>, StoreError> {
        unreachable!()
    }
    async fn members(&self, _: GroupId) -> Result<Vec<UserId>, StoreError> {
        unreachable!()
    }
}

/// Rules under which nothing is refused.
pub(super) fn lenient(class: BlobClass) -> Policy {
    Policy {
        access: Access::Open,
        disk_free_bytes_min: 0,
        ..Policy::new(class, &TransferConfig::default())
    }
}

/// What a server's connections share, without a server, and what it stands on.
pub(super) fn uploading(policy: Policy) -> (Transfers, TempDir) {
    let dir = TempDir::new().unwrap();
    (uploading_beside(&dir, policy), dir)
}

/// The same on a file cache that is there.
pub(super) fn uploading_beside(dir: &TempDir, policy: Policy) -> Transfers {
    let blobs = Blobs::open(dir.path()).unwrap();
    open(policy, Arc::default(), blobs)
}

fn open(policy: Policy, store: Arc<MemoryStore>, blobs: Blobs) -> Transfers {
    Transfers::new(policy, store, blobs, Arc::new(SystemClock), Arc::new(Sniff)).unwrap()
}

pub(super) struct Server {
    pub(super) store: Arc<MemoryStore>,
    pub(super) blobs: Blobs,
    pub(super) promises: Promises,
    pub(super) cache: PathBuf,
    pub(super) shutdown: CancellationToken,
    pub(super) running: JoinHandle<()>,
    address: std::net::SocketAddr,
    _dir: Arc<TempDir>,
}

impl Server {
    pub(super) fn start(policy: Policy) -> Self {
        let dir = Arc::new(TempDir::new().unwrap());
        Self::start_on(policy, Arc::default(), dir)
    }

    /// Another server on the same file cache and store.
    pub(super) fn beside(&self, policy: Policy) -> Self {
        Self::start_on(policy, Arc::clone(&self.store), Arc::clone(&self._dir))
    }

    fn start_on(policy: Policy, store: Arc<MemoryStore>, dir: Arc<TempDir>) -> Self {
        let cache = dir.path().join("filecache");
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr();
        let blobs = Blobs::open(&cache).unwrap();
        let transfers = open(policy, Arc::clone(&store), blobs.clone());
        let promises = transfers.promises.clone();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(serve(
            Arc::new(transfers),
            axum::Router::new(),
            listener,
            (ConnectionLimits::default(), Duration::from_secs(5)),
            shutdown.clone(),
        ));
        Self {
            store,
            blobs,
            promises,
            cache,
            shutdown,
            running,
            address,
            _dir: dir,
        }
    }

    pub(super) async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, seq: 0 }
    }

    /// What `name` stands for here, fetched as a PC does; `None` if it does not exist.
    pub(super) async fn fetch(&self, name: &str) -> Option<Vec<u8>> {
        let mut client = self.connect().await;
        let mut content = Vec::new();
        loop {
            let reply = client.download(name, 0).await;
            if reply.code == 3 {
                return None;
            }
            content.extend_from_slice(&reply.data);
            if reply.code == 2 {
                return Some(content);
            }
        }
    }

    /// Files that are being received now.
    pub(super) fn unfinished(&self) -> usize {
        let mut count = 0;
        for folder in std::fs::read_dir(self.cache.join("tmp")).unwrap() {
            let path = folder.unwrap().path();
            if path.is_dir() {
                // Less the lock.
                count += std::fs::read_dir(path).unwrap().count() - 1;
            }
        }
        count
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) command: i32,
    pub(super) seq: i32,
    pub(super) code: i32,
    pub(super) name: Vec<u8>,
    pub(super) offset: String,
    pub(super) size: String,
    pub(super) data: Vec<u8>,
}

/// A client that writes what it is told, and reads as the specification says.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    seq: i32,
}

impl Client {
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// One answer frame, or `None` when the server closed.
    pub(super) async fn frame(&mut self) -> Option<Vec<u8>> {
        let mut frame = vec![0; 8];
        match self.stream.read_exact(&mut frame).await {
            Ok(_) => {}
            Err(_) => return None,
        }
        let size = u64::from_le_bytes(frame[..].try_into().unwrap());
        frame.resize(8 + usize::try_from(size).unwrap(), 0);
        self.stream.read_exact(&mut frame[8..]).await.unwrap();
        Some(frame)
    }

    pub(super) async fn reply(&mut self) -> Reply {
        read_reply(&self.frame().await.expect("the server closed"))
    }

    /// What the server says until it closes.
    pub(super) async fn everything(&mut self) -> Vec<u8> {
        let mut heard = Vec::new();
        let reading = self.stream.read_to_end(&mut heard);
        let read = tokio::time::timeout(Duration::from_secs(5), reading).await;
        read.expect("still open").unwrap();
        heard
    }

    pub(super) async fn closed(&mut self) {
        let closed = tokio::time::timeout(Duration::from_secs(5), self.frame()).await;
        assert_eq!(closed.expect("still open"), None);
    }

    pub(super) async fn piece(&mut self, name: &[u8], offset: i64, size: i64, data: &[u8]) {
        self.seq += 1;
        let frame = request(1, self.seq, name, (offset, size), data, &[]);
        self.send(&frame).await;
    }

    pub(super) async fn download(&mut self, name: &str, net_type: i32) -> Reply {
        self.seq += 1;
        let tail = net_type.to_be_bytes();
        let frame = request(3, self.seq, name.as_bytes(), (0, 0), b"", &tail);
        self.send(&frame).await;
        let reply = self.reply().await;
        assert_eq!((reply.command, reply.seq), (4, self.seq));
        assert_eq!(reply.name, name.as_bytes());
        reply
    }

    /// Uploads in pieces of `piece` bytes and returns the answers' codes and offsets.
    pub(super) async fn upload(
        &mut self,
        name: &str,
        content: &[u8],
        piece: usize,
    ) -> Vec<(i32, String)> {
        let mut answers = Vec::new();
        let size = i64::try_from(content.len()).unwrap();
        let mut offset = 0;
        for data in content.chunks(piece) {
            self.piece(name.as_bytes(), offset, size, data).await;
            let reply = self.reply().await;
            assert_eq!((reply.command, reply.seq), (2, self.seq));
            assert_eq!(reply.name, name.as_bytes());
            assert_eq!((reply.size, reply.data.len()), (size.to_string(), 0));
            answers.push((reply.code, reply.offset));
            offset += i64::try_from(data.len()).unwrap();
            if answers.last().unwrap().0 == 2 {
                break;
            }
        }
        answers
    }
}

pub(super) fn put_string(into: &mut Vec<u8>, text: &[u8]) {
    let mut length = text.len();
    while length >= 0x80 {
        into.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    into.push(u8::try_from(length).unwrap());
    into.extend_from_slice(text);
}

/// A request as the PC writes it.
pub(super) fn request(
    command: i32,
    seq: i32,
    name: &[u8],
    (offset, size): (i64, i64),
    data: &[u8],
    tail: &[u8],
) -> Vec<u8> {
    let mut fields = [command.to_be_bytes(), seq.to_be_bytes()].concat();
    put_string(&mut fields, name);
    put_string(&mut fields, offset.to_string().as_bytes());
    put_string(&mut fields, size.to_string().as_bytes());
    put_string(&mut fields, data);
    fields.extend_from_slice(tail);
    let total = fields.len() + 6;
    let mut frame = u64::try_from(total).unwrap().to_le_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(total).unwrap().to_be_bytes());
    frame.extend_from_slice(&[0xcc, 0xcc]);
    frame.extend_from_slice(&fields);
    frame
}

pub(super) fn read_reply(frame: &[u8]) -> Reply {
    let size = u64::from_le_bytes(frame[..8].try_into().unwrap());
    let total = u32::from_be_bytes(frame[8..12].try_into().unwrap());
    assert_eq!((size, u64::from(total)), (total.into(), size));
    assert_eq!(frame[12..14], [0, 0]);
    let number = |at: usize| i32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
    let mut at = 26;
    let mut string = || {
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = frame[at];
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        at += length;
        frame[at - length..at].to_vec()
    };
    let reply = Reply {
        command: number(14),
        seq: number(18),
        code: number(22),
        name: string(),
        offset: String::from_utf8(string()).unwrap(),
        size: String::from_utf8(string()).unwrap(),
        data: string(),
    };
    assert_eq!(at, frame.len());
    reply
}

pub(super) fn md5_hex(content: &[u8]) -> String {
    let hash = Md5::digest(content);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that differ everywhere, so that a shift shows.
pub(super) fn noise(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    });
    next.take(len).collect()
}

/// Waits for something that happens on another thread.
pub(super) async fn until(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("did not happen within 5 s");
}
