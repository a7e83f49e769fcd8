//! How far the devices of others have received. A webhook is none of them: nobody has read what it
//! got.

use super::Value;
use crate::id::{ConvId, Seq, UserId};
use crate::store::{Store, StoreError};

/// How many pairs one statement asks for: SQLite takes conditions up to 1,000 deep.
const PAIRS_MAX: usize = 200;

/// How far any device of these users has received in these conversations; left out where none has.
///
/// # Errors
/// When the database cannot be asked.
pub async fn of(
    store: &dyn Store,
    places: &[(UserId, ConvId)],
) -> Result<Vec<(UserId, ConvId, Seq)>, StoreError> {
    let mut furthest = Vec::with_capacity(places.len());
    for some in places.chunks(PAIRS_MAX) {
        let pairs = vec!["(c.f_user_id = ? AND c.f_conv = ?)"; some.len()].join(" OR ");
        let sql = format!(
            "SELECT c.f_user_id, c.f_conv, MAX(c.f_seq) FROM t_cursor c WHERE ({pairs}) \
             AND c.f_device NOT IN (SELECT h.f_device FROM t_outgoing_hook h \
             WHERE h.f_user_id = c.f_user_id) GROUP BY c.f_user_id, c.f_conv"
        );
        let values: Vec<Value> = some
            .iter()
            .flat_map(|(user, conv)| [Value::from(*user), Value::from(*conv)])
            .collect();
        for row in store.select(&sql, values).await? {
            furthest.push((row.user(0)?, row.conv(1)?, row.seq(2)?));
        }
    }
    Ok(furthest)
}
