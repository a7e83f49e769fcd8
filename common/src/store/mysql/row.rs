//! Rows to values and back.

use mysql_async::prelude::FromValue;
use mysql_async::{Params, Row, Value};

use super::fault::Fault;
use crate::api::{Account, Avatar, Entry, Origin, Profile};
use crate::id::{ClientId, ConvId, DeviceId, Millis, Peer, Seq, UserId};
use crate::store::stored;

/// The columns that [`entry`] reads.
pub(super) const ENTRY: &str = "f_conv, f_seq, f_kind, f_msgcontent, f_senderid, f_device, \
     f_client_id, f_tag, f_time";

/// The columns that [`profile`] reads, of a table called `u`. Original rows may hold NULL anywhere.
pub(super) const PROFILE: &str = "u.f_user_id, u.f_username, u.f_nickname, \
     COALESCE(u.f_facetype, 0), COALESCE(u.f_customface, ''), COALESCE(u.f_gender, 0), \
     COALESCE(u.f_birthday, 0), COALESCE(u.f_signature, ''), COALESCE(u.f_address, ''), \
     COALESCE(u.f_phonenumber, ''), COALESCE(u.f_mail, ''), \
     EXISTS (SELECT 1 FROM t_bot b WHERE b.f_user_id = u.f_user_id)";

/// How many columns [`PROFILE`] has.
pub(super) const PROFILE_WIDTH: usize = 12;

/// One column of a row.
pub(super) fn cell<T: FromValue>(row: &mut Row, index: usize) -> Result<T, Fault> {
    match row.take_opt(index) {
        Some(Ok(value)) => Ok(value),
        Some(Err(_)) | None => Err(Fault::Broken(format!(
            "column {index} of a row has an unexpected type"
        ))),
    }
}

/// Values as positional parameters.
pub(super) fn params<const N: usize>(values: [Value; N]) -> Params {
    Params::Positional(Vec::from(values))
}

/// An entry from the columns [`ENTRY`].
pub(super) fn entry(mut row: Row) -> Result<Entry, Fault> {
    let client_id: String = cell(&mut row, 6)?;
    Ok(Entry {
        conv: ConvId(cell(&mut row, 0)?),
        seq: Seq(cell(&mut row, 1)?),
        origin: Origin {
            user: UserId(cell(&mut row, 4)?),
            device: DeviceId(cell(&mut row, 5)?),
            client_id: ClientId::new(client_id)
                .ok_or_else(|| Fault::broken("an entry has no client id"))?,
            tag: cell(&mut row, 7)?,
            at: Millis(cell(&mut row, 8)?),
        },
        body: stored::body(cell(&mut row, 2)?, cell(&mut row, 3)?)?,
    })
}

/// A profile from the columns [`PROFILE`]; `None` for a row whose number is nobody's.
pub(super) fn profile(row: &mut Row) -> Result<Option<Profile>, Fault> {
    let number: i64 = cell(row, 0)?;
    let Some(id) = u32::try_from(number).ok().and_then(Peer::from_number) else {
        return Ok(None);
    };
    Ok(Some(Profile {
        id,
        username: cell(row, 1)?,
        nickname: cell(row, 2)?,
        avatar: Avatar {
            builtin: small(cell(row, 3)?),
            custom: cell(row, 4)?,
        },
        gender: small(cell(row, 5)?),
        birthday: small(cell(row, 6)?),
        signature: cell(row, 7)?,
        address: cell(row, 8)?,
        phone: cell(row, 9)?,
        mail: cell(row, 10)?,
        is_bot: cell(row, 11)?,
    }))
}

/// An account from the columns [`PROFILE`], password hash, plain-text password.
pub(super) fn account(mut row: Row) -> Result<Option<Account>, Fault> {
    let Some(profile) = profile(&mut row)? else {
        return Ok(None);
    };
    let Peer::User(id) = profile.id else {
        return Ok(None);
    };
    Ok(Some(Account {
        id,
        profile,
        password_hash: cell(&mut row, PROFILE_WIDTH)?,
        password_plain: cell(&mut row, PROFILE_WIDTH + 1)?,
    }))
}

/// The original stored whatever a client sent; what no client can hold counts as unset.
fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(0)
}
