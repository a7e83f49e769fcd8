//! The file of signed-in accounts: who, where, and the tokens of the two devices.
//!
//! It is replaced as a whole, so that whoever reads it never sees half of it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use client::Server;
use client::model::{SessionId, Timestamp, UserId, decimal};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::place::Place;
use super::{Account, Owner, server_at};
use crate::failure::Failure;

/// Everything in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credentials {
    version: u32,
    /// Made once: from it come the ids of this machine's devices.
    machine: String,
    /// Which account signed in last.
    current: Option<String>,
    accounts: Vec<Saved>,
}

/// The format that this version writes.
const VERSION: u32 = 1;

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) server: String,
    #[serde(with = "decimal")]
    pub(crate) user_id: UserId,
    pub(crate) username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file_port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image_port: Option<u16>,
    pub(crate) command_line: SignIn,
    pub(crate) chat: SignIn,
}

/// What one device has of its sign-in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignIn {
    pub(crate) token: String,
    #[serde(with = "decimal")]
    pub(crate) session_id: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<Timestamp>,
}

impl fmt::Debug for SignIn {
    /// Leaves the token out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignIn({})", self.session_id)
    }
}

impl Saved {
    /// How it is chosen: `USER@SERVER`.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}", self.username, self.server)
    }

    pub(crate) fn account(&self) -> anyhow::Result<Account> {
        Ok(Account {
            server: self.at()?,
            user: Some(Owner {
                id: self.user_id,
                username: self.username.clone(),
            }),
            token: self.command_line.token.clone(),
            chat_token: self.chat.token.clone(),
        })
    }

    fn at(&self) -> anyhow::Result<Server> {
        let ports = (self.file_port, self.image_port);
        server_at(&self.server, self.ca.as_deref(), ports)
    }
}

impl Credentials {
    fn new() -> Self {
        Self {
            version: VERSION,
            machine: Uuid::new_v4().to_string(),
            current: None,
            accounts: Vec::new(),
        }
    }

    /// The file, or nothing yet if there is none.
    ///
    /// # Errors
    /// [`Failure::Local`] if it cannot be read, or if others can read it.
    pub(crate) fn read(place: &Place) -> Result<Self, Failure> {
        let path = place.credentials();
        let failed = |error: io::Error| Failure::local(path.display(), error);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new()),
            Err(error) => return Err(failed(error)),
        };
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            let path = path.display();
            return Err(Failure::Local(format!(
                "{path} holds your sign-ins and others can read it: chmod 600 {path}"
            )));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let read: Self = serde_json::from_str(&text)
            .map_err(|error| Failure::local(path.display(), format!("it is damaged: {error}")))?;
        if read.version > VERSION {
            return Err(Failure::local(
                path.display(),
                "a newer version of myim wrote it: use that one",
            ));
        }
        Ok(read)
    }

    /// Reads the file, changes it and replaces it, while no other `myim` does the same.
    ///
    /// # Errors
    /// [`Failure::Local`] as for reading, and if it cannot be written.
    pub(crate) fn change<T>(
        place: &Place,
        change: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, Failure> {
        let directory = place.make_config()?;
        let lock = directory.join("credentials.lock");
        let failed = |path: &Path, error: io::Error| Failure::local(path.display(), error);
        // Closing it, also by dying, opens the lock.
        let held = File::create(&lock).map_err(|error| failed(&lock, error))?;
        held.lock().map_err(|error| failed(&lock, error))?;
        let mut credentials = Self::read(place)?;
        let answer = change(&mut credentials);
        let path = place.credentials();
        credentials
            .write(directory, &path)
            .map_err(|error| failed(&path, error))?;
        Ok(answer)
    }

    fn write(&self, directory: &Path, path: &Path) -> io::Result<()> {
        // Made readable for its owner only, from the first moment on.
        let mut file = tempfile::Builder::new()
            .prefix(".credentials-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(directory)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(directory)?.sync_all()
    }

    /// The id of one of this machine's devices.
    pub(crate) fn device_id(&self, what: &str) -> String {
        format!("{what}-{}", self.machine)
    }

    pub(crate) fn accounts(&self) -> &[Saved] {
        &self.accounts
    }

    /// The one that signed in last.
    pub(crate) fn current(&self) -> Option<&Saved> {
        let current = self.current.as_ref()?;
        self.accounts.iter().find(|saved| saved.name() == *current)
    }

    /// The account of this name: `USER@SERVER`, or `USER` alone if that is clear.
    ///
    /// # Errors
    /// [`Failure::NotSignedIn`] if none is called so, [`Failure::Usage`] if several are.
    pub(crate) fn called(&self, wanted: &str) -> Result<&Saved, Failure> {
        let (user, server) = match wanted.rsplit_once('@') {
            Some((user, server)) if server.parse::<Server>().is_ok() => {
                (user, server.parse::<Server>().ok())
            }
            _ => (wanted, None),
        };
        let server = server.map(|server| server.to_string());
        let mut found = self.accounts.iter().filter(|saved| {
            saved.username == user && server.as_ref().is_none_or(|server| saved.server == *server)
        });
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Failure::NotSignedIn(format!(
                "{wanted} is not signed in here: myim login does that"
            ))),
            (Some(one), Some(other)) => Err(Failure::Usage(format!(
                "{wanted} may be {} or {}: say which",
                one.name(),
                other.name()
            ))),
        }
    }

    /// The account of this name, as in [`Credentials::called`], on this server.
    ///
    /// # Errors
    /// [`Failure::NotSignedIn`] if there is none.
    pub(crate) fn called_on(&self, server: &Server, wanted: &str) -> Result<&Saved, Failure> {
        let server = server.to_string();
        let whole = self.called(wanted).ok();
        let mut there = self.accounts.iter().filter(|saved| saved.server == server);
        let is_wanted = |saved: &&Saved| saved.username == wanted || Some(*saved) == whole;
        there.find(is_wanted).ok_or_else(|| {
            Failure::NotSignedIn(format!(
                "{wanted} is not signed in on {server}: myim login does that"
            ))
        })
    }

    /// An account that signed in on this server: the one that is wanted, else the one that signed in
    /// last of all, else the only one.
    ///
    /// # Errors
    /// [`Failure::NotSignedIn`] if there is none, [`Failure::Usage`] if several could be meant.
    pub(crate) fn on(&self, server: &Server, wanted: Option<&str>) -> Result<&Saved, Failure> {
        let server = server.to_string();
        let is_there = |saved: &&Saved| saved.server == server;
        let wanted = wanted.and_then(|wanted| self.called(wanted).ok());
        if let Some(saved) = wanted.or_else(|| self.current()).filter(is_there) {
            return Ok(saved);
        }
        let mut found = self.accounts.iter().filter(is_there);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Failure::NotSignedIn(format!(
                "nobody is signed in on {server}: myim login does that"
            ))),
            (Some(one), Some(other)) => Err(Failure::Usage(format!(
                "{} and {} are signed in: --account says which is meant",
                one.name(),
                other.name()
            ))),
        }
    }

    /// Adds an account, or its new sign-ins, and makes it the current one.
    pub(crate) fn add(&mut self, saved: Saved) {
        self.current = Some(saved.name());
        self.accounts.retain(|known| known.name() != saved.name());
        self.accounts.push(saved);
    }

    /// Takes an account out; the one that signed in before it becomes the current one.
    pub(crate) fn remove(&mut self, name: &str) {
        self.accounts.retain(|known| known.name() != name);
        if self.current.as_deref() == Some(name) {
            self.current = self.accounts.last().map(Saved::name);
        }
    }
}

