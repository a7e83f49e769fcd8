//! `myim admin user …`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};

use super::Desk;
use super::output::{text, time};
use super::trouble::Trouble;
use super::way::escaped;
use crate::cli::password;

/// The longest password that a server takes, and a line's end.
const PASSWORD_FILE_BYTES_MAX: u64 = 4096;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make an account, also where registration is closed
    Create {
        /// The user name
        name: String,
        /// The name to show to others [default: the user name]
        #[arg(long)]
        nickname: Option<String>,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Lock an account: nobody gets in any more, and who is in is out
    Disable { user: String },
    /// Let a locked account in again
    Enable { user: String },
    /// Give an account another password, and sign all its devices out
    ResetPassword {
        user: String,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Make a user an administrator
    Grant { user: String },
    /// Take the role of an administrator from a user
    Revoke { user: String },
    /// List accounts
    List {
        /// Only those whose name has this in it
        #[arg(long, value_name = "TEXT")]
        query: Option<String>,
        /// Only those that are locked
        #[arg(long, conflicts_with = "admins")]
        disabled: bool,
        /// Only administrators
        #[arg(long)]
        admins: bool,
    },
    /// Show an account
    Show { user: String },
}

/// Where a password comes from; asked for if nothing is said.
#[derive(Args)]
pub(super) struct NewPassword {
    /// Read the password from the first line of this file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "random")]
    password_file: Option<PathBuf>,
    /// Let the server make a password, and show it
    #[arg(long)]
    random: bool,
}

impl NewPassword {
    /// `None` if the server is to make one.
    async fn get(self) -> Result<Option<String>, Trouble> {
        if self.random {
            return Ok(None);
        }
        let standard_input = Path::new("-");
        match self.password_file {
            Some(path) if path != standard_input => from_file(&path).await.map(Some),
            // Asks on a terminal, and reads a line elsewhere.
            _ => password::read(None, true)
                .await
                .map(Some)
                .map_err(|error| Trouble::usage(format!("{error:#}"))),
        }
    }
}

async fn from_file(path: &Path) -> Result<String, Trouble> {
    let wrong = |why: &dyn std::fmt::Display| {
        Trouble::usage(format!(
            "cannot take a password from {}: {why}",
            path.display()
        ))
    };
    let size = tokio::fs::metadata(path).await;
    if size.map_err(|error| wrong(&error))?.len() > PASSWORD_FILE_BYTES_MAX {
        return Err(wrong(&"the file is too long"));
    }
    let text = tokio::fs::read_to_string(path).await;
    let text = text.map_err(|error| wrong(&error))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(wrong(&"its first line is empty")),
    }
}

pub(super) async fn run(desk: &Desk, verb: Verb) -> Result<(), Trouble> {
    match verb {
        Verb::Create {
            name,
            nickname,
            password,
        } => {
            let mut body = json!({"username": name});
            if let Some(nickname) = nickname {
                body["nickname"] = nickname.into();
            }
            if let Some(password) = password.get().await? {
                body["password"] = password.into();
            }
            let made = desk.way.call(Method::POST, "/users", Some(&body)).await?;
            let number = text(&made["user"], "id");
            tell_password(desk, &made, &format!("{name} is made, number {number}."))
        }
        Verb::Disable { user } => {
            let (number, name) = find(desk, &user).await?;
            let question = format!("{name} will be signed out everywhere and kept out.");
            desk.be_sure(&question).await?;
            act(desk, &number, "disable").await?;
            said(desk, &number, &name, "is locked")
        }
        Verb::Enable { user } => {
            let (number, name) = find(desk, &user).await?;
            act(desk, &number, "enable").await?;
            said(desk, &number, &name, "is not locked")
        }
        Verb::ResetPassword { user, password } => {
            let (number, name) = find(desk, &user).await?;
            let body = match password.get().await? {
                Some(password) => json!({"password": password}),
                None => json!({}),
            };
            let path = format!("/users/{number}/password");
            let made = desk.way.call(Method::PUT, &path, Some(&body)).await?;
            let sentence = format!("{name} has another password and is signed out everywhere.");
            tell_password(desk, &made, &sentence)
        }
        Verb::Grant { user } => set_role(desk, &user, "admin", "is an administrator").await,
        Verb::Revoke { user } => set_role(desk, &user, "user", "is no administrator").await,
        Verb::List {
            query,
            disabled,
            admins,
        } => list(desk, query, disabled, admins).await,
        Verb::Show { user } => {
            let account = account(desk, &user).await?;
            show(desk, &account)
        }
    }
}

