//! Looking at groups.

use super::JoinRequest;
use super::request::DECIDERS;
use super::rules::{RULES, Rules};
use super::scene::{ADMIN, role_of};
use crate::api::{GroupPolicy, Member};
use crate::id::{ConvId, GROUP_ID_FIRST, GroupId, Millis, Seq, UserId};
use crate::store::bulk::lookups;
use crate::store::shared::value::marks;
use crate::store::shared::{Row, Value, people};
use crate::store::{Store, StoreError};

/// A group's rules; `None` if there is no such group.
///
/// # Errors
/// When the database cannot be asked.
pub async fn policy(store: &dyn Store, group: GroupId) -> Result<Option<GroupPolicy>, StoreError> {
    if group.0 < GROUP_ID_FIRST {
        return Ok(None);
    }
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM t_user_relationship WHERE f_user_id2 = u.f_user_id), \
         (SELECT f_user_id1 FROM t_user_relationship \
          WHERE f_user_id1 = u.f_owner_id AND f_user_id2 = u.f_user_id), {RULES} \
         FROM t_user u LEFT JOIN t_group g ON g.f_group_id = u.f_user_id WHERE u.f_user_id = ?"
    );
    let rows = store.select(&sql, vec![group.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let owner = row.maybe_int(1)?.map(|_owner| row.user(1)).transpose()?;
    let rules = Rules::from_row(row, 2)?;
    Ok(Some(GroupPolicy {
        group,
        owner,
        announcement: rules.announcement,
        join: rules.join,
        invite: rules.invite,
        muted: rules.muted,
        members: row.u32(0)?,
    }))
}

/// A group as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    pub id: GroupId,
    pub name: String,
    /// `None` where the owner of an adopted group is gone.
    pub owner: Option<UserId>,
    pub members: u32,
    /// How many entries its log has, and when the last one was written.
    pub head: Seq,
    pub last_at: Option<Millis>,
}

/// Groups whose name has this text in it or whose number it is, all for no text; in the order of
/// their numbers, behind `after`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(
    store: &dyn Store,
    text: &str,
    after: GroupId,
    limit: u32,
) -> Result<Vec<ListedGroup>, StoreError> {
    let mut sql = "SELECT u.f_user_id, u.f_nickname, \
         (SELECT r.f_user_id1 FROM t_user_relationship r \
          WHERE r.f_user_id1 = u.f_owner_id AND r.f_user_id2 = u.f_user_id), \
         (SELECT COUNT(*) FROM t_user_relationship r WHERE r.f_user_id2 = u.f_user_id), \
         COALESCE(v.f_head, 0), COALESCE(v.f_time, 0) FROM t_user u \
         LEFT JOIN t_conversation v ON v.f_conv = u.f_user_id + ? \
         WHERE u.f_user_id >= ? AND u.f_user_id > ?"
        .to_owned();
    let first = ConvId::group(GroupId(0));
    let mut values: Vec<Value> = vec![first.into(), GROUP_ID_FIRST.into(), after.into()];
    let text = text.trim();
    if !text.is_empty() {
        let (condition, wanted) = people::has_in_name(text);
        sql.push_str(&format!(" AND (u.f_user_id = ? OR {condition})"));
        values.push(GroupId::from_decimal(text).map_or(Value::Int(0), Value::from));
        values.extend(wanted);
    }
    sql.push_str(" ORDER BY u.f_user_id LIMIT ?");
    values.push(limit.into());
    let rows = store.select(&sql, values).await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &Row) -> Result<ListedGroup, StoreError> {
    let owner = row.maybe_int(2)?.map(|_owner| row.user(2)).transpose()?;
    let last_at = row.millis(5)?;
    Ok(ListedGroup {
        id: GroupId(row.u32(0)?),
        name: row.text(1)?,
        owner,
        members: row.u32(3)?,
        head: row.seq(4)?,
        last_at: (last_at.0 != 0).then_some(last_at),
    })
}

/// The columns that [`member_in`] reads, of a membership with its group.
const MEMBER: &str = "r.f_user_id1, r.f_role, r.f_user2_markname, r.f_muted_until, \
     CASE WHEN g.f_owner_id = r.f_user_id1 THEN 1 ELSE 0 END \
     FROM t_user_relationship r JOIN t_user g ON g.f_user_id = r.f_user_id2";

