//! An entry of a log from a row of `t_chatmsg`.

use super::Row;
use crate::api::{Entry, Origin};
use crate::id::ClientId;
use crate::store::{StoreError, stored};

/// The columns that [`entry`] reads.
pub(super) const ENTRY: &str = "f_conv, f_seq, f_kind, f_msgcontent, f_senderid, f_device, \
     f_client_id, f_tag, f_time";

/// An entry from the columns [`ENTRY`].
pub(super) fn entry(row: &Row) -> Result<Entry, StoreError> {
    let broken = |what: &str| StoreError::Broken(format!("an entry that cannot be read: {what}"));
    let content = row.bytes(3)?.ok_or_else(|| broken("no content"))?;
    Ok(Entry {
        conv: row.conv(0)?,
        seq: row.seq(1)?,
        origin: Origin {
            user: row.user(4)?,
            device: row.device(5)?,
            client_id: ClientId::new(row.text(6)?).ok_or_else(|| broken("no client id"))?,
            tag: i32::try_from(row.int(7)?).map_err(|_large| broken("its tag"))?,
            at: row.millis(8)?,
        },
        body: stored::body(row.int(2)?, content)?,
    })
}
