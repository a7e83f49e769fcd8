//! `myim admin audit`

use clap::Args;

use super::Desk;
use super::output::{text, time};
use super::trouble::Trouble;

#[derive(Args)]
pub(super) struct AuditArgs {
    /// How many lines to show at the most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
}

pub(super) async fn run(desk: &Desk, args: AuditArgs) -> Result<(), Trouble> {
    let mut all = Vec::new();
    let keep = |page| {
        all.extend(page);
        Ok(())
    };
    desk.way.pages("/audit", args.limit, keep).await?;
    let head = ["TIME", "BY", "ACTION", "TARGET", "DETAIL"];
    desk.output.list(&all, head, |line| {
        [
            time(line, "time"),
            text(line, "by"),
            text(line, "action"),
            text(line, "target"),
            text(line, "detail"),
        ]
    })
}