fn member_in(row: &Row) -> Result<Member, StoreError> {
    Ok(Member {
        user: row.user(0)?,
        role: role_of(row.flag(4)?, row.int(1)?),
        nickname: row.text(2)?,
        muted_until: row.millis(3)?,
    })
}

/// One member; `None` if the user is none.
///
/// # Errors
/// When the database cannot be asked.
pub async fn member(
    store: &dyn Store,
    group: GroupId,
    user: UserId,
) -> Result<Option<Member>, StoreError> {
    if group.0 < GROUP_ID_FIRST {
        return Ok(None);
    }
    let sql = format!("SELECT {MEMBER} WHERE r.f_user_id1 = ? AND r.f_user_id2 = ?");
    let rows = store.select(&sql, vec![user.into(), group.into()]).await?;
    rows.first().map(member_in).transpose()
}

/// Members, ascending by user number, behind `after`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn members(
    store: &dyn Store,
    group: GroupId,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Member>, StoreError> {
    if group.0 < GROUP_ID_FIRST {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {MEMBER} WHERE r.f_user_id2 = ? AND r.f_user_id1 > ? \
         ORDER BY r.f_user_id1 LIMIT ?"
    );
    let after = after.unwrap_or(UserId(0));
    let values = vec![group.into(), after.into(), limit.into()];
    let rows = store.select(&sql, values).await?;
    rows.iter().map(member_in).collect()
}

/// How many members these groups have; one without members, or that is none, is left out.
///
/// # Errors
/// When the database cannot be asked.
pub async fn sizes(
    store: &dyn Store,
    groups: &[GroupId],
) -> Result<Vec<(GroupId, u32)>, StoreError> {
    let groups: Vec<GroupId> = groups
        .iter()
        .copied()
        .filter(|group| group.0 >= GROUP_ID_FIRST)
        .collect();
    let mut sizes = Vec::with_capacity(groups.len());
    for groups in lookups(&groups) {
        let sql = format!(
            "SELECT f_user_id2, COUNT(*) FROM t_user_relationship WHERE f_user_id2 IN {} \
             GROUP BY f_user_id2",
            marks(groups.len())
        );
        let groups = groups.into_iter().map(Value::from).collect();
        for row in store.select(&sql, groups).await? {
            sizes.push((GroupId(row.u32(0)?), row.u32(1)?));
        }
    }
    Ok(sizes)
}

/// Owner and admins, ascending: who answers requests to join.
///
/// # Errors
/// When the database cannot be asked.
pub async fn deciders(store: &dyn Store, group: GroupId) -> Result<Vec<UserId>, StoreError> {
    let rows = store
        .select(DECIDERS, vec![group.into(), ADMIN.into()])
        .await?;
    rows.iter().map(|row| row.user(0)).collect()
}

/// A user's open request to become a member.
///
/// # Errors
/// When the database cannot be asked.
pub async fn join_request(
    store: &dyn Store,
    group: GroupId,
    user: UserId,
) -> Result<Option<JoinRequest>, StoreError> {
    let sql = "SELECT f_user_id, f_note, f_time FROM t_join_request \
         WHERE f_group_id = ? AND f_user_id = ?";
    let rows = store.select(sql, vec![group.into(), user.into()]).await?;
    rows.first().map(open_request).transpose()
}

fn open_request(row: &Row) -> Result<JoinRequest, StoreError> {
    Ok(JoinRequest {
        user: row.user(0)?,
        note: row.text(1)?,
        at: row.millis(2)?,
    })
}

/// Open requests, the oldest first.
///
/// # Errors
/// When the database cannot be asked.
pub async fn join_requests(
    store: &dyn Store,
    group: GroupId,
) -> Result<Vec<JoinRequest>, StoreError> {
    let sql = "SELECT f_user_id, f_note, f_time FROM t_join_request WHERE f_group_id = ? \
         ORDER BY f_time, f_user_id";
    let rows = store.select(sql, vec![group.into()]).await?;
    rows.iter().map(open_request).collect()
}
