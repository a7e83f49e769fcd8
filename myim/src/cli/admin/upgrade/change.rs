//! `myim upgrade percent` and `myim upgrade roll-back`

use clap::Args;
use hyper::Method;
use serde_json::{Value, json};

use super::super::Desk;
use super::super::output::text;
use super::super::trouble::Trouble;
use super::{Line, is_out};

#[derive(Args)]
pub(super) struct PercentArgs {
    #[command(flatten)]
    line: Line,
    /// How many of a hundred devices it is for
    #[arg(value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(..=100))]
    percent: u32,
}

pub(super) async fn percent(desk: &Desk, args: &PercentArgs) -> Result<(), Trouble> {
    let newest = args.line.newest(desk).await?;
    let path = format!("/upgrades/{}", text(&newest, "id"));
    let body = json!({"percent": args.percent});
    let changed = desk.way.call(Method::PATCH, &path, Some(&body)).await?;
    let sentence = format!("{} is for {}% now.", called(&changed), args.percent);
    desk.output.line(&changed, &sentence)
}

pub(super) async fn roll_back(desk: &Desk, line: &Line) -> Result<(), Trouble> {
    let mut out = line.all(desk).await?.into_iter().filter(is_out);
    let Some(newest) = out.next() else {
        let sentence = format!(
            "nothing is published for {} {}",
            line.platform, line.channel
        );
        return Err(Trouble::refused(sentence));
    };
    let before = out.next();
    let then = match &before {
        Some(before) => format!("{} is the newest again", text(before, "version")),
        None => "there is none before it, so clients that have it keep it".to_owned(),
    };
    let what = called(&newest);
    desk.be_sure(&format!("{what} is withdrawn for ever; {then}."))
        .await?;
    let path = format!("/upgrades/{}/withdraw", text(&newest, "id"));
    let withdrawn = desk.way.call(Method::POST, &path, None).await?;
    let value = json!({"withdrawn": withdrawn, "newest": before});
    desk.output
        .line(&value, &format!("{what} is withdrawn; {then}."))
}

/// How people call a package.
pub(super) fn called(upgrade: &Value) -> String {
    let part = |field| text(upgrade, field);
    format!(
        "{} {} {}",
        part("platform"),
        part("channel"),
        part("version")
    )
}
