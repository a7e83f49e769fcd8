//! `myim admin group …`

use clap::Subcommand;
use hyper::Method;
use serde_json::json;

use super::Desk;
use super::output::{text, time};
use super::trouble::Trouble;
use super::way::escaped;

#[derive(Subcommand)]
pub(super) enum Verb {
    /// List groups
    List {
        /// Only those whose name has this in it
        #[arg(long, value_name = "TEXT")]
        query: Option<String>,
    },
    /// End a group, whoever owns it; what was written in it is read by nobody any more
    Dissolve {
        /// The group's number
        #[arg(value_name = "NUMBER")]
        group: String,
    },
}

pub(super) async fn run(desk: &Desk, verb: Verb) -> Result<(), Trouble> {
    match verb {
        Verb::List { query } => {
            let query = escaped(&query.unwrap_or_default());
            let mut all = Vec::new();
            let keep = |page| {
                all.extend(page);
                Ok(())
            };
            let path = format!("/groups?query={query}");
            desk.way.pages(&path, u64::MAX, keep).await?;
            let head = ["ID", "NAME", "OWNER", "MEMBERS", "ENTRIES", "LAST WRITTEN"];
            desk.output.list(&all, head, |group| {
                [
                    text(group, "id"),
                    text(group, "name"),
                    text(&group["owner"], "username"),
                    text(group, "members"),
                    text(group, "last_seq"),
                    time(group, "last_at"),
                ]
            })
        }
        Verb::Dissolve { group } => {
            if group.is_empty() || !group.bytes().all(|byte| byte.is_ascii_digit()) {
                let sentence = format!("{group:?} is no number of a group; group list shows them");
                return Err(Trouble::usage(sentence));
            }
            let question = format!("Group {group} will be gone for all its members.");
            desk.be_sure(&question).await?;
            let path = format!("/groups/{group}");
            desk.way.call(Method::DELETE, &path, None).await?;
            let value = json!({"id": group, "done": "is dissolved"});
            desk.output
                .line(&value, &format!("Group {group} is dissolved."))
        }
    }
}
