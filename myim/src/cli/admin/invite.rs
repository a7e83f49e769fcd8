//! `myim admin invite …`

use std::time::{Duration, SystemTime};

use clap::Subcommand;
use common::clock::{Clock, SystemClock};
use hyper::Method;
use serde_json::{Value, json};

use super::Desk;
use super::output::{text, time};
use super::trouble::Trouble;
use super::way::escaped;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make an invite
    Create {
        /// How many accounts can be made with it [default: any number]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        uses: Option<u32>,
        /// Until when it is good: a time like 2026-01-31T12:00:00Z, or from now on, like 7d
        /// [default: for ever]
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// List invites
    List,
    /// Take an invite back; accounts that were made with it stay
    Revoke { code: String },
}

pub(super) async fn run(desk: &Desk, verb: Verb) -> Result<(), Trouble> {
    match verb {
        Verb::Create {
            uses,
            expires,
            note,
        } => {
            let mut body = json!({});
            if let Some(uses) = uses {
                body["uses_max"] = uses.into();
            }
            if let Some(expires) = expires {
                body["expires_at"] = when(&expires)?.into();
            }
            if let Some(note) = note {
                body["note"] = note.into();
            }
            let made = desk.way.call(Method::POST, "/invites", Some(&body)).await?;
            let [code, how] = instruction(&made);
            desk.output.lines(&made, [&code, &how])
        }
        Verb::List => {
            let mut found = desk.way.get("/invites").await?;
            let all = match found["items"].take() {
                Value::Array(items) => items,
                _ => Vec::new(),
            };
            let head = ["CODE", "USED", "OF", "UNTIL", "GOOD", "NOTE"];
            desk.output.list(&all, head, |invite| {
                [
                    text(invite, "code"),
                    text(invite, "uses"),
                    text(invite, "uses_max"),
                    time(invite, "expires_at"),
                    text(invite, "usable"),
                    text(invite, "note"),
                ]
            })
        }
        Verb::Revoke { code } => {
            let path = format!("/invites/{}", escaped(&code));
            desk.way.call(Method::DELETE, &path, None).await?;
            let value = json!({"code": code, "done": "is taken back"});
            desk.output.line(&value, "The invite is taken back.")
        }
    }
}

/// The code alone on the first line, and how an account is made with it.
fn instruction(made: &Value) -> [String; 2] {
    let code = text(made, "code");
    let server = made["server"].as_str().unwrap_or("SERVER");
    let how = format!("myim register {server} --invite {code}");
    [code, how]
}

/// A moment as the API writes it.
fn when(text: &str) -> Result<String, Trouble> {
    let moment = match humantime::parse_duration(text) {
        Ok(from_now) => {
            let now = u64::try_from(SystemClock.now().0).unwrap_or_default();
            SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_millis(now))
                .and_then(|now| now.checked_add(from_now))
        }
        Err(_) => humantime::parse_rfc3339_weak(text).ok(),
    };
    // The last moment that a time can be written of.
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    let moment = moment.filter(|moment| *moment <= last);
    let moment = moment.ok_or_else(|| {
        Trouble::usage(format!(
            "{text:?} is neither a time like 2026-01-31T12:00:00Z nor a duration like 7d"
        ))
    })?;
    Ok(humantime::format_rfc3339_millis(moment).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_is_shown_with_the_way_to_use_it() {
        let made = json!({"code": "k7", "server": "https://chat.example"});
        let shown = ["k7", "myim register https://chat.example --invite k7"];
        assert_eq!(instruction(&made), shown);
        let shown = ["k7", "myim register SERVER --invite k7"];
        assert_eq!(instruction(&json!({"code": "k7"})), shown);
    }

    #[test]
    fn a_moment_is_a_time_or_a_duration() {
        let at = |text| when(text).ok();
        assert_eq!(
            at("2026-01-31T12:00:00Z").as_deref(),
            Some("2026-01-31T12:00:00.000Z")
        );
        assert!(at("7d").is_some_and(|text| text.ends_with('Z')));
        assert!(at("tomorrow").is_none() && at("100000y").is_none());
    }
}
