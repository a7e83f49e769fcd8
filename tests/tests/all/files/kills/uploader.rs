//! Somebody who uploads one file after the other until nobody is killed any more, and finishes what
//! he began, whatever happens to the server meanwhile.

use std::collections::BTreeSet;
use std::sync::mpsc::SyncSender;

use myim_tests::courier::{Courier, Reply};
use myim_tests::dice::Dice;
use myim_tests::files::{Files, TUS, sha256};
use myim_tests::transfer::{Chunk, PC_CHUNK, Transfer, content, md5_name};
use myim_tests::wire::Flavor;
use sha2::{Digest, Sha256};

use super::ledger::{Lives, Made, Told};
use crate::files::base64;

const OFFSET_STREAM: (&str, &str) = ("content-type", "application/offset+octet-stream");
/// Of a file, and of a piece of one.
const FILE_BYTES_MAX: u64 = 700_000;
const PIECE_BYTES_MAX: u64 = 250_000;

pub(super) struct Uploader<'a> {
    courier: Courier,
    lives: &'a Lives,
    events: SyncSender<()>,
    dice: Dice,
    number: u64,
    begun: u64,
    told: Told,
}

/// The life in which the server was asked ended before it answered.
struct Broken;

/// An upload that can be resumed, as far as its owner knows.
struct Resumable {
    id: String,
    bytes: Vec<u8>,
    /// What the server said that it has.
    told: usize,
    /// Where it may be beyond that: what was sent with a checksum is there whole or not at all.
    may_be: BTreeSet<usize>,
    /// What was sent without one may be there to any extent.
    sent: usize,
    /// The server does not know yet how long it is; it hears so with the last piece.
    is_deferred: bool,
}

impl<'a> Uploader<'a> {
    pub(super) fn new(
        files: &Files,
        lives: &'a Lives,
        events: SyncSender<()>,
        seed: u64,
        number: u64,
    ) -> Self {
        let token = files.api.token.clone().expect("somebody is signed in");
        Self {
            courier: Courier {
                address: files.api.address,
                token,
            },
            lives,
            events,
            dice: Dice::new(seed, number + 1),
            number,
            begun: 0,
            told: Told::default(),
        }
    }

    pub(super) fn run(mut self) -> Told {
        while !self.lives.is_last() {
            match self.number % 3 {
                0 => self.whole(),
                1 if self.dice.percent(25) => self.in_parts(),
                1 => self.in_pieces(),
                _ => self.as_old_clients_do(),
            }
        }
        self.told
    }

    /// A file that nobody else has; now and then one that everybody has.
    fn make(&mut self) -> (Made, Vec<u8>) {
        self.begun += 1;
        let seed = match self.dice.percent(15) {
            true => 1 + self.begun % 3,
            false => 1_000_000 * (self.number + 1) + self.begun,
        };
        let length = match seed {
            // The same for all.
            0..1000 => 100_000 + usize::try_from(seed).unwrap(),
            _ => self.length(1, FILE_BYTES_MAX),
        };
        let made = Made { length, seed };
        (made, content(length, seed))
    }

    fn length(&mut self, low: u64, high: u64) -> usize {
        usize::try_from(self.dice.from(low, high)).expect("it is small")
    }

    /// Whether to give this one up: others' files must not be missed.
    fn gives_up(&mut self, made: Made) -> bool {
        made.seed > 1000 && self.dice.percent(20)
    }

    fn has_stored(&mut self, made: Made, file: &str) {
        self.lives.note(file);
        self.told.stored.insert(file.to_owned(), made);
    }

    /// Does something until the server answers.
    fn until_answered<T>(&mut self, mut ask: impl FnMut(&mut Self) -> Result<T, Broken>) -> T {
        loop {
            if let Ok(answer) = ask(self) {
                return answer;
            }
        }
    }

