//! `myim upgrade list`

use clap::Args;

use super::super::Desk;
use super::super::output::{bytes, text, time};
use super::super::trouble::Trouble;
use super::super::way::escaped;

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only those of this platform
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// Only those of this channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
}

pub(super) async fn run(desk: &Desk, args: &ListArgs) -> Result<(), Trouble> {
    let mut path = "/upgrades?".to_owned();
    for (name, wanted) in [("platform", &args.platform), ("channel", &args.channel)] {
        if let Some(wanted) = wanted {
            path.push_str(&format!("{name}={}&", escaped(wanted)));
        }
    }
    let mut all = Vec::new();
    let keep = |page| {
        all.extend(page);
        Ok(())
    };
    desk.way
        .pages(path.trim_end_matches(['?', '&']), u64::MAX, keep)
        .await?;
    let head = [
        "NUMBER",
        "PLATFORM",
        "CHANNEL",
        "VERSION",
        "PERCENT",
        "SIZE",
        "OLD NAME",
        "PUBLISHED",
        "WITHDRAWN",
    ];
    desk.output.list(&all, head, |upgrade| {
        [
            text(upgrade, "id"),
            text(upgrade, "platform"),
            text(upgrade, "channel"),
            text(upgrade, "version"),
            text(upgrade, "percent"),
            bytes(upgrade["size"].as_u64().unwrap_or(0)),
            text(upgrade, "old_name"),
            time(upgrade, "published_at"),
            time(upgrade, "withdrawn_at"),
        ]
    })
}