#[cfg(test)]
mod tests {
    use common::config::PersonalEnvironment;

    use super::*;

    fn place(directory: &Path) -> Place {
        let environment = PersonalEnvironment {
            config_dir: Some(directory.join("config")),
            ..PersonalEnvironment::default()
        };
        Place::of(&environment).unwrap()
    }

    fn saved(username: &str, server: &str) -> Saved {
        let sign_in = SignIn {
            token: format!("token of {username}"),
            session_id: SessionId(7),
            expires_at: None,
        };
        Saved {
            server: server.to_owned(),
            user_id: UserId(1),
            username: username.to_owned(),
            ca: None,
            file_port: None,
            image_port: None,
            command_line: sign_in.clone(),
            chat: sign_in,
        }
    }

    const HERE: &str = "http://localhost:20000";

    #[test]
    fn what_was_written_is_read_and_only_by_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let place = place(directory.path());
        let machine = Credentials::change(&place, |all| {
            all.add(saved("ann", HERE));
            all.device_id("cli")
        });
        let read = Credentials::read(&place).unwrap();
        assert_eq!(read.current(), Some(&saved("ann", HERE)));
        assert_eq!(read.device_id("cli"), machine.unwrap(), "it is kept");
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(place.credentials()), 0o600);
        assert_eq!(mode(directory.path().join("config")), 0o700);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let place = place(directory.path());
        Credentials::change(&place, |all| all.add(saved("ann", HERE))).unwrap();
        let path = place.credentials();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Credentials::read(&place).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("chmod 600 {}", path.display())),
            "{refused}"
        );
    }

    #[test]
    fn an_account_is_found_by_what_is_clear() {
        let mut all = Credentials::new();
        all.add(saved("ann", HERE));
        all.add(saved("bob", HERE));
        all.add(saved("bob", "https://chat.example:20000"));
        let name = |wanted: &str| all.called(wanted).map(Saved::name);
        assert_eq!(name("ann").unwrap(), "ann@http://localhost:20000");
        assert_eq!(name("bob@localhost").unwrap(), "bob@http://localhost:20000");
        assert_eq!(
            name("bob@chat.example").unwrap(),
            "bob@https://chat.example:20000"
        );
        assert!(matches!(name("bob"), Err(Failure::Usage(_))));
        assert!(matches!(name("cid"), Err(Failure::NotSignedIn(_))));
    }

    #[test]
    fn on_a_server_it_is_the_last_one_or_the_only_one() {
        let mut all = Credentials::new();
        let there = "https://chat.example:20000";
        for (name, server) in [("ann", HERE), ("bob", there), ("cid", HERE)] {
            all.add(saved(name, server));
        }
        let name = |server: &str, wanted: Option<&str>| {
            let found = all.on(&server.parse().unwrap(), wanted);
            found.map(|saved| saved.username.clone())
        };
        assert_eq!(name(HERE, None).unwrap(), "cid");
        assert_eq!(name(HERE, Some("ann")).unwrap(), "ann");
        // Somebody of another server is not meant.
        assert_eq!(name("https://chat.example", Some("ann")).unwrap(), "bob");
        assert!(matches!(name(HERE, Some("bob")), Err(Failure::Usage(_))));
        let nobody = name("http://chat.example", None);
        assert!(matches!(nobody, Err(Failure::NotSignedIn(_))));
    }

    #[test]
    fn who_leaves_makes_room_for_the_one_before() {
        let mut all = Credentials::new();
        all.add(saved("ann", HERE));
        all.add(saved("bob", HERE));
        all.remove(&format!("bob@{HERE}"));
        assert_eq!(all.current().map(Saved::name), Some(format!("ann@{HERE}")));
        all.remove(&format!("ann@{HERE}"));
        assert_eq!(all.current(), None);
    }
}