    /// Asks once. Comes back when the server lives again.
    fn ask(
        &mut self,
        what: (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, Broken> {
        let life = self.lives.number();
        let events = self.events.clone();
        let progress = || {
            // Nobody counts any more, or there is enough to count.
            let _ = events.try_send(());
        };
        let asked = self.courier.ask(what, headers, body, progress);
        let _ = self.events.try_send(());
        asked.map_err(|error| self.broke(life, &error.to_string()))
    }

    fn broke(&mut self, life: u64, why: &str) -> Broken {
        self.told.broken += 1;
        self.lives.wait_after(life, why);
        Broken
    }

    /// One request for the whole file. Now and then it is not what was promised.
    fn whole(&mut self) {
        let (made, bytes) = self.make();
        let file = sha256(&bytes);
        if self.gives_up(made) {
            self.told.given_up.insert(file);
            if self.dice.percent(50) {
                let promise = format!("/files?sha256={}", sha256(b"something else"));
                let post = ("POST", promise.as_str());
                let reply = self.until_answered(|one| one.ask(post, &[], &bytes));
                assert_eq!(reply.status, 422);
                return;
            }
            let some = self.length(0, u64::try_from(bytes.len() - 1).unwrap());
            let life = self.lives.number();
            let begun = (&bytes[..some], bytes.len());
            let post = ("POST", "/files");
            let left = self.courier.begin_and_leave(post, &[], begun, || {});
            if let Err(error) = left {
                self.broke(life, &error.to_string());
            }
            return;
        }
        let reply = self.until_answered(|one| one.ask(("POST", "/files"), &[], &bytes));
        assert!([200, 201].contains(&reply.status), "{reply:?}");
        let told: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(told["file"], file);
        self.has_stored(made, &file);
    }

    /// By tus, piece by piece.
    fn in_pieces(&mut self) {
        let (made, bytes) = self.make();
        let file = sha256(&bytes);
        let gives_up = self.gives_up(made);
        let mut upload = self.create(bytes, &[]);
        loop {
            if gives_up && self.dice.percent(40) && upload.told < upload.bytes.len() {
                self.told.given_up.insert(file);
                self.told.unfinished.insert(upload.id, upload.told);
                return;
            }
            // Who will give up must not finish by chance.
            let spared = usize::from(gives_up);
            if let Some(stored) = self.piece(&mut upload, spared) {
                assert_eq!(stored, file);
                break;
            }
        }
        self.has_stored(made, &file);
    }

    /// By tus, as two parts that are put together.
    fn in_parts(&mut self) {
        let (made, bytes) = self.make();
        let file = sha256(&bytes);
        let middle = self.length(0, u64::try_from(bytes.len()).unwrap());
        let mut places = Vec::new();
        for part in [&bytes[..middle], &bytes[middle..]] {
            let mut part = self.create(part.to_vec(), &[("upload-concat", "partial")]);
            self.told.parts.insert(part.id.clone());
            while part.told < part.bytes.len() || part.is_deferred {
                let stored = self.piece(&mut part, 0);
                assert_eq!(stored, None, "a part is no file");
            }
            places.push(format!("/files/uploads/{}", part.id));
        }
        let concat = format!("final;{}", places.join(" "));
        let headers = [TUS, ("upload-concat", concat.as_str())];
        let reply = self.until_answered(|one| {
            let asked = one.ask(("POST", "/files/"), &headers, b"");
            one.told.unheard += usize::from(asked.is_err());
            asked
        });
        assert_eq!(reply.status, 201, "{reply:?}");
        assert_eq!(reply.header("myim-file"), Some(&*file), "{reply:?}");
        self.has_stored(made, &file);
    }

    /// Begins an upload. One whose answer is lost is begun anew.
    fn create(&mut self, bytes: Vec<u8>, more: &[(&str, &str)]) -> Resumable {
        let length = bytes.len().to_string();
        let is_deferred = self.dice.percent(30);
        let length = match is_deferred {
            true => ("upload-defer-length", "1"),
            false => ("upload-length", length.as_str()),
        };
        let headers = [&[TUS, length], more].concat();
        let reply = self.until_answered(|one| {
            let asked = one.ask(("POST", "/files/"), &headers, b"");
            one.told.unheard += usize::from(asked.is_err());
            asked
        });
        assert_eq!(reply.status, 201, "{reply:?}");
        let place = reply.header("location").expect("where it stands");
        let id = place.rsplit('/').next().expect("a name").to_owned();
        Resumable {
            id,
            bytes,
            told: 0,
            may_be: BTreeSet::new(),
            sent: 0,
            is_deferred,
        }
    }

    /// Sends a piece that spares so many bytes at the end, perhaps with a checksum; after a kill,
    /// asks how far it got. Tells the file if that was the end of it.
    fn piece(&mut self, upload: &mut Resumable, spared: usize) -> Option<String> {
        let at = upload.told;
        let most = upload.bytes.len() - at - spared.min(upload.bytes.len() - at);
        let length = self.length(0, PIECE_BYTES_MAX).min(most);
        let piece = &upload.bytes[at..at + length];
        let place = format!("/files/uploads/{}", upload.id);
        let offset = at.to_string();
        let sum = format!("sha256 {}", base64(Sha256::digest(piece)));
        let mut headers = vec![TUS, OFFSET_STREAM, ("upload-offset", offset.as_str())];
        let is_checked = self.dice.percent(40);
        if is_checked {
            headers.push(("upload-checksum", sum.as_str()));
            upload.may_be = [at, at + length].into();
        }
        upload.sent = at + length;
        let total = upload.bytes.len().to_string();
        if upload.is_deferred && upload.sent == upload.bytes.len() {
            headers.push(("upload-length", total.as_str()));
        }
        let asked = self.ask(("PATCH", &place), &headers, piece);
        if let Ok(reply) = asked {
            assert_eq!(reply.status, 204, "{reply:?}");
            upload.told = offset_of(&reply);
            assert_eq!(upload.told, at + length, "{reply:?}");
            upload.is_deferred &= upload.told < upload.bytes.len();
            return reply.header("myim-file").map(str::to_owned);
        }
        let head = [TUS];
        let reply = self.until_answered(|one| one.ask(("HEAD", &place), &head, b""));
        assert_eq!(reply.status, 200, "what was begun is there: {reply:?}");
        let found = offset_of(&reply);
        match is_checked {
            true => assert!(
                upload.may_be.contains(&found),
                "{found} of {:?}",
                upload.may_be
            ),
            false => assert!(
                (at..=upload.sent).contains(&found),
                "{at} {found} {}",
                upload.sent
            ),
        }
        upload.told = found;
        upload.is_deferred = reply.header("upload-length").is_none();
        let file = reply.header("myim-file").map(str::to_owned);
        self.told.found_finished += usize::from(file.is_some());
        file
    }

    /// By the binary protocol.
    fn as_old_clients_do(&mut self) {
        let (made, bytes) = self.make();
        let (file, name) = (sha256(&bytes), md5_name(&bytes));
        let gives_up = self.gives_up(made) && bytes.len() > 1;
        if gives_up {
            self.told.given_up.insert(file.clone());
            let life = self.lives.number();
            let half = &bytes[..bytes.len() / 2];
            if self.begin_by_name(&name, half, bytes.len()).is_none() {
                self.broke(life, "the connection was closed");
            }
            return;
        }
        self.until_answered(|one| one.by_name(&name, &bytes));
        self.has_stored(made, &file);
    }

    fn by_name(&mut self, name: &str, bytes: &[u8]) -> Result<(), Broken> {
        let life = self.lives.number();
        let connected = Transfer::try_connect(self.courier.address, Flavor::Pc);
        let mut transfer = connected.map_err(|error| self.broke(life, &error.to_string()))?;
        let is_confirmed = transfer.upload_as(name, bytes);
        let _ = self.events.try_send(());
        match is_confirmed {
            true => Ok(()),
            false => Err(self.broke(life, "the connection was closed")),
        }
    }

    /// Sends the beginning of a file and goes; nothing if the server went before.
    fn begin_by_name(&mut self, name: &str, half: &[u8], length: usize) -> Option<()> {
        let connected = Transfer::try_connect(self.courier.address, Flavor::Pc);
        let mut transfer = connected.ok()?;
        let chunk = Chunk {
            name,
            offset: 0,
            size: i64::try_from(length).expect("it is small"),
            data: &half[..half.len().min(PC_CHUNK)],
        };
        transfer.send_chunk(chunk);
        transfer.answer().map(drop)
    }
}

fn offset_of(reply: &Reply) -> usize {
    let text = reply.header("upload-offset").unwrap_or_default();
    text.parse()
        .unwrap_or_else(|_| panic!("no offset: {reply:?}"))
}