async fn list(
    desk: &Desk,
    query: Option<String>,
    disabled: bool,
    admins: bool,
) -> Result<(), Trouble> {
    let state = match (disabled, admins) {
        (true, _) => "disabled",
        (_, true) => "admins",
        _ => "all",
    };
    let query = escaped(&query.unwrap_or_default());
    let path = format!("/users?state={state}&query={query}");
    let mut all = Vec::new();
    let keep = |page| {
        all.extend(page);
        Ok(())
    };
    desk.way.pages(&path, u64::MAX, keep).await?;
    let head = [
        "ID",
        "NAME",
        "NICKNAME",
        "ROLE",
        "ONLINE",
        "LAST SEEN",
        "LOCKED SINCE",
    ];
    desk.output.list(&all, head, |user| {
        [
            text(user, "id"),
            text(user, "username"),
            text(user, "nickname"),
            role(user).to_owned(),
            text(user, "online"),
            time(user, "last_seen"),
            time(user, "disabled_at"),
        ]
    })
}

fn role(user: &Value) -> &'static str {
    match (user["admin"].as_bool(), user["bot"].as_bool()) {
        (Some(true), _) => "admin",
        (_, Some(true)) => "bot",
        _ => "user",
    }
}

fn show(desk: &Desk, user: &Value) -> Result<(), Trouble> {
    if desk.output.json {
        return desk.output.line(user, "");
    }
    let or = |text: String, other: &str| {
        if text.is_empty() {
            other.to_owned()
        } else {
            text
        }
    };
    for (what, text) in [
        ("number", text(user, "id")),
        ("user name", text(user, "username")),
        ("nickname", text(user, "nickname")),
        ("role", role(user).to_owned()),
        ("on line", or(text(user, "online"), "no")),
        ("last seen", or(time(user, "last_seen"), "never")),
        ("locked since", or(time(user, "disabled_at"), "not locked")),
    ] {
        desk.output.line(user, &format!("{what:13} {text}"))?;
    }
    Ok(())
}

async fn act(desk: &Desk, number: &str, what: &str) -> Result<(), Trouble> {
    let path = format!("/users/{number}/{what}");
    desk.way.call(Method::POST, &path, None).await.map(drop)
}

async fn set_role(desk: &Desk, user: &str, role: &str, sentence: &str) -> Result<(), Trouble> {
    let (number, name) = find(desk, user).await?;
    let path = format!("/users/{number}/role");
    let body = json!({"role": role});
    desk.way.call(Method::PUT, &path, Some(&body)).await?;
    said(desk, &number, &name, sentence)
}

fn said(desk: &Desk, number: &str, name: &str, sentence: &str) -> Result<(), Trouble> {
    let value = json!({"id": number, "username": name, "done": sentence});
    desk.output.line(&value, &format!("{name} {sentence}."))
}

/// A password that the server made is shown here and nowhere else.
fn tell_password(desk: &Desk, made: &Value, sentence: &str) -> Result<(), Trouble> {
    let text = match made["password"].as_str() {
        Some(password) => format!("{sentence} The password is {password}"),
        None => sentence.to_owned(),
    };
    desk.output.line(made, &text)
}

/// The number and the name of a user.
pub(super) async fn find(desk: &Desk, user: &str) -> Result<(String, String), Trouble> {
    let account = account(desk, user).await?;
    Ok((text(&account, "id"), text(&account, "username")))
}

/// The account of this user name, or else of this number.
async fn account(desk: &Desk, user: &str) -> Result<Value, Trouble> {
    let path = format!("/users?limit=1&username={}", escaped(user));
    let mut found = desk.way.get(&path).await?;
    if found["items"][0].is_object() {
        return Ok(found["items"][0].take());
    }
    if !user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit()) {
        return desk.way.get(&format!("/users/{user}")).await;
    }
    Err(Trouble::refused(format!("there is no user {user:?}")))
}
