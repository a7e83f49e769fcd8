//! Whose account the command line works with: [`current`] says so, `myim login` writes it down.
//!
//! Each login signs in two devices, because a device has one connection: one for single commands
//! and `myim tail`, one for `myim chat`. So both can run side by side.

mod credentials;
mod place;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use client::model::UserId;
use client::{Api, Server};
use common::config::PersonalEnvironment;

pub(crate) use credentials::{Credentials, Saved, SignIn};
pub(crate) use place::Place;

use crate::failure::Failure;

/// How a command says which account it means.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Choice {
    /// The account to use, of those that signed in [env: MYIM_ACCOUNT] [default: the last one]
    #[arg(long, value_name = "USER@SERVER", global = true)]
    pub(crate) account: Option<String>,
}

/// An account that is signed in.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) server: Server,
    /// Unknown for a token from the environment.
    pub(crate) user: Option<Owner>,
    /// Of the command line's own device.
    pub(crate) token: String,
    /// Of the device of `myim chat`. For a token from the environment it is the same one.
    pub(crate) chat_token: String,
}

/// Whose an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) id: UserId,
    pub(crate) username: String,
}

impl fmt::Debug for Account {
    /// Leaves the tokens out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("server", &self.server)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Calls as the command line's device.
    pub(crate) fn api(&self) -> Api {
        Api::new(self.server.clone()).with_token(&self.token)
    }
}

/// The account that a command works with: that of `--account`; else `MYIM_TOKEN` on `MYIM_SERVER`;
/// else that of `MYIM_ACCOUNT`; else the one that signed in last.
///
/// # Errors
/// [`Failure::NotSignedIn`] if there is none, [`Failure::Local`] if the file cannot be used or
/// others can read it, [`Failure::Usage`] if the choice is not clear.
pub(crate) fn current(choice: &Choice) -> anyhow::Result<Account> {
    let environment = PersonalEnvironment::read();
    if choice.account.is_none()
        && let Some(account) = from_environment(&environment)?
    {
        return Ok(account);
    }
    let place = Place::of(&environment)?;
    let wanted = choice.account.as_ref().or(environment.account.as_ref());
    let credentials = Credentials::read(&place)?;
    let saved = match wanted {
        Some(wanted) => credentials.called(wanted)?,
        None => credentials.current().ok_or_else(|| {
            Failure::NotSignedIn("nobody is signed in: myim login SERVER USER does that".to_owned())
        })?,
    };
    saved.account()
}

/// The account of this machine that signed in on a server, of several the `chosen` one; its address
/// is read as by `myim login`.
///
/// # Errors
/// As [`current`].
pub(crate) fn on_server(address: &str, chosen: Option<&str>) -> anyhow::Result<Saved> {
    let environment = PersonalEnvironment::read();
    let server: Server = address.parse()?;
    let credentials = Credentials::read(&Place::of(&environment)?)?;
    let saved = match chosen {
        Some(wanted) => credentials.called_on(&server, wanted)?,
        None => credentials.on(&server, environment.account.as_deref())?,
    };
    Ok(saved.clone())
}

/// The account of this machine that `MYIM_ACCOUNT` names, else the one that signed in last.
///
/// # Errors
/// As [`current`].
pub(crate) fn saved() -> anyhow::Result<Saved> {
    let environment = PersonalEnvironment::read();
    let credentials = Credentials::read(&Place::of(&environment)?)?;
    let saved = match &environment.account {
        Some(wanted) => credentials.called(wanted)?,
        None => credentials.current().ok_or_else(|| {
            Failure::NotSignedIn("nobody is signed in: myim login SERVER USER does that".to_owned())
        })?,
    };
    Ok(saved.clone())
}

/// A bot or a script brings its token along.
fn from_environment(environment: &PersonalEnvironment) -> anyhow::Result<Option<Account>> {
    let Some(token) = &environment.token else {
        return Ok(None);
    };
    let server = environment.server.as_deref().ok_or_else(|| {
        Failure::usage("MYIM_TOKEN is set, but MYIM_SERVER does not say for which server")
    })?;
    let port = |name: &str, value: Option<&String>| match value {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(port) => Ok(Some(port)),
            Err(_) => Err(Failure::usage(format!(
                "{name} is {text}, and that is no port"
            ))),
        },
    };
    let ports = (
        port("MYIM_FILE_PORT", environment.file_port.as_ref())?,
        port("MYIM_IMAGE_PORT", environment.image_port.as_ref())?,
    );
    Ok(Some(Account {
        server: server_at(server, environment.ca.as_deref(), ports)?,
        user: None,
        token: token.clone(),
        chat_token: token.clone(),
    }))
}

/// The server of this address, its own authority, and the ports for files and pictures that were
/// chosen by hand.
///
/// # Errors
/// For an address that is none, and a certificate that cannot be read.
pub(crate) fn server_at(
    address: &str,
    ca: Option<&Path>,
    (file, image): (Option<u16>, Option<u16>),
) -> anyhow::Result<Server> {
    let server: Server = address.parse()?;
    let server = match ca {
        Some(ca) => server
            .trusting(ca)
            .map_err(|error| Failure::Local(error.to_string()))?,
        None => server,
    };
    Ok(server.with_transfer_ports(file, image))
}

/// Where a program keeps what it must not forget of this account, for example its outbox. The
/// directory is made, for its owner only.
///
/// # Errors
/// [`Failure::Local`] if it cannot be made.
pub(crate) fn state_directory(account: &Account) -> anyhow::Result<PathBuf> {
    let place = Place::of(&PersonalEnvironment::read())?;
    let whose = match &account.user {
        // A server that began anew gives the number to somebody else.
        Some(owner) => {
            let plain = |one: char| if one.is_alphanumeric() { one } else { '_' };
            let name: String = owner.username.chars().map(plain).collect();
            format!("{}-{name}", owner.id)
        }
        None => "token".to_owned(),
    };
    let (host, port) = (account.server.host(), account.server.port());
    // An IPv6 address has colons, which are not welcome in names everywhere.
    let host = host.replace(':', "_");
    place.state(&format!("{whose}@{host}_{port}"))
}
