//! Groups: founding.

use mysql_async::Conn;

use super::account::{self, Numbers, lock, next_number};
use super::append::repeated;
use super::fault::Fault;
use super::friend::append;
use super::log::{saved, send_key, write_places};
use super::relation::{self, Pair};
use crate::api::{Body, Notice, Origin, Profile, Refusal};
use crate::id::{ConvId, ConvKind, GroupId, Peer, Seq};
use crate::store::Outcome;

pub(super) async fn create(
    conn: &mut Conn,
    origin: &Origin,
    name: &str,
    limit: u32,
) -> Result<Outcome, Fault> {
    let user = origin.user;
    let notice = Notice::GroupCreated {
        name: name.to_owned(),
    };
    let present = lock(conn, [user.0; 2]).await?;
    // Applied before: then the group's number is in the conversation's.
    let found = saved(conn, &[send_key(origin)]).await?.into_values().next();
    if let Some(entry) = found {
        let is_group = matches!(entry.conv.kind(), Some(ConvKind::Group(_)));
        let same = is_group && entry.body == Body::Notice(notice);
        return Ok(repeated(&entry, same));
    }
    if present.is_empty() {
        return Ok(Outcome::Refused(Refusal::NoSuchUser));
    }
    if relation::count(conn, user.0).await? >= u64::from(limit) {
        return Ok(Outcome::Refused(Refusal::TooMany));
    }
    let Some(number) = next_number(conn, Numbers::Groups).await? else {
        return Ok(Outcome::Refused(Refusal::TooMany));
    };
    let peer = Peer::Group(GroupId(number));
    let profile = Profile::fresh(peer, number.to_string(), name);
    account::insert(conn, &profile, "", user.0, origin.at).await?;
    relation::insert(conn, Pair::of(user.0, number)).await?;
    let conv = ConvId::group(GroupId(number));
    write_places(conn, &[(user, conv, Seq(0))]).await?;
    Ok(Outcome::Done {
        id: Some(number),
        entries: append(conn, vec![(conv, origin.clone(), notice)]).await?,
    })
}
